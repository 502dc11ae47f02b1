/** What the last line of `npm test` counts: it must never look better than it was. */

import { expect, test } from 'vitest';
import { countTests, lastLine } from '../../scripts/report.ts';

interface File {
  status: string;
  tests: string[];
}

function report(files: readonly File[]): string {
  const tests = files.flatMap((file) => file.tests);
  const count = (status: string) => tests.filter((one) => one === status).length;
  return JSON.stringify({
    numPassedTests: count('passed'),
    numFailedTests: count('failed'),
    numPendingTests: count('pending'),
    numTodoTests: count('todo'),
    testResults: files.map((file) => ({
      status: file.status,
      assertionResults: file.tests.map((status) => ({ status })),
    })),
  });
}

test('passed, failed and skipped tests are counted', () => {
  const files = [
    { status: 'passed', tests: ['passed', 'passed', 'pending'] },
    { status: 'failed', tests: ['passed', 'failed', 'todo'] },
  ];
  expect(countTests(report(files), false)).toEqual({ passed: 3, failed: 1, skipped: 2 });
});

test('a file that cannot be loaded counts as a failure, though it has no test', () => {
  const files = [
    { status: 'failed', tests: [] },
    { status: 'passed', tests: ['passed'] },
  ];
  expect(countTests(report(files), false)).toEqual({ passed: 1, failed: 1, skipped: 0 });
});

test('a run that went wrong without a failed test is a failure', () => {
  const files = [{ status: 'passed', tests: ['passed'] }];
  expect(countTests(report(files), false)).toEqual({ passed: 1, failed: 1, skipped: 0 });
  expect(countTests(report(files), true)).toEqual({ passed: 1, failed: 0, skipped: 0 });
});

test('the last line names the skipped only where there are some', () => {
  expect(lastLine({ passed: 3, failed: 0, skipped: 0 })).toBe('3 passed, 0 failed');
  expect(lastLine({ passed: 3, failed: 1, skipped: 2 })).toBe('3 passed, 1 failed, 2 skipped');
});
