/** What holds for every endpoint: headers, origins, parameters, forms. */

import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Page } from '../../dev/walk.ts';
import { authorizationRequest, addressOf } from '../kit/world.ts';
import type { World } from '../kit/world.ts';
import { basic, credentials, get, post, read, signIn, startProtocolWorld, token } from './kit.ts';

let world: World;

beforeAll(async () => {
  world = await startProtocolWorld();
});

afterAll(() => world.close());

test('T12 pages tell no referrer, and load nothing from elsewhere', async () => {
  const browser = world.browser();
  const pages: Page[] = [];
  let page = await browser.get(authorizationRequest(world.issuer, 'partner').url);
  for (const button of ['person=ada', 'account=acc_acme', 'answer=allow']) {
    pages.push(page);
    page = await browser.submit(page, { button });
  }
  expect(page.stopped).toBe(true);
  for (const path of [
    '/oauth2/logout',
    '/oauth2/logout/success',
    '/oauth2/authorize',
    '/oauth2/authorize?client_id=app&redirect_uri=https://evil.example.net',
    '/interaction/nothing',
    '/nothing',
    `/oauth2/authorize?${new URL(authorizationRequest(world.issuer, 'app', { prompt: 'none', response_mode: 'form_post' }).url).searchParams}`,
  ]) {
    pages.push(await browser.get(world.issuer + path));
  }
  const ours = pages.filter(({ url }) => url.startsWith(world.issuer));
  expect(ours.length).toBeGreaterThan(7);
  for (const { text, headers, url } of ours) {
    expect(headers['content-type'], url).toMatch(/^text\/html/);
    expect(headers['referrer-policy'], url).toBe('no-referrer');
    expect(headers['cache-control'], url).toMatch(/no-store/);
    expect(headers['x-frame-options'], url).toBe('DENY');
    const policy = String(headers['content-security-policy']);
    expect(policy, url).toContain("default-src 'none'");
    expect(policy, url).toContain("frame-ancestors 'none'");
    expect(policy, url).not.toMatch(/unsafe-inline|unsafe-eval|https?:\/\/\*|\*;/);
    const loaded = [
      ...text.matchAll(/<(?:script|link|img|iframe|source)\b[^>]*?(?:src|href)="([^"]*)"/g),
    ];
    for (const [, source = ''] of loaded) {
      const isOurs = new URL(source, world.issuer).origin === world.issuer;
      expect(isOurs || source.startsWith('data:'), source).toBe(true);
    }
    expect(text).not.toMatch(/@import|url\(\s*['"]?https?:/);
  }
});

describe('T13 origins', () => {
  const spa = new URL(addressOf('spa')).origin;
  const evil = 'https://evil.example.net';
  const allowed = (headers: Headers) => headers.get('access-control-allow-origin');

  test('T13 anybody may read discovery and keys', async () => {
    for (const path of ['/.well-known/openid-configuration', '/oauth2/jwks']) {
      const { headers } = await get(world.issuer + path, { origin: evil });
      expect([evil, '*']).toContain(allowed(headers));
      expect(headers.get('access-control-allow-credentials')).toBeNull();
    }
  });

  test('T13 a browser app may call the token endpoint from its own origin, and from no other', async () => {
    const fields = { grant_type: 'refresh_token', refresh_token: 'x' };
    const own = await token(world.issuer, 'spa', fields, { origin: spa });
    expect(own.status).toBe(400);
    expect(allowed(own.headers)).toBe(spa);
    expect(own.headers.get('access-control-allow-credentials')).toBeNull();
    const foreign = await token(world.issuer, 'spa', fields, { origin: evil });
    expect(foreign.status).toBeGreaterThanOrEqual(400);
    expect(allowed(foreign.headers)).toBeNull();
    for (const client of ['app', 'other']) {
      const origin = new URL(addressOf(client)).origin;
      const { headers } = await token(world.issuer, client, fields, { origin });
      expect(allowed(headers)).toBeNull();
    }
  });

  test('T13 its preflight is answered', async () => {
    for (const path of ['/oauth2/token', '/oauth2/userinfo', '/oauth2/revoke', '/oauth2/par']) {
      const { status, headers } = await read(
        fetch(world.issuer + path, {
          method: 'OPTIONS',
          headers: {
            origin: spa,
            'access-control-request-method': 'POST',
            'access-control-request-headers': 'authorization,dpop',
          },
        }),
      );
      expect(status).toBe(204);
      expect(allowed(headers)).toBe(spa);
      expect(headers.get('access-control-allow-methods')).toContain('POST');
    }
  });

  test('T13 no script reads what browsers are shown', async () => {
    const request = authorizationRequest(world.issuer, 'spa').url;
    const browser = world.browser();
    const page = await browser.get(
      authorizationRequest(world.issuer, 'spa', { prompt: 'login' }).url,
    );
    const names = ['origin', 'methods', 'headers', 'credentials'];
    for (const origin of [spa, evil]) {
      for (const url of [
        request,
        page.history.find(({ url: one }) => one.includes('/interaction/'))?.url ?? '',
        `${world.issuer}/oauth2/logout`,
        `${world.issuer}/signin`,
        `${world.issuer}/integrations/oauth2/callback`,
      ]) {
        expect(url).not.toBe('');
        for (const method of ['GET', 'OPTIONS']) {
          const { headers, status } = await read(
            fetch(url, { method, headers: { origin }, redirect: 'manual' }),
          );
          expect(status).toBeLessThan(500);
          for (const name of names) {
            expect(headers.get(`access-control-allow-${name}`), `${method} ${url}`).toBeNull();
          }
        }
      }
    }
  });
});

describe('T14 a parameter twice', () => {
  for (const name of [
    'client_id',
    'redirect_uri',
    'state',
    'scope',
    'nonce',
    'response_type',
    'code_challenge',
    'prompt',
    'provider',
    'account',
  ]) {
    test(`T14 ${name} at the authorization endpoint`, async () => {
      const url = new URL(authorizationRequest(world.issuer, 'app', { prompt: 'none' }).url);
      const value = url.searchParams.get(name) ?? 'x';
      for (const other of [value, 'https://evil.example.net/']) {
        const twice = new URL(url);
        twice.searchParams.delete(name);
        twice.searchParams.append(name, value);
        twice.searchParams.append(name, other);
        const answer = await get(twice.href);
        const location = answer.headers.get('location');
        if (location === null) {
          expect(answer.status).toBe(400);
        } else {
          expect(location.startsWith(`${addressOf('app')}?`)).toBe(true);
          expect(location).toContain('error=invalid_request');
        }
        if (name === 'client_id' || name === 'redirect_uri') expect(location).toBeNull();
      }
    });
  }

  for (const name of ['client_id', 'client_secret', 'grant_type', 'code', 'refresh_token']) {
    test(`T14 ${name} at the token endpoint`, async () => {
      const fields = {
        ...credentials('app'),
        grant_type: name === 'refresh_token' ? 'refresh_token' : 'authorization_code',
        code: 'x',
        refresh_token: 'x',
        redirect_uri: addressOf('app'),
      };
      const entries = Object.entries(fields);
      const again = [name, fields[name as 'code']] as const;
      const answer = await post(`${world.issuer}/oauth2/token`, [...entries, again]);
      expect(answer).toMatchObject({ status: 400, body: { error: 'invalid_request' } });
    });
  }
});

describe('T15 nothing secret in an address', () => {
  for (const path of ['token', 'userinfo', 'revoke', 'introspect', 'par']) {
    test(`T15 ${path}`, async () => {
      const { refresh_token: value, access_token: other } = await signIn(
        world.issuer,
        world.browser(),
        { client: 'plain' },
      );
      const secret = credentials('plain');
      const query = new URLSearchParams({
        ...secret,
        grant_type: 'refresh_token',
        refresh_token: value,
        token: value,
        access_token: other,
      });
      for (const method of ['GET', 'POST']) {
        const { status } = await fetch(`${world.issuer}/oauth2/${path}?${query}`, { method });
        expect(status).toBeGreaterThanOrEqual(400);
        expect(status).toBeLessThan(500);
      }
      // Nor the credentials there and the rest in the body.
      const mixed = await post(`${world.issuer}/oauth2/${path}?${new URLSearchParams(secret)}`, {
        grant_type: 'refresh_token',
        refresh_token: value,
        token: value,
      });
      expect(mixed.status).toBeGreaterThanOrEqual(400);
    });
  }
});

describe('T16 the token endpoint', () => {
  test('T16 is not kept by caches, and says errors in JSON', async () => {
    const url = `${world.issuer}/oauth2/token`;
    const good = await token(world.issuer, 'machine', { grant_type: 'client_credentials' });
    const answers: [number, string, Awaited<ReturnType<typeof get>>][] = [
      [400, 'invalid_request', await post(url, {})],
      [
        400,
        'invalid_grant',
        await token(world.issuer, 'app', { grant_type: 'refresh_token', refresh_token: 'x' }),
      ],
      [400, 'invalid_request', await token(world.issuer, 'app', { grant_type: 'refresh_token' })],
      [
        401,
        'invalid_client',
        await post(url, { grant_type: 'refresh_token' }, basic('app', 'x'.repeat(40))),
      ],
      [400, 'unsupported_grant_type', await token(world.issuer, 'app', { grant_type: 'x' })],
    ];
    for (const [status, error, answer] of answers) {
      expect(answer.body.error).toBe(error);
      expect(answer.status).toBe(status);
    }
    for (const { headers } of [good, ...answers.map(([, , answer]) => answer)]) {
      expect(headers.get('cache-control')).toBe('no-store');
      expect(headers.get('content-type')).toMatch(/^application\/json/);
      expect(headers.get('set-cookie')).toBeNull();
    }
    expect(good.status).toBe(200);
  });

  test('T16 takes forms only, of a bounded size', async () => {
    const url = `${world.issuer}/oauth2/token`;
    const fields = { ...credentials('machine'), grant_type: 'client_credentials' };
    const answers = await Promise.all([
      read(
        fetch(url, {
          method: 'POST',
          body: JSON.stringify(fields),
          headers: { 'content-type': 'application/json' },
        }),
      ),
      read(
        fetch(url, {
          method: 'POST',
          body: new URLSearchParams(fields).toString(),
          headers: { 'content-type': 'text/plain' },
        }),
      ),
      read(fetch(url, { method: 'POST', body: undefined })),
      post(url, { ...fields, padding: 'x'.repeat(2_000_000) }),
      read(fetch(url, { method: 'PUT', body: new URLSearchParams(fields) })),
      get(`${url}?grant_type=client_credentials&client_id=machine`),
    ]);
    for (const { status } of answers) {
      expect(status).toBeGreaterThanOrEqual(400);
      expect(status).toBeLessThan(500);
    }
  });

  test('T16 nonsense of every kind is answered by less than 500', async () => {
    const odd = [
      '\u0000',
      '__proto__',
      'constructor',
      '%',
      '\uD800',
      '{"a":1}',
      '[]',
      "' OR 1=1",
      '‮',
    ];
    const names = [
      'grant_type',
      'code',
      'refresh_token',
      'scope',
      'resource',
      'client_id',
      'redirect_uri',
    ];
    for (const value of odd) {
      for (const name of names) {
        const base = { ...credentials('app'), grant_type: 'refresh_token', refresh_token: 'x' };
        const answer = await post(`${world.issuer}/oauth2/token`, { ...base, [name]: value });
        expect(answer.status).toBeGreaterThanOrEqual(400);
        expect(answer.status).toBeLessThan(500);
        const url = authorizationRequest(world.issuer, 'app', {
          prompt: 'none',
          [name]: value,
        }).url;
        expect((await get(url)).status).toBeLessThan(500);
      }
    }
  });
});
