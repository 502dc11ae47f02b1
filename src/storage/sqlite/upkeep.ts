/**
 * The small changes beside documents: settled events, counters, and what is forgotten with time.
 */

import type { DatabaseSync } from 'node:sqlite';
import { isBusy } from './failure.ts';

export function createUpkeep(database: DatabaseSync) {
  const settled = database.prepare('DELETE FROM outbox WHERE id = ?');
  const count = database.prepare(
    `INSERT INTO counters (key, value, expires_at) VALUES (?1, ?2, ?3)
     ON CONFLICT (key) DO UPDATE SET
       value = iif(expires_at <= ?4, ?2, value + ?2),
       expires_at = iif(expires_at <= ?4, ?3, expires_at)
     RETURNING value`,
  );
  const oldCounters = database.prepare(
    `DELETE FROM counters WHERE key IN
       (SELECT key FROM counters WHERE expires_at <= ? ORDER BY expires_at LIMIT ?)`,
  );
  const oldDeletions = database.prepare(
    `DELETE FROM documents WHERE rowid IN
       (SELECT rowid FROM documents WHERE deleted_at <= ? ORDER BY deleted_at LIMIT ?)`,
  );

  return {
    settle(eventIds: readonly string[]): void {
      for (const id of eventIds) settled.run(id);
    },
    /** The time to live counts from the first use: later ones do not move it. */
    bump(key: string, by: number, ttlSeconds: number, now: number): number {
      return Number(count.get(key, by, Math.ceil(now + ttlSeconds * 1000), now)?.value);
    },
    /** Nothing that was overwritten stays in the write-ahead log. Not now while somebody else reads an older state. */
    emptyLog(): void {
      try {
        database.prepare('PRAGMA wal_checkpoint(TRUNCATE)').get();
      } catch (error) {
        if (!isBusy(error)) throw error;
      }
    },
    /** Counters that ended by `now`, and deletions made by `deletedBy`. */
    forget(now: number, deletedBy: number, limit: number): void {
      oldCounters.run(now, limit);
      oldDeletions.run(deletedBy, limit);
    },
  };
}
