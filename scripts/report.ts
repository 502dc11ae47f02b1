/** Counts what a test run came to, by the project that each file belongs to: the store that it ran on. */

export interface Counts {
  passed: number;
  failed: number;
  skipped: number;
}

/** What one test file came to. */
export interface ModuleOutcome {
  project: string;
  /** From the root of the repository. */
  file: string;
  /** Whether it, and all in it, went well. A file that cannot be loaded has no tests, and is not ok. */
  ok: boolean;
  /** `passed`, `failed`, `skipped`, or `pending` for one that never ran. */
  states: readonly string[];
  /** Each test that is not well, or what kept them from running. */
  failures: readonly { name: string; error: string }[];
}

/** What a run tells of itself when it is over. */
export interface Told {
  modules: readonly ModuleOutcome[];
  /** Between tests: of none of them. */
  errors: readonly string[];
}

export type Report = Record<string, Counts>;

export const noTests: Readonly<Counts> = { passed: 0, failed: 0, skipped: 0 };

/**
 * A file that cannot be loaded, a test that never ran and an error between tests are no failed tests to
 * vitest; here each counts as one.
 */
export function countTests(modules: readonly ModuleOutcome[], errors: number): Report {
  const report: Report = {};
  const add = (project: string, more: Partial<Counts>) => {
    report[project] = sum(report[project] ?? noTests, { ...noTests, ...more });
  };
  for (const { project, ok, states } of modules) {
    const count = (state: string) => states.filter((one) => one === state).length;
    const failed = count('failed') + count('pending');
    add(project, {
      passed: count('passed'),
      failed: failed === 0 && !ok ? 1 : failed,
      skipped: count('skipped'),
    });
  }
  if (errors > 0) add('', { failed: errors });
  return report;
}

/** @param ok whether vitest itself says that all is well */
export function total(report: Report, ok: boolean): Counts {
  const counts = Object.values(report).reduce(sum, noTests);
  return ok || counts.failed > 0 ? counts : { ...counts, failed: 1 };
}

export function sum(one: Counts, two: Counts): Counts {
  return {
    passed: one.passed + two.passed,
    failed: one.failed + two.failed,
    skipped: one.skipped + two.skipped,
  };
}

/** The last line of `npm test`. */
export function lastLine({ passed, failed, skipped }: Counts): string {
  return `${passed} passed, ${failed} failed${skipped === 0 ? '' : `, ${skipped} skipped`}`;
}
