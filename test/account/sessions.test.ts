import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { refresh, signIn } from '../kit/world.ts';
import { hidden, startPersonWorld } from './person_world.ts';
import type { PersonWorld } from './person_world.ts';

let world: PersonWorld;
const here = '/account/sessions';
const firefox = 'Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:150.0) Gecko/20100101 Firefox/150.0';
const safari =
  'Mozilla/5.0 (iPhone; CPU iPhone OS 19_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/19.0 Mobile/15E148 Safari/604.1';

beforeAll(async () => {
  world = await startPersonWorld({ signout: { success: 'https://app.example.com/bye' } });
});
afterAll(() => world?.close());
// What is begun within one second is one to a revocation.
beforeEach(() => world.pass(2000));

const sessionsOf = async (user: string) =>
  (await world.store.find('session', 'user', user, { limit: 1000 })).map((one) => ({
    id: one.id,
    ...one.document,
  }));
const living = async (user: string) =>
  (await sessionsOf(user)).filter(({ ended }) => ended === undefined);

test('each device is there with its name, its network and its apps; nothing else is kept of it', async () => {
  const laptop = await world.enter('grace', { userAgent: firefox });
  await signIn(world.issuer, laptop, { client: 'other', account: 'none' });
  const phone = await world.enter('grace', { userAgent: safari });
  const page = await world.open(phone, here);
  expect(page.visible).toMatch(
    /Safari on iPhone.*with Example ID.*Network 127\.0\.0\.0\/24.*This device/,
  );
  expect(page.visible).toMatch(/Firefox on Windows.*Apps: The other/);
  expect(page.text).not.toContain('127.0.0.1<');
  const kept = await living('usr_grace');
  expect(kept.map(({ device }) => device?.name).toSorted()).toEqual([
    'Firefox on Windows',
    'Safari on iPhone',
  ]);
  for (const session of kept) {
    expect(session.device).toMatchObject({ provider: 'upstream', network: '127.0.0.0/24' });
    expect(JSON.stringify(session)).not.toMatch(/Gecko|127\.0\.0\.1/);
  }
});

test('a device is signed out, and its apps with it; the tombstone forgets where it was', async () => {
  const laptop = await world.enter('grace', { userAgent: firefox });
  const tokens = await signIn(world.issuer, laptop, { account: 'none' });
  const phone = await world.enter('grace', { userAgent: safari });
  const current = (await living('usr_grace')).filter(
    ({ device }) => device?.name === 'Safari on iPhone',
  );
  let page = await world.open(phone, here);
  for (;;) {
    const form = page.forms.find(({ action }) => action === `${here}/end`);
    if (form === undefined) break;
    page = await phone.submit(page, { form: `${here}/end` });
    expect(page.url).toContain('done=ended');
  }
  expect((await living('usr_grace')).map(({ id }) => id)).toEqual([expect.any(String)]);
  expect(current.map(({ id }) => id)).toContain((await living('usr_grace'))[0]?.id);
  for (const { ended, device } of await sessionsOf('usr_grace')) {
    if (ended !== undefined) expect(device).toBeUndefined();
  }
  expect((await refresh(world.issuer, 'app', tokens.refresh_token)).body.error).toBe(
    'invalid_grant',
  );
  const out = await laptop.get(`${world.issuer}${here}`);
  expect(out.url).not.toContain('/account');
  expect((await world.told('session.ended', 'usr_grace')).at(-1)).toMatchObject({
    reason: 'signed_out',
  });
});

test('T74 the device of somebody else is not theirs to sign out', async () => {
  const ada = await world.enter('ada');
  const [session] = await living('usr_ada');
  const grace = await world.enter('grace');
  const page = await world.open(grace, here);
  const csrf = hidden(page, `${here}/others`, 'csrf');
  for (const device of [session!.id, 'no such', '']) {
    const sent = await grace.post(`${world.issuer}${here}/end`, { csrf, device }, { from: page });
    expect(sent.url).toBe(`${world.issuer}${here}?done=over`);
  }
  expect((await world.open(ada, here)).url).toBe(`${world.issuer}${here}`);
});

