/** Where answers go, and where they never go. */

import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { authorizationRequest, addressOf, signInForCode } from '../kit/world.ts';
import type { World } from '../kit/world.ts';
import { complaints, withClient } from '../config/world.ts';
import { get, redeem, signIn, silently, startProtocolWorld, toldBy } from './kit.ts';

let world: World;

beforeAll(async () => {
  world = await startProtocolWorld();
});

afterAll(() => world.close());

const requestOf = (client: string, parameters: Record<string, string> = {}) =>
  authorizationRequest(world.issuer, client, parameters).url;

describe('T01 an address that is not registered, to the letter', () => {
  const registered = addressOf('app');
  const foreign = [
    'https://APP.example.com/callback',
    'https://app.example.com/Callback',
    'https://app.example.com/callback/',
    'https://app.example.com//callback',
    'https://app.example.com/%63allback',
    'https://app.example.com%2fcallback',
    'https://app.example.com/x/../callback',
    'https://app.example.com/callback/..',
    'https://app.example.com/callback;x',
    `${registered}?x=1`,
    `${registered}?`,
    `${registered}#x`,
    `${registered}#`,
    'https://user@app.example.com/callback',
    'https://app.example.com@evil.example.net/callback',
    'https://app.example.com.evil.example.net/callback',
    'https://app.example.com:443/callback',
    'https://app.example.com:8443/callback',
    'http://app.example.com/callback',
    '//app.example.com/callback',
    '/callback',
    'https:app.example.com/callback',
    'https://app.example.com\\callback',
    ` ${registered}`,
    `${registered}\u0000`,
    'https://other.example.com/callback',
    'javascript:alert(1)',
    'data:text/html,hello',
    'http://127.0.0.1/callback',
    'x',
  ];
  for (const address of foreign) {
    test(`T01 ${JSON.stringify(address)} is answered by a page of ours`, async () => {
      const answer = await get(requestOf('app', { redirect_uri: address }), {
        accept: 'text/html',
      });
      expect(answer.status).toBe(400);
      expect(answer.headers.get('location')).toBeNull();
      expect(answer.headers.get('content-type')).toMatch(/^text\/html/);
      expect(answer.text).not.toMatch(/http-equiv/i);
    });
  }

  test('T01 no address at all is a page of ours too, though only one is registered', async () => {
    const url = new URL(requestOf('app'));
    url.searchParams.delete('redirect_uri');
    const answer = await get(url.href);
    expect(answer.status).toBe(400);
    expect(answer.headers.get('location')).toBeNull();
  });

  for (const address of [
    'https://ported.example.com/callback?kept=1',
    'https://ported.example.com:8444/callback?kept=1',
    'https://ported.example.com:8443/callback',
    'https://ported.example.com:8443/callback?kept=1&more=2',
  ]) {
    test(`T01 a web app's port and query count: ${address}`, async () => {
      const answer = await get(requestOf('ported', { redirect_uri: address }));
      expect(answer.status).toBe(400);
      expect(answer.headers.get('location')).toBeNull();
    });
  }

  test('T01 a registered query is kept, and the answer added to it', async () => {
    const address = 'https://ported.example.com:8443/callback?kept=1';
    const { parameters } = await silently(world.issuer, world.browser(), 'ported', {
      redirect_uri: address,
    });
    expect(parameters.get('kept')).toBe('1');
    expect(parameters.get('error')).toBe('login_required');
  });

  test('T01 an unknown client is answered by a page of ours', async () => {
    const url = new URL(requestOf('app'));
    for (const client of ['nobody', '', 'tollgate-links']) {
      url.searchParams.set('client_id', client);
      const answer = await get(url.href);
      expect(answer.status).toBeGreaterThanOrEqual(400);
      expect(answer.status).toBeLessThan(500);
      expect(answer.headers.get('location')).toBeNull();
    }
  });
});

describe('T02 native apps', () => {
  const ends = async (address: string) => {
    const answer = await get(requestOf('desk', { redirect_uri: address, prompt: 'none' }));
    return { status: answer.status, location: answer.headers.get('location') };
  };

  for (const address of [
    'http://127.0.0.1/callback',
    'http://127.0.0.1:51234/callback',
    'http://[::1]:51234/callback',
    'com.example.desk:/done',
  ]) {
    test(`T02 ${address} is answered`, async () => {
      const { status, location } = await ends(address);
      expect(status).toBe(303);
      expect(location?.startsWith(`${address}?error=login_required`)).toBe(true);
    });
  }

  for (const address of [
    'http://localhost:51234/callback',
    'http://127.0.0.2:51234/callback',
    'http://127.0.0.1:51234/elsewhere',
    'http://127.0.0.1:51234/callback?x=1',
    'https://127.0.0.1:51234/callback',
    'http://127.0.0.1.evil.example.net:51234/callback',
    'com.example.desk:/elsewhere',
    'com.example.desk://done',
  ]) {
    test(`T02 ${address} is not`, async () => {
      expect(await ends(address)).toEqual({ status: 400, location: null });
    });
  }
});

test('T03 such addresses cannot be registered', async () => {
  for (const address of [
    'http://app.example.com/callback',
    'javascript:alert(1)',
    'data:text/html,x',
    'https://app.example.com/callback#x',
    'https://*.example.com/callback',
  ]) {
    for (const key of ['redirectUris', 'postLogoutRedirectUris']) {
      expect(await complaints(withClient({ [key]: [address] })), address).not.toEqual([]);
    }
  }
});

