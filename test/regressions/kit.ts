/** What these tests share: a world whose people can be sent with cookies that are not their own. */

import type { Browser, Page } from '../../dev/walk.ts';
import type { StoredCookie } from '../../dev/cookie_jar.ts';
import type { ConfigChanges } from '../kit/server.ts';
import type { World } from '../kit/world.ts';

/** Where the way leaves for the upstream provider. */
export const atUpstream = (world: World) => (url: URL) =>
  url.origin === new URL(world.upstream.issuer).origin;

export function cookieOf(browser: Browser, name: string): StoredCookie {
  const cookie = browser.cookies.all().find((one) => one.name === name);
  if (cookie === undefined) throw new Error(`no cookie ${name}`);
  return cookie;
}

/** As a page on a sibling host can do, or who holds a copy. */
export function plant(world: World, into: Browser, ...cookies: StoredCookie[]): void {
  const lines = cookies.map(({ name, value, path }) => `${name}=${value}; Path=${path}; HttpOnly`);
  into.cookies.take(new URL(world.issuer), lines);
}

export const parametersOf = (page: Page) => new URL(page.url).searchParams;

/** An app on the issuer's own site, as those that use links must be; nobody listens there. */
export const app = 'http://127.0.0.1:1';
export const linkConfig: ConfigChanges = {
  signin: { success: `${app}/` },
  signout: { success: `${app}/bye` },
};
