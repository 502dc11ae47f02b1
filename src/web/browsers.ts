/**
 * The browser at which something began. A conversation and its way to an upstream provider are bound to
 * this cookie, and not to their own path-bound ones alone: those cannot be `__Host-`, so a page on a
 * sibling host could plant them, and have one person go on with what another began.
 */

import type { Middleware } from 'koa';
import { randomToken } from '../base/ids.ts';
import { browserCookie } from './cookies.ts';
import type { Cookies } from './cookies.ts';

const wellFormed = /^[A-Za-z0-9_-]{22}$/;

/** Reads the cookie into `ctx.state.browser`; where a conversation may begin, sets it if it is missing. */
export function browsers(cookies: Cookies, beginsAt: string): Middleware {
  return async (ctx, next) => {
    const known = cookies.read(ctx, browserCookie);
    const state = ctx.state as { browser?: string };
    if (known !== undefined && wellFormed.test(known)) {
      state.browser = known;
    } else if (ctx.path === beginsAt && ctx.method === 'GET') {
      state.browser = randomToken();
      cookies.write(ctx, browserCookie, state.browser);
    }
    await next();
  };
}
