/**
 * Everything that we hand out and take back, with one character changed or with its end cut off:
 * refused, without any effect, and the right one still works.
 */

import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Browser, Page } from '../../dev/walk.ts';
import { authorizationRequest, goThrough, redeem, refresh } from '../kit/world.ts';
import { signIn, signInForCode } from '../kit/world.ts';
import { asBrowser, form, send } from './raw.ts';
import type { RawAnswer, RawRequest } from './raw.ts';
import { startWatchedWorld } from './watched.ts';
import type { WatchedWorld } from './watched.ts';

const app = 'http://127.0.0.1:1';
let world: WatchedWorld;

beforeAll(async () => {
  world = await startWatchedWorld({
    signin: { success: `${app}/` },
    signout: { success: `${app}/bye` },
  });
});

afterAll(() => world?.close());

const browse = (): Browser =>
  world.browser({
    stopAt: (url) => url.origin === app || url.hostname.endsWith('.example.com'),
  });

/** Each character changed, and the text cut off here and there. */
function spoiled(value: string): string[] {
  const changed = Array.from(value, (character, index) => {
    const other = character === 'A' ? 'B' : 'A';
    return value.slice(0, index) + other + value.slice(index + 1);
  });
  const cut = Array.from(value, (_character, index) => value.slice(0, index));
  const more = [`${value}A`, `${value}.`, `${value}=`, `${value}${value}`, value.toUpperCase()];
  return [...changed, ...cut.filter((_text, index) => index % 7 < 2), ...more];
}

const cookieOf = (browser: Browser, name: string) =>
  browser.cookies.all().find((cookie) => cookie.name === name)?.value ?? '';

/** The browser's cookies as they are sent, but for one. */
function cookiesWith(browser: Browser, path: string, name: string, value: string): string {
  const url = new URL(path, world.issuer);
  const sent = browser.cookies.header({ url, sameSite: true, topLevelGet: true }).split('; ');
  return [...sent.filter((pair) => !pair.startsWith(`${name}=`)), `${name}=${value}`].join('; ');
}

/** Each spoiled value is refused, and nothing is written. */
async function eachIsRefused(
  value: string,
  ask: (spoiled: string) => RawRequest,
  refused: (answer: RawAnswer) => boolean,
  harmless: readonly string[] = [],
): Promise<void> {
  expect(value.length).toBeGreaterThan(20);
  world.store.taken();
  const taken: unknown[] = [];
  for (const one of spoiled(value)) {
    const answer = await send(world.port, ask(one));
    const written = world.store.taken().filter((kind) => !harmless.includes(kind));
    if (!refused(answer) || written.length > 0) taken.push([one, answer.status, written]);
  }
  expect({ value, taken }).toEqual({ value, taken: [] });
}

const client = { client_id: 'app', client_secret: 'a-client-secret-of-tests-for-the-app' };
const tokenRequest = (fields: Record<string, string>): RawRequest => ({
  method: 'POST',
  path: '/oauth2/token',
  ...form({ ...client, ...fields }),
});
const says = (code: string) => (answer: RawAnswer) => answer.text.includes(`"error":"${code}"`);
const isStatus =
  (...statuses: number[]) =>
  ({ status }: RawAnswer) =>
    statuses.includes(status);

async function atInteraction(browser: Browser): Promise<Page> {
  const page = await browser.get(authorizationRequest(world.issuer, 'app').url);
  return browser.submit(page, { button: 'person=ada' });
}

