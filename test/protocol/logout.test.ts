/** Sign-out asked for by an app (RP-Initiated Logout 1.0), and by nobody else. */

import { generateKeyPairSync, sign } from 'node:crypto';
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import type { Browser } from '../../dev/walk.ts';
import { claimsOf } from '../kit/world.ts';
import type { World } from '../kit/world.ts';
import { encode, json, refresh, signIn, silently, startProtocolWorld, travel } from './kit.ts';

let world: World;

beforeAll(async () => {
  world = await startProtocolWorld();
});

afterEach(() => void vi.useRealTimers());
afterAll(() => world.close());

const browser = () => world.browser({ clock: () => Date.now() });
const bye = 'https://app.example.com/bye';

function logoutUrl(parameters: Record<string, string> = {}): string {
  const url = new URL(`${world.issuer}/oauth2/logout`);
  for (const [name, value] of Object.entries(parameters)) url.searchParams.set(name, value);
  return url.href;
}

async function signedIn(person: Browser): Promise<boolean> {
  const { parameters } = await silently(world.issuer, person, 'app');
  if (parameters.get('code') !== null) return true;
  expect(parameters.get('error')).toBe('login_required');
  return false;
}

describe('T43 with a hint', () => {
  test('T43 the session ends, its tokens die, and the browser goes where the app says', async () => {
    const person = browser();
    const tokens = await signIn(world.issuer, person);
    const other = await signIn(world.issuer, person, { client: 'other' });
    const state = 's'.repeat(128);
    const page = await person.get(
      logoutUrl({ id_token_hint: tokens.id_token, post_logout_redirect_uri: bye, state }),
    );
    expect(page.url).toBe(`${bye}?state=${state}`);
    expect(page.history.map(({ status }) => status)).toEqual([303]);
    expect(await signedIn(person)).toBe(false);
    const dead = { status: 400, body: { error: 'invalid_grant' } };
    expect(await refresh(world.issuer, 'app', tokens.refresh_token)).toMatchObject(dead);
    expect(await refresh(world.issuer, 'other', other.refresh_token)).toMatchObject(dead);
  });

  test('T43 without a state none comes back', async () => {
    const person = browser();
    const { id_token: hint } = await signIn(world.issuer, person);
    const page = await person.get(
      logoutUrl({ id_token_hint: hint, post_logout_redirect_uri: bye }),
    );
    expect(page.url).toBe(bye);
  });

  test('T43 without an address there is a page of ours', async () => {
    const person = browser();
    const { id_token: hint } = await signIn(world.issuer, person);
    const page = await person.get(logoutUrl({ id_token_hint: hint, state: 'x' }));
    expect(page).toMatchObject({ status: 200, stopped: false });
    expect(await signedIn(person)).toBe(false);
  });

  test('T43 a hint that has expired is good', async () => {
    const person = browser();
    const { id_token: hint } = await signIn(world.issuer, person);
    travel(5000);
    const page = await person.get(
      logoutUrl({ id_token_hint: hint, post_logout_redirect_uri: bye }),
    );
    expect(page.url).toBe(bye);
    expect(await signedIn(person)).toBe(false);
  });

  for (const address of [
    'https://app.example.com/bye/',
    'https://app.example.com/bye?x=1',
    'https://app.example.com/Bye',
    'https://app.example.com/callback',
    'https://other.example.com/bye',
    'https://evil.example.net/bye',
    'https://app.example.com.evil.example.net/bye',
    'javascript:alert(1)',
    '/bye',
    '',
  ]) {
    test(`T43 an address that is not registered leads nowhere: ${JSON.stringify(address)}`, async () => {
      const person = browser();
      const { id_token: hint } = await signIn(world.issuer, person);
      const page = await person.get(
        logoutUrl({ id_token_hint: hint, post_logout_redirect_uri: address }),
      );
      expect(page.stopped).toBe(false);
      if (address !== '') {
        expect(page.status).toBe(400);
        expect(page.history).toHaveLength(1);
        expect(await signedIn(person)).toBe(true);
      }
    });
  }

  test('T43 a hint that is garbled, forged or foreign is an error, and ends nothing', async () => {
    const person = browser();
    const tokens = await signIn(world.issuer, person);
    const [header, payload, signature] = tokens.id_token.split('.');
    const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
    const forge = (head: object, claims: object) => {
      const body = `${encode({ ...json(header), ...head })}.${encode({ ...json(payload), ...claims })}`;
      return `${body}.${sign('sha256', Buffer.from(body), privateKey).toString('base64url')}`;
    };
    for (const hint of [
      'x',
      'a.b.c',
      `${header}.${payload}.${signature?.slice(0, -4)}AAAA`,
      `${header}.${encode({ ...json(payload), sub: 'usr_grace' })}.${signature}`,
      `${encode({ alg: 'none' })}.${payload}.`,
      forge({}, {}),
      forge({ kid: undefined }, { iss: 'https://evil.example.net' }),
      forge({}, { aud: 'nobody' }),
      forge({}, { aud: ['app', 'other'] }),
      tokens.access_token,
      tokens.refresh_token,
    ]) {
      const page = await person.get(
        logoutUrl({ id_token_hint: hint, post_logout_redirect_uri: bye }),
      );
      expect(page.stopped, hint).toBe(false);
      expect(page.status, hint).toBeGreaterThanOrEqual(400);
      expect(page.status, hint).toBeLessThan(500);
    }
    expect(await signedIn(person)).toBe(true);
  });

  test('T43 client_id has to be the one of the hint', async () => {
    const person = browser();
    const { id_token: hint } = await signIn(world.issuer, person);
    const page = await person.get(logoutUrl({ id_token_hint: hint, client_id: 'other' }));
    expect(page.status).toBe(400);
    expect(await signedIn(person)).toBe(true);
    const right = await person.get(
      logoutUrl({ id_token_hint: hint, client_id: 'app', post_logout_redirect_uri: bye }),
    );
    expect(right.url).toBe(bye);
  });

  test('T43 the hint of somebody else: the person is asked', async () => {
    const person = browser();
    await signIn(world.issuer, person);
    const { id_token: hint } = await signIn(world.issuer, browser(), { person: 'grace' });
    const page = await person.get(
      logoutUrl({ id_token_hint: hint, post_logout_redirect_uri: bye }),
    );
    expect(page).toMatchObject({ status: 200, stopped: false });
    expect(page.forms.length).toBeGreaterThan(0);
    expect(await signedIn(person)).toBe(true);
  });

  test('T43 where nobody is signed in, the browser still goes where the app says', async () => {
    const { id_token: hint } = await signIn(world.issuer, browser());
    const person = browser();
    let page = await person.get(
      logoutUrl({ id_token_hint: hint, post_logout_redirect_uri: bye, state: 'x' }),
    );
    if (!page.stopped) page = await person.submit(page);
    expect(page.url).toBe(`${bye}?state=x`);
  });
});

