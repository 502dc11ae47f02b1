/**
 * Tells `scripts/test.ts` how a run ended: how many tests passed, failed and were skipped on each store. Written as
 * JSON into the file that `TOLLGATE_TEST_REPORT` names.
 */

import { writeFileSync } from 'node:fs';
import type { Reporter, TestModule } from 'vitest/node';
import { countTests } from './report.ts';
import type { ModuleOutcome } from './report.ts';

export default class CountingReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], errors: readonly unknown[]): void {
    const file = process.env['TOLLGATE_TEST_REPORT'];
    if (file !== undefined) {
      writeFileSync(file, JSON.stringify(countTests(modules.map(outcomeOf), errors.length)));
    }
  }
}

function outcomeOf(module: TestModule): ModuleOutcome {
  return {
    project: module.project.name,
    ok: module.ok(),
    states: [...module.children.allTests()].map((test) => test.result().state),
  };
}
