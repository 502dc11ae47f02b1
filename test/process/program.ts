/** The program itself, in a process of its own, as an operator runs it. */

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { onTestFinished } from 'vitest';
import { onThisRuntime, root } from '../../scripts/tools.ts';
import { goodInput } from '../config/world.ts';

export interface Ended {
  code: number | string;
  output: string;
  errors: string;
}

export interface Program {
  /** The record that says where it listens. */
  listening(): Promise<{ address: string; port: number; origin: string }>;
  /** The next record of its log with this message. */
  logged(message: string): Promise<Record<string, unknown>>;
  signal(name: NodeJS.Signals): void;
  ended: Promise<Ended>;
}

const main = join(root, 'src', 'main.ts');

export interface StartOptions {
  folder: string;
  parameters?: readonly string[];
  environment?: Record<string, string>;
  /** By default the program on the runtime of the test. */
  command?: readonly string[];
}

export function start(options: StartOptions): Program {
  const { folder, parameters = [], environment = {} } = options;
  const [program = '', ...before] = options.command ?? onThisRuntime(main);
  const child = spawn(program, [...before, ...parameters], {
    cwd: folder,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...cleanEnvironment(), ...environment },
  });
  let errors = '';
  const records: string[] = [];
  const watchers = new Set<() => void>();
  let gone = false;
  const lines = createInterface({ input: child.stdout });
  const wake = () => {
    for (const watcher of watchers) watcher();
  };
  lines.on('line', (line) => {
    records.push(line);
    wake();
  });
  child.stderr.on('data', (chunk: Buffer) => (errors += chunk.toString()));
  const ended = Promise.all([once(child, 'close'), once(lines, 'close')]).then(
    ([[code, signal]]) => {
      gone = true;
      wake();
      return { code: (code ?? signal) as number | string, output: records.join('\n'), errors };
    },
  );
  const wait = (fits: (record: Record<string, unknown>) => boolean, what: string) =>
    new Promise<Record<string, unknown>>((resolve, reject) => {
      const look = () => {
        const found = records.map(parse).find(fits);
        if (found === undefined && !gone) return;
        watchers.delete(look);
        if (found !== undefined) resolve(found);
        else reject(new Error(`it ended before ${what}: ${errors}${records.join('\n')}`));
      };
      watchers.add(look);
      look();
    });
  const signal = (name: NodeJS.Signals) => {
    // Not `child.kill`: on Deno it sends one signal only, and reports it as the end's reason.
    if (child.pid !== undefined && !gone) process.kill(child.pid, name);
  };
  // Whatever becomes of the test, the process does not outlive it.
  onTestFinished(() => signal('SIGKILL'));
  return {
    ended,
    signal,
    logged: (message) => wait((record) => record['message'] === message, message),
    async listening() {
      const found = await wait((record) => 'port' in record && 'runtime' in record, 'listening');
      const port = Number(found['port']);
      return { address: String(found['address']), port, origin: `http://localhost:${port}` };
    },
  };
}

function parse(line: string): Record<string, unknown> {
  return line.startsWith('{') ? (JSON.parse(line) as Record<string, unknown>) : {};
}

/** Nothing of the test's own settings, nor of the test runner's. */
function cleanEnvironment(): Record<string, string> {
  const kept = ['PATH', 'HOME', 'TMPDIR', 'DENO_DIR'];
  return Object.fromEntries(
    kept.flatMap((name) => {
      const value = process.env[name];
      return value === undefined ? [] : [[name, value] as const];
    }),
  );
}

export async function run(options: StartOptions): Promise<Ended> {
  return start(options).ended;
}

/** A folder with a configuration that listens at a free port. */
export async function inConfigured<T>(
  change: object,
  use: (folder: string) => Promise<T>,
  extra: Record<string, string> = {},
): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), 'tollgate-process-'));
  const input = { ...goodInput(), issuer: 'http://localhost:4400', port: 0, ...change };
  try {
    await writeFile(join(folder, 'tollgate.config.json'), JSON.stringify(input));
    for (const [name, text] of Object.entries(extra)) await writeFile(join(folder, name), text);
    return await use(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

export const config = ['--config', 'tollgate.config.json'];
