import { createHash } from 'node:crypto';
import * as oauth from 'oauth4webapi';
import { calculateJwkThumbprint, exportJWK, generateKeyPair, SignJWT } from 'jose';
import type { JWK } from 'jose';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { Verifier } from '../../src/verify/index.ts';
import { accessToken, clockAt, newId, openIssuer, openService, outcome } from './world.ts';
import type { Clock, TestIssuer } from './world.ts';

const origin = 'https://api.example.com';
const address = `${origin}/reports?year=2027`;

let world: TestIssuer;
let clock: Clock;
let tollgate: Verifier;
let keys: CryptoKeyPair;
let jwk: JWK;
let token: string;

beforeAll(async () => {
  world = await openIssuer();
  keys = await generateKeyPair('ES256', { extractable: true });
  jwk = await exportJWK(keys.publicKey);
});
afterAll(() => world.close());
beforeEach(async () => {
  clock = clockAt();
  ({ tollgate } = openService(world, clock, { dpop: { origin } }));
  token = await accessToken(world, clock, { cnf: { jkt: await calculateJwkThumbprint(jwk) } });
});

interface ProofOptions {
  claims?: Record<string, unknown>;
  header?: Record<string, unknown>;
  key?: CryptoKey;
}

function makeProof({ claims = {}, header = {}, key = keys.privateKey }: ProofOptions = {}) {
  const payload = {
    jti: newId(),
    htm: 'GET',
    htu: `${origin}/reports`,
    iat: clock.seconds(),
    ath: createHash('sha256').update(token).digest('base64url'),
    ...claims,
  };
  return new SignJWT(JSON.parse(JSON.stringify(payload)) as Record<string, unknown>)
    .setProtectedHeader({ alg: 'ES256', typ: 'dpop+jwt', jwk, ...header })
    .sign(key);
}

function request(proof: string | undefined, options: { method?: string; url?: string } = {}) {
  const { method = 'GET', url = address } = options;
  const headers = {
    authorization: `DPoP ${token}`,
    ...(proof === undefined ? {} : { dpop: proof }),
  };
  return new Request(url, { method, headers });
}

const check = async (proof: string | undefined, options: { method?: string; url?: string } = {}) =>
  outcome(tollgate.check(request(proof, options)));

describe('T32: a token that is bound to a key', () => {
  test('is refused as a bearer token, with DPoP configured or not', async () => {
    const bearer = { authorization: `Bearer ${token}` };
    expect(await outcome(tollgate.check(bearer))).toBe('token_bound');
    expect(await outcome(tollgate.check(token))).toBe('token_bound');
    const without = openService(world, clock).tollgate;
    expect(await outcome(without.check(bearer))).toBe('token_bound');
    expect(await outcome(without.check(request(await makeProof())))).toBe('token_bound');
  });

  test('is refused when it is bound to something that cannot be checked (mutual TLS)', async () => {
    token = await accessToken(world, clock, { cnf: { 'x5t#S256': 'AAAA' } });
    expect(await outcome(tollgate.check(token))).toBe('token_bound');
    expect(await check(await makeProof())).toBe('token_bound');
  });

  test('is good with its proof', async () => {
    expect(await check(await makeProof())).toBe('good');
    // As Node has it: the address from the path on, whatever Host header came with it.
    const headers = {
      authorization: `DPoP ${token}`,
      dpop: await makeProof(),
      host: 'evil.example',
    };
    const incoming = { method: 'GET', url: '/reports?x=y', headers };
    expect(await outcome(tollgate.check(incoming))).toBe('good');
  });

  test('is good with a proof that an independent client makes', async () => {
    const client: oauth.Client = { client_id: 'web', [oauth.clockSkew]: 0 };
    client[oauth.clockSkew] = Math.round((clock.ms - Date.now()) / 1000);
    const pair = await oauth.generateKeyPair('ES256');
    const thumbprint = await calculateJwkThumbprint(await exportJWK(pair.publicKey));
    token = await accessToken(world, clock, { cnf: { jkt: thumbprint } });
    const answers: string[] = [];
    await oauth.protectedResourceRequest(token, 'GET', new URL(address), undefined, undefined, {
      DPoP: oauth.DPoP(client, pair),
      [oauth.customFetch]: async (url, { method, headers }) => {
        answers.push(await outcome(tollgate.check(new Request(url, { method, headers }))));
        return new Response();
      },
    });
    expect(answers).toEqual(['good']);
  });

  test('needs the request: headers alone prove nothing', async () => {
    const headers = { authorization: `DPoP ${token}`, dpop: await makeProof() };
    expect(await outcome(tollgate.check(headers))).toBe('proof_invalid');
  });

  test('a plain token is no DPoP token', async () => {
    token = await accessToken(world, clock);
    expect(await check(await makeProof())).toBe('token_invalid');
  });
});

describe('T30, T31: a proof', () => {
  test('is for one request', async () => {
    const proof = await makeProof();
    expect(await check(proof)).toBe('good');
    expect(await check(proof)).toBe('proof_invalid');
    const parallel = await makeProof();
    const outcomes = await Promise.all(Array.from({ length: 50 }, () => check(parallel)));
    expect(outcomes.filter((one) => one === 'good')).toHaveLength(1);
  });

  test('is for its method, its address, its token and its time', async () => {
    expect(await check(await makeProof(), { method: 'POST' })).toBe('proof_invalid');
    expect(await check(await makeProof(), { url: `${origin}/other` })).toBe('proof_invalid');
    expect(await check(await makeProof(), { url: `${origin}/reports/` })).toBe('proof_invalid');
    for (const claims of [
      { htm: 'get' },
      { htm: undefined },
      { htu: undefined },
      { htu: 'https://api.example.com.evil.example/reports' },
      { htu: 'http://api.example.com/reports' },
      { htu: '/reports' },
      { htu: 7 },
      { ath: undefined },
      { ath: createHash('sha256').update('other').digest('base64url') },
      { jti: undefined },
      { jti: '' },
      { jti: 'x'.repeat(256) },
      { iat: undefined },
      { iat: clock.seconds() - 61 },
      { iat: clock.seconds() + 61 },
    ]) {
      expect(await check(await makeProof({ claims })), JSON.stringify(claims)).toBe(
        'proof_invalid',
      );
    }
    expect(await check(await makeProof({ claims: { iat: clock.seconds() - 60 } }))).toBe('good');
    expect(await check(await makeProof({ claims: { htu: `${origin}:443/reports?a#b` } }))).toBe(
      'good',
    );
  });

  test('is of the type, by the very key, which is public', async () => {
    const other = await generateKeyPair('ES256', { extractable: true });
    const otherJwk = await exportJWK(other.publicKey);
    expect(await check(await makeProof({ header: { typ: 'JWT' } }))).toBe('proof_invalid');
    expect(await check(await makeProof({ key: other.privateKey }))).toBe('proof_invalid');
    const theirs = await makeProof({ key: other.privateKey, header: { jwk: otherJwk } });
    expect(await check(theirs)).toBe('proof_invalid');
    const secret = await exportJWK(keys.privateKey);
    expect(await check(await makeProof({ header: { jwk: secret } }))).toBe('proof_invalid');
    expect(await check(undefined)).toBe('proof_invalid');
    expect(await check('x')).toBe('proof_invalid');
    expect(await check(`${await makeProof()}, ${await makeProof()}`)).toBe('proof_invalid');
    expect(await check('x'.repeat(9000))).toBe('proof_invalid');
  });
});
