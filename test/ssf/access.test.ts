/** Who may use the endpoints of streams. */

import { setTimeout as delay } from 'node:timers/promises';
import { SignJWT, generateKeyPair } from 'jose';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { decideCutoff } from '../../src/oidc/cutoffs.ts';
import { claimsOf, signIn } from '../kit/world.ts';
import { apiOf, askToken, read, startSsfWorld } from './world.ts';
import type { SsfWorld } from './world.ts';

let world: SsfWorld;
const unknown = 'str_0000000000000000';

beforeAll(async () => {
  world = await startSsfWorld();
});

afterAll(() => world.close());

const withToken = (token: string) => apiOf(world.issuer, () => Promise.resolve(token));

/** What is sent to each, with a right token of the wrong kind or without one. */
const requests: [string, string, object?][] = [
  ['POST', '/ssf/streams', {}],
  ['GET', '/ssf/streams'],
  ['GET', `/ssf/streams?stream_id=${unknown}`],
  ['PATCH', '/ssf/streams', { stream_id: unknown }],
  ['PUT', '/ssf/streams', { stream_id: unknown }],
  ['DELETE', `/ssf/streams?stream_id=${unknown}`],
  ['GET', `/ssf/status?stream_id=${unknown}`],
  ['POST', '/ssf/status', { stream_id: unknown, status: 'paused' }],
  ['POST', '/ssf/verify', { stream_id: unknown }],
  ['POST', '/ssf/subjects/add', { stream_id: unknown }],
  ['POST', '/ssf/subjects/remove', { stream_id: unknown }],
  ['POST', `/ssf/poll/${unknown}`, {}],
  ['GET', '/ssf/recent'],
];

describe('tokens for streams', () => {
  test('T70 come by their scopes alone, are JWTs, and live for 15 minutes at most', async () => {
    const { status, body } = await askToken(world.issuer, 'receiver', {
      scope: 'ssf.read ssf.manage',
    });
    expect(status).toBe(200);
    expect(body.expires_in).toBeLessThanOrEqual(900);
    expect(body.scope.split(' ').toSorted()).toEqual(['ssf.manage', 'ssf.read']);
    expect(claimsOf(body.access_token)).toMatchObject({
      aud: `${world.issuer}/ssf`,
      client_id: 'receiver',
      sub: 'receiver',
    });
  });

  test('T70 come by `resource` as well', async () => {
    const resource = `${world.issuer}/ssf`;
    const { body } = await askToken(world.issuer, 'both', { resource, scope: 'ssf.read' });
    expect(claimsOf(body.access_token)).toMatchObject({ aud: resource, scope: 'ssf.read' });
  });

  test('T70 of a client with a product are told apart by what it asks for', async () => {
    const audiences: [string, string][] = [
      ['ssf.read', `${world.issuer}/ssf`],
      ['read', 'https://api.example.com'],
      ['read ssf.read', 'https://api.example.com'],
    ];
    for (const [scope, aud] of audiences) {
      const { body } = await askToken(world.issuer, 'both', { scope });
      expect(claimsOf(body.access_token)).toMatchObject({ aud });
      if (aud !== `${world.issuer}/ssf`) {
        expect(claimsOf(body.access_token).scope).not.toMatch(/ssf/);
      }
    }
  });

  test('T70 are not for clients that may have no streams', async () => {
    const byScope = await askToken(world.issuer, 'machine', { scope: 'ssf.read' });
    expect(claimsOf(byScope.body.access_token).aud).toBe('https://api.example.com');
    const byResource = await askToken(world.issuer, 'machine', {
      scope: 'ssf.read',
      resource: `${world.issuer}/ssf`,
    });
    expect(byResource.body.error).toBe('invalid_target');
  });
});

