/** Runs the tools of this repository: the runtimes, and the packages' programs on one of them. */

import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { accessSync, constants } from 'node:fs';
import { delimiter, join, resolve } from 'node:path';

export const root = resolve(import.meta.dirname, '..');
const binaries = join(root, 'node_modules', '.bin');

/** The repository's own runtimes come before the machine's. */
export const searchPath = [binaries, ...(process.env['PATH'] ?? '').split(delimiter)];

export function find(program: string): string | undefined {
  return searchPath.map((folder) => join(folder, program)).find(isExecutable);
}

/**
 * A real Node that runs TypeScript as it is. `deno task` puts a `node` on the search path that is
 * Deno again, and tests that ran on it would have been counted for the wrong runtime.
 */
export function findNode(): string | undefined {
  if (!('deno' in process.versions)) return process.execPath;
  return searchPath.map((folder) => join(folder, 'node')).find(isModernNode);
}

function isModernNode(file: string): boolean {
  if (!isExecutable(file)) return false;
  const question = 'process.versions.deno ? 0 : parseInt(process.versions.node)';
  const { stdout } = spawnSync(file, ['-p', question], { encoding: 'utf8', timeout: 10_000 });
  return Number(stdout) >= 24;
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** The command that runs a JavaScript file on the runtime that runs this script. */
export function onThisRuntime(file: string): string[] {
  return 'deno' in process.versions
    ? [process.execPath, 'run', '-A', '--quiet', file]
    : [process.execPath, file];
}

export interface RunOptions {
  /** After this it is killed, and has failed. */
  limitMs: number;
  /** Where it writes: to this terminal, or kept and given back. */
  output: 'shown' | 'kept';
  environment?: Record<string, string>;
  /** The root of the repository when not given. */
  folder?: string;
}

export interface Ended {
  ok: boolean;
  /** Why it is not, where its exit code does not tell. */
  note: string | undefined;
  output: string;
}

/** Runs a command to its end. */
export async function run(command: readonly string[], options: RunOptions): Promise<Ended> {
  const [program, ...parameters] = command;
  if (program === undefined) throw new Error('no command');
  const child = spawn(program, parameters, {
    cwd: options.folder ?? root,
    stdio:
      options.output === 'shown' ? ['ignore', 'inherit', 'inherit'] : ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, PATH: searchPath.join(delimiter), ...options.environment },
  });
  const chunks: Buffer[] = [];
  child.stdout?.on('data', (chunk: Buffer) => chunks.push(chunk));
  child.stderr?.on('data', (chunk: Buffer) => chunks.push(chunk));
  let late = false;
  const timer = setTimeout(() => {
    late = true;
    child.kill('SIGKILL');
  }, options.limitMs);
  try {
    const [code, signal] = (await once(child, 'close')) as [number | null, string | null];
    const killed = late ? `took longer than ${options.limitMs / 60_000} minutes` : undefined;
    const note = killed ?? (signal === null ? undefined : `ended by ${signal}`);
    return { ok: code === 0, note, output: Buffer.concat(chunks).toString() };
  } finally {
    clearTimeout(timer);
  }
}
