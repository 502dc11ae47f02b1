/** Tokens that are bound to a key (RFC 9449). */

import { createHash, randomUUID } from 'node:crypto';
import { calculateJwkThumbprint, exportJWK, generateKeyPair, SignJWT } from 'jose';
import type { JWK } from 'jose';
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import { claimsOf, signInForCode } from '../kit/world.ts';
import type { World } from '../kit/world.ts';
import { get, post, redeem, refresh, startProtocolWorld, travel, userinfo } from './kit.ts';
import type { Answer } from './kit.ts';

interface Pair {
  privateKey: CryptoKey;
  jwk: JWK;
  privateJwk: JWK;
}

let world: World;
let mine: Pair;
let theirs: Pair;

beforeAll(async () => {
  world = await startProtocolWorld();
  [mine, theirs] = await Promise.all([pair(), pair()]);
});

afterEach(() => void vi.useRealTimers());
afterAll(() => world.close());

async function pair(alg = 'ES256'): Promise<Pair> {
  const { publicKey, privateKey } = await generateKeyPair(alg, { extractable: true });
  return { privateKey, jwk: await exportJWK(publicKey), privateJwk: await exportJWK(privateKey) };
}

const hashOf = (token: string) => createHash('sha256').update(token).digest('base64url');

interface Proof {
  key?: Pair;
  path?: string;
  method?: string;
  header?: Record<string, unknown>;
  claims?: Record<string, unknown>;
}

async function proof(how: Proof = {}): Promise<string> {
  const { key = mine, path = '/oauth2/token', method = 'POST' } = how;
  const claims = {
    jti: randomUUID(),
    htm: method,
    htu: world.issuer + path,
    iat: Math.floor(Date.now() / 1000),
    ...how.claims,
  };
  const header = { alg: 'ES256', typ: 'dpop+jwt', jwk: key.jwk, ...how.header };
  return new SignJWT(claims).setProtectedHeader(header).sign(key.privateKey);
}

const begin = (client: string) => signInForCode(world.issuer, world.browser(), { client });

async function tokensOf(client: string): Promise<Record<string, string>> {
  const redemption = await begin(client);
  const { status, body } = await redeem(world.issuer, redemption, {}, { DPoP: await proof() });
  expect(status).toBe(200);
  return body;
}

const ask = (accessToken: string, dpop?: string, scheme = 'DPoP'): Promise<Answer> =>
  get(`${world.issuer}/oauth2/userinfo`, {
    authorization: `${scheme} ${accessToken}`,
    ...(dpop === undefined ? {} : { DPoP: dpop }),
  });

const proofFor = (accessToken: string, how: Proof = {}) =>
  proof({
    path: '/oauth2/userinfo',
    method: 'GET',
    ...how,
    claims: { ath: hashOf(accessToken), ...how.claims },
  });

describe('T30 a proof that proves nothing', () => {
  const wrong: [string, () => Promise<string> | string][] = [
    ['another method', () => proof({ method: 'GET' })],
    ['another address', () => proof({ path: '/oauth2/userinfo' })],
    ['another host', () => proof({ claims: { htu: 'https://evil.example.net/oauth2/token' } })],
    ['no address', () => proof({ claims: { htu: undefined } })],
    ['no method', () => proof({ claims: { htm: undefined } })],
    ['another type', () => proof({ header: { typ: 'JWT' } })],
    ['no type', () => proof({ header: { typ: undefined } })],
    ['a private key', () => proof({ header: { jwk: mine.privateJwk } })],
    ['no key', () => proof({ header: { jwk: undefined } })],
    ['the key of somebody else', () => proof({ header: { jwk: theirs.jwk } })],
    ['no jti', () => proof({ claims: { jti: undefined } })],
    ['an empty jti', () => proof({ claims: { jti: '' } })],
    ['no time', () => proof({ claims: { iat: undefined } })],
    ['what is no JWT', () => 'x'],
    ['two of them', async () => `${await proof()}, ${await proof()}`],
    [
      'no signature',
      async () => {
        const [, payload] = (await proof()).split('.');
        const header = { alg: 'none', typ: 'dpop+jwt', jwk: mine.jwk };
        return `${Buffer.from(JSON.stringify(header)).toString('base64url')}.${payload}.`;
      },
    ],
  ];
  for (const [what, make] of wrong) {
    test(`T30 ${what}`, async () => {
      const redemption = await begin('spa');
      const answer = await redeem(world.issuer, redemption, {}, { DPoP: await make() });
      expect(answer).toMatchObject({ status: 400, body: { error: 'invalid_dpop_proof' } });
      // It burned nothing.
      const good = await redeem(world.issuer, redemption, {}, { DPoP: await proof() });
      expect(good.status).toBe(200);
    });
  }

  test('T30 an algorithm that is not announced', async () => {
    const { body } = await get(`${world.issuer}/.well-known/openid-configuration`);
    expect(body.dpop_signing_alg_values_supported).toContain('ES256');
    const other = await pair('ES384');
    const redemption = await begin('spa');
    const jwt = await proof({ key: other, header: { alg: 'ES384' } });
    expect(await redeem(world.issuer, redemption, {}, { DPoP: jwt })).toMatchObject({
      body: { error: 'invalid_dpop_proof' },
    });
  });
});

