/**
 * A document as MongoDB keeps it. The body is JSON text: names of fields may be anything (`$set`,
 * dots, …) and come back as they were. Lists that become empty are unset, so that sparse indexes
 * stay small.
 */

import type { Collection, Db } from 'mongodb';
import { Problem } from '../../base/errors.ts';
import { kinds } from '../kinds.ts';
import type { Documents, Kind } from '../kinds.ts';
import type { NewEvent, PendingEvent, Stored } from '../store.ts';

/** What this version writes, and the highest that it reads. */
export const rowFormat = 1;

/** Event with `data` as JSON text, in the order of the document's versions. */
export interface RowEvent {
  id: string;
  type: string;
  at: number;
  data: string;
  version: number;
}

export interface Row {
  _id: string;
  version: number;
  /** Absent once deleted: version and write id outlive it for a while. */
  body?: string;
  writeId: string;
  format: number;
  /** What it is found by, unique values too: `index\0value`. */
  entries?: string[];
  /** `field\0value`, no other row may hold it. */
  unique?: string[];
  due?: Date;
  deletedAt?: Date;
  /** Those that wait. */
  events?: RowEvent[];
  /** The id of the first event that waited: orders documents by when they began to wait. */
  pending?: string;
}

export interface CounterRow {
  _id: string;
  value: number;
  expiresAt: Date;
}

export interface Tables {
  of(kind: Kind): Collection<Row>;
  counters: Collection<CounterRow>;
  facts: Collection<FactRow>;
}

/** Facts about the database itself, such as the schema's version. */
export interface FactRow {
  _id: string;
  version: number;
}

export const allKinds = Object.keys(kinds) as Kind[];

export const kindsWithEvents = allKinds.filter((kind) => kinds[kind].eventless !== true);

export function tablesOf(database: Db): Tables {
  return {
    of: (kind) => database.collection<Row>(kind),
    counters: database.collection<CounterRow>('counter'),
    facts: database.collection<FactRow>('tollgate'),
  };
}

/** For reads of many rows: the server stops as well when nobody waits any more. */
export const maxTimeMS = 6000;

export const label = (name: string, value: string) => `${name}\0${value}`;

/** The farthest time that a date can tell: what is later is as late as that. */
const endOfTime = 8_640_000_000_000_000;

export const dateOf = (milliseconds: number) =>
  new Date(Math.max(-endOfTime, Math.min(milliseconds, endOfTime)));

/** What a read of documents needs of a row. */
export const documentFields = { version: 1, body: 1, format: 1 } as const;

/** @returns undefined for a row without a body: it was deleted */
export function storedOf<K extends Kind>({
  _id: id,
  version,
  body,
  format,
}: Pick<Row, '_id' | 'version' | 'body' | 'format'>): Stored<Documents[K]> | undefined {
  requireKnown({ format });
  if (body === undefined) return undefined;
  return { id, version, document: JSON.parse(body) as Documents[K] };
}

/** @throws {Problem} a newer version wrote it: what it means is not known here */
export function requireKnown({ format }: Pick<Row, 'format'>): void {
  if (format <= rowFormat) return;
  throw new Problem('store_newer', 503, 'A newer version of this service wrote the document.', {
    details: { format, known: rowFormat },
    retryAfterSeconds: 1,
  });
}

export const rowEventOf = ({ id, type, at, data }: NewEvent): Omit<RowEvent, 'version'> => ({
  id,
  type,
  at,
  data: JSON.stringify(data),
});

/** An event that was written twice is one event: ids are given by the writer. */
export function pendingOf(kind: Kind, document: string, events: RowEvent[] = []): PendingEvent[] {
  const byId = new Map<string, PendingEvent>();
  for (const { id, type, at, data, version } of events) {
    if (byId.has(id)) continue;
    const parsed = JSON.parse(data) as PendingEvent['data'];
    byId.set(id, { id, type, at, data: parsed, kind, document, version });
  }
  return [...byId.values()];
}
