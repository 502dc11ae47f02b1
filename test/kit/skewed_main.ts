/**
 * `src/main.ts` with a clock that is ahead by `CLOCK_AHEAD_MS`, and by what stands in the file `CLOCK_AHEAD_FILE` at
 * the time: so a test moves the clocks of processes on while they run.
 */

import { openSync, readSync } from 'node:fs';
import { skewDate } from './skew.ts';

const aheadMs = Number(process.env.CLOCK_AHEAD_MS ?? 0);
const file = process.env.CLOCK_AHEAD_FILE;

function moving(path: string): () => number {
  const descriptor = openSync(path, 'r');
  const digits = Buffer.alloc(16);
  return () => {
    const length = readSync(descriptor, digits, 0, digits.length, 0);
    return Number(digits.toString('latin1', 0, length));
  };
}

const furtherMs = file === undefined ? () => 0 : moving(file);
skewDate(() => aheadMs + furtherMs());

await import('../../src/main.ts');
