/** What a page gets wrong for people who use it in another way, by the rules that can be checked. */

import { readFileSync } from 'node:fs';
import type { Page } from 'playwright-core';

const axe = readFileSync(
  new URL('../../node_modules/axe-core/axe.min.js', import.meta.url),
  'utf8',
);

interface Finding {
  id: string;
  nodes: { html: string; failureSummary?: string }[];
}

/** WCAG 2.2 AA, and what is good practice. */
export async function findings(page: Page): Promise<string[]> {
  await page.evaluate(axe);
  const found = await page.evaluate(
    `axe.run(document, { runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'] })
      .then(({ violations }) => violations)`,
  );
  return (found as Finding[]).flatMap(({ id, nodes }) =>
    nodes.map(({ html, failureSummary }) => `${id}: ${html} ${failureSummary ?? ''}`),
  );
}
