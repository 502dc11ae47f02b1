/** What a page hears of its session, over HTTP from a real server. */

import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Browser } from '../../dev/walk.ts';
import { newEvent } from '../../src/events/types.ts';
import { openEvents } from '../kit/event_source.ts';
import type { EventSource, OpenOptions } from '../kit/event_source.ts';
import { goThrough, startWorld } from '../kit/world.ts';
import type { SignIn, World } from '../kit/world.ts';

// Nobody listens there: the way ends. It is of the issuer's own site, as apps that use links must be.
const app = 'http://127.0.0.1:1';
let world: World;

beforeAll(async () => {
  world = await startWorld({
    config: { signin: { success: `${app}/` }, signout: { success: `${app}/bye` } },
  });
});

afterAll(() => world?.close());

const fromApp = { origin: app, 'sec-fetch-site': 'same-site', 'sec-fetch-mode': 'cors' };

async function signedIn(signIn: SignIn = {}): Promise<Browser> {
  const browser = world.browser({ stopAt: (url) => url.origin === app });
  await goThrough(browser, await browser.get(`${world.issuer}/signin`), signIn);
  return browser;
}

async function listen(browser: Browser, options: OpenOptions = {}): Promise<EventSource> {
  const headers = { ...fromApp, ...options.headers };
  const source = await openEvents(world.issuer, { browser, ...options, headers });
  if (source.status === 200) await source.said(/^id: /m);
  return source;
}

const since = (source: EventSource) => ({ headers: { 'last-event-id': source.lastId() } });
const cookiesOf = (browser: Browser, name: string) => {
  const all = browser.cookies.all();
  browser.cookies.clear();
  const kept = all.filter((cookie) => cookie.name === name);
  const lines = kept.map((cookie) => `${cookie.name}=${cookie.value}; Path=/; HttpOnly`);
  browser.cookies.take(new URL(world.issuer), lines);
};

async function subscribe(account: string, plan: string): Promise<void> {
  const stored = await world.store.get('account', account);
  const subscription = { subscription: 'sub_1', status: 'active', plan };
  const document = { ...stored!.document, subscriptions: { api: subscription } };
  const data = { account, product: 'api', claims: { plan } };
  const events = [newEvent(Date.now, 'subscription.changed', data)];
  await world.store.write('account', account, document, { expect: stored!.version, events });
}

describe('what is told', () => {
  test('nothing at first, and that the session was signed out elsewhere at once', async () => {
    const browser = await signedIn();
    const [one, two] = [await listen(browser), await listen(browser)];
    expect(one.status).toBe(200);
    expect(one.headers).toMatchObject({
      'content-type': expect.stringMatching(/^text\/event-stream/),
      'cache-control': 'no-store, no-transform',
      'x-accel-buffering': 'no',
      'access-control-allow-origin': app,
      'access-control-allow-credentials': 'true',
      vary: expect.stringContaining('Origin'),
    });
    expect(one.text()).toMatch(/^retry: \d{4}$/m);
    expect(one.events).toEqual([]);
    await browser.get(`${world.issuer}/signout`);
    for (const source of [one, two]) {
      expect(await source.next()).toMatchObject({
        name: 'ended',
        data: { reason: 'signed_out' },
        id: 'ended',
      });
      await source.ended;
    }
  });

  test('that the plan and the roles changed, and not what they are', async () => {
    const browser = await signedIn({ person: 'grace', account: 'acc_initech' });
    const source = await listen(browser);
    await subscribe('acc_initech', 'a-plan-of-tests');
    expect(await source.next()).toMatchObject({ name: 'changed', data: { what: ['plan'] } });
    await world.server.directory.addMember('acc_initech', 'usr_linus', ['owner']);
    await world.server.directory.setRoles('acc_initech', 'usr_grace', ['auditor']);
    // An owner's roles are taken in two steps, and in between there are none of them.
    await expect.poll(() => source.events.at(-1)?.data).toEqual({ what: ['roles'] });
    expect(source.text()).not.toMatch(/a-plan|auditor|grace|initech|usr_|acc_/i);
    expect(source.events.every(({ name }) => name === 'changed')).toBe(true);
    source.close();
  });

  test('that a membership ended, by its word', async () => {
    const { directory } = world.server;
    await directory.addMember('acc_globex', 'usr_linus', ['member']);
    const browser = await signedIn({ person: 'linus', account: 'acc_globex' });
    const source = await listen(browser);
    await directory.removeMember('acc_globex', 'usr_linus');
    await source.ended;
    expect(source.events.at(-1)).toMatchObject({
      name: 'ended',
      data: { reason: 'member_removed' },
    });
  });

  test('that another tab switched the account', async () => {
    const browser = await signedIn();
    const source = await listen(browser);
    const chooser = await browser.get(`${world.issuer}/signin?account=choose`);
    await goThrough(browser, chooser, { account: 'acc_globex' });
    const { name, data } = await source.next();
    expect([name, (data as { what: string[] }).what]).toEqual([
      'changed',
      expect.arrayContaining(['account']),
    ]);
    await world.server.directory.setRoles('acc_globex', 'usr_ada', ['owner', 'tester']);
    expect(await source.next()).toMatchObject({ data: { what: ['roles'] } });
    source.close();
  });
});

