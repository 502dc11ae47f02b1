/**
 * What a driver keeps beside a document so that it is found again, and what it refuses as a defect:
 * taken from `kinds`, for all drivers.
 */

import { kinds } from './kinds.ts';
import type { Documents, Kind } from './kinds.ts';
import type { FindOptions, NewEvent } from './store.ts';

export interface Entry {
  /** The index or unique field. */
  name: string;
  value: string;
  /** No other document of the kind may hold it. */
  exclusive: boolean;
}

/** @returns each value once, however often the document's lists repeat it. */
export function entriesOf<K extends Kind>(kind: K, document: Documents[K]): Entry[] {
  const { indexes = {}, unique = {} } = kinds[kind];
  const entries: Entry[] = [];
  for (const [name, values] of Object.entries(indexes)) {
    for (const value of new Set(values(document))) entries.push({ name, value, exclusive: false });
  }
  for (const [name, values] of Object.entries(unique)) {
    for (const value of new Set(values(document))) entries.push({ name, value, exclusive: true });
  }
  return entries;
}

/**
 * Unique fields are found by as well. @throws for a name that the kind does not declare, and for a
 * prefix of a hot kind, whose values no store keeps in order: defects.
 */
export function requireIndex(kind: Kind, name: string, { prefix }: FindOptions = {}): void {
  const { indexes = {}, unique = {}, hot } = kinds[kind];
  if (!Object.hasOwn(indexes, name) && !Object.hasOwn(unique, name)) {
    throw new TypeError(`${kind} has no index ${name}`);
  }
  if (prefix === true && hot) throw new TypeError(`${kind} is hot: not found by a prefix`);
}

/** @throws for a hot kind, which no store lists: a defect */
export function requireKept(kind: Kind): void {
  if (kinds[kind].hot) throw new TypeError(`${kind} is hot: not listed`);
}

/** Whole milliseconds: when the document wants attention. Stores keep times as integers. */
export function dueOf<K extends Kind>(kind: K, document: Documents[K] | null): number | undefined {
  const due = document === null ? undefined : kinds[kind].due?.(document);
  return due === undefined ? undefined : Math.ceil(due);
}

/** @throws for what no store can keep: a defect */
export function requireWritable(kind: Kind, id: string, events: readonly NewEvent[] = []): void {
  if (id === '') throw new TypeError(`a ${kind} needs an id`);
  // Stores put ids behind each other, with this between them.
  if (id.includes('\0')) throw new TypeError(`the id of a ${kind} has a zero character`);
  if (events.length > 0 && kinds[kind].eventless === true) {
    throw new TypeError(`a ${kind} is written without events`);
  }
}

const defaultLimit = 100;
const largestLimit = 1000;

/** How many documents one `find`, `due`, `pending` or `sweep` may touch. */
export function boundedLimit(limit: number | undefined, otherwise = defaultLimit): number {
  return Math.max(0, Math.min(Math.trunc(limit ?? otherwise), largestLimit));
}
