/**
 * The second look at an ID token. The client library has compared its claims; here its signature is
 * checked, always: TLS to the token endpoint would vouch for it, but a proxy that ends TLS, or a
 * token that somebody else's client got, would pass unseen (F12).
 */

import { createHash } from 'node:crypto';
import { createRemoteJWKSet, customFetch, decodeProtectedHeader, jwtVerify } from 'jose';
import type { JWTPayload, RemoteJWKSet } from 'jose';
import type { Clock } from '../base/clock.ts';
import { equal } from '../base/secrets.ts';
import { clockToleranceSeconds } from './client.ts';
import type { Fetch } from './upstream.ts';

/** Says in a few words, for the log, what is wrong with an answer. Nothing of it is trusted. */
export class Untrusted extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'Untrusted';
  }
}

const keysMaxAgeMs = 10 * 60_000;
const keysTimeoutMs = 5000;

/**
 * A provider's keys, fetched when they are needed, and again as soon as a token names one that is not
 * among them: a provider may rotate between two sign-ins. Each sign-in can cause one request at
 * most, so there is nothing to cool down from.
 */
export function createKeySet(address: string, fetch: Fetch): RemoteJWKSet {
  return createRemoteJWKSet(new URL(address), {
    cacheMaxAge: keysMaxAgeMs,
    cooldownDuration: 0,
    timeoutDuration: keysTimeoutMs,
    [customFetch]: (url, init) => fetch(url, init),
  });
}

export interface Expected {
  keys: RemoteJWKSet;
  algorithms: readonly string[];
  issuers: readonly string[];
  clientId: string;
  nonce: string;
  accessToken: string;
  clock: Clock;
}

export async function verifyIdToken(token: string, expected: Expected): Promise<JWTPayload> {
  const now = expected.clock();
  const { payload } = await jwtVerify(token, expected.keys, {
    algorithms: [...expected.algorithms],
    issuer: [...expected.issuers],
    audience: expected.clientId,
    requiredClaims: ['iss', 'sub', 'aud', 'exp', 'iat', 'nonce'],
    clockTolerance: clockToleranceSeconds,
    currentDate: new Date(now),
  });
  if (payload['nonce'] !== expected.nonce) throw new Untrusted('another nonce');
  if (Math.floor(now / 1000) + clockToleranceSeconds < (payload.iat ?? Infinity)) {
    throw new Untrusted('issued in the future');
  }
  const party = payload['azp'];
  if (party !== undefined && party !== expected.clientId) {
    throw new Untrusted('another authorized party');
  }
  if (Array.isArray(payload.aud) && payload.aud.length > 1 && party === undefined) {
    throw new Untrusted('several audiences and no authorized party');
  }
  checkTokenHash(token, payload, expected.accessToken);
  return payload;
}

/** `at_hash` is optional in this flow, but where it stands it is this access token's. */
function checkTokenHash(token: string, payload: JWTPayload, accessToken: string): void {
  const hash = payload['at_hash'];
  if (hash === undefined) return;
  const { alg = '' } = decodeProtectedHeader(token);
  // Ed25519 hashes with SHA-512; its names do not end in a size.
  const size = /(256|384|512)$/.exec(alg)?.[1] ?? '512';
  const digest = createHash(`sha${size}`).update(accessToken, 'ascii').digest();
  const expected = digest.subarray(0, digest.length / 2).toString('base64url');
  if (typeof hash !== 'string' || !equal(hash, expected)) throw new Untrusted('another at_hash');
}
