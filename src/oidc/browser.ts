/** How a document names the browser that it is bound to: by the hash of its cookie (`web/browsers.ts`). */

import { sha256 } from '../base/secrets.ts';

/** Undefined for a browser without the cookie. */
export function browserHash({ state }: { state: object }): string | undefined {
  const { browser } = state as { browser?: string };
  return browser === undefined ? undefined : sha256(browser);
}
