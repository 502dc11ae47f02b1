import { createHash } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { app, cookieHeader, cookiesOf, issuer, locationOf, refused, signedIn } from './app.ts';
import { startLinks } from './app.ts';
import type { LinkApp } from './app.ts';
import type { TokenAnswer } from '../../src/oidc/links.ts';
import type { Answer } from '../web/app.ts';

let links: LinkApp;
beforeEach(async () => {
  links = await startLinks();
});
afterEach(() => links.close());

const code = (answer: Answer) => (answer.json().error as { code: string }).code;

/** Begins, and comes back with these parameters in the address. */
async function comeBack(
  path: string,
  changes: Record<string, string> = {},
  override?: TokenAnswer,
) {
  const begun = await links.get(path);
  const request = locationOf(begun).searchParams;
  links.oidc.answer = () => override ?? signedIn(request.get('nonce') ?? '');
  const answer = { state: request.get('state') ?? '', iss: issuer, code: 'tgc.code', ...changes };
  const back = await links.get(`/signin/return?${new URLSearchParams(answer)}`, {
    cookie: cookieHeader(begun),
  });
  return { begun, request, back };
}

describe('beginning', () => {
  test('goes to our own authorization endpoint with code, PKCE, state and nonce', async () => {
    const { begun, request, back } = await comeBack('/signin?account=acc_1&login_hint=ada');
    expect(begun.status).toBe(303);
    expect(locationOf(begun).origin + locationOf(begun).pathname).toBe(
      `${issuer}/oauth2/authorize`,
    );
    expect(Object.fromEntries(request)).toMatchObject({
      client_id: 'tollgate-links',
      redirect_uri: `${issuer}/signin/return`,
      response_type: 'code',
      code_challenge_method: 'S256',
      account: 'acc_1',
      login_hint: 'ada',
    });
    expect(back.status).toBe(303);
    const verifier = links.oidc.asked[0]?.['code_verifier'] ?? '';
    const challenge = createHash('sha256').update(verifier).digest('base64url');
    expect(request.get('code_challenge')).toBe(challenge);
  });

  test('a named provider is passed on; an unknown one, and an unknown product, are refused', async () => {
    const known = await links.get('/signin/google');
    expect(locationOf(known).searchParams.get('provider')).toBe('google');
    const provider = await links.get('/signin/nobody');
    const product = await links.get('/signin?product=nothing');
    expect([provider.status, code(provider)]).toEqual([404, 'provider_unknown']);
    expect([product.status, code(product)]).toEqual([400, 'product_unknown']);
  });

  test('T57 F8 return_to leads to listed origins only', async () => {
    const evil = [
      'https://app.example.com.evil.test/',
      '//evil.test/',
      '/\\evil.test',
      'https:evil.test',
      'https://app.example.com@evil.test/',
      'https://evil.test\\@app.example.com/',
      'https://app.example.com/\r\nset-cookie: a=b',
      'javascript:alert(1)',
      'https://аpp.example.com/',
      'https%3A%2F%2Fevil.test',
      'http://app.example.com/',
      'https://app.example.com:8443/',
    ];
    for (const address of evil) {
      const answer = await links.get(`/signin?return_to=${encodeURIComponent(address)}`);
      expect([address, answer.status]).toEqual([address, 400]);
      expect(answer.headers['location']).toBeUndefined();
      expect(cookiesOf(answer).size).toBe(0);
    }
    const repeated = await links.get(`/signin?return_to=${app}/&return_to=https://evil.test/`);
    expect(code(repeated)).toBe('parameter_repeated');
  });

  test('control characters do not get into the address of the request', async () => {
    const answer = await links.get('/signin?account=a%0d%0aset-cookie:%20b=c');
    expect([answer.status, code(answer)]).toEqual([400, 'parameter_invalid']);
    const long = await links.get(`/signin?login_hint=${'a'.repeat(321)}`);
    expect(code(long)).toBe('parameter_invalid');
  });

  test('T56 a page elsewhere cannot move somebody to another account unasked', async () => {
    const own = await links.get('/signin?account=acc_2', { 'sec-fetch-site': 'same-site' });
    const foreign = await links.get('/signin?account=acc_2', { 'sec-fetch-site': 'cross-site' });
    expect(locationOf(own).searchParams.get('prompt')).toBeNull();
    expect(locationOf(foreign).searchParams.get('prompt')).toBe('select_account');
  });

  test('a script that fetches it is told to send the browser', async () => {
    const answer = await links.get('/signin', { 'sec-fetch-mode': 'cors' });
    expect(code(answer)).toBe('navigation_expected');
  });
});