describe.each(requests)('%s %s', (method, path, body) => {
  test('create, read, replace, delete-…-with-invalid-token: 401', async () => {
    const none = await read(
      fetch(world.issuer + path, { method, ...(body && { body: JSON.stringify(body) }) }),
    );
    expect(none.status).toBe(401);
    expect(none.headers.get('www-authenticate')).toBe('Bearer');
    for (const token of ['wrong', 'a.b.c', '']) {
      const answer = await withToken(token).call(method, path, body);
      expect(answer.status).toBe(401);
      expect(answer.headers.get('www-authenticate')).toMatch(/^Bearer/);
      expect(answer.headers.get('cache-control')).toBe('no-store');
      expect(answer.body.error.code).toMatch(/^token_/);
    }
  });

  test('T15 T70 a token in the address is refused', async () => {
    const token = await world.token();
    const at = `${world.issuer}${path}${path.includes('?') ? '&' : '?'}access_token=${token}`;
    const answer = await read(fetch(at, { method, ...(body && { body: JSON.stringify(body) }) }));
    expect(answer.status).toBe(400);
    expect(answer.body.error.code).toBe('secret_in_address');
  });

  test('T70 its scope is demanded', async () => {
    const isReading = method === 'GET' || path.startsWith('/ssf/poll');
    const none = await world.api('receiver', 'other').call(method, path, body);
    expect(none.status).toBe(403);
    expect(none.headers.get('www-authenticate')).toMatch(/error="insufficient_scope"/);
    const reading = await world.api('receiver', 'ssf.read').call(method, path, body);
    if (isReading) expect([200, 404]).toContain(reading.status);
    else expect(reading.status).toBe(403);
    const managing = await world.api('receiver', 'ssf.manage').call(method, path, body);
    expect([200, 201, 204, 400, 404]).toContain(managing.status);
  });
});

describe('a token that is none', () => {
  const tried = async (token: string) => {
    const { status, body } = await withToken(token).call('GET', '/ssf/streams');
    return [status, body.error?.code];
  };
  const invalid = [401, 'token_invalid'];

  test('T18 T58 for a product, for a person, or an ID token: is refused', async () => {
    const product = await askToken(world.issuer, 'both', { scope: 'read' });
    expect(await tried(product.body.access_token)).toEqual(invalid);
    const tokens = await signIn(world.issuer, world.browser());
    expect(await tried(tokens.access_token ?? '')).toEqual(invalid);
    expect(await tried(tokens.id_token ?? '')).toEqual(invalid);
  });

  test('T70 signed by somebody else, or expired, is refused', async () => {
    const claims = claimsOf(await world.token());
    const { privateKey } = await generateKeyPair('ES256');
    const forged = await new SignJWT(claims)
      .setProtectedHeader({ alg: 'ES256', typ: 'at+jwt' })
      .sign(privateKey);
    expect(await tried(forged)).toEqual(invalid);
    const token = await world.token();
    expect(await tried(token)).toEqual([200, undefined]);
    world.step(901);
    expect(await tried(token)).toEqual(invalid);
    world.step(-901);
  });

  test('T70 from before all was revoked that its client has is refused', async () => {
    const token = await world.token('both');
    expect(await tried(token)).toEqual([200, undefined]);
    // What is from the same second may be the next one already.
    await delay(1100);
    const cutoff = { before: Date.now(), client: 'both', reason: 'operator' } as const;
    await decideCutoff({ store: world.store, clock: Date.now }, cutoff);
    // Every process looks at it each few seconds.
    await vi.waitFor(async () => expect(await tried(token)).toEqual(invalid), 10_000);
    expect(await tried(await world.token('both'))).toEqual([200, undefined]);
    expect(await tried(await world.token('receiver'))).toEqual([200, undefined]);
  });

  test('T70 of a client that was removed is refused at once', async () => {
    const token = await world.token('rival');
    expect(await tried(token)).toEqual([200, undefined]);
    const { config } = world;
    const others = config.clients.filter(({ id }) => id !== 'rival');
    world.server.reconfigure({ ...config, clients: others });
    expect(await tried(token)).toEqual(invalid);
    world.server.reconfigure(config);
    expect(await tried(token)).toEqual([200, undefined]);
  });
});

test('addresses have one spelling, and what is not there is said as JSON', async () => {
  for (const path of ['/ssf/Streams', '/SSF/streams', '/ssf/nothing']) {
    const { status, body } = await world.api().call('GET', path);
    expect(status).toBe(404);
    expect(body.error.code).toBe('not_found');
  }
  const { status, headers } = await world.api().call('DELETE', '/ssf/verify');
  expect(status).toBe(405);
  expect(headers.get('allow')).toBe('POST');
});
