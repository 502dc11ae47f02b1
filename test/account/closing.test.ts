/** `/account/close` and what belongs to it, over HTTP: as owners, as others, and as people of other accounts. */

import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Browser, Page } from '../../dev/walk.ts';
import { newcomer, signInAt, startSignupWorld, tokenAt } from '../kit/signup_world.ts';
import type { SignupWorld } from '../kit/signup_world.ts';
import { colleague, subscriber } from '../kit/subscribers.ts';
import type { Subscriber } from '../kit/subscribers.ts';

let world: SignupWorld;

beforeAll(async () => {
  world = await startSignupWorld({}, { changes: 'page' });
});
afterAll(() => world?.close());

const directory = () => world.server.directory;
const accountOf = async (account: string) => (await directory().account(account))!;
const addressOf = (account: string, path = 'close') =>
  `${world.issuer}/account/${path}?${new URLSearchParams({ account })}`;
const plain = (html: string) =>
  html
    .replaceAll(/<[^>]*>/g, '')
    .replaceAll(/\s+/g, ' ')
    .trim();
const heading = ({ text }: Page) => plain(/<h1>([^]*?)<\/h1>/.exec(text)?.[1] ?? '');
const dateOf = (at: number) =>
  new Intl.DateTimeFormat('en', { dateStyle: 'long', timeZone: 'UTC' }).format(at);

async function renamed(one: Subscriber, name: string): Promise<void> {
  const { document, version } = (await world.store.get('account', one.account))!;
  await world.store.write('account', one.account, { ...document, name }, { expect: version });
}

/** Somebody who has an account of their own without anything that is paid for. */
async function owner(): Promise<{ browser: Browser; account: string; user: string }> {
  const someone = newcomer(`owner-${Math.random()}`);
  const { issuer } = world.upstream;
  const identities = [{ provider: 'upstream', issuer, subject: someone.subject }];
  const { id: user } = await directory().createUser({ name: someone.name, identities });
  const { id: account } = await directory().createAccount({ name: 'Small & Co', owner: user });
  const browser = world.browser();
  await signInAt(browser, await browser.get(`${world.issuer}/signin`), { someone });
  return { browser, account, user };
}

describe('an owner', () => {
  test('is told what happens, closes it with the period and a reason, and keeps it', async () => {
    const one = await subscriber(world);
    await renamed(one, 'Rockets <b>');
    await colleague(world, one.account, 'member');
    const { browser, account } = one;
    const page = await browser.get(addressOf(account));
    const end = (await accountOf(account)).subscriptions!.api!.periodEnd!;
    expect([page.status, heading(page)]).toEqual([200, 'Close Rockets &lt;b&gt;?']);
    const told = plain(page.text);
    expect(told).toContain(`Team of API ends on ${dateOf(end)}`);
    expect(told).toContain('nothing is paid back');
    expect(told).toContain('You and one more person lose access');
    const typed = { feedback: 'too_expensive', reason: 'It costs\ntoo much' };
    const pending = await browser.submit(page, { button: 'Close the account', fields: typed });
    expect([pending.status, heading(pending)]).toEqual([200, 'Rockets &lt;b&gt; will be closed']);
    expect(plain(pending.text)).toContain(`closed on ${dateOf(end)}`);
    expect((await accountOf(account)).closing).toMatchObject({
      by: one.user,
      endsAt: end,
      feedback: 'too_expensive',
      reason: 'It costs\ntoo much',
    });
    const billing = await browser.get(addressOf(account, 'billing'));
    expect(plain(billing.text)).toContain(`It will be closed on ${dateOf(end)}`);
    expect(billing.text).not.toMatch(/\/account\/portal[^"]*flow=cancel|\/account\/switch/);
    const again = await browser.follow(billing, 'Keep the account');
    const kept = await browser.submit(again, { button: 'Keep the account' });
    expect(plain(kept.text)).toContain('The account stays.');
    expect((await accountOf(account)).closing).toBe(undefined);
    expect(plain((await browser.get(addressOf(account, 'billing'))).text)).not.toContain('closed');
  });

  test('closes it now only by its name, and is told that it is closed', async () => {
    const { browser, account, user } = await owner();
    const page = await browser.get(addressOf(account));
    expect(page.text).not.toContain('type="radio" name="when"');
    const fields = { feedback: 'unused', reason: 'Bye "<b>"' };
    const refused = await browser.submit(page, { button: 'Close the account', fields });
    expect([refused.status, refused.text]).toEqual([400, expect.stringContaining('type its name')]);
    expect(refused.text).toContain('Bye &quot;&lt;b&gt;&quot;');
    expect(refused.text).toMatch(/value="unused"\s+checked/);
    expect((await accountOf(account)).status).toBe('active');
    const more = { ...fields, name: ' Small & Co ' };
    const done = await browser.submit(refused, { button: 'Close the account', fields: more });
    expect([done.status, heading(done)]).toEqual([200, 'Small &amp; Co is closed']);
    expect(await accountOf(account)).toMatchObject({
      status: 'closed',
      closed: { by: user, ...fields },
    });
    expect((await browser.get(addressOf(account))).status).toBe(403);
    expect((await tokenAt(browser, world.issuer)).status).not.toBe(200);
  });

  test('of two tabs: the second one finds it closed, and keeping it finds nothing to keep', async () => {
    const { browser, account } = await owner();
    const [one, other] = [
      await browser.get(addressOf(account)),
      await browser.get(addressOf(account)),
    ];
    const fields = { name: 'Small & Co' };
    await directory().closing.ask({ account, endsAt: world.stripe.now() + 1e9 });
    const pending = await browser.get(addressOf(account));
    await directory().closing.withdraw(account);
    const late = await browser.submit(pending, { button: 'Keep the account' });
    expect(plain(late.text)).toContain('There was nothing to take back');
    await browser.submit(one, { button: 'Close the account', fields });
    const second = await browser.submit(other, { button: 'Close the account', fields });
    expect([second.status, second.text]).toEqual([403, expect.stringContaining('is closed')]);
  });
});

describe('T75 what was not asked', () => {
  test.each([
    [{ when: 'later' }, 400],
    [{ when: 'end' }, 400],
    [{}, 400],
    [{ when: 'now', name: 'Small' }, 400],
    [{ when: 'now', name: 'Small & Co', feedback: 'cheap' }, 400],
    [{ when: 'now', name: 'Small & Co', reason: 'x'.repeat(1001) }, 400],
    [{ when: 'now', endsAt: '1', by: 'usr_other', status: 'closed', name: '' }, 400],
  ])('%j changes nothing', async (fields, status) => {
    const { browser, account } = await owner();
    const page = await browser.get(addressOf(account));
    const csrf = /name="csrf" value="([^"]*)"/.exec(page.text)?.[1] ?? '';
    const url = addressOf(account);
    const answer = await browser.post(url, { csrf, account, ...fields }, { from: page });
    expect(answer.status).toBe(status);
    expect(await accountOf(account)).not.toHaveProperty('closing');
    expect((await accountOf(account)).status).toBe('active');
    expect((await browser.post(url, { ...fields, account, name: 'Small & Co' })).status).toBe(403);
  });
});