describe('T43 without a hint', () => {
  const requests: Record<string, string>[] = [
    {},
    { state: 'x' },
    { client_id: 'app', post_logout_redirect_uri: bye },
  ];
  for (const parameters of requests) {
    test(`T43 the person is asked: ${JSON.stringify(parameters)}`, async () => {
      const person = browser();
      const tokens = await signIn(world.issuer, person);
      const question = await person.get(logoutUrl(parameters));
      expect(question).toMatchObject({ status: 200, stopped: false });
      expect(await signedIn(person)).toBe(true);
      const asked = await person.get(logoutUrl(parameters));
      const page = await person.submit(asked, { button: 'logout=yes' });
      if ('client_id' in parameters) expect(page.url).toBe(bye);
      else expect(page).toMatchObject({ status: 200, stopped: false });
      expect(await signedIn(person)).toBe(false);
      expect((await refresh(world.issuer, 'app', tokens.refresh_token)).status).toBe(400);
    });
  }

  test('T43 an address without an app to vouch for it is not gone to', async () => {
    const person = browser();
    await signIn(world.issuer, person);
    const asked = await person.get(logoutUrl({ post_logout_redirect_uri: bye }));
    expect(asked.stopped).toBe(false);
    if (asked.status !== 200) return;
    const page = await person.submit(asked, { button: 'logout=yes' });
    expect(page.stopped).toBe(false);
  });

  test('T43 nobody is signed in, and nothing is asked for: a page', async () => {
    const person = browser();
    const page = await person.get(logoutUrl());
    expect(page.status).toBe(200);
    expect(page.stopped).toBe(false);
  });

  test('T43 an unknown app is an error', async () => {
    const page = await browser().get(logoutUrl({ client_id: 'nobody' }));
    expect(page.status).toBeGreaterThanOrEqual(400);
    expect(page.status).toBeLessThan(500);
  });

  test('T14 a parameter twice is an error', async () => {
    const page = await browser().get(`${logoutUrl({ state: 'x' })}&state=y`);
    expect(page.status).toBe(400);
  });
});