describe('coming back', () => {
  test('T55 the refresh token is in a __Host- cookie, and no token anywhere else', async () => {
    const { back } = await comeBack('/signin');
    expect(back.headers['location']).toBe(`${app}/in`);
    expect(cookiesOf(back).get('__Host-tollgate')).toMatch(
      /^__Host-tollgate=tgr\.first; path=\/; .*samesite=lax; secure; httponly$/i,
    );
    const seen = JSON.stringify(back.headers) + back.text;
    expect(seen).not.toContain('an-access-token');
    expect(seen.replaceAll(/"set-cookie":\[[^\]]*\]/g, '')).not.toContain('tgr.');
  });

  test('ends at return_to, also with a product, whose audience the code is redeemed for', async () => {
    const target = 'https://other.example.com/deep?a=b#c';
    const path = `/signin?product=extra&return_to=${encodeURIComponent(target)}`;
    const { back } = await comeBack(path);
    expect(back.headers['location']).toBe(target);
    expect(links.oidc.asked[0]?.['resource']).toBe('https://extra.example.com');
  });

  test('F7 an answer to another browser, or a replayed one, redeems nothing', async () => {
    const begun = await links.get('/signin');
    const state = locationOf(begun).searchParams.get('state');
    const foreign = await links.get(`/signin/return?state=${state}&iss=${issuer}&code=x`);
    expect(locationOf(foreign).searchParams.get('error')).toBe('signin_expired');
    expect(locationOf(foreign).searchParams.get('keep')).toBe('1');
    const { back, begun: second, request } = await comeBack('/signin');
    const again = await links.get(
      `/signin/return?state=${request.get('state')}&iss=${issuer}&code=x`,
      { cookie: cookieHeader(second, back) },
    );
    expect(locationOf(again).href).toBe(`${app}/in`);
    expect(links.oidc.asked).toHaveLength(1);
  });

  test('an attempt that is too old, altered, or another attempt’s is not taken', async () => {
    const first = await links.get('/signin');
    const second = await links.get('/signin');
    const state = locationOf(first).searchParams.get('state');
    const [name = '', value = ''] = cookieHeader(first).split('=');
    const swapped = `${name}=${cookieHeader(second).split('=')[1]}`;
    const altered = `${name}=${value.slice(0, -3)}AAA`;
    for (const cookie of [swapped, altered]) {
      const answer = await links.get(`/signin/return?state=${state}&iss=${issuer}&code=x`, {
        cookie,
      });
      expect(locationOf(answer).searchParams.get('error')).toBe('signin_expired');
    }
    links.ahead = 3_601_000;
    const cookie = cookieHeader(first);
    const late = await links.get(`/signin/return?state=${state}&iss=${issuer}&code=x`, { cookie });
    expect(locationOf(late).searchParams.get('error')).toBe('signin_expired');
    expect(links.oidc.asked).toEqual([]);
  });

  test('an answer by another issuer, or without one, is refused (RFC 9207)', async () => {
    for (const iss of ['https://evil.test', '', `${issuer}/`]) {
      const { back } = await comeBack('/signin', { iss });
      expect(locationOf(back).searchParams.get('error')).toBe('signin_failed');
    }
    expect(links.oidc.asked).toEqual([]);
  });

  test('F10 errors end at signin.failed with a word of our list, and nothing else', async () => {
    const words = {
      access_denied: 'access_denied',
      server_error: 'signin_unavailable',
      '"><script>alert(1)</script>': 'signin_failed',
    };
    for (const [error, word] of Object.entries(words)) {
      const { back } = await comeBack('/signin', { error, error_description: 'evil\r\ntext' });
      expect(locationOf(back).href).toBe(`${app}/failed?keep=1&error=${word}`);
    }
  });

  test('a refusal of the token endpoint: locked, unavailable, and one more try for a spent code', async () => {
    const locked = await comeBack('/signin', {}, refused('invalid_grant', 400, true));
    expect(locationOf(locked.back).searchParams.get('error')).toBe('account_locked');
    const down = await comeBack('/signin', {}, refused('temporarily_unavailable', 503));
    expect(locationOf(down.back).searchParams.get('error')).toBe('signin_unavailable');
    const path = `/signin?return_to=${app}/deep`;
    const spent = await comeBack(path, {}, refused('invalid_grant'));
    expect(locationOf(spent.back).pathname).toBe('/oauth2/authorize');
    const state = locationOf(spent.back).searchParams.get('state');
    const cookie = cookieHeader(spent.begun, spent.back);
    const third = await links.get(`/signin/return?state=${state}&iss=${issuer}&code=x`, { cookie });
    expect(locationOf(third).searchParams.get('error')).toBe('signin_failed');
    expect(cookiesOf(third).has('__Host-tollgate')).toBe(false);
  });

  test('an ID token of another sign-in (nonce) signs nobody in', async () => {
    links.oidc.answer = () => signedIn('another');
    const begun = await links.get('/signin');
    const state = locationOf(begun).searchParams.get('state');
    const back = await links.get(`/signin/return?state=${state}&iss=${issuer}&code=x`, {
      cookie: cookieHeader(begun),
    });
    expect(locationOf(back).searchParams.get('error')).toBe('signin_failed');
    expect(cookiesOf(back).has('__Host-tollgate')).toBe(false);
  });

  test('without signin.failed there is a page of ours, with the same word', async () => {
    await links.close();
    links = await startLinks({ signin: { success: `${app}/` } });
    const answer = await links.get('/signin/return?state=x', { accept: 'text/html' });
    expect([answer.status, answer.text]).toEqual([400, '<p>signin_expired</p>']);
  });
});

