/**
 * What `sweep` does in every store: what has expired is deleted, and announced in the same write where the
 * kind says so. For all drivers.
 */

import { kinds } from './kinds.ts';
import type { Kind } from './kinds.ts';
import { Conflict } from './store.ts';
import type { Store } from './store.ts';

/** How long a deleted document's version and write id are remembered, in milliseconds. */
export const remembranceMs = 60 * 60 * 1000;

/** Expired documents that are deleted at a time, so that requests come in between. */
const batch = 100;

/** @returns how many documents went, `limit` a kind at the most */
export async function expire(
  store: Pick<Store, 'due' | 'write'>,
  among: readonly Kind[],
  now: number,
  limit: number,
): Promise<number> {
  let gone = 0;
  for (const kind of among) {
    if (kinds[kind].atDue === 'delete') gone += await expireKind(store, kind, now, limit);
  }
  return gone;
}

async function expireKind<K extends Kind>(
  store: Pick<Store, 'due' | 'write'>,
  kind: K,
  now: number,
  limit: number,
): Promise<number> {
  const { announce } = kinds[kind];
  const expired = await store.due(kind, now, limit);
  let gone = 0;
  for (let start = 0; start < expired.length; start += batch) {
    const deletions = expired.slice(start, start + batch).map(async (stored) => {
      const event = announce?.(stored.id, stored.document, now);
      const events = event === undefined ? [] : [event];
      try {
        await store.write(kind, stored.id, null, { expect: stored.version, events });
        gone += 1;
      } catch (error) {
        // Renewed, or swept by another process, since it was read.
        if (!(error instanceof Conflict)) throw error;
      }
    });
    await Promise.all(deletions);
  }
  return gone;
}
