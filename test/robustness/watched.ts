/** A store that tells what was written to it, so that a refusal can be seen to have changed nothing. */

import type { Log } from '../../src/base/log.ts';
import { openSqlite } from '../../src/storage/sqlite.ts';
import type { Store } from '../../src/storage/store.ts';
import type { ConfigChanges } from '../kit/server.ts';
import { startWorld } from '../kit/world.ts';
import type { World } from '../kit/world.ts';

export interface WatchedStore extends Store {
  /** Kinds of the documents written since the last call, without those of the workers. */
  taken(): string[];
}

/** Leases come and go with time, and audit records follow events. */
const ofWorkers = new Set(['lease', 'audit', 'meta']);

/** That a token was issued is noted some time after it, and is nothing that a later request changed. */
const withoutUse = (document: unknown) =>
  JSON.stringify(document, (name, value: unknown) => (name === 'usedAt' ? undefined : value));

async function openWatchedStore(clock: () => number = Date.now): Promise<WatchedStore> {
  const store = await openSqlite({ path: ':memory:', clock });
  let written: string[] = [];
  const known = new Map<string, string>();
  return {
    get: (kind, id) => store.get(kind, id),
    find: (kind, index, value, options) => store.find(kind, index, value, options),
    list: (kind, options) => store.list(kind, options),
    due: (kind, before, limit) => store.due(kind, before, limit),
    write(kind, id, document, options) {
      const text = withoutUse(document);
      const isUse = known.get(`${kind} ${id}`) === text && (options.events ?? []).length === 0;
      known.set(`${kind} ${id}`, text);
      if (!ofWorkers.has(kind) && !isUse) written.push(document === null ? `-${kind}` : kind);
      return store.write(kind, id, document, options);
    },
    pending: (limit, options) => store.pending(limit, options),
    settle: (events) => store.settle(events),
    // Nobody is kept out for asking often: what the limits do is tested by itself.
    bump: () => Promise.resolve(1),
    sweep: (now, limit) => store.sweep(now, limit),
    ping: () => store.ping(),
    close: () => store.close(),
    taken() {
      const taken = written;
      written = [];
      return taken;
    },
  };
}

export interface WatchedWorld extends World {
  store: WatchedStore;
}

export async function startWatchedWorld(
  config: ConfigChanges = {},
  log?: Log,
): Promise<WatchedWorld> {
  const store = await openWatchedStore();
  const world = await startWorld({ store, config, ...(log === undefined ? {} : { log }) });
  store.taken();
  world.log.lines.splice(0);
  return {
    ...world,
    store,
    async close() {
      await world.close();
      await store.close();
    },
  };
}
