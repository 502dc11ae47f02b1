import type { Middleware } from 'koa';
import type { Browser, BrowserContextOptions } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { assets } from '../../interactions/assets.ts';
import { headers } from '../../src/web/headers.ts';
import { sendPage } from '../../src/web/page.ts';
import { findings } from '../kit/axe.ts';
import { browserIsThere, openBrowser } from '../kit/browser.ts';
import { brand, samples } from '../views/samples.ts';
import { run, type RunningApp } from '../web/app.ts';

const phone = { viewport: { width: 320, height: 640 } };
const desk = { viewport: { width: 1000, height: 760 } };

interface Look {
  options: BrowserContextOptions;
  /** Done to each page before it is looked at. */
  change?: string;
}

const looks: [name: string, look: Look][] = [
  ['light', { options: { ...desk, colorScheme: 'light' } }],
  ['dark', { options: { ...desk, colorScheme: 'dark' } }],
  ['phone', { options: { ...phone, colorScheme: 'light' } }],
];
const rareLooks: [name: string, look: Look][] = [
  ['more contrast', { options: { ...desk, contrast: 'more' } }],
  ['forced colours', { options: { ...desk, forcedColors: 'active', colorScheme: 'dark' } }],
  ['right to left', { options: phone, change: 'document.documentElement.dir = "rtl"' }],
  [
    'text twice as large',
    { options: phone, change: 'document.documentElement.style.fontSize = "200%"' },
  ],
];

/** Set to a directory to keep a picture of each page in each look. */
const pictures = process.env.TOLLGATE_TEST_PICTURES;

/** Pages that go on by themselves would be gone before they are looked at. */
const all = [...samples.keys()].filter((name) => !/^(continue|payment awaited)$/.test(name));
/** Failures differ in their words alone, so a few stand for all of them. */
const names = all.filter(
  (name) =>
    pictures !== undefined ||
    !name.startsWith('failure ') ||
    /signin_expired|rate_limited|internal_error|invalid_request/.test(name),
);
const fewNames = [
  'login',
  'login with a message',
  'select_account',
  'select_account of many',
  'consent',
  'failure signin_expired',
  'members, with who waits and who is invited, and no seat left',
  'invite, with a problem',
  'close an account, problems',
  'settings',
];

describe.skipIf(!browserIsThere())('pages in a browser', () => {
  let app: RunningApp;
  let browser: Browser;

  beforeAll(async () => {
    app = await run([
      headers({ issuer: 'http://127.0.0.1' }),
      assets(brand).routes() as unknown as Middleware,
      (ctx) => {
        const draw = samples.get(decodeURIComponent(ctx.path.slice(1)));
        if (draw) sendPage(ctx, draw());
        else ctx.status = 204;
      },
    ]);
    browser = await openBrowser();
  });
  afterAll(async () => {
    await browser?.close();
    await app?.close();
  });

  const address = (name: string) => `http://127.0.0.1:${app.port}/${encodeURIComponent(name)}`;

  /** What is wrong with these pages in this look. */
  async function troublesOf(
    pages: readonly string[],
    name: string,
    { options, change }: Look,
  ): Promise<Record<string, string[]>> {
    const context = await browser.newContext(options);
    const page = await context.newPage();
    let troubles: string[] = [];
    page.on('console', (message) => troubles.push(message.text()));
    page.on('requestfailed', (request) => troubles.push(request.url()));
    const found: Record<string, string[]> = {};
    for (const title of pages) {
      troubles = [];
      await page.goto(address(title));
      if (change !== undefined) await page.evaluate(change);
      if (pictures !== undefined) {
        await page.screenshot({ path: `${pictures}/${title}-${name}.png`, fullPage: true });
      }
      const wide = await page.evaluate(
        'document.documentElement.scrollWidth > document.documentElement.clientWidth',
      );
      troubles.push(...(await findings(page)), ...(wide === true ? ['too wide'] : []));
      if (troubles.length > 0) found[title] = troubles;
    }
    await context.close();
    return found;
  }

  it.each(looks)(
    'are accessible, complete and not wider than the screen: %s',
    async (name, look) => {
      expect(await troublesOf(names, name, look)).toEqual({});
    },
    240_000,
  );

  it.each(rareLooks)(
    'are so for those who need something else: %s',
    async (name, look) => {
      expect(await troublesOf(fewNames, name, look)).toEqual({});
    },
    120_000,
  );

  it('have targets that are large enough for a finger', async () => {
    const page = await browser.newPage(phone);
    const small: string[] = [];
    for (const name of names) {
      await page.goto(address(name));
      const found = await page.evaluate(`
        [...document.querySelectorAll('a, button, summary, input:not([type=hidden])')]
          .filter((one) => one.checkVisibility() && one.closest('p') === null)
          .map((one) => [one.className, one.textContent.trim(), one.getBoundingClientRect()])
          .filter(([kind, , { width, height }]) =>
            height < (/button|row/.test(kind) ? 44 : 24) || width < 24)
          .map(([, text]) => text)`);
      small.push(...(found as string[]).map((text) => `${name}: ${text}`));
    }
    await page.close();
    expect(small).toEqual([]);
  }, 120_000);

  it('are used by keyboard alone, without script, and the focus is seen', async () => {
    const context = await browser.newContext({ ...desk, javaScriptEnabled: false });
    const page = await context.newPage();
    const posted: string[] = [];
    page.on('request', (request) => {
      if (request.method() === 'POST') posted.push(request.postData() ?? '');
    });
    await page.goto(address('login'));
    await page.keyboard.press('Tab');
    const button = page.locator('button', { hasText: 'GitHub' });
    expect(await button.evaluate((one) => one.matches(':focus-visible'))).toBe(true);
    expect(await button.evaluate((one) => getComputedStyle(one).outlineWidth)).toBe('3px');
    await Promise.all([page.waitForRequest('**/interaction/abc'), page.keyboard.press('Enter')]);
    expect(posted).toEqual(['step=login&csrf=v1.mac&provider=github']);

    await page.goto(address('login with many providers'));
    for (let count = 0; count < 6; count += 1) await page.keyboard.press('Tab');
    await page.keyboard.press('Enter');
    expect(await page.locator('details').getAttribute('open')).not.toBeNull();

    await page.goto(address('select_account of many'));
    await page.keyboard.press('Tab');
    await page.keyboard.type('málaga');
    const [asked] = await Promise.all([
      page.waitForRequest('**/interaction/abc?*'),
      page.keyboard.press('Enter'),
    ]);
    expect(new URL(asked.url()).searchParams.get('filter')).toBe('málaga');
    await context.close();
  });
});