test('all others: what apps got elsewhere ends, also where the session ran out; this one goes on', async () => {
  const elsewhere = await world.enter('ada', { userAgent: firefox });
  const tokens = await signIn(world.issuer, elsewhere);
  const [session] = (await living('usr_ada')).filter(({ device }) => device?.name !== undefined);
  // It runs out, and the app goes on.
  const { version, document } = (await world.store.get('session', session!.id))!;
  await world.store.write('session', session!.id, null, { expect: version });
  expect(document.user).toBe('usr_ada');
  const kept = await refresh(world.issuer, 'app', tokens.refresh_token);
  expect(kept.status).toBe(200);

  const third = await world.enter('ada', { userAgent: safari });
  const mine = await world.enter('ada');
  const own = await signIn(world.issuer, mine, { client: 'other' });
  const page = await world.open(mine, here);
  const done = await mine.submit(page, { form: `${here}/others` });
  expect(done.url).toBe(`${world.issuer}${here}?done=others`);
  expect(await living('usr_ada')).toHaveLength(1);
  expect((await third.get(`${world.issuer}/account`)).url).not.toContain('/account');
  const refused = await refresh(world.issuer, 'app', kept.body.refresh_token);
  expect(refused.body.error).toBe('invalid_grant');
  expect((await refresh(world.issuer, 'other', own.refresh_token)).status).toBe(200);
});

test('everywhere: nobody is signed in any more, here neither', async () => {
  const elsewhere = await world.enter('ada');
  const mine = await world.enter('ada');
  const tokens = await signIn(world.issuer, mine);
  world.pass(2000);
  const page = await world.open(mine, here);
  const out = await mine.submit(page, { form: `${here}/all` });
  expect(out.url).toBe('https://app.example.com/bye');
  expect(await living('usr_ada')).toEqual([]);
  for (const browser of [elsewhere, mine]) {
    expect((await browser.get(`${world.issuer}/account`)).url).not.toContain('/account');
  }
  expect((await refresh(world.issuer, 'app', tokens.refresh_token)).body.error).toBe(
    'invalid_grant',
  );
  world.pass(2000);
  expect(await world.enter('ada')).toBeDefined();
});

test('a second sign-in at the same browser is the same device, signed in since then', async () => {
  const browser = await world.enter('ada', { userAgent: firefox });
  const ids = async () => (await living('usr_ada')).map(({ id }) => id);
  const before = await ids();
  const since = (await living('usr_ada')).at(-1)?.device?.signedInAt ?? 0;
  world.pass(60_000);
  const again = await world.open(browser, `/signin?again=yes&return_to=${world.issuer}/account`);
  await world.into(browser, again);
  expect(await ids()).toEqual(before);
  const devices = (await living('usr_ada')).map(({ device }) => device);
  expect(Math.max(...devices.map((one) => one?.signedInAt ?? 0))).toBeGreaterThan(since);
  // What writes the session later takes nothing of it away.
  await signIn(world.issuer, browser, { client: 'spa' });
  expect((await living('usr_ada')).map(({ device }) => device)).toEqual(devices);
});

test('who signs in as somebody else at a browser takes the device along, and nothing of the other', async () => {
  const browser = await world.enter('ada', { userAgent: firefox });
  const before = (await living('usr_ada')).length;
  const again = await world.open(browser, `/signin?again=yes&return_to=${world.issuer}/account`);
  await world.into(browser, again, { person: 'grace' });
  const page = await world.open(browser, here);
  expect(page.visible).toMatch(/Firefox on Windows.*This device/);
  expect(await living('usr_ada')).toHaveLength(before - 1);
});

test('a person with many devices turns pages, whatever lies between them', async () => {
  const browser = await world.enter('grace');
  const [model] = (await living('usr_grace')).slice(-1);
  const { id: _id, ...document } = model!;
  for (let index = 0; index < 45; index += 1) {
    const ended = index % 2 === 1 ? { ended: { at: 1, reason: 'signed_out' } } : {};
    const name = `made-${String(index).padStart(2, '0')}`;
    await world.store.write('session', name, { ...document, ...ended }, { expect: 'absent' });
  }
  const all = (await living('usr_grace')).length;
  let page = await world.open(browser, here);
  let seen = 0;
  for (let pages = 1; ; pages += 1) {
    const rows = page.text.match(/Signed in on/g)?.length ?? 0;
    expect(rows).toBeLessThanOrEqual(20);
    seen += rows;
    const next = page.links.find(({ text }) => text === 'Next');
    if (next === undefined) break;
    expect(pages).toBeLessThan(10);
    page = await browser.get(new URL(next.href, world.issuer).href, { from: page });
  }
  expect(seen).toBe(all);
});
