/** What an app may ask about the person's sign-in: OpenID Connect Core §3.1.2.1. */

import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import { authorizationRequest, claimsOf } from '../kit/world.ts';
import type { World } from '../kit/world.ts';
import { redeem, signIn, silently, startProtocolWorld, travel, walkThrough } from './kit.ts';
import type { Browser } from '../../dev/walk.ts';

let world: World;

beforeAll(async () => {
  world = await startProtocolWorld();
});

afterEach(() => void vi.useRealTimers());
afterAll(() => world.close());

const browser = () => world.browser({ clock: () => Date.now() });

/** The claims of the ID token that a silent request brings, or the error. */
async function silent(person: Browser, parameters: Record<string, string> = {}, client = 'app') {
  const { request, parameters: answer } = await silently(world.issuer, person, client, parameters);
  if (answer.get('error') !== null) return { error: answer.get('error') };
  const { body } = await redeem(world.issuer, request);
  return claimsOf(body.id_token);
}

/** The ID token's claims after a request with these parameters, by the person if it asks for them. */
async function withParameters(person: Browser, parameters: Record<string, string>) {
  const request = authorizationRequest(world.issuer, 'app', parameters);
  const address = await walkThrough(person, request.url);
  const code = address.searchParams.get('code') ?? '';
  const { body } = await redeem(world.issuer, { ...request, code });
  return claimsOf(body.id_token);
}

/** Whether this request leads to a question rather than to the app. */
async function asks(person: Browser, parameters: Record<string, string>, client = 'app') {
  const page = await person.get(authorizationRequest(world.issuer, client, parameters).url);
  return !page.stopped;
}

describe('T38 prompt=none', () => {
  test('T38 without a session: login_required', async () => {
    expect(await silent(browser())).toEqual({ error: 'login_required' });
  });

  test('T38 with a session: nobody is asked, and the person and the session are the same', async () => {
    const person = browser();
    const { id_token: idToken } = await signIn(world.issuer, person);
    const { sub, sid } = claimsOf(idToken);
    expect(await silent(person)).toMatchObject({ sub, sid });
  });

  test('T38 for a third party that nobody has allowed anything: consent_required', async () => {
    const person = browser();
    await signIn(world.issuer, person, { person: 'grace' });
    expect(await silent(person, {}, 'partner')).toEqual({ error: 'consent_required' });
  });

  test('T38 where the account is not known: account_selection_required', async () => {
    const person = browser();
    await signIn(world.issuer, person);
    expect(await silent(person, {}, 'other')).toEqual({ error: 'account_selection_required' });
  });

  test('T38 prompt=none together with another is invalid', async () => {
    for (const prompt of ['none login', 'none consent', 'none select_account']) {
      expect(await silent(browser(), { prompt })).toEqual({ error: 'invalid_request' });
    }
  });

  test('T38 an unknown prompt is invalid', async () => {
    expect(await silent(browser(), { prompt: 'create' })).toEqual({ error: 'invalid_request' });
  });
});

describe('T38 max_age and auth_time', () => {
  test('T38 auth_time is told when max_age was asked for, and is when the person signed in', async () => {
    const person = browser();
    const before = Math.floor(Date.now() / 1000);
    const first = await withParameters(person, { max_age: '10000' });
    expect(Number(first.auth_time)).toBeGreaterThanOrEqual(before);
    expect(Number(first.auth_time)).toBeLessThanOrEqual(Math.ceil(Date.now() / 1000));
    travel(100);
    expect(await silent(person, { max_age: '10000' })).toMatchObject({
      auth_time: first.auth_time,
      sub: first.sub,
    });
  });

  test('T38 a sign-in that is older than max_age is not enough', async () => {
    const person = browser();
    const first = await withParameters(person, { max_age: '10000' });
    travel(30);
    expect(await silent(person, { max_age: '10' })).toEqual({ error: 'login_required' });
    const second = await withParameters(person, { max_age: '10' });
    expect(Number(second.auth_time)).toBeGreaterThanOrEqual(Number(first.auth_time) + 30);
    expect(await silent(person, { max_age: '10' })).toMatchObject({
      auth_time: second.auth_time,
      sub: 'usr_ada',
    });
  });

  test('T38 max_age=0 always asks', async () => {
    const person = browser();
    await signIn(world.issuer, person);
    travel(1);
    expect(await silent(person, { max_age: '0' })).toEqual({ error: 'login_required' });
  });

  test('T38 a max_age that is no number of seconds is invalid', async () => {
    for (const value of ['-1', 'x', '1.5', '1e400', '9'.repeat(30)]) {
      expect(await silent(browser(), { max_age: value })).toEqual({ error: 'invalid_request' });
    }
  });
});

