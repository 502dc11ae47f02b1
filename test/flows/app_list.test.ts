/** `/apps`: the list of apps, and the way into each (OpenID Connect Core §4). */

import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Browser } from '../../dev/walk.ts';
import { elsewhere } from '../kit/elsewhere.ts';
import { clients, goThrough, startWorld } from '../kit/world.ts';
import type { SignIn, World } from '../kit/world.ts';
import { app, linkConfig } from '../regressions/kit.ts';

let world: World;

const initiate = 'https://app.example.com/initiate?from=tollgate';
const addresses: Record<string, object> = {
  app: { initiateLoginUri: initiate },
  other: { launchUrl: 'https://other.example.com/start' },
  strict: { initiateLoginUri: 'https://strict.example.com/in', listed: false },
};

beforeAll(async () => {
  const listed = clients.map((client) => ({ ...client, ...addresses[client.id] }));
  world = await startWorld({ config: { ...linkConfig, clients: listed } });
});
afterAll(() => world?.close());

const stopAt = (url: URL) => url.hostname.endsWith('.example.com') || url.origin === app;

async function signedIn(how: SignIn = {}): Promise<Browser> {
  const browser = world.browser({ stopAt });
  await goThrough(browser, await browser.get(`${world.issuer}/signin`), how);
  return browser;
}

const at = (path: string, query: Record<string, string> = {}) => {
  const url = new URL(path, world.issuer);
  for (const [name, value] of Object.entries(query)) url.searchParams.set(name, value);
  return url.href;
};

describe('GET /apps', () => {
  test('shows what is listed and leads somewhere, each with its way', async () => {
    const browser = await signedIn();
    const page = await browser.get(at('/apps'));
    expect(page.status).toBe(200);
    const own = page.links.filter(({ href }) => new URL(href, world.issuer).pathname !== '/apps');
    expect(own.map(({ href }) => href).filter((href) => href.includes('/apps/'))).toEqual(
      ['app', 'other'].map((id) => expect.stringMatching(new RegExp(`/apps/${id}$`))),
    );
    expect(page.visible).toContain('The app');
    expect(page.visible).not.toContain('The strict');
  });

  test('who is not signed in does so first, and comes back', async () => {
    const browser = world.browser({ stopAt });
    const first = await browser.get(at('/apps', { account: 'acc_globex' }));
    const page = await browser.submit(first, { button: 'person=ada' });
    expect(page.url).toBe(at('/apps', { account: 'acc_globex' }));
    expect(page.visible).toContain('For Globex');
    const opened = await browser.follow(
      page,
      page.links.find(({ href }) => href.includes('/apps/app'))!.href,
    );
    expect(new URL(opened.url).searchParams.get('account')).toBe('acc_globex');
  });

  test("T74 not for another tenant's account", async () => {
    const browser = await signedIn({ person: 'grace', account: 'acc_initech' });
    for (const account of ['acc_acme', 'acc_nobody', 'acc_hooli']) {
      for (const path of ['/apps', '/apps/app', '/apps/other']) {
        const page = await browser.get(at(path, { account }));
        expect([page.status, page.stopped]).toEqual([403, false]);
        expect(page.text).not.toContain('Acme');
      }
    }
  });
});

describe('GET /apps/:client', () => {
  test('an app that begins sign-ins hears who asks for one, and where to end', async () => {
    const browser = await signedIn();
    const target = 'https://app.example.com/orders/7?tab=1';
    const page = await browser.get(
      at('/apps/app', { account: 'acc_globex', target_link_uri: target }),
    );
    const url = new URL(page.url);
    expect(url.origin + url.pathname).toBe('https://app.example.com/initiate');
    expect(Object.fromEntries(url.searchParams)).toEqual({
      from: 'tollgate',
      iss: world.issuer,
      target_link_uri: target,
      account: 'acc_globex',
    });
    const plain = new URL((await browser.get(at('/apps/app'))).url);
    expect(Object.fromEntries(plain.searchParams)).toEqual({ from: 'tollgate', iss: world.issuer });
  });

  test('another is opened, or its page that is wanted', async () => {
    const browser = await signedIn();
    const open = async (query = {}) => (await browser.get(at('/apps/other', query))).url;
    expect(await open()).toBe('https://other.example.com/start');
    const target = 'https://other.example.com/x';
    expect(await open({ target_link_uri: target })).toBe(target);
  });

  test('T57 no page of anybody else, by whatever spelling', async () => {
    const browser = await signedIn();
    for (const target of [
      'https://evil.test/',
      'https://other.example.com/',
      'https://app.example.com.evil.test/',
      'https://app.example.com@evil.test/',
      'https://app.example.com:444/',
      'http://app.example.com/',
      '//app.example.com/',
      '/orders',
      'javascript://app.example.com/%0aalert(1)',
      'https://user:word@app.example.com/',
      `https://app.example.com/${'x'.repeat(2100)}`,
    ]) {
      const page = await browser.get(at('/apps/app', { target_link_uri: target }));
      expect([page.status, page.stopped], target).toEqual([400, false]);
    }
  });

  test('what is not listed, leads nowhere or does not exist is no app', async () => {
    const browser = await signedIn();
    for (const id of ['strict', 'plain', 'machine', 'nothing', 'tollgate-links', '__proto__']) {
      const page = await browser.get(at(`/apps/${id}`));
      expect([page.status, page.visible]).toEqual([
        404,
        expect.stringContaining('There is no such app'),
      ]);
    }
  });

  test('T56 a link of another site may open an app, and asks before it names an account', async () => {
    const browser = await signedIn();
    const from = elsewhere;
    const opened = await browser.get(at('/apps/app'), { from });
    expect(new URL(opened.url).searchParams.get('iss')).toBe(world.issuer);
    const asked = await browser.get(at('/apps/app', { account: 'acc_globex' }), { from });
    expect([asked.status, asked.stopped]).toEqual([200, false]);
    expect(asked.visible).toContain('You will use it for Globex.');
    const confirmed = await browser.follow(asked, 'Open The app');
    expect(new URL(confirmed.url).searchParams.get('account')).toBe('acc_globex');
  });
});
