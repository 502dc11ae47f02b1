/** Runs a TypeScript file in a process of its own, on the runtime that the test runs on. */

import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';

export interface Child {
  /** Lines of standard output, as they come. */
  lines: AsyncIterableIterator<string>;
  /** Ends it as a power cut would. */
  kill(): void;
  /** Resolves when it is gone: its exit code, or the signal. */
  ended: Promise<number | string>;
}

export function runtimeArguments(file: string): string[] {
  return 'deno' in process.versions ? ['run', '-A', '--quiet', file] : [file];
}

/** @param file absolute path of the entry */
export function startChild(
  file: string,
  parameters: readonly string[] = [],
  environment: Record<string, string> = {},
): Child {
  const child: ChildProcess = spawn(process.execPath, [...runtimeArguments(file), ...parameters], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, NODE_OPTIONS: '', ...environment },
  });
  if (child.stdout === null) throw new Error('the child has no standard output');
  const ended = once(child, 'exit').then(([code, signal]) => (code ?? signal) as number | string);
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  return {
    lines: lines as AsyncIterableIterator<string>,
    kill: () => void child.kill('SIGKILL'),
    ended,
  };
}
