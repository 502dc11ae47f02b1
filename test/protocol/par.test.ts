/** Pushed authorization requests (RFC 9126). */

import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import { addressOf, authorizationRequest, claimsOf, goThrough } from '../kit/world.ts';
import type { Request, World } from '../kit/world.ts';
import {
  basic,
  credentials,
  get,
  post,
  redeem,
  signIn,
  startProtocolWorld,
  toldBy,
  travel,
} from './kit.ts';
import type { Answer } from './kit.ts';

let world: World;

beforeAll(async () => {
  world = await startProtocolWorld();
});

afterEach(() => void vi.useRealTimers());
afterAll(() => world.close());

interface Pushed {
  request: Request;
  answer: Answer;
  /** Where the browser is sent. */
  url: string;
}

async function push(
  client: string,
  changes: Record<string, string> = {},
  headers: Record<string, string> = {},
): Promise<Pushed> {
  const request = authorizationRequest(world.issuer, client, changes);
  const fields = Object.fromEntries(new URL(request.url).searchParams);
  const own = 'authorization' in headers ? {} : credentials(client);
  const answer = await post(`${world.issuer}/oauth2/par`, { ...fields, ...own }, headers);
  return { request, answer, url: urlOf(client, answer.body.request_uri) };
}

function urlOf(client: string, uri = '', more: Record<string, string> = {}): string {
  const url = new URL(`${world.issuer}/oauth2/authorize`);
  url.search = new URLSearchParams({ client_id: client, request_uri: uri, ...more }).toString();
  return url.href;
}

describe('T28 pushing', () => {
  for (const headers of [{}, basic('app')]) {
    const how = 'authorization' in headers ? 'header' : 'body';
    test(`T28 201, an address that lives for a minute, and a sign-in; the secret in the ${how}`, async () => {
      const { request, answer, url } = await push('app', {}, headers);
      expect(answer.status).toBe(201);
      expect(answer.headers.get('cache-control')).toBe('no-store');
      expect(answer.body.request_uri).toMatch(/^urn:ietf:params:oauth:request_uri:[\w.-]{20,}$/);
      const lifetime = Number(answer.body.expires_in);
      expect(lifetime).toBeGreaterThan(0);
      expect(lifetime).toBeLessThan(600);
      const browser = world.browser();
      const address = await goThrough(browser, await browser.get(url));
      expect(address.searchParams.get('state')).toBe(request.state);
      expect(address.searchParams.get('iss')).toBe(world.issuer);
      const code = address.searchParams.get('code') ?? '';
      const { body } = await redeem(world.issuer, { ...request, code });
      expect(claimsOf(body.id_token)).toMatchObject({
        sub: 'usr_ada',
        nonce: `nonce-${request.state}`,
      });
    });
  }

  test('T28 a public client may push as well', async () => {
    const { answer } = await push('spa');
    expect(answer.status).toBe(201);
  });

  test('T28 T51 without or with a wrong secret: refused', async () => {
    const wrong = await push('app', {}, basic('app', 'x'.repeat(40)));
    expect(wrong.answer).toMatchObject({ status: 401, body: { error: 'invalid_client' } });
  });

  test('T28 a request_uri is not pushed', async () => {
    const { answer } = await push('app', {
      request_uri: 'urn:ietf:params:oauth:request_uri:x',
    });
    expect(answer.status).toBe(400);
    expect(['invalid_request', 'request_uri_not_supported']).toContain(answer.body.error);
  });

  for (const [name, value, error] of [
    ['redirect_uri', 'https://evil.example.net/', 'invalid_request'],
    ['response_type', 'token', 'unsupported_response_type'],
    ['code_challenge_method', 'plain', 'invalid_request'],
    ['resource', 'https://elsewhere.example.net', 'invalid_target'],
    ['max_age', '-1', 'invalid_request'],
    ['prompt', 'none login', 'invalid_request'],
    ['claims', '{', 'invalid_request'],
    ['id_token_hint', 'x', 'invalid_request'],
  ] as const) {
    test(`T28 what would be refused later is refused now: ${name}=${value}`, async () => {
      const { answer } = await push('app', { [name]: value });
      expect(answer.status).toBe(400);
      expect(answer.body.error).toBe(error);
      expect(answer.headers.get('content-type')).toMatch(/^application\/json/);
    });
  }

  test('T14 a parameter twice is refused', async () => {
    const { url } = authorizationRequest(world.issuer, 'app');
    const fields = [...new URL(url).searchParams, ...Object.entries(credentials('app'))];
    const twice = fields.filter(([name], index) => index === fields.findIndex(([n]) => n === name));
    const answer = await post(`${world.issuer}/oauth2/par`, [...twice, ['state', 'y']]);
    expect(answer).toMatchObject({ status: 400, body: { error: 'invalid_request' } });
  });

  test('T28 other methods are refused', async () => {
    for (const method of ['GET', 'PUT', 'DELETE']) {
      const { status } = await fetch(`${world.issuer}/oauth2/par`, { method });
      expect([404, 405]).toContain(status);
    }
  });
});

