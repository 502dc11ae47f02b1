import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { createEndings } from '../../src/oidc/endings.ts';
import { createOwnSessions } from '../../src/oidc/own_sessions.ts';
import { createUnitOfWork } from '../../src/storage/work.ts';
import { claimsOf, refresh, signIn } from '../kit/world.ts';
import { hidden, startPersonWorld } from './person_world.ts';
import type { PersonWorld } from './person_world.ts';

let world: PersonWorld;
const here = '/account/apps';

beforeAll(async () => {
  world = await startPersonWorld();
});
afterAll(() => world?.close());
beforeEach(() => world.pass(2000));

const consentsOf = (user: string) => world.store.find('consent', 'user', user, { limit: 10 });

test('an app of our own is signed out of, on every device and for every account', async () => {
  const browser = await world.enter('ada');
  expect((await world.open(browser, here)).visible).toContain('No app has access now.');
  const first = await signIn(world.issuer, browser, { account: 'acc_acme' });
  const second = await signIn(world.issuer, world.browser(), { account: 'acc_globex' });
  const kept = await signIn(world.issuer, browser, { client: 'other', account: 'acc_acme' });
  const page = await world.open(browser, here);
  expect(page.visible).toMatch(/The app.*For Acme, Globex|The app.*For Globex, Acme/);
  expect(page.visible).toContain('The other');
  expect(page.visible).not.toContain('tollgate-links');
  const csrf = hidden(page, `${here}/end`, 'csrf');
  const done = await browser.post(
    `${world.issuer}${here}/end`,
    { csrf, app: 'app' },
    { from: page },
  );
  expect(done.url).toBe(`${world.issuer}${here}?done=ended`);
  for (const { refresh_token: token } of [first, second]) {
    expect((await refresh(world.issuer, 'app', token)).body.error).toBe('invalid_grant');
  }
  expect((await refresh(world.issuer, 'other', kept.refresh_token)).status).toBe(200);
  expect(done.text).not.toContain('>The app<');
  // They are signed in here still, so that it opens again without a question.
  const again = await signIn(world.issuer, browser, {
    parameters: { prompt: 'none', account: 'acc_acme' },
  });
  expect(claimsOf(again.access_token).sub).toBe('usr_ada');
  const reasons = (await world.told('grant.revoked', 'usr_ada')).map(({ client, reason }) => [
    client,
    reason,
  ]);
  expect(reasons).toEqual([
    ['app', 'signed_out'],
    ['app', 'signed_out'],
  ]);
});

test('somebody else’s app loses what it has, and has to ask again', async () => {
  const browser = await world.enter('ada');
  const tokens = await signIn(world.issuer, browser, { client: 'partner', account: 'acc_acme' });
  const page = await world.open(browser, here);
  expect(page.visible).toMatch(/The partner.*Another company’s app/);
  expect(await consentsOf('usr_ada')).toHaveLength(1);
  const csrf = hidden(page, `${here}/end`, 'csrf');
  const body = { csrf, app: 'partner' };
  const done = await browser.post(`${world.issuer}${here}/end`, body, { from: page });
  expect(done.url).toBe(`${world.issuer}${here}?done=ended`);
  expect(await consentsOf('usr_ada')).toEqual([]);
  expect((await refresh(world.issuer, 'partner', tokens.refresh_token)).body.error).toBe(
    'invalid_grant',
  );
  expect(await world.told('consent.withdrawn', 'usr_ada')).toMatchObject([
    { user: 'usr_ada', client: 'partner' },
  ]);
  await expect(
    signIn(world.issuer, browser, {
      client: 'partner',
      parameters: { prompt: 'none', account: 'acc_acme' },
    }),
  ).rejects.toThrow(/consent_required|interaction_required/);
  // Twice is as good as once.
  const again = await browser.post(`${world.issuer}${here}/end`, body, { from: page });
  expect(again.url).toBe(`${world.issuer}${here}?done=over`);
  expect(await world.told('consent.withdrawn', 'usr_ada')).toHaveLength(1);
});

test('a withdrawal that was decided is carried out, should the process die behind it', async () => {
  const browser = await world.enter('ada');
  const tokens = await signIn(world.issuer, browser, { client: 'partner', account: 'acc_acme' });
  const [consent] = await consentsOf('usr_ada');
  world.pass(2000);
  // All that it did before it died.
  const at = Date.now() + 1e6;
  const { user, client, account } = consent!.document;
  await world.store.write('consent', consent!.id, null, {
    expect: consent!.version,
    events: [
      { id: 'evt_withdrawn', type: 'consent.withdrawn', at, data: { user, client, account } },
    ],
  });
  await world.server.dispatcher.drain();
  expect((await refresh(world.issuer, 'partner', tokens.refresh_token)).body.error).toBe(
    'invalid_grant',
  );
});

test('T74 nobody signs somebody else out of an app', async () => {
  const ada = await world.enter('ada');
  const tokens = await signIn(world.issuer, ada, { account: 'acc_acme' });
  const grace = await world.enter('grace');
  const page = await world.open(grace, here);
  await signIn(world.issuer, grace, { client: 'other', account: 'none' });
  const csrf = hidden(await world.open(grace, here), `${here}/end`, 'csrf');
  // Hers to end are her own, whatever else the form says.
  const body = { csrf, app: 'app', user: 'usr_ada', account: 'acc_acme' };
  const sent = await grace.post(`${world.issuer}${here}/end`, body, { from: page });
  expect(sent.url).toBe(`${world.issuer}${here}?done=over`);
  expect((await refresh(world.issuer, 'app', tokens.refresh_token)).status).toBe(200);
});

test('an app is ended for one account, and goes on for the other', async () => {
  const { store, issuer } = world;
  const clock = () => Date.now();
  const endings = createEndings({ store, clock, work: createUnitOfWork(store) });
  const own = createOwnSessions({ store, clock, endings });
  const browser = await world.enter('ada');
  const [one, two] = [
    await signIn(issuer, browser, { client: 'partner', account: 'acc_acme' }),
    await signIn(issuer, world.browser(), { client: 'partner', account: 'acc_globex' }),
  ];
  expect(await own.endApp('usr_ada', 'partner', 'acc_initech')).toBe(false);
  expect(await own.endApp('usr_ada', 'partner', 'acc_acme')).toBe(true);
  expect((await refresh(issuer, 'partner', one.refresh_token)).body.error).toBe('invalid_grant');
  expect((await refresh(issuer, 'partner', two.refresh_token)).status).toBe(200);
  const left = (await own.apps('usr_ada')).find(({ client }) => client === 'partner');
  expect(left?.accounts).toEqual(['acc_globex']);
  expect(left?.consents.map(({ account }) => account)).toEqual(['acc_globex']);
  expect(await own.endApp('usr_grace', 'partner', 'acc_globex')).toBe(false);
});
