/**
 * A request by POST, asked for again by GET. A form of another site carries no `SameSite=Lax`
 * cookies; the request that follows is the browser's own, and has them.
 */

import type { Middleware } from 'koa';
import { readForm } from './form.ts';

/** What an address can hold. */
const maximumBytes = 8 * 1024;

/** For the one address whose requests change nothing, however they come. */
export function postAsGet(path: string): Middleware {
  return async (ctx, next) => {
    if (ctx.method !== 'POST' || ctx.path !== path) {
      await next();
      return;
    }
    const form = await readForm(ctx, maximumBytes);
    ctx.status = 303;
    ctx.set('Location', `${path}?${new URLSearchParams([...form])}`);
    ctx.type = 'text';
    ctx.body = 'See other.\n';
  };
}
