/** Who signs out by OpenID Connect is signed out of the links at this browser, too. */

import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Browser } from '../../dev/walk.ts';
import { goThrough, signIn } from '../kit/world.ts';
import type { World } from '../kit/world.ts';
import { startProtocolWorld } from '../protocol/kit.ts';
import { app, cookieOf, linkConfig, plant } from './kit.ts';

let world: World;

beforeAll(async () => {
  world = await startProtocolWorld(linkConfig);
});

afterAll(() => world.close());

const stopAt = (url: URL) => url.hostname.endsWith('.example.com') || url.origin === app;
const refresh = async (browser: Browser) =>
  (await browser.fetch(`${world.issuer}/refresh`, { origin: app, method: 'POST' })).status;

async function signedIn(): Promise<Browser> {
  const browser = world.browser({ stopAt });
  const page = await browser.get(`${world.issuer}/signin`);
  await goThrough(browser, page, { person: 'grace' });
  return browser;
}

/** What is kept of somebody's sessions goes when they run out. */
async function runOut(user: string): Promise<void> {
  for (const { id, version } of await world.store.find('session', 'user', user)) {
    await world.store.write('session', id, null, { expect: version });
  }
}

describe('T43 the cookie of the links', () => {
  test('is taken back at sign-out, also where the session has run out before', async () => {
    const browser = await signedIn();
    const copy = world.browser({ stopAt });
    plant(world, copy, cookieOf(browser, 'tollgate'));
    await runOut('usr_grace');
    // With nobody to ask, the page goes on by itself.
    const page = await browser.get(`${world.issuer}/oauth2/logout`);
    expect((await browser.submit(page)).status).toBe(200);

    expect(browser.cookies.all().map(({ name }) => name)).not.toContain('tollgate');
    // The token in it is dead, and not merely gone from here.
    expect(await refresh(copy)).toBe(401);
    await signIn(world.issuer, browser, { person: 'ada' });
    expect(await refresh(browser)).toBe(401);
  });

  test('is taken back where the person says yes', async () => {
    const browser = await signedIn();
    const question = await browser.get(`${world.issuer}/oauth2/logout`);
    expect((await browser.submit(question, { button: 'logout=yes' })).status).toBe(200);
    expect(await refresh(browser)).toBe(401);
  });

  test('is taken back where an app that knows the person signs them out', async () => {
    const browser = await signedIn();
    const { id_token: hint = '' } = await signIn(world.issuer, browser, { person: 'grace' });
    const out = new URL(`${world.issuer}/oauth2/logout`);
    out.searchParams.set('id_token_hint', hint);
    out.searchParams.set('post_logout_redirect_uri', 'https://app.example.com/bye');
    expect((await browser.get(out.href)).url).toBe('https://app.example.com/bye');
    expect(browser.cookies.all().map(({ name }) => name)).not.toContain('tollgate');
    expect(await refresh(browser)).toBe(401);
  });

  test('stays with who is asked and does not sign out', async () => {
    const browser = await signedIn();
    const question = await browser.get(`${world.issuer}/oauth2/logout`);
    const fields = question.forms.flatMap((form) => form.fields);
    const xsrf = fields.find(({ name }) => name === 'xsrf')?.value ?? '';
    await browser.post(`${world.issuer}/oauth2/logout/confirm`, { xsrf }, { from: question });
    expect(await refresh(browser)).toBe(200);
  });
});