describe('T44 nobody is signed out by another site', () => {
  test('T44 a form of another site, with and without a secret that it cannot know', async () => {
    const person = browser();
    await signIn(world.issuer, person);
    const evil = await person.get(logoutUrl());
    const from = { ...evil, url: 'https://evil.example.net/' };
    const confirm = `${world.issuer}/oauth2/logout/confirm`;
    for (const fields of [
      { logout: 'yes' },
      { logout: 'yes', xsrf: '' },
      { logout: 'yes', xsrf: 'x' },
    ]) {
      for (const options of [{ from }, {}]) {
        const page = await person.post(confirm, fields as Record<string, string>, options);
        expect(page.status).toBeGreaterThanOrEqual(400);
        expect(page.status).toBeLessThan(500);
      }
    }
    expect(await signedIn(person)).toBe(true);
  });

  test('T44 the secret of another browser is of no use', async () => {
    const person = browser();
    await signIn(world.issuer, person);
    await person.get(logoutUrl());
    const attacker = browser();
    await signIn(world.issuer, attacker, { person: 'grace' });
    const theirs = await attacker.get(logoutUrl());
    const xsrf = theirs.forms.flatMap(({ fields }) => fields).find(({ name }) => name === 'xsrf');
    expect(xsrf?.value).toBeTruthy();
    const page = await person.post(`${world.issuer}/oauth2/logout/confirm`, {
      logout: 'yes',
      xsrf: xsrf?.value ?? '',
    });
    expect(page.status).toBe(400);
    expect(await signedIn(person)).toBe(true);
  });

  test('T44 the confirmation is no address for a GET', async () => {
    const person = browser();
    await signIn(world.issuer, person);
    await person.get(logoutUrl());
    const page = await person.get(`${world.issuer}/oauth2/logout/confirm?logout=yes`);
    expect([404, 405]).toContain(page.status);
    expect(await signedIn(person)).toBe(true);
  });

  test('T59 a cookie of before the sign-out opens nothing', async () => {
    const person = browser();
    const { id_token: hint } = await signIn(world.issuer, person);
    const url = new URL(`${world.issuer}/oauth2/authorize`);
    const before = person.cookies.header({ url, sameSite: true, topLevelGet: true });
    await person.get(logoutUrl({ id_token_hint: hint, post_logout_redirect_uri: bye }));
    const request = new URL(`${world.issuer}/oauth2/authorize`);
    request.search = new URLSearchParams({
      client_id: 'app',
      response_type: 'code',
      redirect_uri: 'https://app.example.com/callback',
      scope: 'openid',
      prompt: 'none',
    }).toString();
    const answer = await fetch(request, { headers: { cookie: before }, redirect: 'manual' });
    expect(answer.headers.get('location')).toContain('error=login_required');
    expect(claimsOf(hint).sub).toBe('usr_ada');
  });
});