describe('T30 the nonce', () => {
  for (const seconds of [-3600, 900]) {
    test(`T30 a clock that is wrong by ${seconds} s gets a nonce, and with it the proof is taken`, async () => {
      const redemption = await begin('spa');
      const iat = Math.floor(Date.now() / 1000) + seconds;
      const late = await proof({ claims: { iat } });
      const first = await redeem(world.issuer, redemption, {}, { DPoP: late });
      expect(first).toMatchObject({ status: 400, body: { error: 'use_dpop_nonce' } });
      const nonce = first.headers.get('dpop-nonce');
      expect(nonce).toBeTruthy();
      const again = await proof({ claims: { iat, nonce } });
      const second = await redeem(world.issuer, redemption, {}, { DPoP: again });
      expect(second).toMatchObject({ status: 200, body: { token_type: 'DPoP' } });
    });
  }

  test('T30 a nonce that we never gave is answered by one', async () => {
    const redemption = await begin('spa');
    const made = await proof({ claims: { nonce: 'made-up' } });
    const answer = await redeem(world.issuer, redemption, {}, { DPoP: made });
    expect(answer).toMatchObject({ status: 400, body: { error: 'use_dpop_nonce' } });
    expect(answer.headers.get('dpop-nonce')).toBeTruthy();
  });
});

describe('T31 a proof is used once', () => {
  test('T31 in 50 parallel requests one is accepted', async () => {
    const tokens = await tokensOf('spa');
    const dpop = await proof();
    const answers = await Promise.all(
      Array.from({ length: 50 }, () =>
        refresh(world.issuer, 'spa', tokens.refresh_token, {}, { DPoP: dpop }),
      ),
    );
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
    for (const { status } of answers) expect(status).toBeLessThan(500);
    const next = await refresh(
      world.issuer,
      'spa',
      tokens.refresh_token,
      {},
      { DPoP: await proof() },
    );
    expect(next.status).toBe(200);
  });

  test('T31 at userinfo as well', async () => {
    const { access_token: value = '' } = await tokensOf('spa');
    const dpop = await proofFor(value);
    const answers = await Promise.all(Array.from({ length: 20 }, () => ask(value, dpop)));
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
    for (const { status } of answers) expect([200, 400, 401]).toContain(status);
  });
});

