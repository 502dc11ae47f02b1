/**
 * Cookies, with the strictest attributes that still work. A prefix makes the browser refuse what
 * another host of the same domain planted. An http issuer is on loopback (the configuration sees to
 * it) and there, and only there, cookies have neither prefix nor `Secure`.
 */

import type { ParameterizedContext } from 'koa';

export interface CookieKind {
  name: string;
  /** `__Host-` where the path is `/`; `__Secure-` for those that are bound to a path. */
  prefix: '__Host-' | '__Secure-';
  /** `/` when not given. */
  path?: string;
}

export interface Cookies {
  /** Whether the issuer is reached by https. */
  readonly secure: boolean;
  /** The name as it travels. */
  nameOf(kind: CookieKind): string;
  read(ctx: ParameterizedContext, kind: CookieKind): string | undefined;
  /** Until the browser is closed where no `maxAgeSeconds` is given. */
  write(ctx: ParameterizedContext, kind: CookieKind, value: string, maxAgeSeconds?: number): void;
  clear(ctx: ParameterizedContext, kind: CookieKind): void;
}

/** Names the browser at which a sign-in began. */
export const browserCookie: CookieKind = { name: 'tollgate_browser', prefix: '__Host-' };
export const csrfCookie: CookieKind = { name: 'tollgate_csrf', prefix: '__Host-' };
/** The refresh token of the link client. */
export const linkCookie: CookieKind = { name: 'tollgate', prefix: '__Host-' };

const maximumValue = 4000;

export function createCookies(issuer: string): Cookies {
  const secure = new URL(issuer).protocol === 'https:';
  const nameOf = (kind: CookieKind) => (secure ? `${kind.prefix}${kind.name}` : kind.name);
  const attributes = (kind: CookieKind) => ({
    path: kind.path ?? '/',
    httpOnly: true,
    // Strict would lose them on the way back from an upstream provider.
    sameSite: 'lax' as const,
    secure,
    // Values carry their own macs or are random; the library's keys are not for ours.
    signed: false,
    overwrite: true,
  });
  return {
    secure,
    nameOf,
    read: (ctx, kind) => {
      const value = ctx.cookies.get(nameOf(kind), { signed: false });
      return value !== undefined && value !== '' && value.length <= maximumValue
        ? value
        : undefined;
    },
    write: (ctx, kind, value, maxAgeSeconds) => {
      ctx.cookies.set(nameOf(kind), value, {
        ...attributes(kind),
        ...(maxAgeSeconds === undefined ? {} : { maxAge: maxAgeSeconds * 1000 }),
      });
    },
    clear: (ctx, kind) => {
      ctx.cookies.set(nameOf(kind), '', { ...attributes(kind), expires: new Date(0) });
    },
  };
}
