/** `/account/select`: another account without signing in again. */

import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Browser, Page } from '../../dev/walk.ts';
import { claimsOf, goThrough, startWorld } from '../kit/world.ts';
import type { SignIn, World } from '../kit/world.ts';
import { app, linkConfig } from '../regressions/kit.ts';
import { elsewhere } from '../kit/elsewhere.ts';

let world: World;

beforeAll(async () => {
  world = await startWorld({
    config: {
      ...linkConfig,
      products: [
        { id: 'api', name: 'API', audience: 'https://api.example.com' },
        { id: 'extra', name: 'Extra', audience: 'https://extra.example.com' },
      ],
    },
  });
});
afterAll(() => world?.close());

const stopAt = (url: URL) => url.hostname.endsWith('.example.com') || url.origin === app;

async function signedIn(how: SignIn = {}): Promise<Browser> {
  const browser = world.browser({ stopAt });
  await goThrough(browser, await browser.get(`${world.issuer}/signin`), how);
  return browser;
}

const select = (browser: Browser, query: Record<string, string>, from?: Page) =>
  browser.get(
    `${world.issuer}/account/select?${new URLSearchParams(query)}`,
    from === undefined ? {} : { from },
  );

async function tokenOf(browser: Browser, product = 'api'): Promise<Record<string, unknown>> {
  const answer = await browser.fetch(`${world.issuer}/refresh?product=${product}`, {
    origin: app,
    method: 'POST',
  });
  expect(answer.status).toBe(200);
  return claimsOf((JSON.parse(answer.text) as { access_token: string }).access_token);
}

describe('GET /account/select', () => {
  test('switches at once, and ends where the link says', async () => {
    const browser = await signedIn();
    const before = await tokenOf(browser);
    expect(before.account).toBe('acc_acme');
    const page = await select(browser, {
      account: 'acc_globex',
      product: 'extra',
      return_to: `${app}/orders?tab=1`,
    });
    expect(page.url).toBe(`${app}/orders?tab=1`);
    expect(page.history.every(({ status }) => status === 303)).toBe(true);
    const after = await tokenOf(browser, 'extra');
    expect(after).toMatchObject({
      account: 'acc_globex',
      aud: 'https://extra.example.com',
      sub: before.sub,
    });
    // It is another Grant; that of before lives on.
    const grants = await world.store.find('grant', 'user', 'usr_ada');
    const alive = grants.filter(({ document }) => document.ended === undefined);
    expect(alive.map(({ document }) => document.account).toSorted()).toEqual([
      'acc_acme',
      'acc_globex',
    ]);
  });

  test('without an account it is the chooser', async () => {
    const browser = await signedIn();
    const page = await select(browser, { return_to: `${app}/x` });
    expect(page.visible).toContain('Choose an account');
    expect(page.text).toMatch(/value="acc_acme"[^>]*aria-current="true"/);
    const end = await browser.submit(page, { button: 'account=acc_initech' });
    expect(end.url).toBe(`${app}/x`);
    expect((await tokenOf(browser)).account).toBe('acc_initech');
  });

  test('who is not signed in does so first, and gets that account', async () => {
    const browser = world.browser({ stopAt });
    const page = await select(browser, { account: 'acc_initech' });
    const end = await goThrough(browser, page, { account: 'acc_globex' });
    expect(end.href).toBe(`${app}/`);
    expect((await tokenOf(browser)).account).toBe('acc_initech');
  });

  test("T74 another tenant's, one that there is not, and one that was closed: a page, and nothing moves", async () => {
    const { directory } = world.server;
    await directory.createAccount({ id: 'acc_over', name: 'Over', owner: 'usr_grace' });
    const browser = await signedIn({ person: 'grace', account: 'acc_initech' });
    await directory.closeAccount('acc_over');
    const sessionsBefore = await tokenOf(browser);
    for (const account of ['acc_acme', 'acc_nobody']) {
      const page = await select(browser, { account });
      expect([page.status, page.visible]).toEqual([
        403,
        expect.stringContaining('You do not belong to that account'),
      ]);
    }
    const closed = await select(browser, { account: 'acc_over' });
    expect([closed.status, closed.visible]).toEqual([
      403,
      expect.stringContaining('Over is closed'),
    ]);
    expect((await tokenOf(browser)).account).toBe(sessionsBefore.account);
  });

  test('T56 a link of another site asks, and moves nobody', async () => {
    const browser = await signedIn();
    const page = await select(browser, { account: 'acc_globex' }, elsewhere);
    expect(page.visible).toContain('Choose an account');
    expect((await tokenOf(browser)).account).toBe('acc_acme');
    await browser.submit(page, { button: 'account=acc_globex' });
    expect((await tokenOf(browser)).account).toBe('acc_globex');
  });

  test('T56 nobody is moved on behind a choice of their own, to which another site led', async () => {
    const browser = await signedIn();
    const behind = `${world.issuer}/account/select?account=acc_globex`;
    const query = new URLSearchParams({ account: 'choose', return_to: behind });
    const page = await browser.get(`${world.issuer}/signin?${query}`, { from: elsewhere });
    expect(page.status).toBe(400);
    for (const { buttons } of page.forms) {
      if (buttons.some(({ value }) => value === 'acc_acme')) {
        await browser.submit(page, { button: 'account=acc_acme' });
      }
    }
    expect((await tokenOf(browser)).account).toBe('acc_acme');
  });

  test('T57 leads to listed addresses only, and is no address for a script', async () => {
    const browser = await signedIn();
    for (const query of [
      { account: 'acc_globex', return_to: 'https://evil.test/' },
      { account: 'acc_globex', product: 'nothing' },
      { account: 'x'.repeat(300) },
    ] as Record<string, string>[]) {
      expect((await select(browser, query)).status).toBe(400);
    }
    const url = `${world.issuer}/account/select?account=acc_globex`;
    expect((await browser.fetch(url, { origin: app })).status).toBe(400);
    expect((await tokenOf(browser)).account).toBe('acc_acme');
  });

  test('two tabs at once each end, and the browser is in one of the two', async () => {
    const browser = await signedIn();
    const accounts = ['acc_globex', 'acc_initech'];
    const ends = await Promise.all(accounts.map((account) => select(browser, { account })));
    expect(ends.map(({ url }) => url)).toEqual([`${app}/`, `${app}/`]);
    expect(accounts).toContain((await tokenOf(browser)).account);
  });

  test('somebody who was removed meanwhile chooses another, and is never put into one', async () => {
    const { directory } = world.server;
    await directory.createAccount({ id: 'acc_brief', name: 'Brief', owner: 'usr_grace' });
    await directory.addMember('acc_brief', 'usr_ada', ['member']);
    const browser = await signedIn();
    expect((await select(browser, { account: 'acc_brief' })).url).toBe(`${app}/`);
    await directory.removeMember('acc_brief', 'usr_ada');
    // What the app got for it is ended by then; while it is not, the page says that it is not theirs.
    await world.server.dispatcher.drain();
    const page = await select(browser, { account: 'acc_brief' });
    expect(page.visible).toContain('Choose an account');
    expect(page.visible).not.toContain('Brief');
    expect((await browser.submit(page, { button: 'account=acc_acme' })).url).toBe(`${app}/`);
    expect((await tokenOf(browser)).account).toBe('acc_acme');
  });
});
