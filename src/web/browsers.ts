/**
 * The browser at which something began. A conversation and its way to an upstream provider are bound to
 * this cookie, and not to their own path-bound ones alone: those cannot be `__Host-`, so a page on a
 * sibling host could plant them, and have one person go on with what another began.
 */

import type { Middleware, ParameterizedContext } from 'koa';
import { randomToken } from '../base/ids.ts';
import { browserCookie } from './cookies.ts';
import type { Cookies } from './cookies.ts';

const wellFormed = /^[A-Za-z0-9_-]{22}$/;

/** Reads the cookie into `ctx.state.browser`; where a conversation may begin, sets it if it is missing. */
export function browsers(cookies: Cookies, beginsAt: string): Middleware {
  return async (ctx, next) => {
    const begins = ctx.path === beginsAt && ctx.method === 'GET';
    const browser = begins ? browserFor(ctx, cookies) : known(ctx, cookies);
    if (browser !== undefined) Object.assign(ctx.state, { browser });
    await next();
  };
}

/** The value of the cookie, which several tabs share. Sets it where it is missing. */
export function browserFor(ctx: ParameterizedContext, cookies: Cookies): string {
  const browser = known(ctx, cookies);
  if (browser !== undefined) return browser;
  const fresh = randomToken();
  cookies.write(ctx, browserCookie, fresh);
  return fresh;
}

function known(ctx: ParameterizedContext, cookies: Cookies): string | undefined {
  const value = cookies.read(ctx, browserCookie);
  return value !== undefined && wellFormed.test(value) ? value : undefined;
}
