/** The small changes beside documents: counters, and what is forgotten with time. */

import type { Filter, WriteConcernSettings } from 'mongodb';
import type { Kind } from '../kinds.ts';
import { busyProblem, isDuplicateKey } from './failure.ts';
import { allKinds, dateOf } from './rows.ts';
import type { CounterRow, Row, Tables } from './rows.ts';

/** A counter is used again the moment it ends: by how many at once, until one of them begins it anew. */
const attemptsMax = 20;

/** A limit that forgets a few uses when a machine fails is still a limit. */
const quick: WriteConcernSettings = { w: 1, journal: false };

export function createUpkeep(tables: Tables) {
  return {
    bump: (key: string, by: number, ttlSeconds: number, now: number): Promise<number> =>
      bump(tables, key, by, { now: dateOf(now), end: dateOf(now + ttlSeconds * 1000) }),

    /** Counters that ended by `now`, and deletions made by `deletedBy` whose events are settled. */
    async forget(now: number, deletedBy: number, limit: number): Promise<void> {
      if (limit === 0) return;
      await Promise.all([
        forgetCounters(tables, { expiresAt: { $lte: dateOf(now) } }, limit),
        ...allKinds.map((kind) =>
          forgetRows(
            tables,
            kind,
            { deletedAt: { $lte: dateOf(deletedBy) }, pending: { $exists: false } },
            limit,
          ),
        ),
      ]);
    },
  };
}

/**
 * The time to live counts from the first use: later ones do not move it. Repeated after a lost answer
 * it counts twice, on the strict side of every limit.
 */
async function bump(
  tables: Tables,
  key: string,
  by: number,
  { now, end }: { now: Date; end: Date },
): Promise<number> {
  const options = { returnDocument: 'after', writeConcern: quick } as const;
  for (let attempt = 0; attempt < attemptsMax; attempt += 1) {
    try {
      const counted = await tables.counters.findOneAndUpdate(
        { _id: key, expiresAt: { $gt: now } },
        { $inc: { value: by }, $setOnInsert: { expiresAt: end } },
        { ...options, upsert: true },
      );
      if (counted !== null) return counted.value;
    } catch (error) {
      if (!isDuplicateKey(error)) throw error;
    }
    // There is one that has ended, or another process has just begun it.
    const begun = await tables.counters.findOneAndReplace(
      { _id: key, expiresAt: { $lte: now } },
      { value: by, expiresAt: end },
      options,
    );
    if (begun !== null) return begun.value;
  }
  throw busyProblem();
}

async function forgetCounters(
  tables: Tables,
  old: Filter<CounterRow>,
  limit: number,
): Promise<void> {
  const rows = await tables.counters.find(old, { projection: { _id: 1 }, limit }).toArray();
  if (rows.length === 0) return;
  await tables.counters.deleteMany({ ...old, _id: { $in: rows.map(({ _id }) => _id) } });
}

async function forgetRows(
  tables: Tables,
  kind: Kind,
  old: Filter<Row>,
  limit: number,
): Promise<void> {
  const rows = await tables
    .of(kind)
    .find(old, { projection: { _id: 1 }, limit })
    .toArray();
  if (rows.length === 0) return;
  await tables.of(kind).deleteMany({ ...old, _id: { $in: rows.map(({ _id }) => _id) } });
}
