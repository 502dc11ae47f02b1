/** How somebody signed in last at this browser: a convenience, which nothing may depend on. */

import type { ParameterizedContext } from 'koa';
import type { CookieKind, Cookies } from '../src/web/cookies.ts';

const lastProviderCookie: CookieKind = { name: 'tollgate_last_provider', prefix: '__Host-' };
const keptSeconds = 180 * 86_400;

export function lastProvider(ctx: ParameterizedContext, cookies: Cookies): string | undefined {
  return cookies.read(ctx, lastProviderCookie);
}

export function keepLastProvider(ctx: ParameterizedContext, cookies: Cookies, id: string): void {
  cookies.write(ctx, lastProviderCookie, id, keptSeconds);
}
