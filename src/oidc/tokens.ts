/**
 * The spelling of everything opaque that we hand out. Each value names the document that it belongs to,
 * so that checking it is one point read:
 *
 *   tgr.<key version>.<grant>.<family>.<generation>.<mac>   refresh token
 *   tgc.<grant>.<random>                                    authorization code
 *   tga.<grant>.<random>                                    opaque access token
 *   tgs.<key version>.<session uid>.<generation>.<mac>      session cookie
 *
 * Refresh tokens and session cookies are counters: nothing of them is stored but the present
 * generation, and the mac makes them unguessable. Codes and access tokens are stored as SHA-256.
 */

import { randomToken } from '../base/ids.ts';
import type { Secrets } from '../base/secrets.ts';

const segment = '[A-Za-z0-9_-]{1,128}';
// Canonical decimal, so that one generation has one spelling.
const generationPattern = '[1-9][0-9]{0,14}';
const refreshPattern = new RegExp(
  `^tgr\\.(${segment})\\.(${segment})\\.(${segment})\\.(${generationPattern})\\.(${segment})$`,
);
const sessionPattern = new RegExp(
  `^tgs\\.(${segment})\\.(${segment})\\.(${generationPattern})\\.(${segment})$`,
);
const grantBoundPattern = new RegExp(`^(tgc|tga)\\.(${segment})\\.(${segment})$`);

export interface RefreshTokenParts {
  grant: string;
  family: string;
  generation: number;
  keyVersion: string;
  mac: string;
}

export interface SessionCookieParts {
  uid: string;
  generation: number;
  keyVersion: string;
  mac: string;
}

/** Who signed in, and when: what a session cookie's mac is bound to. */
export interface SignedIn {
  accountId?: unknown;
  loginTs?: unknown;
}

export interface Tokens {
  /** Deterministic: parallel refreshes of one token compute one successor. */
  refreshToken(grant: string, family: string, generation: number, salt: string): string;
  parseRefreshToken(value: string): RefreshTokenParts | undefined;
  /** Whether we made it, with this grant's salt. */
  verifyRefreshToken(parts: RefreshTokenParts, salt: string): boolean;
  /**
   * Bound to the sign-in: a cookie of before, or one that somebody made of it by stepping the counter
   * on, is worth nothing after a sign-in, a step-up or a change of person (fixation).
   */
  sessionCookie(uid: string, generation: number, signedIn: SignedIn): string;
  parseSessionCookie(value: string): SessionCookieParts | undefined;
  /** Whether we made it, for this sign-in. */
  verifySessionCookie(parts: SessionCookieParts, signedIn: SignedIn): boolean;
}

export function createTokens(secrets: Secrets): Tokens {
  const refreshBody = (version: string, grant: string, family: string, generation: number) =>
    `tgr.${version}.${grant}.${family}.${generation}`;
  const sessionBody = (version: string, uid: string, generation: number) =>
    `tgs.${version}.${uid}.${generation}`;
  const bound = (body: string, { accountId = null, loginTs = null }: SignedIn) =>
    JSON.stringify([body, accountId, loginTs]);
  return {
    refreshToken(grant, family, generation, salt) {
      const body = refreshBody(secrets.version, grant, family, generation);
      return `${body}.${secrets.mac('refresh_token', `${body}.${salt}`)}`;
    },
    parseRefreshToken(value) {
      const match = refreshPattern.exec(value);
      if (match === null) return undefined;
      const [, keyVersion = '', grant = '', family = '', generation = '', mac = ''] = match;
      return { keyVersion, grant, family, generation: Number(generation), mac };
    },
    verifyRefreshToken({ keyVersion, grant, family, generation, mac }, salt) {
      const body = refreshBody(keyVersion, grant, family, generation);
      return secrets.verify('refresh_token', `${body}.${salt}`, mac, keyVersion);
    },
    sessionCookie(uid, generation, signedIn) {
      const body = sessionBody(secrets.version, uid, generation);
      return `${body}.${secrets.mac('session_cookie', bound(body, signedIn))}`;
    },
    parseSessionCookie(value) {
      const match = sessionPattern.exec(value);
      if (match === null) return undefined;
      const [, keyVersion = '', uid = '', generation = '', mac = ''] = match;
      return { keyVersion, uid, generation: Number(generation), mac };
    },
    verifySessionCookie({ keyVersion, uid, generation, mac }, signedIn) {
      const body = sessionBody(keyVersion, uid, generation);
      return secrets.verify('session_cookie', bound(body, signedIn), mac, keyVersion);
    },
  };
}

/** A code (`tgc`) or opaque access token (`tga`) that leads to its grant. */
export function grantBoundToken(prefix: 'tgc' | 'tga', grant: string): string {
  return `${prefix}.${grant}.${randomToken(32)}`;
}

/** The grant that a code or opaque access token belongs to, if it has our form. */
export function grantOfToken(prefix: 'tgc' | 'tga', value: string): string | undefined {
  const match = grantBoundPattern.exec(value);
  return match?.[1] === prefix ? match[2] : undefined;
}
