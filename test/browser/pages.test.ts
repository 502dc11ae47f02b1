import { readFileSync } from 'node:fs';
import type { Middleware } from 'koa';
import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { assets } from '../../interactions/assets.ts';
import { headers } from '../../src/web/headers.ts';
import { sendPage } from '../../src/web/page.ts';
import { browserIsThere, openBrowser } from '../kit/browser.ts';
import { brand, samples } from '../views/samples.ts';
import { run, type RunningApp } from '../web/app.ts';

const axe = readFileSync(
  new URL('../../node_modules/axe-core/axe.min.js', import.meta.url),
  'utf8',
);

const phone = { viewport: { width: 320, height: 640 } };
const desk = { viewport: { width: 1000, height: 760 } };
const looks: [name: string, options: BrowserContextOptions][] = [
  ['light', { ...desk, colorScheme: 'light' }],
  ['dark', { ...desk, colorScheme: 'dark' }],
  ['phone', { ...phone, colorScheme: 'light' }],
];

/** Set to a directory to keep a picture of each page in each look. */
const pictures = process.env.TOLLGATE_TEST_PICTURES;

/** The page that goes on by itself would be gone before it is looked at. */
const names = [...samples.keys()].filter((name) => name !== 'continue');

interface Finding {
  id: string;
  nodes: { html: string; failureSummary?: string }[];
}

async function findings(page: Page): Promise<string[]> {
  await page.evaluate(axe);
  const found = await page.evaluate(
    `axe.run(document, { runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'] })
      .then(({ violations }) => violations)`,
  );
  return (found as Finding[]).flatMap(({ id, nodes }) =>
    nodes.map(({ html, failureSummary }) => `${id}: ${html} ${failureSummary ?? ''}`),
  );
}

describe.skipIf(!browserIsThere())('pages in a browser', () => {
  let app: RunningApp;
  let browser: Browser;

  beforeAll(async () => {
    app = await run([
      headers({ issuer: 'http://127.0.0.1' }),
      assets(brand).routes() as unknown as Middleware,
      (ctx) => sendPage(ctx, samples.get(decodeURIComponent(ctx.path.slice(1)))!()),
    ]);
    browser = await openBrowser();
  });
  afterAll(async () => {
    await browser?.close();
    await app?.close();
  });

  const address = (name: string) => `http://127.0.0.1:${app.port}/${encodeURIComponent(name)}`;

  it.each(looks)(
    'are accessible, complete and not wider than the screen: %s',
    async (look, options) => {
      const context = await browser.newContext(options);
      const page = await context.newPage();
      const troubles: string[] = [];
      page.on('console', (message) => troubles.push(message.text()));
      page.on('requestfailed', (request) => troubles.push(request.url()));
      const problems: Record<string, string[]> = {};
      for (const name of names) {
        await page.goto(address(name));
        if (pictures) {
          await page.screenshot({ path: `${pictures}/${name}-${look}.png`, fullPage: true });
        }
        const wide = await page.evaluate(
          'document.documentElement.scrollWidth > document.documentElement.clientWidth',
        );
        const found = [...(await findings(page)), ...(wide ? ['wider than the screen'] : [])];
        if (found.length > 0) problems[name] = found;
      }
      await context.close();
      expect({ problems, troubles }).toEqual({ problems: {}, troubles: [] });
    },
    120_000,
  );
});
