/** Objects of one kind, in the order in which they were made. */

import { missing } from './errors.ts';

export interface Table<T> {
  get(id: string): T | undefined;
  /** @param param the parameter that named it; where left out, it was in the path. @throws {ApiError} `resource_missing` */
  need(id: string, param?: string): T;
  add(row: T): T;
  remove(id: string): void;
  /** Those that go by a key, such as their customer's id. Oldest first. */
  of(key: string): T[];
  /** Lets the oldest go, where there are many more than so many. */
  trim(max: number): void;
  size(): number;
  /** Oldest first. */
  all(): T[];
  /** Newest first, as lists are. */
  newest(): T[];
}

/** How many too many there may be before they go: one at a time would be slow. */
const slack = 1000;

/**
 * @param what as Stripe's errors call one, such as `payment method`
 * @param keysOf by what they are looked up beside their id; what it says when one is added counts
 */
export function table<T extends { id: string }>(
  what: string,
  rows: readonly T[] = [],
  keysOf: (row: T) => (string | null | undefined)[] = () => [],
): Table<T> {
  const byId = new Map<string, T>();
  const byKey = new Map<string, Map<string, T>>();
  const add = (row: T) => {
    byId.set(row.id, row);
    for (const key of keysOf(row)) {
      const found = byKey.get(key ?? '') ?? new Map<string, T>();
      byKey.set(key ?? '', found.set(row.id, row));
    }
    return row;
  };
  const remove = (id: string) => {
    const row = byId.get(id);
    byId.delete(id);
    for (const key of row === undefined ? [] : keysOf(row)) byKey.get(key ?? '')?.delete(id);
  };
  for (const row of rows) add(row);
  return {
    get: (id) => byId.get(id),
    need(id, param) {
      const row = byId.get(id);
      if (row === undefined) throw missing(what, id, param, param === undefined ? 404 : 400);
      return row;
    },
    add,
    remove,
    of: (key) => [...(byKey.get(key)?.values() ?? [])],
    trim(max) {
      if (byId.size <= max + slack) return;
      for (const id of [...byId.keys()].slice(0, byId.size - max)) remove(id);
    },
    size: () => byId.size,
    all: () => [...byId.values()],
    newest: () => [...byId.values()].toReversed(),
  };
}