describe('one character is another, or the end is missing', () => {
  test('a refresh token', async () => {
    const { refresh_token: value = '' } = await signIn(world.issuer, browse());
    await eachIsRefused(
      value,
      (one) => tokenRequest({ grant_type: 'refresh_token', refresh_token: one }),
      (answer) => says('invalid_grant')(answer) || says('invalid_request')(answer),
    );
    expect((await refresh(world.issuer, 'app', value)).status).toBe(200);
  });

  test('a code, and its proof', async () => {
    const redemption = await signInForCode(world.issuer, browse());
    const { code, verifier } = redemption;
    const fields = {
      grant_type: 'authorization_code',
      redirect_uri: 'https://app.example.com/callback',
    };
    await eachIsRefused(
      code,
      (one) => tokenRequest({ ...fields, code: one, code_verifier: verifier }),
      (answer) => says('invalid_grant')(answer) || says('invalid_request')(answer),
    );
    await eachIsRefused(
      verifier,
      (one) => tokenRequest({ ...fields, code, code_verifier: one }),
      (answer) => says('invalid_grant')(answer) || says('invalid_request')(answer),
    );
    expect((await redeem(world.issuer, redemption)).status).toBe(200);
  });

  test("the session's cookie", async () => {
    const browser = browse();
    // Who has one account is asked nothing.
    await signIn(world.issuer, browser, { person: 'grace' });
    const { url } = authorizationRequest(world.issuer, 'app', { prompt: 'none' });
    const path = url.slice(world.issuer.length);
    const name = 'tollgate_session';
    const ask = (value: string): RawRequest => ({
      path,
      headers: [['Cookie', cookiesWith(browser, path, name, value)]],
    });
    const isRefused = ({ header }: RawAnswer) => header('location').includes('login_required');
    // Nobody's session is begun then, as for a browser without a cookie.
    await eachIsRefused(cookieOf(browser, name), ask, isRefused, ['session']);
    const good = await send(world.port, ask(cookieOf(browser, name)));
    expect(good.header('location')).toMatch(/[?&]code=/);
  });

  test('the cookie of a sign-in by link, its state, and the cookie that it ends with', async () => {
    const browser = world.browser({ stopAt: (url) => url.pathname === '/signin/return' });
    const back = await goThrough(browser, await browser.get(`${world.issuer}/signin`));
    const attempt = browser.cookies.all().find(({ name }) => name.startsWith('tollgate_signin_'));
    const { name = '', value = '' } = attempt ?? {};
    const path = `${back.pathname}${back.search}`;
    const withCookie = (one: string): RawRequest => ({
      path,
      headers: [asBrowser, ['Cookie', `${name}=${one}`]],
    });
    await eachIsRefused(value, withCookie, isStatus(400));
    const state = back.searchParams.get('state') ?? '';
    const withState = (one: string) => ({
      ...withCookie(value),
      path: path.replace(`state=${state}`, `state=${encodeURIComponent(one)}`),
    });
    await eachIsRefused(state, withState, isStatus(400));

    const end = await send(world.port, withCookie(value));
    expect([end.status, end.header('location')]).toEqual([303, `${app}/`]);
    const kept = (end.headers.get('set-cookie') ?? []).find((one) => one.startsWith('tollgate='));
    const linkCookie = /^tollgate=([^;]*)/.exec(kept ?? '')?.[1] ?? '';
    const refreshed = (one: string): RawRequest => ({
      method: 'POST',
      path: '/refresh',
      headers: [['Cookie', `tollgate=${one}`]],
    });
    await eachIsRefused(linkCookie, refreshed, isStatus(401));
    expect((await send(world.port, refreshed(linkCookie))).status).toBe(200);
  });

  test("a form's proof, its cookie, and the cookie of the sign-in", async () => {
    const browser = browse();
    const page = await atInteraction(browser);
    const { pathname: path } = new URL(page.url);
    const fields = Object.fromEntries(
      (page.forms[0]?.fields ?? []).map(({ name, value }) => [name, value]),
    );
    const post = (csrf: string, cookie: string): RawRequest => {
      const sent = form({ ...fields, csrf, account: 'acc_acme' });
      return { method: 'POST', path, ...sent, headers: [...sent.headers, ['Cookie', cookie]] };
    };
    const { csrf = '' } = fields;
    const right = cookiesWith(browser, path, 'unknown', '');
    await eachIsRefused(csrf, (one) => post(one, right), isStatus(403));
    const refusals = { tollgate_csrf: 403, tollgate_interaction: 410 };
    for (const [name, status] of Object.entries(refusals)) {
      await eachIsRefused(
        cookieOf(browser, name),
        (one) => post(csrf, cookiesWith(browser, path, name, one)),
        isStatus(status),
      );
    }
    await eachIsRefused(
      cookieOf(browser, 'tollgate_interaction.sig'),
      (one) => post(csrf, cookiesWith(browser, path, 'tollgate_interaction.sig', one)),
      isStatus(410),
    );
    const end = await goThrough(browser, page);
    expect(end.searchParams.has('code')).toBe(true);
  });

  test('the state of the way to a provider, and the cookie of its browser', async () => {
    const browser = browse();
    const first = await browser.get(authorizationRequest(world.issuer, 'app').url);
    const back = await browser.submit(first, {
      button: 'person=ada',
      stopAt: (url) => url.pathname === '/integrations/oauth2/callback',
    });
    const { pathname, search, searchParams } = new URL(back.url);
    const state = searchParams.get('state') ?? '';
    const name = 'tollgate_browser';
    const come = (one: string, cookie: string): RawRequest => ({
      path: `${pathname}${search.replace(state, encodeURIComponent(one))}`,
      headers: [['Cookie', cookie]],
    });
    const right = cookiesWith(browser, pathname, 'unknown', '');
    await eachIsRefused(state, (one) => come(one, right), isStatus(400, 410));
    await eachIsRefused(
      cookieOf(browser, name),
      (one) => come(state, cookiesWith(browser, pathname, name, one)),
      isStatus(403),
    );
    expect((await send(world.port, come(state, right))).status).toBe(303);
  });
});
