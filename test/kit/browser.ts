/** A real browser, for what only a browser can tell. */

import { existsSync } from 'node:fs';
import { chromium, type Browser } from 'playwright-core';

const executablePath = '/usr/bin/chromium';

/**
 * Whether there is a browser. Without one the tests of pages are left out, visibly; where everything
 * is required (`TOLLGATE_TEST_REQUIRE=all`), that is a failure.
 */
export function browserIsThere(): boolean {
  if (existsSync(executablePath)) return true;
  if (process.env.TOLLGATE_TEST_REQUIRE === 'all') {
    throw new Error(`There is no browser at ${executablePath}, and all tests are required.`);
  }
  process.stderr.write(`\nNOT TESTED: pages in a browser. There is none at ${executablePath}.\n\n`);
  return false;
}

export function openBrowser(): Promise<Browser> {
  return chromium.launch({
    executablePath,
    headless: true,
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
    ],
  });
}
