/** What the last line of `npm test` counts: it must never look better than it was. */

import { expect, test } from 'vitest';
import { describe, failuresOf, firstLines, mended, secondRunsOf } from '../../scripts/failures.ts';
import { countTests, lastLine, total } from '../../scripts/report.ts';
import { storeTable, withTable } from '../../scripts/store_table.ts';

const file = (project: string, ok: boolean, ...states: string[]) => ({
  project,
  file: 'test/a.test.ts',
  ok,
  states,
  failures: states
    .filter((state) => state === 'failed')
    .map(() => ({ name: 'group > one', error: 'AssertionError: no\n    at there' })),
});

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

test('what failed is named by runtime, store, file and test, with the beginning of its error', () => {
  const modules = [
    file('sqlite', true, 'passed'),
    file('mongodb', false, 'passed', 'failed'),
    file('redis+sqlite', false),
  ];
  const failures = failuresOf('Node', { modules, errors: ['Error: nobody waited'] });
  expect(describe('FAILED', failures)).toEqual([
    'FAILED: Node mongodb test/a.test.ts > group > one',
    '    AssertionError: no',
    '        at there',
    'FAILED: Node redis+sqlite test/a.test.ts > the file itself',
    'FAILED: Node > an error between tests',
    '    Error: nobody waited',
  ]);
});

test('however much fails, the end of the log is short', () => {
  const long = Array.from({ length: 40 }, (_, line) => `${line} `.repeat(500)).join('\n');
  const [failure] = failuresOf('Node', { modules: [], errors: [long] });
  const lines = describe('FAILED', Array(25).fill(failure));
  expect(lines).toHaveLength(20 * (1 + 15) + 1);
  expect(lines.at(-1)).toBe('FAILED: 5 more');
  expect(Math.max(...lines.map(({ length }) => length))).toBeLessThan(250);
  expect(firstLines('\u001B[31mred\u001B[39m\n')).toBe('red');
});

test('a few files that failed run once more; many, and errors between tests, do not', () => {
  const [well, bad, broken] = [
    file('sqlite', true, 'passed'),
    file('sqlite', false, 'failed'),
    file('mongodb', false),
  ];
  const modules = [well, bad, broken];
  expect(secondRunsOf({ modules, errors: [] }, 2)).toEqual([bad, broken]);
  expect(secondRunsOf({ modules, errors: [] }, 1)).toEqual([]);
  expect(secondRunsOf({ modules, errors: ['Error'] }, 2)).toEqual([]);
  expect(secondRunsOf({ modules: [well], errors: [] }, 2)).toEqual([]);
});

test('a second run counts only where the same file passed on the same store', () => {
  const first = file('sqlite', false, 'failed');
  const well = file('sqlite', true, 'passed');
  expect(mended(first, { modules: [well], errors: [] })).toBe(well);
  for (const modules of [
    [],
    [first],
    [file('mongodb', true, 'passed')],
    [{ ...well, file: 'test/b.test.ts' }],
    [file('sqlite', true, 'skipped')],
    [file('sqlite', true)],
  ]) {
    expect(mended(first, { modules, errors: [] })).toBeUndefined();
  }
  expect(mended(first, { modules: [well], errors: ['Error'] })).toBeUndefined();
});
