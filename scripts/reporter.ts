/**
 * Tells `scripts/test.ts` how a run ended: what each file came to on each store, and what failed in it. Written as
 * JSON into the file that `TOLLGATE_TEST_REPORT` names.
 */

import { writeFileSync } from 'node:fs';
import { relative } from 'node:path';
import type { Reporter, TestCase, TestModule } from 'vitest/node';
import { firstLines } from './failures.ts';
import type { ModuleOutcome, Told } from './report.ts';
import { root } from './tools.ts';

/** As much as vitest keeps of one. */
interface Kept {
  name?: string | undefined;
  message?: string | undefined;
  stack?: string | undefined;
  diff?: string | undefined;
}

export default class TellingReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], errors: readonly Kept[]): void {
    const file = process.env['TOLLGATE_TEST_REPORT'];
    if (file === undefined) return;
    const told: Told = { modules: modules.map(outcomeOf), errors: errors.map(textOf) };
    writeFileSync(file, JSON.stringify(told));
  }
}

function outcomeOf(module: TestModule): ModuleOutcome {
  const tests = [...module.children.allTests()];
  const groups = [module, ...module.children.allSuites()];
  return {
    project: module.project.name,
    file: relative(root, module.moduleId),
    ok: module.ok(),
    states: tests.map((test) => test.result().state),
    failures: [
      ...groups.flatMap((group) =>
        group.errors().map((error) => ({
          name: group.type === 'suite' ? group.fullName : 'the file itself',
          error: textOf(error),
        })),
      ),
      ...tests.flatMap(failureOf),
    ],
  };
}

function failureOf(test: TestCase): { name: string; error: string }[] {
  const { state, errors = [] } = test.result();
  if (state !== 'failed' && state !== 'pending') return [];
  const [error] = errors;
  return [{ name: test.fullName, error: error === undefined ? 'it never ran' : textOf(error) }];
}

function textOf({ name = 'Error', message = '', stack = '', diff = '' }: Kept): string {
  const frames = stack.split('\n').filter((line) => /^\s+at /.test(line));
  return firstLines([`${name}: ${message}`, ...frames.slice(0, 2), diff].join('\n'));
}
