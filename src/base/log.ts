/**
 * One JSON line a record. What is written here is read by many and kept for long, so fields whose
 * names sound like secrets are replaced, addresses lose their query, and tokens and e-mail
 * addresses inside texts are masked. A line is bounded, and nothing that came from outside can
 * begin a new one or steer a terminal.
 */

import { AsyncLocalStorage } from 'node:async_hooks';
import type { Clock } from './clock.ts';
import { redact } from './redact.ts';

export type LogLevel = 'debug' | 'info' | 'warn' | 'error';
export type LogFields = Record<string, unknown>;

export interface Log {
  debug(message: string, fields?: LogFields): void;
  info(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  error(message: string, fields?: LogFields): void;
}

export interface LogOptions {
  level: LogLevel;
  clock: Clock;
  /** Takes one line with its line feed, such as `(line) => process.stdout.write(line)`. */
  write: (line: string) => void;
}

const order: Record<LogLevel, number> = { debug: 0, info: 1, warn: 2, error: 3 };
const reserved = new Set(['time', 'level', 'message', 'request_id']);
const maximumLine = 16 * 1024;
// Control characters, line and paragraph separators, and those that turn the writing direction.
const unprintable = /[\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]/g;

const requests = new AsyncLocalStorage<string>();

/** Runs `work`; every record made in it, however deep, carries `request_id`. */
export function withRequestId<T>(id: string, work: () => T): T {
  return requests.run(id, work);
}

/** The id of the request that is being answered, if one is. */
export function requestId(): string | undefined {
  return requests.getStore();
}

export function createLog({ level, clock, write }: LogOptions): Log {
  const record = (at: LogLevel) => (message: string, fields?: LogFields) => {
    if (order[at] < order[level]) return;
    write(`${line(at, clock(), message, fields)}\n`);
  };
  return {
    debug: record('debug'),
    info: record('info'),
    warn: record('warn'),
    error: record('error'),
  };
}

function line(level: LogLevel, now: number, message: string, fields: LogFields = {}): string {
  const head: LogFields = {
    time: new Date(now).toISOString(),
    level,
    message: redact(message),
    request_id: requestId(),
  };
  const rest = redact(fields);
  const named = Object.entries(isRecord(rest) ? rest : {}).map(
    ([name, value]) => [reserved.has(name) ? `field_${name}` : name, value] as const,
  );
  const text = print({ ...head, ...Object.fromEntries(named) });
  if (text.length <= maximumLine) return text;
  return print({
    ...head,
    truncated: true,
    fields: print(Object.fromEntries(named)).slice(0, maximumLine / 4),
  });
}

function print(value: LogFields): string {
  return JSON.stringify(value).replace(
    unprintable,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

function isRecord(value: unknown): value is LogFields {
  return typeof value === 'object' && value !== null;
}
