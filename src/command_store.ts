/** What commands beside the running processes have in common: the store that they share, and how they print. */

import { systemClock } from './base/clock.ts';
import type { Clock } from './base/clock.ts';
import { createLog } from './base/log.ts';
import type { Log } from './base/log.ts';
import { createSecrets } from './base/secrets.ts';
import type { Secrets } from './base/secrets.ts';
import type { Config } from './config.ts';
import type { Store } from './storage/store.ts';
import { openStores } from './stores.ts';

/** Somebody asked for what there is not. */
export class UsageError extends Error {}

export interface CommandDeps {
  config: Config;
  store: Store;
  secrets: Secrets;
  clock: Clock;
  log: Log;
}

/** Opens the stores of the configuration for one command. What is logged goes to standard error. */
export async function withStores<T>(
  config: Config,
  work: (deps: CommandDeps) => Promise<T>,
): Promise<T> {
  const clock = systemClock;
  // Standard output is the command's own.
  const write = (line: string) => void process.stderr.write(line);
  const log = createLog({ level: 'warn', clock, write });
  const store = await openStores(config, { clock, log });
  try {
    return await work({ config, store, clock, log, secrets: createSecrets(config.secrets) });
  } finally {
    await store.close();
  }
}

export function quote(text: string | undefined): string {
  return JSON.stringify(text ?? '');
}

export function json(value: unknown): string {
  return `${JSON.stringify(value, undefined, 2)}\n`;
}

/** @param rows the first is the head */
export function table(given: readonly (readonly string[])[]): string {
  const rows = given.map((row) => row.map(plain));
  const widths: number[] = [];
  for (const row of rows) {
    for (const [column, cell] of row.entries()) {
      widths[column] = Math.max(widths[column] ?? 0, cell.length);
    }
  }
  const line = (row: readonly string[]) =>
    row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join('  ');
  return rows.map((row) => `${line(row).trimEnd()}\n`).join('');
}

/** Some of it was said by others, and is for a terminal. */
function plain(cell: string): string {
  return cell.replace(/\p{Cc}/gu, '?');
}

/** In UTC, to the second. */
export function moment(milliseconds: number | undefined): string {
  if (milliseconds === undefined) return '-';
  return new Date(milliseconds).toISOString().replace(/\.\d+Z$/, 'Z');
}

/** @throws {UsageError} it is no time such as 2027-01-02T03:04:05Z */
export function timeOf(option: string, text: string): number {
  const isTime = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(:\d{2}(\.\d+)?)?(Z|[+-]\d{2}:\d{2})$/.test(text);
  const time = isTime ? Date.parse(text) : Number.NaN;
  if (!Number.isNaN(time)) return time;
  throw new UsageError(
    `--${option} takes a time such as 2027-01-02T03:04:05Z, not ${quote(text)}.`,
  );
}
