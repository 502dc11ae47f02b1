/** What the provider says of itself, and its keys. */

import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openSqlite } from '../../src/storage/sqlite.ts';
import { startServer } from '../kit/server.ts';
import { claimsOf } from '../kit/world.ts';
import type { World } from '../kit/world.ts';
import { get, json, signIn, startProtocolWorld } from './kit.ts';

let world: World;
let metadata: Record<string, unknown>;

beforeAll(async () => {
  world = await startProtocolWorld();
  metadata = (await get(`${world.issuer}/.well-known/openid-configuration`)).body;
});

afterAll(() => world.close());

const keysAt = async (issuer: string) =>
  (await get(`${issuer}/oauth2/jwks`)).body.keys as unknown as Record<string, string>[];

describe('T36 discovery', () => {
  test('T36 the issuer is the same everywhere, to the byte', async () => {
    const tokens = await signIn(world.issuer, world.browser());
    expect(metadata.issuer).toBe(world.config.issuer);
    expect(claimsOf(tokens.id_token).iss).toBe(world.config.issuer);
    expect(claimsOf(tokens.access_token).iss).toBe(world.config.issuer);
  });

  test('T36 it is JSON, and may be cached for a short time', async () => {
    for (const path of ['/.well-known/openid-configuration', '/oauth2/jwks']) {
      const answer = await get(world.issuer + path);
      expect(answer.status).toBe(200);
      expect(answer.headers.get('content-type')).toMatch(/^application\/(jwk-set\+)?json/);
      expect(answer.headers.get('cache-control')).toBe('public, max-age=300');
      expect(answer.headers.get('set-cookie')).toBeNull();
    }
  });

  test('T04 T06 T26 only what is supported is named', () => {
    expect(metadata).toMatchObject({
      response_types_supported: ['code'],
      code_challenge_methods_supported: ['S256'],
      subject_types_supported: ['public'],
      authorization_response_iss_parameter_supported: true,
      claims_parameter_supported: true,
      request_uri_parameter_supported: false,
    });
    expect([...(metadata.grant_types_supported as string[])].toSorted()).toEqual([
      'authorization_code',
      'client_credentials',
      'refresh_token',
    ]);
    const methods = metadata.token_endpoint_auth_methods_supported as string[];
    expect(methods.toSorted()).toEqual(['client_secret_basic', 'client_secret_post', 'none']);
    expect(metadata.id_token_signing_alg_values_supported).toContain('RS256');
    // What is left out is false (Discovery §3).
    expect(metadata.request_parameter_supported ?? false).toBe(false);
    for (const [name, value] of Object.entries(metadata)) {
      if (!name.endsWith('_alg_values_supported')) continue;
      for (const alg of value as string[]) expect(alg).not.toMatch(/^(none|HS)/);
    }
  });

  test('T36 every address is at the issuer, and answers', async () => {
    const named = Object.entries(metadata).filter(([name]) => /_(endpoint|uri)$/.test(name));
    expect(named.map(([name]) => name).toSorted()).toEqual([
      'authorization_endpoint',
      'end_session_endpoint',
      'introspection_endpoint',
      'jwks_uri',
      'pushed_authorization_request_endpoint',
      'revocation_endpoint',
      'token_endpoint',
      'userinfo_endpoint',
    ]);
    for (const [, value] of named) {
      expect(String(value).startsWith(`${world.issuer}/oauth2/`)).toBe(true);
      const { status } = await get(String(value));
      expect(status).toBeLessThan(500);
    }
  });

  test('scopes and claims are named', () => {
    expect(metadata.scopes_supported).toEqual(
      expect.arrayContaining(['openid', 'profile', 'email', 'offline_access']),
    );
    expect(metadata.claims_supported).toEqual(
      expect.arrayContaining(['sub', 'iss', 'auth_time', 'name', 'email', 'email_verified']),
    );
  });

  test('an address with two slashes is not there', async () => {
    const answer = await get(`${world.issuer}//.well-known/openid-configuration`);
    expect(answer.status).toBe(404);
  });

  test('RFC 8414 the metadata of OAuth, if it is there, says the same', async () => {
    const answer = await get(`${world.issuer}/.well-known/oauth-authorization-server`);
    expect([200, 404]).toContain(answer.status);
    if (answer.status === 200) expect(answer.body.issuer).toBe(world.issuer);
  });
});

describe('T36 T37 keys', () => {
  test('T36 they are public, and each has its own name', async () => {
    const keys = await keysAt(world.issuer);
    expect(keys.map(({ alg }) => alg).toSorted()).toEqual(['ES256', 'RS256']);
    for (const key of keys) {
      for (const member of ['d', 'p', 'q', 'dp', 'dq', 'qi', 'k', 'oth']) {
        expect(key).not.toHaveProperty(member);
      }
      expect(key).toMatchObject({ use: 'sig', kid: expect.any(String) as string });
    }
    expect(new Set(keys.map(({ kid }) => kid)).size).toBe(keys.length);
    const rsa = keys.find(({ kty }) => kty === 'RSA');
    expect(Buffer.from(rsa?.n ?? '', 'base64url').length * 8).toBeGreaterThanOrEqual(2048);
  });

  test('T37 tokens name the key that they were signed with', async () => {
    const keys = await keysAt(world.issuer);
    const tokens = await signIn(world.issuer, world.browser());
    for (const jwt of [tokens.access_token, tokens.id_token]) {
      const { alg, kid } = json(jwt.split('.')[0]);
      expect(keys.find((key) => key.kid === kid)?.alg).toBe(alg);
    }
  });

  test('T37 they outlive a restart, and two processes that start at once have the same', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'tollgate-keys-'));
    const path = join(directory, 'tollgate.db');
    const open = () => openSqlite({ path, clock: Date.now });
    try {
      const stores = await Promise.all([open(), open()]);
      const pair = await Promise.all(stores.map((store) => startServer({ store })));
      const [one, two] = await Promise.all(pair.map(({ issuer }) => keysAt(issuer)));
      expect(one).toEqual(two);
      await Promise.all(pair.map((server) => server.close()));
      await Promise.all(stores.map((store) => store.close()));

      const store = await open();
      const again = await startServer({ store });
      expect(await keysAt(again.issuer)).toEqual(one);
      await again.close();
      await store.close();

      // Sealed: no private member is in the files.
      for (const file of await readdir(directory)) {
        const content = await readFile(join(directory, file), 'latin1');
        expect(content).not.toMatch(/"(d|p|q|dp|dq|qi)":\s*"/);
        expect(content).not.toMatch(/PRIVATE KEY/);
      }
    } finally {
      await rm(directory, { recursive: true, force: true });
    }
  });
});
