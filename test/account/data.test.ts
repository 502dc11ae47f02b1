/** The pages about a person's own data, over HTTP: the file, the deletion, and who may do what. */

import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { Browser, Page } from '../../dev/walk.ts';
import type { PersonKey } from '../../dev/people.ts';
import { claimsOf, refresh, signIn, startWorld } from '../kit/world.ts';
import type { World } from '../kit/world.ts';

const day = 24 * 60 * 60 * 1000;

let world: World;
let shift = 0;
beforeAll(async () => {
  world = await startWorld({
    clock: () => Date.now() + shift,
    config: { registration: 'open' },
  });
});
afterAll(() => world.close());
beforeEach(() => {
  shift = 0;
});

const at = (path: string) => `${world.issuer}/account/data${path}`;

async function visitor(person: PersonKey, account: string): Promise<Browser> {
  const browser = world.browser();
  await signIn(world.issuer, browser, { person, account });
  return browser;
}

const csrfOf = (page: Page) =>
  page.forms[0]?.fields.find(({ name }) => name === 'csrf')?.value ?? '';

let count = 0;

/** Somebody new, with a personal account. */
async function newcomer(): Promise<{
  browser: Browser;
  user: string;
  account: string;
  refreshToken: string;
}> {
  count += 1;
  const browser = world.browser();
  const name = `Mia ${count}`;
  const someone = { subject: `sub-of-mia-${count}`, name, email: `mia${count}@example.com` };
  const tokens = await signIn(world.issuer, browser, { someone });
  const { sub, account } = claimsOf(tokens.access_token);
  return {
    browser,
    user: String(sub),
    account: String(account),
    refreshToken: tokens.refresh_token ?? '',
  };
}

const statusOf = async (user: string) => (await world.server.directory.user(user))?.document.status;

describe('the file', () => {
  test('has what is kept of the person, and nothing of anybody else', async () => {
    const { browser, user, account } = await newcomer();
    await world.server.dispatcher.drain();
    const page = await browser.get(at(''));
    const file = await browser.submit(page, { form: '/account/data/file' });
    expect(file.status).toBe(200);
    expect(file.headers['content-type']).toMatch(/^application\/json/);
    expect(file.headers['content-disposition']).toContain('my-data.json');
    expect(file.headers['cache-control']).toBe('no-store');
    const kept = JSON.parse(file.text);
    expect(kept.person).toMatchObject({
      id: user,
      name: `Mia ${count}`,
      email: `mia${count}@example.com`,
      identities: [{ provider: 'upstream', subject: `sub-of-mia-${count}` }],
    });
    expect(kept.accounts).toMatchObject([{ account, roles: ['owner'], status: 'active' }]);
    expect(kept.sessions).toHaveLength(1);
    expect(kept.apps.map(({ app }: { app: string }) => app)).toContain('app');
    const types = kept.record.map(({ type }: { type: string }) => type);
    expect(types).toEqual(
      expect.arrayContaining(['user.registered', 'user.signed_in', 'account.created']),
    );
    expect(file.text).not.toMatch(/usr_ada|salt|payload|generation|tgr\.|tgs\.|"mac"/);
  });

  test('is limited, by the person', async () => {
    const { browser } = await newcomer();
    const page = await browser.get(at(''));
    const statuses: number[] = [];
    for (let time = 0; time < 6; time += 1) {
      const { status } = await browser.submit(page, { form: '/account/data/file' });
      statuses.push(status);
    }
    expect(statuses).toEqual([200, 200, 200, 200, 200, 429]);
    const { browser: other } = await newcomer();
    const file = await other.submit(await other.get(at('')), { form: '/account/data/file' });
    expect(file.status).toBe(200);
  });

  test('is only for who signed in a moment ago', async () => {
    const { browser } = await newcomer();
    const page = await browser.get(at(''));
    shift = 11 * 60_000;
    const answer = await browser.submit(page, { form: '/account/data/file' });
    expect(answer.headers['content-disposition']).toBeUndefined();
    expect(answer.url).toContain('/interaction/');
  });

  test('of thousands of records comes in pieces', async () => {
    const { browser, user, account } = await newcomer();
    for (let number = 0; number < 250; number += 1) {
      const record = { type: 'user.signed_in', at: number, user, account, data: { user } };
      await world.store.write('audit', `evt_many_${count}_${number}`, record, { expect: 'absent' });
    }
    const page = await browser.get(at(''));
    const { text } = await browser.submit(page, { form: '/account/data/file' });
    expect(JSON.parse(text).record.length).toBeGreaterThanOrEqual(250);
  });
});

