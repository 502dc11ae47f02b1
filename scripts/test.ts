/**
 * `npm test`: types, lint, format, dead code, then every test on Node and again on Deno, and what stores
 * have to do with on each store. The last line alone says how many tests passed and failed, all together; above it
 * stands what failed.
 *
 * Where few files failed, each runs a second time, alone. What passes then is counted as passed, and said loudly.
 *
 * `npm test -- test/web` runs the tests of that folder only, and none of the checks.
 * `TOLLGATE_TEST_REQUIRE=all` makes a skipped test a failure: a machine that has everything.
 * `TOLLGATE_TEST_TABLE=docs/stores.md` puts the numbers into the table of that page.
 */

import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, failuresOf, mended, secondRunsOf } from './failures.ts';
import type { Failure } from './failures.ts';
import { countTests, lastLine, noTests, sum, total } from './report.ts';
import type { Counts, Report, Told } from './report.ts';
import { storeTable, withTable } from './store_table.ts';
import { find, findNode, onThisRuntime, root, run } from './tools.ts';

const checkLimitMs = 5 * 60_000;
const testLimitMs = 40 * 60_000;
/** For one file. */
const secondLimitMs = 10 * 60_000;
/** On all runtimes together. Where more fails it is no accident. */
const mostSecondRuns = 3;

const checks = [
  { name: 'types', file: 'typescript/bin/tsc', parameters: ['--noEmit'] },
  { name: 'lint', file: 'oxlint/bin/oxlint', parameters: ['--type-aware', '--deny-warnings'] },
  { name: 'format', file: 'oxfmt/bin/oxfmt', parameters: ['--check', '.'] },
  { name: 'dead code', file: 'knip/bin/knip.js', parameters: [] },
];

const vitest = join(root, 'node_modules/vitest/vitest.mjs');
const reporter = join(root, 'scripts/reporter.ts');

const filters = process.argv.slice(2);
let all: Counts = noTests;
const reports: Record<string, Report> = {};
const summary: string[] = [];
const failures: Failure[] = [];
const failedAgain: Failure[] = [];
const passedSecond: Failure[] = [];
let secondRuns = 0;

if (filters.length === 0) for (const check of checks) await runCheck(check);
await runTests('Node', nodeCommand());
await runTests('Deno', denoCommand());

const problems = complaints();
const table = storeTable(reports);
console.log(`\n${[...summary, ...problems].join('\n')}\n\n${table}\n`);
await keepTable(process.env['TOLLGATE_TEST_TABLE']);
const failed = describe('FAILED', [...failures, ...failedAgain]);
const doubtful = describe('!!! passed only at the second run', passedSecond);
for (const line of [...failed, ...doubtful]) console.log(line);
console.log(lastLine(all));
process.exitCode = all.failed > 0 || problems.length > 0 ? 1 : 0;

async function keepTable(file: string | undefined): Promise<void> {
  if (file !== undefined) await writeFile(file, withTable(await readFile(file, 'utf8'), table));
}

async function runCheck({ name, file, parameters }: (typeof checks)[number]): Promise<void> {
  const started = performance.now();
  const command = [...onThisRuntime(join(root, 'node_modules', file)), ...parameters];
  const { ok, note, output } = await run(command, { limitMs: checkLimitMs, output: 'kept' });
  if (!ok) {
    all = sum(all, { ...noTests, failed: 1 });
    console.log(`\n${output.trim()}\n`);
  }
  conclude(name, ok ? 'passed' : 'failed', started, note);
}

async function runTests(runtime: string, command: string[] | undefined): Promise<void> {
  const started = performance.now();
  const name = `tests on ${runtime}`;
  if (command === undefined) {
    all = sum(all, { ...noTests, skipped: 1 });
    conclude(name, 'SKIPPED', started, `there is no ${runtime} here`);
    return;
  }
  console.log(`\n${name}`);
  const first = await runVitest(command, filters, testLimitMs);
  const { told, ok } = await runAgain(runtime, command, first);
  const report = countTests(told.modules, told.errors.length);
  const counts = total(report, ok);
  const failedHere = failuresOf(runtime, told);
  failures.push(...failedHere);
  if (counts.failed > 0 && failedHere.length === 0) {
    const error = first.note ?? 'vitest failed, and names no test';
    failures.push({ runtime, project: '', file: '', name: 'the run itself', error });
  }
  reports[runtime] = report;
  all = sum(all, counts);
  const said = [lastLine(counts), first.note].filter((text) => text !== undefined).join('; ');
  conclude(name, counts.failed === 0 ? 'passed' : 'failed', started, said);
}

interface Run {
  told: Told;
  /** Whether vitest itself says that all is well. */
  ok: boolean;
  note: string | undefined;
}

/** The files that failed, one after the other. @returns the run with those that are well now in their place */
async function runAgain(runtime: string, command: string[], first: Run): Promise<Run> {
  const files = secondRunsOf(first.told, mostSecondRuns - secondRuns);
  secondRuns += files.length;
  let { told } = first;
  for (const before of files) {
    const { project, file } = before;
    console.log(`\nsecond run on ${runtime}: ${project} ${file}`);
    const stores = { TOLLGATE_TEST_STORES: project };
    const second = await runVitest(command, [file], secondLimitMs, stores);
    const after = second.ok ? mended(before, second.told) : undefined;
    if (after === undefined) {
      failedAgain.push(...failuresOf(`${runtime} (second run)`, second.told));
      continue;
    }
    passedSecond.push(...failuresOf(runtime, { modules: [before], errors: [] }));
    const modules = told.modules.map((module) => (module === before ? after : module));
    told = { ...told, modules };
  }
  const allWell = files.length > 0 && secondRunsOf(told, Infinity).length === 0;
  return { ...first, told, ok: first.ok || allWell };
}

async function runVitest(
  command: string[],
  files: readonly string[],
  limitMs: number,
  environment: Record<string, string> = {},
): Promise<Run> {
  const folder = await mkdtemp(join(tmpdir(), 'tollgate-test-'));
  try {
    const file = join(folder, 'report.json');
    const reporters = ['--reporter=default', `--reporter=${reporter}`];
    const { ok, note } = await run([...command, vitest, 'run', ...reporters, ...files], {
      limitMs,
      output: 'shown',
      environment: { ...environment, TOLLGATE_TEST_REPORT: file },
    });
    const told = await readFile(file, 'utf8').then(
      (text) => JSON.parse(text) as Told,
      () => ({ modules: [], errors: [] }),
    );
    return { told, ok, note };
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
  if (all.passed + all.failed === 0) found.push('No test was run.');
  if (process.env['TOLLGATE_TEST_REQUIRE'] === 'all' && all.skipped > 0) {
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
