/** Discovery and keys may be cached by apps and services: briefly, so that a new key is seen in time. */

import type { Middleware } from 'koa';

/** A new key signs only when caches of this age are gone (`key_life.ts`). */
export const maxAgeSeconds = 300;
const paths = new Set([
  '/oauth2/jwks',
  '/.well-known/openid-configuration',
  '/.well-known/oauth-authorization-server',
]);

export function cacheableMetadata(): Middleware {
  return async (ctx, next) => {
    await next();
    if (paths.has(ctx.path) && ctx.status === 200) {
      ctx.set('Cache-Control', `public, max-age=${maxAgeSeconds}`);
    }
  };
}