describe('a deletion', () => {
  test('is asked for, works on, and is taken back', async () => {
    const { browser, user, account, refreshToken } = await newcomer();
    let page = await browser.follow(await browser.get(at('')), '/account/data/delete');
    expect(page.text).toContain(`Mia ${count}`);
    expect(page.text).toContain('14 days');
    page = await browser.submit(page, { form: '/account/data/delete' });
    expect(new URL(page.url).pathname).toBe('/account/data');
    expect(page.text).toContain('You will be deleted on');
    expect((await refresh(world.issuer, 'app', refreshToken)).status).toBe(200);
    page = await browser.submit(page, { form: '/account/data/keep' });
    expect(page.text).toContain('You stay');
    shift = 20 * day;
    await world.server.directory.leave();
    expect(await statusOf(user)).toBe('active');
    expect((await world.server.directory.account(account))?.status).toBe('active');
  });

  test('that was not taken back is done after its days, and ends all access', async () => {
    const { browser, user, account, refreshToken } = await newcomer();
    const page = await browser.get(at('/delete'));
    await browser.submit(page, { form: '/account/data/delete' });
    shift = 14 * day + 60_000;
    await world.server.directory.leave();
    await world.server.dispatcher.drain();
    expect(await statusOf(user)).toBe('deleted');
    expect((await world.server.directory.account(account))?.status).toBe('closed');
    expect((await refresh(world.issuer, 'app', refreshToken)).status).toBe(400);
    // As anybody: to the upstream.
    expect(new URL((await browser.get(at(''))).url).pathname).toBe('/authorize');
  });

  test('is refused while others have no other owner, and says where to hand over', async () => {
    const { browser, user, account } = await newcomer();
    await world.server.directory.addMember(account, 'usr_grace', ['member']);
    const page = await browser.get(at('/delete'));
    expect(page.text).toContain('Hand over first');
    expect(page.text).toContain(`/account/members?account=${account}`);
    expect(page.forms.some(({ action }) => action.endsWith('/account/data/delete'))).toBe(false);
    // From a page that was open before.
    const csrf = csrfOf(await browser.get(at('')));
    const late = await browser.post(at('/delete'), { csrf: csrf }, { from: page });
    expect(late.status).toBe(409);
    expect(late.text).toContain('Hand over first');
    expect((await world.server.directory.user(user))?.document.deletion).toBeUndefined();
    await world.server.directory.removeMember(account, 'usr_grace');
  });

  test('T74 T75 a form is about who sends it, whatever it names', async () => {
    const { browser, user } = await newcomer();
    const page = await browser.get(at('/delete'));
    const fields = { user: 'usr_grace', id: 'usr_grace', days: '0', account: 'acc_initech' };
    const csrf = csrfOf(page);
    await browser.post(at('/delete'), { ...fields, csrf: csrf }, { from: page });
    const mine = (await world.server.directory.user(user))?.document;
    expect([mine?.status, mine?.deletion === undefined]).toEqual(['active', false]);
    const grace = (await world.server.directory.user('usr_grace'))?.document;
    expect(grace?.deletion).toBeUndefined();
    await browser.post(at('/keep'), { user: 'usr_grace', csrf: csrf }, { from: page });
    expect((await world.server.directory.user(user))?.document.deletion).toBeUndefined();
  });

  test.each(['/file', '/delete', '/keep'])('is not started from another site: %s', async (path) => {
    const browser = await visitor('grace', 'acc_initech');
    const answer = await browser.post(at(path), {});
    expect(answer.status).toBe(403);
    const grace = (await world.server.directory.user('usr_grace'))?.document;
    expect(grace?.deletion).toBeUndefined();
  });

  test('its page is only for who signed in a moment ago', async () => {
    const { browser, user } = await newcomer();
    const page = await browser.get(at('/delete'));
    shift = 11 * 60_000;
    expect((await browser.get(at('/delete'))).url).toContain('/interaction/');
    const late = await browser.submit(page, { form: '/account/data/delete' });
    expect(late.url).toContain('/interaction/');
    expect((await world.server.directory.user(user))?.document.deletion).toBeUndefined();
  });
});

test('without days to think it over somebody is deleted at once', async () => {
  const own = await startWorld({ config: { registration: 'open', people: { deletionDays: 0 } } });
  try {
    const browser = own.browser();
    const someone = { subject: 'sub-of-max', name: 'Max', email: 'max@example.com' };
    const tokens = await signIn(own.issuer, browser, { someone });
    const { sub } = claimsOf(tokens.access_token);
    const page = await browser.get(`${own.issuer}/account/data/delete`);
    const done = await browser.submit(page, { form: '/account/data/delete' });
    expect(done.text).toContain('You are deleted');
    expect((await own.server.directory.user(String(sub)))?.document.status).toBe('deleted');
  } finally {
    await own.close();
  }
});

test('who used what is known to the day, and nothing more', async () => {
  const { user, account, refreshToken } = await newcomer();
  const today = Math.floor(Date.now() / day) * day;
  await expect
    .poll(async () => (await world.server.directory.account(account))?.usedAt)
    .toBe(today);
  const membership = (await world.server.directory.user(user))?.document.memberships?.[0];
  expect(membership?.usedAt).toBe(today);
  const before = await world.store.get('account', account);
  const next = await refresh(world.issuer, 'app', refreshToken);
  shift = day;
  await refresh(world.issuer, 'app', next.body.refresh_token);
  await expect
    .poll(async () => (await world.server.directory.account(account))?.usedAt)
    .toBe(today + day);
  const after = await world.store.get('account', account);
  // One write for the day, and none for the refresh of the day before.
  expect((after?.version ?? 0) - (before?.version ?? 0)).toBe(1);
});
