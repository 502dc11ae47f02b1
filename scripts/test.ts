/**
 * `npm test`: types, lint, format, dead code, then every test on Node and again on Deno. The last line
 * alone says how many tests passed and failed, on both runtimes together.
 *
 * `npm test -- test/web` runs the tests of that folder only, and none of the checks.
 * `TOLLGATE_TEST_REQUIRE=all` makes a skipped test a failure: a machine that has everything.
 */

import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { countTests, lastLine } from './report.ts';
import type { Counts } from './report.ts';
import { find, findNode, onThisRuntime, root, run } from './tools.ts';

const checkLimitMs = 5 * 60_000;
const testLimitMs = 20 * 60_000;

const checks = [
  { name: 'types', file: 'typescript/bin/tsc', parameters: ['--noEmit'] },
  { name: 'lint', file: 'oxlint/bin/oxlint', parameters: ['--type-aware', '--deny-warnings'] },
  { name: 'format', file: 'oxfmt/bin/oxfmt', parameters: ['--check', '.'] },
  { name: 'dead code', file: 'knip/bin/knip.js', parameters: [] },
];

const vitest = join(root, 'node_modules/vitest/vitest.mjs');

const filters = process.argv.slice(2);
const total: Counts = { passed: 0, failed: 0, skipped: 0 };
const summary: string[] = [];

if (filters.length === 0) for (const check of checks) await runCheck(check);
await runTests('Node', nodeCommand());
await runTests('Deno', denoCommand());

const problems = complaints();
console.log(`\n${[...summary, ...problems].join('\n')}\n`);
console.log(lastLine(total));
process.exitCode = total.failed > 0 || problems.length > 0 ? 1 : 0;

async function runCheck({ name, file, parameters }: (typeof checks)[number]): Promise<void> {
  const started = performance.now();
  const command = [...onThisRuntime(join(root, 'node_modules', file)), ...parameters];
  const { ok, note, output } = await run(command, { limitMs: checkLimitMs, output: 'kept' });
  if (!ok) {
    total.failed += 1;
    console.log(`\n${output.trim()}\n`);
  }
  conclude(name, ok ? 'passed' : 'failed', started, note);
}

async function runTests(runtime: string, command: string[] | undefined): Promise<void> {
  const started = performance.now();
  const name = `tests on ${runtime}`;
  if (command === undefined) {
    total.skipped += 1;
    conclude(name, 'SKIPPED', started, `there is no ${runtime} here`);
    return;
  }
  const folder = await mkdtemp(join(tmpdir(), 'tollgate-test-'));
  try {
    const file = join(folder, 'report.json');
    const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${file}`];
    console.log(`\n${name}`);
    const { ok, note } = await run([...command, vitest, 'run', ...reporters, ...filters], {
      limitMs: testLimitMs,
      output: 'shown',
    });
    const counts = await readFile(file, 'utf8').then(
      (report) => countTests(report, ok),
      () => ({ passed: 0, failed: 1, skipped: 0 }),
    );
    total.passed += counts.passed;
    total.failed += counts.failed;
    total.skipped += counts.skipped;
    const said = [lastLine(counts), note].filter((text) => text !== undefined).join('; ');
    conclude(name, ok && counts.failed === 0 ? 'passed' : 'failed', started, said);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function conclude(name: string, outcome: string, started: number, note?: string): void {
  const seconds = ((performance.now() - started) / 1000).toFixed(1);
  const said = `${name.padEnd(14)} ${outcome.padEnd(7)} ${seconds.padStart(6)} s`;
  const line = note === undefined ? said : `${said}  ${note}`;
  summary.push(line);
  console.log(line);
}

function complaints(): string[] {
  const found: string[] = [];
  if (total.passed + total.failed === 0) found.push('No test was run.');
  if (process.env['TOLLGATE_TEST_REQUIRE'] === 'all' && total.skipped > 0) {
    found.push('TOLLGATE_TEST_REQUIRE=all: nothing may be skipped.');
  }
  return found;
}

function nodeCommand(): string[] | undefined {
  const node = findNode();
  return node === undefined ? undefined : [node];
}

function denoCommand(): string[] | undefined {
  const deno = 'deno' in process.versions ? process.execPath : find('deno');
  return deno === undefined ? undefined : [deno, 'run', '-A', '--quiet'];
}