describe('between two connections', () => {
  test('nothing is missed, and nothing told twice', async () => {
    const browser = await signedIn({ account: 'acc_globex' });
    const first = await listen(browser);
    first.close();
    await subscribe('acc_globex', 'another-plan');
    const second = await listen(browser, since(first));
    expect(await second.next()).toMatchObject({ name: 'changed', data: { what: ['plan'] } });
    second.close();
    const third = await openEvents(world.issuer, {
      browser,
      headers: { ...fromApp, ...since(second).headers },
    });
    await subscribe('acc_globex', 'a-third-plan');
    await third.next();
    expect(third.events).toHaveLength(1);
    // Of another version, or nonsense: all may have changed.
    const fourth = await listen(browser, { headers: { 'last-event-id': 'something-else' } });
    expect((await fourth.next()).data).toEqual({
      what: ['account', 'roles', 'plan', 'entitlements'],
    });
    for (const source of [third, fourth]) source.close();
  });

  test('who was signed out meanwhile hears it, once', async () => {
    const browser = await signedIn();
    const first = await listen(browser);
    first.close();
    const kept = browser.cookies.all();
    await browser.get(`${world.issuer}/signout`);
    // The cookies are gone.
    const second = await listen(browser, since(first));
    expect(await second.next()).toMatchObject({ name: 'ended', data: { reason: 'signed_out' } });
    await second.ended;
    expect((await listen(browser, since(second))).status).toBe(204);
    expect((await listen(browser)).status).toBe(401);
    // They are still there: it was signed out elsewhere.
    const lines = kept.map(({ name, value }) => `${name}=${value}; Path=/`);
    browser.cookies.take(new URL(world.issuer), lines);
    const third = await listen(browser, since(first));
    expect(await third.next()).toMatchObject({ name: 'ended', data: { reason: 'signed_out' } });
    expect((await listen(browser, since(third))).status).toBe(204);
    const fresh = await listen(browser);
    expect(await fresh.next()).toMatchObject({ name: 'ended' });
  });
});

describe('who may listen', () => {
  test('whoever has the session cookie, and is told of the session', async () => {
    const browser = await signedIn();
    const links = await listen(browser);
    cookiesOf(browser, 'tollgate_session');
    const source = await listen(browser);
    expect(source.status).toBe(200);
    const [session] = await world.store.find('session', 'user', 'usr_ada', { descending: true });
    expect(session).toBeDefined();
    await browser.get(`${world.issuer}/signout`);
    expect(await source.next()).toMatchObject({ name: 'ended', data: { reason: 'signed_out' } });
    await links.ended;
  });

  test('401 login_required without a cookie, or with one that is none of ours', async () => {
    const nobody = await listen(world.browser());
    expect([nobody.status, nobody.headers['access-control-allow-origin']]).toEqual([401, app]);
    const browser = await signedIn();
    const { value = '' } = browser.cookies.all().find(({ name }) => name === 'tollgate') ?? {};
    const forged = `tollgate=${value.slice(0, -4)}AAAA`;
    const source = await openEvents(world.issuer, { headers: { ...fromApp, cookie: forged } });
    await source.said('login_required');
    expect(source.status).toBe(401);
  });

  test.each([
    ['another site', { origin: 'https://evil.example', 'sec-fetch-site': 'cross-site' }],
    ['a page that says it is an app', { origin: app, 'sec-fetch-site': 'cross-site' }],
    ['a sandboxed frame', { origin: 'null', 'sec-fetch-site': 'cross-site' }],
    ['nobody in particular, of this site', { 'sec-fetch-site': 'same-site' }],
  ])('T56 403 origin_not_allowed for %s', async (_name, headers) => {
    const browser = await signedIn();
    const given = headers as Record<string, string>;
    const source = await openEvents(world.issuer, { browser, headers: given });
    await source.said('origin_not_allowed');
    expect([source.status, source.headers['access-control-allow-origin']]).toEqual([
      403,
      undefined,
    ]);
  });

  test('no other method, and preflights for the apps', async () => {
    const browser = await signedIn();
    for (const method of ['PUT', 'POST', 'DELETE']) {
      const source = await listen(browser, { method });
      expect([source.status, source.headers.allow]).toEqual([405, 'GET, OPTIONS']);
    }
    const head = await openEvents(world.issuer, { browser, headers: fromApp, method: 'HEAD' });
    await head.ended;
    expect([head.status, head.text()]).toEqual([200, '']);
    const preflight = await listen(browser, { method: 'OPTIONS' });
    expect(preflight.status).toBe(204);
    expect(preflight.headers['access-control-allow-methods']).toBe('GET');
  });
});
