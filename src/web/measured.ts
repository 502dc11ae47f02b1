/** How long requests take, by route: a word of this list, so that no address that somebody makes up is a series. */

import type { Middleware } from 'koa';
import type { Measures } from '../base/measures.ts';

/** By the beginning of the path; the first that fits. */
const routes: readonly (readonly [path: string, route: string])[] = [
  ['/health/', 'health'],
  ['/assets/', 'assets'],
  ['/.well-known/', 'discovery'],
  ['/oauth2/jwks', 'jwks'],
  ['/oauth2/authorize', 'authorize'],
  ['/oauth2/token', 'token'],
  ['/oauth2/userinfo', 'userinfo'],
  ['/oauth2/revoke', 'revoke'],
  ['/oauth2/introspect', 'introspect'],
  ['/oauth2/par', 'par'],
  ['/oauth2/logout', 'logout'],
  ['/interaction/', 'interaction'],
  ['/integrations/', 'integrations'],
  ['/ssf/', 'ssf'],
  ['/signin', 'signin'],
  ['/refresh', 'refresh'],
  ['/signout', 'signout'],
  ['/session/events', 'session_events'],
];

export function routeOf(path: string): string {
  return routes.find(([beginning]) => path.startsWith(beginning))?.[1] ?? 'other';
}

/** Outermost: what it sees is what is sent. */
export function measured(measures: Measures): Middleware {
  return async (ctx, next) => {
    const startedAt = performance.now();
    // The links rewrite it for a while.
    const route = routeOf(ctx.path);
    try {
      await next();
    } finally {
      const status = `${Math.floor(ctx.status / 100)}xx`;
      const seconds = (performance.now() - startedAt) / 1000;
      measures.observe('tollgate_http_request_seconds', { route, status }, seconds);
    }
  };
}