test('T10 after a form that was posted comes a 303 or a page, never a 307 or 308', async () => {
  const browser = world.browser();
  const request = authorizationRequest(world.issuer, 'partner');
  let page = await browser.get(request.url);
  const hops = [...page.history];
  for (const button of ['person=ada', 'account=acc_acme', 'answer=allow']) {
    if (page.stopped) break;
    page = await browser.submit(page, { button });
    hops.push(...page.history);
  }
  expect(page.stopped).toBe(true);
  const ours = hops.filter(({ url }) => url.startsWith(world.issuer));
  expect(ours.filter(({ method }) => method === 'POST').length).toBeGreaterThan(1);
  for (const { method, status } of ours) {
    expect([200, 303]).toContain(status);
    if (method === 'POST') expect([200, 303]).toContain(status);
  }
});

describe('T11 prompt=none', () => {
  test('T11 makes no open redirector of us', async () => {
    const browser = world.browser();
    await signIn(world.issuer, browser);
    for (const [name, value] of [
      ['redirect_uri', 'https://evil.example.net/callback'],
      ['response_type', 'token'],
      ['scope', 'x\u0001'],
      ['max_age', '-1'],
    ] as const) {
      const evil = { redirect_uri: 'https://evil.example.net/callback', [name]: value };
      const page = await browser.get(requestOf('app', { prompt: 'none', ...evil }));
      expect(page.status).toBe(400);
      expect(page.stopped).toBe(false);
      expect(page.history).toHaveLength(1);
    }
  });

  test('T11 with somebody unknown the registered address hears of it', async () => {
    const { parameters } = await silently(world.issuer, world.browser(), 'app');
    expect(parameters.get('error')).toBe('login_required');
    expect(parameters.get('code')).toBeNull();
  });
});

describe('T26 every answer says who gives it', () => {
  test('T26 a success', async () => {
    const browser = world.browser();
    await signIn(world.issuer, browser);
    const { request, parameters } = await silently(world.issuer, browser, 'app');
    expect([...parameters.keys()].toSorted()).toEqual(['code', 'iss', 'state']);
    expect(parameters.get('iss')).toBe(world.issuer);
    expect(parameters.get('state')).toBe(request.state);
  });

  const errors: [string, Record<string, string>][] = [
    ['login_required', { prompt: 'none' }],
    ['unsupported_response_type', { response_type: 'token' }],
    ['invalid_request', { max_age: '-1' }],
    ['invalid_request', { prompt: 'none login' }],
    ['invalid_request', { code_challenge_method: 'plain' }],
    ['invalid_target', { resource: 'https://elsewhere.example.net' }],
    ['request_not_supported', { request: 'e30.e30.' }],
    ['request_uri_not_supported', { request_uri: 'https://app.example.com/request' }],
    ['registration_not_supported', { registration: '{}' }],
  ];
  for (const [error, parameters] of errors) {
    test(`T26 an error: ${error} for ${JSON.stringify(parameters)}`, async () => {
      const answer = await get(requestOf('app', parameters));
      expect(answer.status).toBe(303);
      const location = new URL(answer.headers.get('location') ?? '');
      expect(location.origin + location.pathname).toBe(addressOf('app'));
      expect(toldBy(answer)).toMatchObject({
        error,
        iss: world.issuer,
        state: expect.any(String) as string,
      });
    });
  }

  test('T26 a refusal by the person', async () => {
    const browser = world.browser();
    const request = authorizationRequest(world.issuer, 'partner');
    let page = await browser.get(request.url);
    for (const button of ['person=grace']) {
      page = await browser.submit(page, { button });
    }
    page = await browser.submit(page, { button: 'answer=deny' });
    const { searchParams } = new URL(page.url);
    expect(page.stopped).toBe(true);
    expect(Object.fromEntries(searchParams)).toMatchObject({
      error: 'access_denied',
      iss: world.issuer,
      state: request.state,
    });
  });

  test('T26 response_mode=form_post: the same in a form', async () => {
    const browser = world.browser();
    await signIn(world.issuer, browser);
    const requests: Record<string, string>[] = [{}, { max_age: '-1' }];
    for (const parameters of requests) {
      const url = requestOf('app', { prompt: 'none', response_mode: 'form_post', ...parameters });
      const page = await browser.get(url);
      expect(page.status).toBe('max_age' in parameters ? 400 : 200);
      const [form] = page.forms;
      expect(form?.action).toBe(addressOf('app'));
      const names = form?.fields.map(({ name }) => name).toSorted();
      expect(names).toEqual(expect.arrayContaining(['iss', 'state']));
      const policy = page.headers['content-security-policy'] as string;
      expect(policy).toMatch(/^default-src 'none';(?!.*form-action)/);
    }
  });

  test('a fragment is no place for a code', async () => {
    const answer = await get(requestOf('app', { response_mode: 'fragment', prompt: 'none' }));
    expect(answer.status).toBeLessThan(500);
  });
});

test('a code that was sent to one address is not redeemed with another', async () => {
  const redemption = await signInForCode(world.issuer, world.browser());
  const answer = await redeem(world.issuer, redemption, { redirect_uri: addressOf('other') });
  expect(answer).toMatchObject({ status: 400, body: { error: 'invalid_grant' } });
});
