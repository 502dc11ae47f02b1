import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { verifier } from '../../src/verify/index.ts';
import {
  accessToken,
  audience,
  clockAt,
  makeKey,
  openIssuer,
  openService,
  outcome,
} from './world.ts';
import type { Clock, TestIssuer } from './world.ts';

let world: TestIssuer;
let clock: Clock;

beforeEach(async () => {
  world = await openIssuer();
  clock = clockAt();
});
afterEach(() => world.close());

const metadata = '/.well-known/openid-configuration';

describe('the keys of an issuer', () => {
  test('are found by its discovery, and asked for once', async () => {
    const { tollgate } = openService(world, clock);
    const tokens = await Promise.all(Array.from({ length: 20 }, () => accessToken(world, clock)));
    await Promise.all(tokens.map((token) => tollgate.check(token)));
    expect(world.times(metadata)).toBe(1);
    expect(world.times('/keys')).toBe(1);
  });

  test('are at /oauth2/jwks where there is no discovery', async () => {
    delete world.routes[metadata];
    world.routes['/oauth2/jwks'] = () => ({ body: { keys: world.published } });
    const { tollgate } = openService(world, clock);
    expect(await outcome(tollgate.check(await accessToken(world, clock)))).toBe('good');
  });

  test('are not taken from a discovery of another issuer, or from an unsafe place', async () => {
    for (const body of [
      { issuer: 'https://id.example.com', jwks_uri: `${world.issuer}/keys` },
      { issuer: `${world.issuer}/`, jwks_uri: `${world.issuer}/keys` },
      { issuer: world.issuer, jwks_uri: 'ftp://localhost/keys' },
      { issuer: world.issuer, jwks_uri: 'keys' },
      [],
      'null',
      '{',
    ]) {
      world.routes[metadata] = () => ({ body });
      const { tollgate } = openService(world, clock);
      const token = await accessToken(world, clock);
      expect(await outcome(tollgate.check(token)), JSON.stringify(body)).toBe('keys_unavailable');
    }
  });

  test('are asked for anew after the clock was set back, and one that was withdrawn is refused', async () => {
    clock.advance(86_400);
    const { tollgate } = openService(world, clock);
    await tollgate.check(await accessToken(world, clock));
    clock.advance(-86_400);
    world.published.splice(0, 1);
    const token = await accessToken(world, clock);
    await outcome(tollgate.check(token));
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(await outcome(tollgate.check(token))).toBe('token_invalid');
  });

  test('are asked for again after a failure, also when the clock was set back', async () => {
    world.routes['/keys'] = () => ({ status: 500 });
    clock.advance(86_400);
    const { tollgate } = openService(world, clock);
    expect(await outcome(tollgate.ready())).toBe('keys_unavailable');
    clock.advance(-86_400);
    world.routes['/keys'] = () => ({ body: { keys: world.published } });
    expect(await outcome(tollgate.check(await accessToken(world, clock)))).toBe('good');
  });

  test('T37: a new key is known before it signs, without a request that waits', async () => {
    const { tollgate } = openService(world, clock);
    await tollgate.ready().catch(() => undefined);
    const next = await makeKey('ES256', 'es-2');
    world.published.push(next.jwk);
    // Published six minutes before; these keys are fetched anew after five.
    clock.advance(301);
    expect(await outcome(tollgate.check(await accessToken(world, clock)))).toBe('good');
    clock.advance(59);
    const token = await accessToken(world, clock, {}, { key: next });
    expect(await outcome(tollgate.check(token))).toBe('good');
    expect(world.times('/keys')).toBe(2);
  });

  test('T37: a kid that is not known is asked for, and tokens of the old key stay good', async () => {
    const { tollgate } = openService(world, clock);
    const old = await accessToken(world, clock);
    await tollgate.check(old);
    const next = await makeKey('ES256', 'es-2');
    world.published.push(next.jwk);
    clock.advance(30);
    const token = await accessToken(world, clock, {}, { key: next });
    expect(await outcome(tollgate.check(token))).toBe('good');
    expect(await outcome(tollgate.check(old))).toBe('good');
    expect(world.times('/keys')).toBe(2);
  });

  test('a key that is withdrawn is of no use once the keys were fetched anew', async () => {
    const { tollgate } = openService(world, clock);
    const token = await accessToken(world, clock);
    await tollgate.check(token);
    world.published = [world.rs.jwk];
    clock.advance(301);
    // This one starts the fetch, and does not wait for it.
    await tollgate.check(token);
    await expect.poll(() => world.times('/keys')).toBe(2);
    await expect.poll(() => outcome(tollgate.check(token))).toBe('token_invalid');
  });

  test('invented kids cost one request in thirty seconds', async () => {
    const { tollgate } = openService(world, clock);
    const foreign = await makeKey('ES256', 'es-1');
    for (let number = 0; number < 30; number += 1) {
      const header = { kid: `invented-${number}` };
      const token = await accessToken(world, clock, {}, { key: foreign, header });
      expect(await outcome(tollgate.check(token))).toBe('token_invalid');
      clock.advance(1);
    }
    expect(world.times('/keys')).toBe(1);
    const token = await accessToken(world, clock, {}, { key: foreign, header: { kid: 'last' } });
    expect(await outcome(tollgate.check(token))).toBe('token_invalid');
    expect(world.times('/keys')).toBe(2);
  });
});

