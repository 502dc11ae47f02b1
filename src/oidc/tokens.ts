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
}

export interface Tokens {
  /** Deterministic: parallel refreshes of one token compute one successor. */
  refreshToken(grant: string, family: string, generation: number, salt: string): string;
  parseRefreshToken(value: string): RefreshTokenParts | undefined;
  /** Whether we made it, with this grant's salt. */
  verifyRefreshToken(parts: RefreshTokenParts, salt: string): boolean;
  sessionCookie(uid: string, generation: number): string;
  /** Undefined for anything that we did not make: forged cookies cost no read. */
  openSessionCookie(value: string): SessionCookieParts | undefined;
}

export function createTokens(secrets: Secrets): Tokens {
  const refreshBody = (version: string, grant: string, family: string, generation: number) =>
    `tgr.${version}.${grant}.${family}.${generation}`;
  const sessionBody = (version: string, uid: string, generation: number) =>
    `tgs.${version}.${uid}.${generation}`;
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
    sessionCookie(uid, generation) {
      const body = sessionBody(secrets.version, uid, generation);
      return `${body}.${secrets.mac('session_cookie', body)}`;
    },
    openSessionCookie(value) {
      const match = sessionPattern.exec(value);
      if (match === null) return undefined;
      const [, version = '', uid = '', generation = '', mac = ''] = match;
      const body = sessionBody(version, uid, Number(generation));
      if (!secrets.verify('session_cookie', body, mac, version)) return undefined;
      return { uid, generation: Number(generation) };
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
