/** A store whose calls are measured. Losing against another write is no failure of it. */

import type { Measures } from '../base/measures.ts';
import { Conflict, Duplicate } from './store.ts';
import type { Store } from './store.ts';

export function measuredStore(store: Store, measures: Measures): Store {
  async function measure<T>(operation: string, call: () => Promise<T>): Promise<T> {
    const startedAt = performance.now();
    try {
      return await call();
    } catch (error) {
      if (!(error instanceof Conflict || error instanceof Duplicate)) {
        measures.count('tollgate_store_errors_total', { operation });
      }
      throw error;
    } finally {
      const seconds = (performance.now() - startedAt) / 1000;
      measures.observe('tollgate_store_seconds', { operation }, seconds);
    }
  }
  return {
    get: (kind, id) => measure('get', () => store.get(kind, id)),
    find: (kind, index, value, options) =>
      measure('find', () => store.find(kind, index, value, options)),
    list: (kind, options) => measure('list', () => store.list(kind, options)),
    due: (kind, before, limit) => measure('due', () => store.due(kind, before, limit)),
    write: (kind, id, document, options) =>
      measure('write', () => store.write(kind, id, document, options)),
    pending: (limit, options) => measure('pending', () => store.pending(limit, options)),
    settle: (events) => measure('settle', () => store.settle(events)),
    bump: (key, by, ttlSeconds) => measure('bump', () => store.bump(key, by, ttlSeconds)),
    sweep: (now, limit) => measure('sweep', () => store.sweep(now, limit)),
    ping: () => measure('ping', () => store.ping()),
    close: () => store.close(),
  };
}
