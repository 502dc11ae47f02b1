/**
 * Who signs out by OpenID Connect signs out of the links too: their tokens may outlive the session that
 * they came from, and must not serve whoever sits at this browser next.
 */

import type { Middleware } from 'koa';
import { signedOutKey } from '../oidc/links.ts';
import type { LinkOidc } from '../oidc/links.ts';
import { linkCookie } from '../web/cookies.ts';
import type { Cookies } from '../web/cookies.ts';

export function endWithSession(deps: { oidc: LinkOidc; cookies: Cookies }): Middleware {
  const { oidc, cookies } = deps;
  return async (ctx, next) => {
    await next();
    const refreshToken = cookies.read(ctx, linkCookie);
    if (ctx.state[signedOutKey] !== true || refreshToken === undefined) return;
    await oidc.revoke(refreshToken);
    cookies.clear(ctx, linkCookie);
  };
}