describe('keys that cannot be fetched', () => {
  test('say nothing of a token: 503, never 401', async () => {
    const routes = [
      () => ({ status: 500 }),
      () => ({ status: 302 }),
      () => 'hang up' as const,
      () => ({ body: 'no JSON' }),
      () => ({ body: { keys: 'none' } }),
      () => ({ body: { keys: [{ kty: 'EC', kid: 'es-1', alg: 'ES256', crv: 'P-256', x: '!' }] } }),
      () => ({ body: { keys: Array.from({ length: 101 }, () => world.es.jwk) } }),
      () => ({ body: { keys: world.published, more: 'x'.repeat(300_000) } }),
    ];
    for (const route of routes) {
      world.routes['/keys'] = route;
      const { tollgate, warnings } = openService(world, clock);
      const token = await accessToken(world, clock);
      expect(await outcome(tollgate.check(token)), String(route)).toBe('keys_unavailable');
      expect(await outcome(tollgate.ready()), String(route)).toMatch(/_unavailable$/);
      expect(warnings.map(({ code }) => code)).toContain('keys_unavailable');
    }
  });

  test('are asked for again after five seconds, not with every request', async () => {
    const { tollgate } = openService(world, clock);
    const route = world.routes['/keys'];
    world.routes['/keys'] = () => ({ status: 503 });
    const token = await accessToken(world, clock);
    for (let number = 0; number < 10; number += 1) {
      expect(await outcome(tollgate.check(token))).toBe('keys_unavailable');
    }
    expect(world.times('/keys')).toBe(1);
    Object.assign(world.routes, { '/keys': route });
    clock.advance(5);
    expect(await outcome(tollgate.check(token))).toBe('good');
  });

  test('do not stop a service that has them: for an hour', async () => {
    const { tollgate } = openService(world, clock);
    await tollgate.check(await accessToken(world, clock));
    world.routes['/keys'] = () => 'hang up';
    clock.advance(3599);
    expect(await outcome(tollgate.check(await accessToken(world, clock)))).toBe('good');
    // What is not known now may be a new key.
    const next = await makeKey('ES256', 'es-2');
    const token = await accessToken(world, clock, {}, { key: next });
    expect(await outcome(tollgate.check(token))).toBe('keys_unavailable');
    clock.advance(1);
    await expect
      .poll(async () => outcome(tollgate.check(await accessToken(world, clock))))
      .toBe('keys_unavailable');
  });

  test('a redirect is not followed', async () => {
    const other = await openIssuer();
    world.routes['/keys'] = () => ({ status: 302, body: {} });
    const { tollgate } = openService(world, clock);
    const token = await accessToken(world, clock);
    expect(await outcome(tollgate.check(token))).toBe('keys_unavailable');
    expect(other.asked).toEqual([]);
    await other.close();
  });
});

describe('several issuers', () => {
  test('each with its own keys, and none speaks for another', async () => {
    const other = await openIssuer();
    other.es = await makeKey('ES256', 'es-1');
    other.published = [other.es.jwk];
    const tollgate = verifier({
      issuer: [world.issuer, other.issuer],
      audience,
      now: clock.now,
    });
    const check = (token: string) => outcome(tollgate.check(token));
    expect(await check(await accessToken(world, clock))).toBe('good');
    expect(await check(await accessToken(other, clock))).toBe('good');
    expect(await check(await accessToken(world, clock, {}, { key: other.es }))).toBe(
      'token_invalid',
    );
    expect(await check(await accessToken(other, clock, {}, { key: world.es }))).toBe(
      'token_invalid',
    );
    await other.close();
    // One that is gone takes nobody with it.
    expect(await check(await accessToken(world, clock))).toBe('good');
  });
});
