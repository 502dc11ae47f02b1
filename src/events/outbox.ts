/**
 * A store that tells the dispatcher of its own process about events the moment they are written, so
 * that they are handled at once. Nothing depends on it: what is not told is found by polling.
 */

import type { PendingEvent, Store } from '../storage/store.ts';

/** @param wake without events: some were written, look for them. Must not throw. */
export function announcing(store: Store, wake: (events?: readonly PendingEvent[]) => void): Store {
  return {
    async write(kind, id, document, options) {
      const version = await store.write(kind, id, document, options);
      const events = options.events ?? [];
      if (events.length > 0) {
        wake(events.map((event) => ({ ...event, kind, document: id, version })));
      }
      return version;
    },
    async sweep(now, limit) {
      const gone = await store.sweep(now, limit);
      if (gone > 0) wake();
      return gone;
    },
    get: (kind, id) => store.get(kind, id),
    find: (kind, index, value, options) => store.find(kind, index, value, options),
    list: (kind, options) => store.list(kind, options),
    due: (kind, before, limit) => store.due(kind, before, limit),
    pending: (limit, options) => store.pending(limit, options),
    settle: (events) => store.settle(events),
    bump: (key, by, ttlSeconds) => store.bump(key, by, ttlSeconds),
    ping: () => store.ping(),
    close: () => store.close(),
  };
}
