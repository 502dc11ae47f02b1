/**
 * Events wait inside the row of the document that caused them, so that both are one write. `pending`
 * is in an index that holds only rows that wait.
 */

import type { AnyBulkWriteOperation, WriteConcernSettings } from 'mongodb';
import { boundedLimit } from '../entries.ts';
import { kinds } from '../kinds.ts';
import type { Kind } from '../kinds.ts';
import type { EventPlace, PendingEvent, PendingOptions } from '../store.ts';
import { kindsWithEvents, maxTimeMS, pendingOf } from './rows.ts';
import type { Row, Tables } from './rows.ts';

/** Rows a query, and events of each: who has more of them is read once more, alone. */
const pageRows = 200;
const eventsOfRow = 20;
/** Rows whose events are all settled give nothing: so many pages of them are passed over at once. */
const pagesMax = 20;
/** Documents that one command settles. */
const settledAtOnce = 200;

/** An event that comes again after a failure is handled again: settling need not wait for a disk. */
const quick: WriteConcernSettings = { w: 1, journal: false };

interface Start {
  kind: Kind;
  /** Of the document where reading stopped. */
  pending: string;
  rest: PendingEvent[];
}

export function createOutbox(tables: Tables) {
  return {
    pending: (limit: number, options: PendingOptions): Promise<PendingEvent[]> =>
      pending(tables, boundedLimit(limit), options),

    async settle(events: readonly EventPlace[]): Promise<void> {
      for (const [kind, documents] of byDocument(events)) await settle(tables, kind, documents);
    },
  };
}

async function pending(
  tables: Tables,
  limit: number,
  { after, of }: PendingOptions,
): Promise<PendingEvent[]> {
  if (limit === 0) return [];
  if (of !== undefined) {
    const row = await waitingRow(tables, of.kind, of.id);
    return behind(pendingOf(of.kind, of.id, row?.events), after).slice(0, limit);
  }
  const start = after === undefined ? undefined : await startBehind(tables, after);
  const found = start?.rest.slice(0, limit) ?? [];
  const first = start === undefined ? 0 : kindsWithEvents.indexOf(start.kind);
  for (const kind of await waitingKinds(tables, kindsWithEvents.slice(first))) {
    if (found.length >= limit) break;
    const from = kind === start?.kind ? start.pending : '';
    found.push(...(await waitingOfKind(tables, kind, from, limit - found.length)));
  }
  return found;
}

/** Asked of all at once: mostly nothing waits, and then this is all that there is to do. */
async function waitingKinds(tables: Tables, among: readonly Kind[]): Promise<Kind[]> {
  const waits = await Promise.all(
    among.map((kind) =>
      tables.of(kind).findOne({ pending: { $gt: '' } }, { projection: { _id: 1 } }),
    ),
  );
  return among.filter((_, index) => waits[index] !== null);
}

async function waitingOfKind(
  tables: Tables,
  kind: Kind,
  from: string,
  limit: number,
): Promise<PendingEvent[]> {
  const found: PendingEvent[] = [];
  let last = from;
  for (let page = 0; page < pagesMax; page += 1) {
    const wanted = limit - found.length;
    const rows = await waitingRows(tables, kind, last, wanted);
    await forgetSettled(tables, kind, rows);
    for (const { _id, events = [] } of rows) {
      if (found.length >= limit) break;
      const some = events.length < eventsOfRow;
      const row = some ? { events } : await waitingRow(tables, kind, _id, limit - found.length);
      found.push(...pendingOf(kind, _id, row?.events));
    }
    last = rows.at(-1)?.pending ?? last;
    if (found.length >= limit || rows.length < Math.min(wanted, pageRows)) break;
  }
  return found.slice(0, limit);
}

function waitingRows(tables: Tables, kind: Kind, from: string, wanted: number): Promise<Row[]> {
  const limit = Math.min(wanted, pageRows);
  return tables
    .of(kind)
    .find(
      { pending: { $gt: from } },
      {
        projection: { pending: 1, events: { $slice: eventsOfRow } },
        sort: { pending: 1 },
        limit,
        batchSize: limit,
        maxTimeMS,
      },
    )
    .toArray();
}

/** Left by a process that ended in the middle of `settle`. */
async function forgetSettled(tables: Tables, kind: Kind, rows: readonly Row[]): Promise<void> {
  const settled = rows.filter(({ events = [] }) => events.length === 0).map(({ _id }) => _id);
  if (settled.length === 0) return;
  const emptied = { _id: { $in: settled }, events: [] };
  await tables
    .of(kind)
    .updateMany(emptied, { $unset: { events: true, pending: true } }, { writeConcern: quick });
}

function waitingRow(tables: Tables, kind: Kind, id: string, most?: number) {
  const events = most === undefined ? 1 : { $slice: most };
  return tables.of(kind).findOne({ _id: id }, { projection: { pending: 1, events } });
}

/** @returns undefined when the event is no longer pending: reading begins at the beginning */
async function startBehind(tables: Tables, after: EventPlace): Promise<Start | undefined> {
  const { kind, document } = after;
  if (kinds[kind].eventless === true) return undefined;
  const row = await waitingRow(tables, kind, document);
  const events = pendingOf(kind, document, row?.events);
  if (row?.pending === undefined || !events.some(({ id }) => id === after.id)) return undefined;
  return { kind, pending: row.pending, rest: behind(events, after) };
}

function behind(events: readonly PendingEvent[], after: EventPlace | undefined): PendingEvent[] {
  return events.slice(events.findIndex(({ id }) => id === after?.id) + 1);
}

function byDocument(events: readonly EventPlace[]): Map<Kind, Map<string, string[]>> {
  const all = new Map<Kind, Map<string, string[]>>();
  for (const { kind, document, id } of events) {
    const documents = all.get(kind) ?? new Map<string, string[]>();
    all.set(kind, documents.set(document, [...(documents.get(document) ?? []), id]));
  }
  return all;
}

/** Two steps a document, in order: what is written between them is not unset. */
async function settle(
  tables: Tables,
  kind: Kind,
  documents: ReadonlyMap<string, string[]>,
): Promise<void> {
  const all = [...documents];
  for (let start = 0; start < all.length; start += settledAtOnce) {
    const steps = all
      .slice(start, start + settledAtOnce)
      .flatMap(([document, ids]): AnyBulkWriteOperation<Row>[] => [
        {
          updateOne: {
            filter: { _id: document },
            update: { $pull: { events: { id: { $in: ids } } } },
          },
        },
        {
          updateOne: {
            filter: { _id: document, events: [] },
            update: { $unset: { events: true, pending: true } },
          },
        },
      ]);
    await tables.of(kind).bulkWrite(steps, { ordered: true, writeConcern: quick });
  }
}