describe('T38 prompt=login', () => {
  test('T38 asks again, and auth_time is later', async () => {
    const person = browser();
    const first = await withParameters(person, { max_age: '10000' });
    travel(30);
    expect(await asks(person, { prompt: 'login' })).toBe(true);
    const second = await withParameters(person, { prompt: 'login', max_age: '10000' });
    expect(Number(second.auth_time)).toBeGreaterThanOrEqual(Number(first.auth_time) + 30);
    expect(second.sub).toBe(first.sub);
  });

  test('T38 to go back and leave it unanswered is no answer', async () => {
    const person = browser();
    await signIn(world.issuer, person);
    const page = await person.get(
      authorizationRequest(world.issuer, 'app', { prompt: 'login' }).url,
    );
    expect(page.stopped).toBe(false);
    const uid = new URL(page.url).pathname.split('/').at(-1);
    const resumed = await person.get(`${world.issuer}/oauth2/authorize/${uid}`);
    expect(resumed.url).not.toContain('code=');
  });
});

describe('T39 whose sign-in it is', () => {
  test('T39 id_token_hint of the person: silent', async () => {
    const person = browser();
    const { id_token: hint } = await signIn(world.issuer, person);
    const claims = await silent(person, { id_token_hint: hint, max_age: '10000' });
    expect(claims).toMatchObject({ sub: 'usr_ada' });
    // Also long after the hint has expired.
    travel(4000);
    expect(await silent(person, { id_token_hint: hint })).toMatchObject({ sub: 'usr_ada' });
  });

  test('T39 id_token_hint of somebody else: login_required', async () => {
    const person = browser();
    const { id_token: hint } = await signIn(world.issuer, browser(), { person: 'grace' });
    await signIn(world.issuer, person);
    expect(await silent(person, { id_token_hint: hint })).toEqual({ error: 'login_required' });
    expect(await asks(person, { id_token_hint: hint })).toBe(true);
  });

  test('T39 with the hint of somebody else, to sign in as oneself is no answer', async () => {
    const person = browser();
    const { id_token: hint } = await signIn(world.issuer, browser(), { person: 'grace' });
    const request = authorizationRequest(world.issuer, 'app', { id_token_hint: hint });
    const { searchParams } = await walkThrough(person, request.url);
    expect(Object.fromEntries(searchParams)).toMatchObject({
      error: 'login_required',
      iss: world.issuer,
      state: request.state,
    });
  });

  test('T39 a hint that is not ours is invalid', async () => {
    const person = browser();
    const { id_token: hint, access_token: jwt } = await signIn(world.issuer, person);
    const [header, payload, signature] = hint.split('.');
    const other = await signIn(world.issuer, browser(), { client: 'other' });
    for (const value of [
      'garbled',
      `${header}.${payload}.${signature?.slice(0, -4)}AAAA`,
      `${Buffer.from('{"alg":"none"}').toString('base64url')}.${payload}.`,
      jwt,
      other.id_token,
    ]) {
      const answer = await silent(person, { id_token_hint: value });
      expect(['invalid_request', 'login_required']).toContain(answer.error);
    }
  });

  test('T39 somebody else signs in in the same browser: a new session, and no silent change', async () => {
    const person = browser();
    const ada = await signIn(world.issuer, person);
    // The library ends the first session with a form that a script sends.
    const request = authorizationRequest(world.issuer, 'app', { prompt: 'login' });
    let page = await person.get(request.url);
    for (let step = 0; step < 8 && !page.stopped; step += 1) {
      const names = page.forms.flatMap(({ buttons }) =>
        buttons.map(({ name, value }) => `${name}=${value}`),
      );
      const wanted = ['person=grace', 'provider=upstream'].find((one) => names.includes(one));
      page = await person.submit(page, wanted === undefined ? {} : { button: wanted });
    }
    const code = new URL(page.url).searchParams.get('code') ?? '';
    const { body } = await redeem(world.issuer, { ...request, code });
    expect(claimsOf(body.id_token).sub).toBe('usr_grace');
    expect(claimsOf(body.id_token).sid).not.toBe(claimsOf(ada.id_token).sid);
    expect(claimsOf(body.access_token)).toMatchObject({ sub: 'usr_grace', account: 'acc_initech' });
  });

  test('T39 an account of somebody else is not to be had by asking for it', async () => {
    const person = browser();
    await signIn(world.issuer, person, { person: 'grace' });
    for (const account of ['acc_acme', 'acc_hooli', 'acc_nothing']) {
      expect(await silent(person, { account })).toEqual({ error: 'account_selection_required' });
    }
    expect(await silent(person, { account: 'acc_initech' })).toMatchObject({
      account: 'acc_initech',
    });
  });

  test("T39 one's own may be asked for", async () => {
    const person = browser();
    await signIn(world.issuer, person);
    expect(await silent(person, { account: 'acc_globex' })).toMatchObject({
      sub: 'usr_ada',
      account: 'acc_globex',
    });
  });
});

