/** Our own access tokens, shown to endpoints of our own (RFC 6750): judged with the keys at hand, asking nobody. */

import { createLocalJWKSet, jwtVerify } from 'jose';
import type { JWK } from 'jose';
import type { Clock } from '../base/clock.ts';
import { publicPart } from './access_tokens.ts';

export interface Bearer {
  client: string;
  scopes: ReadonlySet<string>;
}

export interface BearerCheckOptions {
  issuer: string;
  audience: string;
  keys: readonly JWK[];
  clock: Clock;
  /**
   * A client that was removed, may no more, or whose tokens were revoked is refused at once, whatever its token
   * says. `issuedAt` is in seconds.
   */
  mayUse(client: string, issuedAt: number): boolean;
}

/** @param authorization the header. Nothing else is looked at: not the address, not a form (T15) */
export type BearerCheck = (authorization: string) => Promise<Bearer | 'missing' | 'invalid'>;

const mostCharacters = 8 * 1024;

export function createBearerCheck(options: BearerCheckOptions): BearerCheck {
  const { issuer, audience, keys, clock, mayUse } = options;
  const jwks = createLocalJWKSet({ keys: keys.map(publicPart) });
  return async (authorization) => {
    const [scheme = '', token = '', ...rest] = authorization.trim().split(/ +/);
    if (scheme.toLowerCase() !== 'bearer') return 'missing';
    if (token === '' || rest.length > 0 || token.length > mostCharacters) return 'invalid';
    try {
      const { payload } = await jwtVerify(token, jwks, {
        issuer,
        audience,
        typ: 'at+jwt',
        algorithms: ['ES256', 'RS256'],
        requiredClaims: ['exp', 'iat', 'sub', 'jti', 'client_id'],
        currentDate: new Date(clock()),
      });
      const { client_id: client, sub, iat = 0, scope, cnf } = payload;
      // RFC 9449 §7.1: a token that is bound to a key is worth nothing without the proof.
      if (typeof client !== 'string' || client !== sub || cnf !== undefined) return 'invalid';
      if (!mayUse(client, iat)) return 'invalid';
      return { client, scopes: new Set(typeof scope === 'string' ? scope.split(' ') : []) };
    } catch {
      return 'invalid';
    }
  };
}
