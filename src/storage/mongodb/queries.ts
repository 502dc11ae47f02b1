/** The reads of documents. */

import type { Filter } from 'mongodb';
import { boundedLimit, requireIndex, requireKept } from '../entries.ts';
import type { Documents, Kind } from '../kinds.ts';
import type { FindOptions, ListOptions, Stored } from '../store.ts';
import { dateOf, documentFields, label, maxTimeMS, storedOf } from './rows.ts';
import type { Row, Tables } from './rows.ts';

/** Behind every string that begins with the prefix; U+10FFFF itself is not a character. */
const last = '\u{10FFFF}';

export function createQueries(tables: Tables) {
  /** All in one answer: a cursor would be one more thing that can be lost. */
  const read = async <K extends Kind>(
    kind: K,
    filter: Filter<Row>,
    sort: Record<string, 1 | -1>,
    limit: number,
  ): Promise<Stored<Documents[K]>[]> => {
    if (limit === 0) return [];
    const rows = await tables
      .of(kind)
      .find(filter, { projection: documentFields, sort, limit, batchSize: limit, maxTimeMS })
      .toArray();
    return rows.flatMap((row) => storedOf<K>(row) ?? []);
  };

  return {
    async get<K extends Kind>(kind: K, id: string): Promise<Stored<Documents[K]> | undefined> {
      const row = await tables.of(kind).findOne({ _id: id }, { projection: documentFields });
      return row === null ? undefined : storedOf<K>(row);
    },

    async find<K extends Kind>(
      kind: K,
      index: string,
      value: string,
      options: FindOptions,
    ): Promise<Stored<Documents[K]>[]> {
      requireIndex(kind, index, options);
      const { after, limit, descending = false, prefix = false } = options;
      const from = label(index, value);
      const filter: Filter<Row> = {
        // Both bounds on one element: without `$elemMatch` two elements would do.
        entries: prefix ? { $elemMatch: { $gte: from, $lt: from + last } } : from,
        ...(after === undefined ? {} : { _id: descending ? { $lt: after } : { $gt: after } }),
      };
      return read(kind, filter, { _id: descending ? -1 : 1 }, boundedLimit(limit));
    },

    async list<K extends Kind>(
      kind: K,
      { after, limit }: ListOptions,
    ): Promise<Stored<Documents[K]>[]> {
      requireKept(kind);
      // Not what was deleted: a page that is not full is the last one.
      const filter: Filter<Row> = {
        body: { $exists: true },
        ...(after === undefined ? {} : { _id: { $gt: after } }),
      };
      return read(kind, filter, { _id: 1 }, boundedLimit(limit));
    },

    due<K extends Kind>(kind: K, before: number, limit: number): Promise<Stored<Documents[K]>[]> {
      return read(kind, { due: { $lte: dateOf(before) } }, { due: 1 }, boundedLimit(limit));
    },

    async ping(): Promise<void> {
      await tables.facts.findOne({ _id: 'schema' });
    },
  };
}