describe('several tabs', () => {
  test('each finishes its own sign-in, in any order', async () => {
    const tabs = await Promise.all(
      ['/a', '/b', '/c'].map((path) => links.get(`/signin?return_to=${app}${path}`)),
    );
    const cookie = cookieHeader(...tabs);
    for (const [index, path] of [...['/a', '/b', '/c'].entries()].toReversed()) {
      const request = locationOf(tabs[index]!).searchParams;
      links.oidc.answer = () => signedIn(request.get('nonce') ?? '');
      const back = await links.get(
        `/signin/return?state=${request.get('state')}&iss=${issuer}&code=x`,
        { cookie },
      );
      expect(back.headers['location']).toBe(app + path);
    }
  });

  test('at most five are kept, and long ones fewer: the oldest go', async () => {
    const answers: Answer[] = [];
    for (let count = 0; count < 8; count += 1) {
      links.ahead = count * 1000;
      answers.push(await links.get('/signin', { cookie: cookieHeader(...answers) }));
    }
    const kept = cookieHeader(...answers).split('; ');
    expect(kept).toHaveLength(5);
    const long = `/signin?return_to=${app}/${'a'.repeat(1900)}`;
    for (let count = 8; count < 14; count += 1) {
      links.ahead = count * 1000;
      answers.push(await links.get(long, { cookie: cookieHeader(...answers) }));
    }
    expect(cookieHeader(...answers).length).toBeLessThan(6500);
  });

  test('the cookie ends by itself, and no script reads it', async () => {
    const [line] = [...cookiesOf(await links.get('/signin')).values()];
    expect(line).toMatch(/^__Host-tollgate_signin_.{8}=.*samesite=lax; secure; httponly$/i);
    const expires = Date.parse(/expires=([^;]+)/.exec(line ?? '')?.[1] ?? '');
    expect(expires).toBeLessThan(Date.now() + 3_610_000);
  });
});