describe('T74 whoever is not an owner', () => {
  test('sees nothing of it, and changes nothing', async () => {
    const ada = await subscriber(world);
    const { account } = ada;
    const stranger = await owner();
    const mine = await stranger.browser.get(addressOf(stranger.account));
    const csrf = /name="csrf" value="([^"]*)"/.exec(mine.text)?.[1] ?? '';
    const now = { when: 'now', name: (await accountOf(account)).name };
    for (const path of ['close', 'close/withdraw']) {
      const url = addressOf(account, path);
      // In the address, in the form, and one of both.
      const own = addressOf(stranger.account, path);
      for (const to of [url, own]) {
        const answer = await stranger.browser.post(to, { csrf, account, ...now }, { from: mine });
        expect([answer.status, heading(answer)]).toEqual([
          403,
          'You do not belong to that account',
        ]);
      }
    }
    for (const id of [account, 'acc_nobody']) {
      const page = await stranger.browser.get(addressOf(id));
      expect([page.status, heading(page)]).toEqual([403, 'You do not belong to that account']);
    }
    for (const role of ['admin', 'member']) {
      const browser = await colleague(world, account, role);
      const page = await browser.get(addressOf(account));
      expect([page.status, heading(page)]).toEqual([403, 'You may not do this']);
    }
    expect(await accountOf(account)).not.toHaveProperty('closing');
    expect((await accountOf(account)).status).toBe('active');
  });

  test('and who was one when the page was made', async () => {
    const one = await owner();
    const other = await owner();
    await directory().addMember(one.account, other.user, ['owner']);
    const page = await other.browser.get(addressOf(one.account));
    await directory().setRoles(one.account, other.user, ['admin']);
    const fields = { name: 'Small & Co' };
    const late = await other.browser.submit(page, { button: 'Close the account', fields });
    expect(late.status).toBe(403);
    expect((await accountOf(one.account)).status).toBe('active');
  });
});

test('of two owners one closes it and the other keeps it', async () => {
  const one = await subscriber(world);
  const other = await owner();
  await directory().addMember(one.account, other.user, ['owner']);
  const page = await one.browser.get(addressOf(one.account));
  await one.browser.submit(page, { button: 'Close the account' });
  await world.server.dispatcher.drain();
  const found = await other.browser.get(addressOf(one.account));
  expect(plain(found.text)).toMatch(/New subscriber\d+ decided it\./);
  await other.browser.submit(found, { button: 'Keep the account' });
  await world.server.dispatcher.drain();
  const { cancel_at_period_end: ends } = await world.api.subscriptions.retrieve(one.subscription);
  expect(ends).toBe(false);
});

/** The last one: time passes. */
test('an owner signs in again first, when that was a while ago', async () => {
  const { browser, account } = await owner();
  const page = await browser.get(addressOf(account));
  await world.stripe.advance(11 * 60_000);
  for (const next of [
    await browser.get(addressOf(account)),
    await browser.submit(page, {
      button: 'Close the account',
      fields: { name: 'Small & Co' },
    }),
  ]) {
    expect(next.url).toContain('/interaction/');
  }
  expect((await accountOf(account)).status).toBe('active');
});
