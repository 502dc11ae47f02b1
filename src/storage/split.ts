/**
 * Two stores as one: hot kinds in one, kept kinds in the other. Each carries its own outbox, since an event is
 * written with its document; nothing here spans both.
 */

import { boundedLimit } from './entries.ts';
import { kinds } from './kinds.ts';
import type { Kind } from './kinds.ts';
import type { EventPlace, PendingEvent, PendingOptions, Store } from './store.ts';

export interface SplitOptions {
  /** For kinds that are declared hot: they live as long as a sign-in. */
  hot: Store;
  kept: Store;
}

const nameOf = (kind: Kind, id: string) => `${kind}/${id}`;

export function split({ hot, kept }: SplitOptions): Store {
  /**
   * Documents of hot kinds whose events wait where they were kept before there was a hot store: also the sweep of
   * these announces. Whoever handles such an event has read it here, and so it is known where it is settled.
   */
  const strays = new Set<string>();
  const isStray = ({ kind, document }: EventPlace) => strays.has(nameOf(kind, document));
  const isHot = (event: EventPlace) => kinds[event.kind].hot && !isStray(event);
  const noteStrays = (events: PendingEvent[]) => {
    for (const { kind, document } of events) {
      if (kinds[kind].hot) strays.add(nameOf(kind, document));
    }
    return events;
  };
  const home = (kind: Kind): Store => (kinds[kind].hot ? hot : kept);
  return {
    get: (kind, id) => home(kind).get(kind, id),
    find: (kind, index, value, options) => home(kind).find(kind, index, value, options),
    list: (kind, options) => home(kind).list(kind, options),
    due: (kind, before, limit) => home(kind).due(kind, before, limit),
    write: (kind, id, document, options) => home(kind).write(kind, id, document, options),

    /** The hot ones first: they end access. */
    async pending(limit: number, options: PendingOptions = {}) {
      const { after, of } = options;
      if (of !== undefined) {
        const isKept = !kinds[of.kind].hot || strays.has(nameOf(of.kind, of.id));
        const found = isKept ? await kept.pending(limit, options) : [];
        if (found.length > 0) return found;
        strays.delete(nameOf(of.kind, of.id));
        return kinds[of.kind].hot ? hot.pending(limit, options) : [];
      }
      const most = boundedLimit(limit);
      const isBehindHot = after !== undefined && !isHot(after);
      const first = isBehindHot ? [] : await hot.pending(most, { after });
      if (first.length >= most) return first;
      const paging = isBehindHot ? { after } : {};
      return [...first, ...noteStrays(await kept.pending(most - first.length, paging))];
    },

    async settle(events: readonly EventPlace[]) {
      const { inHot = [], inKept = [] } = Object.groupBy(events, (event) =>
        isHot(event) ? 'inHot' : 'inKept',
      );
      await Promise.all([hot.settle(inHot), kept.settle(inKept)]);
      // Should more of one wait, reading on finds it again.
      for (const { kind, document } of inKept) strays.delete(nameOf(kind, document));
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
