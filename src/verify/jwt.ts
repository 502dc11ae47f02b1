/**
 * What all signed tokens of an issuer have in common: an algorithm and a type that are expected, a key of
 * that issuer, and the audience (RFC 8725). Access tokens, logout tokens and security event tokens
 * add their own rules; their types keep one from being taken for another (RFC 8725 §3.11, T18).
 */

import { decodeJwt, decodeProtectedHeader, errors, jwtVerify } from 'jose';
import type { JWTPayload, ProtectedHeaderParameters } from 'jose';
import type { IssuerKeys } from './keys.ts';

export interface Expected {
  issuers: readonly IssuerKeys[];
  /** Lower case, without `application/`. */
  types: readonly string[];
  audiences: readonly string[];
  /** Milliseconds since the epoch. */
  now: number;
  toleranceSeconds: number;
  limitBytes: number;
}

export type Refusal =
  | 'malformed'
  | 'type'
  | 'algorithm'
  | 'key'
  | 'signature'
  | 'issuer'
  | 'audience'
  | 'expired'
  | 'claims';

export type Checked =
  | { claims: JWTPayload & { iss: string }; refused?: never }
  | { refused: Refusal };

const algorithms = ['ES256', 'RS256'];
/** Keys come from the issuer's JWKS, never from where a token says (T19). */
const ownKeys = ['jku', 'jwk', 'x5u', 'x5c'];

/** How far ahead of this machine an issuer's clock may be (T76). */
export const futureSeconds = 60;

/** @throws {VerifyError} `keys_unavailable` */
export async function checkSigned(token: string, expected: Expected): Promise<Checked> {
  const { issuers, types, audiences, now, toleranceSeconds } = expected;
  const header = token.length > expected.limitBytes ? undefined : readHeader(token);
  if (header === undefined) return { refused: 'malformed' };
  if (!algorithms.includes(header.alg ?? '')) return { refused: 'algorithm' };
  if (!types.includes(plainType(header.typ))) return { refused: 'type' };
  if (typeof header.kid !== 'string' || ownKeys.some((name) => name in header)) {
    return { refused: 'key' };
  }
  const issuer = issuers.find((known) => known.issuer === readIssuer(token));
  if (issuer === undefined) return { refused: 'issuer' };
  const key = await issuer.find({ ...header, alg: header.alg ?? '' });
  if (key === undefined) return { refused: 'key' };
  try {
    const { payload } = await jwtVerify(token, key, {
      algorithms,
      issuer: issuer.issuer,
      audience: [...audiences],
      clockTolerance: toleranceSeconds,
      currentDate: new Date(now),
      requiredClaims: ['iss', 'aud', 'iat', 'jti'],
    });
    const { iat = NaN, jti } = payload;
    const known = typeof jti === 'string' && jti !== '' && jti.length <= 255;
    if (!known || !(iat <= now / 1000 + futureSeconds)) return { refused: 'claims' };
    return { claims: { ...payload, iss: issuer.issuer } };
  } catch (error) {
    return { refused: refusalOf(error) };
  }
}

/** RFC 7515 §7.1, to the letter: else one token could be written in many ways. */
const compact = /^[\w-]+\.[\w-]+\.[\w-]+$/;

function readHeader(token: string): ProtectedHeaderParameters | undefined {
  if (!compact.test(token)) return undefined;
  try {
    return decodeProtectedHeader(token);
  } catch {
    return undefined;
  }
}

/** Not checked yet: it says only whose keys to ask. */
function readIssuer(token: string): string | undefined {
  try {
    return decodeJwt(token).iss;
  } catch {
    return undefined;
  }
}

/** RFC 7515 §4.1.9: `application/` may be left out, and case does not matter. */
function plainType(type: unknown): string {
  return typeof type === 'string' ? type.toLowerCase().replace(/^application\//, '') : '';
}

function refusalOf(error: unknown): Refusal {
  if (error instanceof errors.JWTExpired) return 'expired';
  if (error instanceof errors.JWSSignatureVerificationFailed) return 'signature';
  if (error instanceof errors.JWTClaimValidationFailed) {
    return error.claim === 'aud' ? 'audience' : 'claims';
  }
  return 'malformed';
}