describe('T28 using what was pushed', () => {
  test('T28 a reload before the end works, and the first to finish wins', async () => {
    const { url } = await push('app');
    const browser = world.browser();
    await browser.get(url);
    const page = await browser.get(url);
    expect(page.status).toBe(200);
    const address = await goThrough(browser, page);
    expect(address.searchParams.get('code')).not.toBeNull();
    const after = await browser.get(url);
    expect(after.stopped ? toldByAddress(after.url) : after.status).not.toHaveProperty('code');
  });

  test('T28 after it was used it is over', async () => {
    const browser = world.browser();
    await signIn(world.issuer, browser);
    const { url } = await push('app');
    expect(new URL((await browser.get(url)).url).searchParams.get('code')).not.toBeNull();
    const again = await browser.get(url);
    expect(again.url).not.toContain('code=');
    expect(again.status).toBeLessThan(500);
  });

  test('T28 of 20 uses at once one gets a code', async () => {
    const browser = world.browser();
    await signIn(world.issuer, browser);
    const { url } = await push('app');
    const pages = await Promise.all(Array.from({ length: 20 }, () => browser.get(url)));
    for (const { status } of pages) expect(status).toBeLessThan(500);
    expect(pages.filter(({ url: end }) => end.includes('code='))).toHaveLength(1);
  });

  test('T28 after its minute it is over', async () => {
    const { url } = await push('app');
    travel(70);
    const answer = await get(url);
    expect(answer.status).toBe(400);
    expect(answer.headers.get('location')).toBeNull();
  });

  test('T28 by another client it is of no use', async () => {
    const { answer } = await push('app');
    for (const client of ['other', 'spa', 'nobody']) {
      const refused = await get(urlOf(client, answer.body.request_uri));
      expect(refused.status).toBeGreaterThanOrEqual(400);
      expect(refused.status).toBeLessThan(500);
      expect(refused.headers.get('location')).toBeNull();
    }
    expect((await get(urlOf('app', answer.body.request_uri))).status).toBe(303);
  });

  test('T28 one that was never pushed', async () => {
    for (const uri of [
      'urn:ietf:params:oauth:request_uri:nothing',
      'urn:ietf:params:oauth:request_uri:',
      'urn:ietf:params:oauth:request_uri:__proto__',
      'https://app.example.com/request.jwt',
      'x',
    ]) {
      const answer = await get(urlOf('app', uri));
      expect(answer.status).toBeGreaterThanOrEqual(400);
      expect(answer.status).toBeLessThan(500);
    }
  });

  test('T28 what stands beside it in the address is not listened to', async () => {
    const browser = world.browser();
    await signIn(world.issuer, browser);
    const { request, answer } = await push('app');
    const page = await browser.get(
      urlOf('app', answer.body.request_uri, {
        redirect_uri: addressOf('other'),
        state: 'of somebody else',
        scope: 'openid write',
      }),
    );
    const told = new URL(page.url);
    if (page.stopped) {
      expect(told.origin + told.pathname).toBe(addressOf('app'));
      expect(told.searchParams.get('state')).toBe(request.state);
      const code = told.searchParams.get('code') ?? '';
      const { body } = await redeem(world.issuer, { ...request, code });
      expect(body.scope).toBe('openid profile email');
    } else {
      expect(page.status).toBe(400);
    }
  });

  test('T28 prompt=none with it says login_required where nobody is signed in', async () => {
    const { url } = await push('app', { prompt: 'none' });
    expect(toldBy(await get(url))).toMatchObject({ error: 'login_required', iss: world.issuer });
  });
});

function toldByAddress(url: string): Record<string, string> {
  return Object.fromEntries(new URL(url).searchParams);
}
