/**
 * Two stores as one: hot kinds in one, kept kinds in the other. Each carries its own outbox, since an event is
 * written with its document; nothing here spans both.
 */

import { boundedLimit } from './entries.ts';
import { kinds } from './kinds.ts';
import type { Kind } from './kinds.ts';
import type { EventPlace, PendingOptions, Store } from './store.ts';

export interface SplitOptions {
  /** For kinds that are declared hot: they live as long as a sign-in. */
  hot: Store;
  kept: Store;
}

export function split({ hot, kept }: SplitOptions): Store {
  const isHot = ({ kind }: { kind: Kind }) => kinds[kind].hot;
  const home = (kind: Kind): Store => (kinds[kind].hot ? hot : kept);
  return {
    get: (kind, id) => home(kind).get(kind, id),
    find: (kind, index, value, options) => home(kind).find(kind, index, value, options),
    due: (kind, before, limit) => home(kind).due(kind, before, limit),
    write: (kind, id, document, options) => home(kind).write(kind, id, document, options),

    /** The hot ones first: they end access. */
    async pending(limit: number, options: PendingOptions = {}) {
      const { after, of } = options;
      if (of !== undefined) return home(of.kind).pending(limit, options);
      const most = boundedLimit(limit);
      const isBehindHot = after !== undefined && !isHot(after);
      const first = isBehindHot ? [] : await hot.pending(most, { after });
      if (first.length >= most) return first;
      const paging = isBehindHot ? { after } : {};
      return [...first, ...(await kept.pending(most - first.length, paging))];
    },

    async settle(events: readonly EventPlace[]) {
      await Promise.all([
        hot.settle(events.filter(isHot)),
        kept.settle(events.filter((event) => !isHot(event))),
      ]);
    },

    bump: (key, by, ttlSeconds) => hot.bump(key, by, ttlSeconds),

    /** Both sweep all kinds: what was in the other one before a hot store was added vanishes too. */
    async sweep(now, limit) {
      const gone = await Promise.all([hot.sweep(now, limit), kept.sweep(now, limit)]);
      return gone[0] + gone[1];
    },

    async ping() {
      await Promise.all([hot.ping(), kept.ping()]);
    },

    async close() {
      await Promise.all([hot.close(), kept.close()]);
    },
  };
}