for (const client of ['spa', 'app', 'plain']) {
  describe(`T32 the tokens of ${client}`, () => {
    test('T32 an access token says its key, and is of use with a proof alone', async () => {
      const tokens = await tokensOf(client);
      const { access_token: value = '' } = tokens;
      expect(tokens.token_type).toBe('DPoP');
      if (client !== 'plain') {
        const jkt = await calculateJwkThumbprint(mine.jwk);
        expect(claimsOf(value)).toMatchObject({ cnf: { jkt } });
      }
      expect((await ask(value, await proofFor(value))).status).toBe(200);

      expect((await userinfo(world.issuer, value)).status).toBe(401);
      expect((await ask(value, await proofFor(value), 'Bearer')).status).toBeGreaterThan(399);
      expect((await ask(value)).status).toBeGreaterThan(399);
      const body = await post(`${world.issuer}/oauth2/userinfo`, { access_token: value });
      expect(body.status).toBeGreaterThan(399);
    });

    test('T32 not with another key, or a proof for another token', async () => {
      const { access_token: value = '' } = await tokensOf(client);
      const bad = [
        await proofFor(value, { key: theirs }),
        await proofFor(value, { claims: { ath: hashOf('x') } }),
        await proofFor(value, { claims: { ath: undefined } }),
        await proofFor(value, { method: 'POST' }),
        await proofFor(value, { path: '/oauth2/token' }),
      ];
      for (const dpop of bad) {
        const { status } = await ask(value, dpop);
        expect([400, 401]).toContain(status);
      }
    });
  });
}

test("T32 a bearer token does not become one of somebody's key", async () => {
  const redemption = await begin('app');
  const { body } = await redeem(world.issuer, redemption);
  expect(body.token_type).toBe('Bearer');
  const value = body.access_token ?? '';
  const { status } = await ask(value, await proofFor(value));
  expect([400, 401]).toContain(status);
});

describe('T32 refresh tokens', () => {
  test('T32 that of a public client stays with its key, and is not rotated', async () => {
    const tokens = await tokensOf('spa');
    const present = tokens.refresh_token;
    const dead = { status: 400, body: { error: 'invalid_grant' } };
    expect(await refresh(world.issuer, 'spa', present)).toMatchObject({ status: 400 });
    const other = { DPoP: await proof({ key: theirs }) };
    expect(await refresh(world.issuer, 'spa', present, {}, other)).toMatchObject(dead);
    for (const _ of [1, 2]) {
      const own = { DPoP: await proof() };
      const { status, body } = await refresh(world.issuer, 'spa', present, {}, own);
      expect(status).toBe(200);
      expect(body.token_type).toBe('DPoP');
      expect(body.refresh_token ?? present).toBe(present);
    }
  });

  test('T52 its idle end moves with use', async () => {
    const tokens = await tokensOf('spa');
    const day = 24 * 3600;
    for (const step of [10, 10]) {
      travel(step * day);
      const own = { DPoP: await proof() };
      const { status } = await refresh(world.issuer, 'spa', tokens.refresh_token, {}, own);
      expect(status).toBe(200);
    }
    travel(15 * day);
    const late = { DPoP: await proof() };
    expect(await refresh(world.issuer, 'spa', tokens.refresh_token, {}, late)).toMatchObject({
      status: 400,
      body: { error: 'invalid_grant' },
    });
  });

  test('T32 that of a confidential client may change the key: its secret binds it', async () => {
    const tokens = await tokensOf('app');
    const other = { DPoP: await proof({ key: theirs }) };
    const { status, body } = await refresh(world.issuer, 'app', tokens.refresh_token, {}, other);
    expect(status).toBe(200);
    const jkt = await calculateJwkThumbprint(theirs.jwk);
    expect(claimsOf(body.access_token)).toMatchObject({ cnf: { jkt } });
  });
});

describe('T32 dpop_jkt: the code is bound as well', () => {
  const bound = async () =>
    signInForCode(world.issuer, world.browser(), {
      client: 'spa',
      parameters: { dpop_jkt: await calculateJwkThumbprint(mine.jwk) },
    });

  test('T32 with the right key', async () => {
    const { status } = await redeem(world.issuer, await bound(), {}, { DPoP: await proof() });
    expect(status).toBe(200);
  });

  test('T32 with another key, or none', async () => {
    for (const headers of [{ DPoP: await proof({ key: theirs }) }, {}]) {
      const answer = await redeem(
        world.issuer,
        await bound(),
        {},
        headers as Record<string, string>,
      );
      expect(answer).toMatchObject({ status: 400 });
      expect(['invalid_grant', 'invalid_dpop_proof', 'invalid_request']).toContain(
        answer.body.error,
      );
    }
  });
});
