/** Our own JWT access tokens, read back: userinfo takes them, as many client libraries expect. */

import { createLocalJWKSet, jwtVerify } from 'jose';
import type { JWK, JWTPayload } from 'jose';
import type { LibraryPayload } from '../storage/documents.ts';

export function publicPart(jwk: JWK): JWK {
  const { d: _d, p: _p, q: _q, dp: _dp, dq: _dq, qi: _qi, ...rest } = jwk;
  return rest;
}

const text = (value: unknown): string | undefined =>
  typeof value === 'string' ? value : undefined;

/** The library's AccessToken of a JWT (without its audience, which would keep it from userinfo). */
function payloadOf(claims: JWTPayload): LibraryPayload | undefined {
  const { jti, sub, iat, exp, cnf } = claims;
  // `jti` is `<grant>.<random>`: a token of a client alone has no grant, and no business at userinfo.
  const grantId = /^([A-Za-z0-9_-]+)\.[A-Za-z0-9_-]+$/.exec(jti ?? '')?.[1];
  if (grantId === undefined) return undefined;
  const jkt = text((cnf as { jkt?: unknown } | undefined)?.jkt);
  return {
    kind: 'AccessToken',
    jti,
    grantId,
    accountId: sub,
    clientId: text(claims.client_id),
    scope: text(claims.scope),
    sid: text(claims.sid),
    iat,
    exp,
    ...(jkt === undefined ? {} : { jkt }),
  };
}

/** @returns a function that opens a valid token of this issuer, whatever its audience */
export function createJwtOpener(
  issuer: string,
  keys: readonly JWK[],
): (value: string) => Promise<LibraryPayload | undefined> {
  const jwks = createLocalJWKSet({ keys: keys.map(publicPart) });
  return async (value) => {
    if (value.split('.').length !== 3 || !value.startsWith('ey')) return undefined;
    try {
      const { payload } = await jwtVerify(value, jwks, {
        issuer,
        typ: 'at+jwt',
        algorithms: ['ES256', 'RS256'],
        requiredClaims: ['exp', 'iat', 'sub', 'jti', 'client_id'],
      });
      return payloadOf(payload);
    } catch {
      return undefined;
    }
  };
}
