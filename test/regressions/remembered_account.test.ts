/** The account that somebody works in is what they chose, not what a link on some page asked for. */

import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Browser } from '../../dev/walk.ts';
import { elsewhere } from '../kit/elsewhere.ts';
import { authorizationRequest, claimsOf, goThrough, redeem, signIn } from '../kit/world.ts';
import type { World } from '../kit/world.ts';
import { silently, startProtocolWorld } from '../protocol/kit.ts';
import { app, linkConfig } from './kit.ts';

let world: World;

beforeAll(async () => {
  world = await startProtocolWorld(linkConfig);
});

afterAll(() => world.close());

const stopAt = (url: URL) => url.hostname.endsWith('.example.com') || url.origin === app;

/** What the app gets when it asks for no account. */
async function accountOf(browser: Browser, client: string): Promise<unknown> {
  const { request } = await silently(world.issuer, browser, client);
  const { body } = await redeem(world.issuer, request);
  return claimsOf(body.access_token).account;
}

/** What the links give, which have just been signed in again. */
async function linkAccountOf(browser: Browser): Promise<unknown> {
  const answer = await browser.fetch(`${world.issuer}/refresh`, { origin: app, method: 'POST' });
  const { access_token: accessToken } = JSON.parse(answer.text) as { access_token?: string };
  return claimsOf(accessToken).account;
}

test('T56 a link elsewhere to another account of the person does not change the remembered one', async () => {
  const browser = world.browser();
  await signIn(world.issuer, browser, { account: 'acc_acme' });
  for (const prompt of ['none', '']) {
    const link = authorizationRequest(world.issuer, 'app', { account: 'acc_globex', prompt });
    await browser.get(link.url, { from: elsewhere });
    expect(await accountOf(browser, 'app')).toBe('acc_acme');
  }
});

test('T56 nor does one that uses the client of the links', async () => {
  const browser = world.browser({ stopAt });
  const signInByLink = async () => browser.get(`${world.issuer}/signin`);
  await goThrough(browser, await signInByLink(), { account: 'acc_acme' });
  expect(await linkAccountOf(browser)).toBe('acc_acme');
  const link = authorizationRequest(world.issuer, 'tollgate-links', {
    redirect_uri: `${world.issuer}/signin/return`,
    account: 'acc_globex',
    prompt: 'none',
  });
  await browser.get(link.url, { from: elsewhere });
  expect((await signInByLink()).url).toBe(`${app}/`);
  expect(await linkAccountOf(browser)).toBe('acc_acme');
});

test('T56 who asks for an account gets that one; who chooses another at the page is remembered', async () => {
  const browser = world.browser();
  await signIn(world.issuer, browser, { account: 'acc_acme' });
  const named = await silently(world.issuer, browser, 'app', { account: 'acc_globex' });
  const { body } = await redeem(world.issuer, named.request);
  expect(claimsOf(body.access_token)).toMatchObject({ account: 'acc_globex' });

  const parameters = { prompt: 'select_account' };
  await signIn(world.issuer, browser, { account: 'acc_globex', parameters });
  expect(await accountOf(browser, 'app')).toBe('acc_globex');
});