describe('what changes nothing, and breaks nothing', () => {
  for (const [name, value] of Object.entries({
    login_hint: 'ada@example.com',
    ui_locales: 'de fr',
    claims_locales: 'de',
    display: 'page',
    acr_values: '1 2',
    unknown_parameter: 'x',
    scope: 'openid nonsense',
    id_token_hint: '',
    nonce: '',
    state: '',
  })) {
    test(`${name}=${value}`, async () => {
      const person = browser();
      const claims = await withParameters(person, { [name]: value });
      expect(claims.sub).toBe('usr_ada');
      expect(await silent(person, { [name]: value })).toMatchObject({ sub: 'usr_ada' });
      expect('nonce' in claims).toBe(name !== 'nonce');
    });
  }

  test('display=popup and other values are answered too', async () => {
    for (const display of ['popup', 'touch', 'wap']) {
      const page = await browser().get(authorizationRequest(world.issuer, 'app', { display }).url);
      expect(page.status).toBeLessThan(500);
    }
  });

  test('the claims parameter: what is asked for comes, what is not known does no harm', async () => {
    const claims = {
      id_token: { auth_time: { essential: true }, acr: { value: '1' }, nonsense: null },
      userinfo: { name: { essential: true }, email: null },
    };
    const person = browser();
    const given = await withParameters(person, {
      scope: 'openid',
      claims: JSON.stringify(claims),
    });
    expect(given).toMatchObject({ auth_time: expect.any(Number) as number });
    for (const broken of ['{', '[]', '1', '{"id_token":1}', '{"nonsense":{}}']) {
      expect(await silent(person, { claims: broken })).toEqual({ error: 'invalid_request' });
    }
  });

  test('the claims parameter may insist on a person', async () => {
    const person = browser();
    await signIn(world.issuer, person);
    const insist = (sub: string) => JSON.stringify({ id_token: { sub: { value: sub } } });
    expect(await silent(person, { claims: insist('usr_ada') })).toMatchObject({ sub: 'usr_ada' });
    expect(await silent(person, { claims: insist('usr_grace') })).toEqual({
      error: 'login_required',
    });
  });

  test('what a sign-in cannot meet is told to the app, and does not go round in circles', async () => {
    for (const [idToken, error] of [
      [{ sub: { value: 'usr_grace' } }, 'login_required'],
      [{ acr: { essential: true, value: 'gold' } }, 'unmet_authentication_requirements'],
      [{ acr: { essential: true, values: ['gold'] } }, 'unmet_authentication_requirements'],
    ] as const) {
      const claims = JSON.stringify({ id_token: idToken });
      const request = authorizationRequest(world.issuer, 'app', { claims });
      const { searchParams } = await walkThrough(browser(), request.url);
      expect(searchParams.get('error')).toBe(error);
      expect(searchParams.get('code')).toBeNull();
    }
  });
});
