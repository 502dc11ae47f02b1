/** Whose pages may send browsers here and have them back, and whose scripts may ask for tokens. */

import type { ParameterizedContext } from 'koa';
import type { Config } from '../config.ts';
import { resolveReturnTo } from '../web/return_to.ts';

type Addresses = Pick<Config, 'issuer' | 'returnOrigins' | 'signin' | 'signout'>;

/** Compared as a whole, never by prefix (T57). */
export function appOrigins({ returnOrigins, signin, signout }: Addresses): ReadonlySet<string> {
  const addresses = [...returnOrigins, signin.success, signout.success];
  return new Set(addresses.map((address) => new URL(address).origin));
}

/** The apps' and our own. */
export function callingOrigins(config: Addresses): ReadonlySet<string> {
  return new Set([...appOrigins(config), new URL(config.issuer).origin]);
}

/**
 * The proof that a request that changes something comes from a page of ours or of an app (T56): the
 * browser writes both headers, and no page can. `null`, which sandboxed frames of anybody send, is
 * nobody's origin.
 */
export function isFromApp(ctx: ParameterizedContext, origins: ReadonlySet<string>): boolean {
  return ctx.get('Sec-Fetch-Site') !== 'cross-site' && origins.has(ctx.get('Origin'));
}

/** A person's own click, in the address bar or on a page of this site. */
export function isOwnNavigation(ctx: ParameterizedContext): boolean {
  // A page that is fetched beforehand, an image or a frame: nobody has asked for it.
  if (ctx.method !== 'GET' || /prefetch|prerender/.test(ctx.get('Sec-Purpose'))) return false;
  if (ctx.get('Sec-Fetch-Dest') !== 'document') return false;
  return ['same-origin', 'same-site', 'none'].includes(ctx.get('Sec-Fetch-Site'));
}

/**
 * Pages of ours that a browser may be sent back to: they ask before they change anything. Not `/account/select`, which
 * would take what came before it for a click of the person.
 */
const ownPages =
  /^\/(account(?!\/select(\/|$))|signup|apps|invitation)(\/|$)|^\/interaction\/[A-Za-z0-9_-]+$/i;

/**
 * Where a link sends the browser back to: to an app, or to one of those pages.
 * @throws {Problem} `return_to_not_allowed` (400)
 */
export function returnTarget(value: string | undefined, config: Addresses, fallback: string) {
  const url = value === undefined ? undefined : URL.parse(value);
  const { origin } = new URL(config.issuer);
  const own = url?.origin === origin && ownPages.test(url.pathname);
  return resolveReturnTo(value, { origins: own ? [origin] : [...appOrigins(config)], fallback });
}
