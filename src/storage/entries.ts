/**
 * What a driver keeps beside a document so that it is found again: taken from `kinds`, for all
 * drivers.
 */

import { kinds } from './kinds.ts';
import type { Documents, Kind } from './kinds.ts';

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
 * Unique fields are found by as well. @throws for a name that the kind does not declare: a defect.
 */
export function requireIndex(kind: Kind, name: string): void {
  const { indexes = {}, unique = {} } = kinds[kind];
  if (!Object.hasOwn(indexes, name) && !Object.hasOwn(unique, name)) {
    throw new TypeError(`${kind} has no index ${name}`);
  }
}

const defaultLimit = 100;
const largestLimit = 1000;

/** How many documents one `find`, `due`, `pending` or `sweep` may touch. */
export function boundedLimit(limit: number | undefined, otherwise = defaultLimit): number {
  return Math.max(0, Math.min(Math.trunc(limit ?? otherwise), largestLimit));
}
