/** Reads what vitest's `json` reporter wrote. */

export interface Counts {
  passed: number;
  failed: number;
  skipped: number;
}

interface Report {
  numPassedTests: number;
  numFailedTests: number;
  numPendingTests: number;
  numTodoTests: number;
  testResults: { status: string; assertionResults: { status: string }[] }[];
}

/**
 * @param ok whether vitest itself says that all is well. A file that cannot be loaded, or an error
 *   between tests, is no failed test to vitest; here it counts as one.
 */
export function countTests(report: string, ok: boolean): Counts {
  const read = JSON.parse(report) as Report;
  const broken = read.testResults.filter(
    ({ status, assertionResults }) =>
      status === 'failed' && !assertionResults.some((test) => test.status === 'failed'),
  ).length;
  const failed = read.numFailedTests + broken;
  return {
    passed: read.numPassedTests,
    failed: failed === 0 && !ok ? 1 : failed,
    skipped: read.numPendingTests + read.numTodoTests,
  };
}

/** The last line of `npm test`. */
export function lastLine({ passed, failed, skipped }: Counts): string {
  return `${passed} passed, ${failed} failed${skipped === 0 ? '' : `, ${skipped} skipped`}`;
}
