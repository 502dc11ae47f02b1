/** What the last line of `npm test` counts: it must never look better than it was. */

import { expect, test } from 'vitest';
import { countTests, lastLine, total } from '../../scripts/report.ts';
import { storeTable, withTable } from '../../scripts/store_table.ts';

const file = (project: string, ok: boolean, ...states: string[]) => ({ project, ok, states });

test('passed, failed and skipped tests are counted, for each store', () => {
  const modules = [
    file('sqlite', true, 'passed', 'passed', 'skipped'),
    file('sqlite', false, 'passed', 'failed', 'skipped'),
    file('mongodb', true, 'passed'),
  ];
  const report = countTests(modules, 0);
  expect(report).toEqual({
    sqlite: { passed: 3, failed: 1, skipped: 2 },
    mongodb: { passed: 1, failed: 0, skipped: 0 },
  });
  expect(total(report, false)).toEqual({ passed: 4, failed: 1, skipped: 2 });
});

test('a file that cannot be loaded counts as a failure, though it has no test', () => {
  const modules = [file('sqlite', false), file('sqlite', true, 'passed')];
  expect(countTests(modules, 0)).toEqual({ sqlite: { passed: 1, failed: 1, skipped: 0 } });
});

test('a test that never ran is a failure', () => {
  const modules = [file('sqlite', false, 'passed', 'pending')];
  expect(countTests(modules, 0)).toEqual({ sqlite: { passed: 1, failed: 1, skipped: 0 } });
});

test('an error between tests, and a run that went wrong without one, are failures', () => {
  const modules = [file('sqlite', true, 'passed')];
  expect(total(countTests(modules, 1), false)).toEqual({ passed: 1, failed: 1, skipped: 0 });
  expect(total(countTests(modules, 0), false)).toEqual({ passed: 1, failed: 1, skipped: 0 });
  expect(total(countTests(modules, 0), true)).toEqual({ passed: 1, failed: 0, skipped: 0 });
  expect(total({}, false)).toEqual({ passed: 0, failed: 1, skipped: 0 });
});

test('the last line names the skipped only where there are some', () => {
  expect(lastLine({ passed: 3, failed: 0, skipped: 0 })).toBe('3 passed, 0 failed');
  expect(lastLine({ passed: 3, failed: 1, skipped: 2 })).toBe('3 passed, 1 failed, 2 skipped');
});

test('a page has the table of a run, in its place', () => {
  const counts = { passed: 2, failed: 0, skipped: 0 };
  const table = storeTable({ Node: { sqlite: counts, mongodb: counts }, Deno: { sqlite: counts } });
  expect(table.split('\n')).toEqual([
    '| store | Node | Deno |',
    '| --- | --- | --- |',
    '| sqlite | 2 passed, 0 failed | 2 passed, 0 failed |',
    '| mongodb | 2 passed, 0 failed | 0 passed, 0 failed |',
  ]);
  const page = 'a\n<!-- tests: made by `npm test` -->\nold\n<!-- /tests -->\nb\n';
  const next = withTable(page, table);
  expect(next).toContain(table);
  expect(next).not.toContain('old');
  expect(withTable(next, table)).toBe(next);
  expect(() => withTable('a', table)).toThrow('no place');
});
