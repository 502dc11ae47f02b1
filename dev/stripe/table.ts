/** Objects of one kind, in the order in which they were made. */

import { missing } from './errors.ts';

export interface Table<T> {
  get(id: string): T | undefined;
  /** @param param the parameter that named it; where left out, it was in the path. @throws {ApiError} `resource_missing` */
  need(id: string, param?: string): T;
  add(row: T): T;
  remove(id: string): void;
  size(): number;
  first(): T | undefined;
  /** Oldest first. */
  all(): T[];
  /** Newest first, as lists are. */
  newest(): T[];
}

/** @param what as Stripe's errors call one, such as `payment method` */
export function table<T extends { id: string }>(what: string, rows: readonly T[] = []): Table<T> {
  const byId = new Map(rows.map((row) => [row.id, row]));
  return {
    get: (id) => byId.get(id),
    need(id, param) {
      const row = byId.get(id);
      if (row === undefined) throw missing(what, id, param, param === undefined ? 404 : 400);
      return row;
    },
    add(row) {
      byId.set(row.id, row);
      return row;
    },
    remove(id) {
      byId.delete(id);
    },
    size: () => byId.size,
    first: () => byId.values().next().value,
    all: () => [...byId.values()],
    newest: () => [...byId.values()].toReversed(),
  };
}
