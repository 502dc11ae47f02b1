/** The table of `docs/stores.md`: how many tests each store passed on each runtime, made from a run. */

import { lastLine, noTests } from './report.ts';
import type { Report } from './report.ts';

/** @param reports by runtime */
export function storeTable(reports: Readonly<Record<string, Report>>): string {
  const runtimes = Object.keys(reports);
  const stores = [...new Set(Object.values(reports).flatMap((report) => Object.keys(report)))];
  const row = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
  return [
    row(['store', ...runtimes]),
    row(['---', ...runtimes.map(() => '---')]),
    ...stores.map((store) =>
      row([store, ...runtimes.map((runtime) => lastLine(reports[runtime]?.[store] ?? noTests))]),
    ),
  ].join('\n');
}

const begin = '<!-- tests: made by `npm test` -->';
const end = '<!-- /tests -->';

/** @throws when the page has no place for it */
export function withTable(page: string, table: string): string {
  const [before, rest] = page.split(begin);
  const [, after] = rest?.split(end) ?? [];
  if (before === undefined || after === undefined) throw new Error('the page has no place for it');
  return `${before}${begin}\n\n${table}\n\n${end}${after}`;
}
