/**
 * One write: a document, what it is found by, and its events, in one conditional command on one row.
 * Every command may be repeated: the write's id in the row tells whether it has been done.
 */

import type { UpdateFilter } from 'mongodb';
import { dueOf, entriesOf, requireWritable } from '../entries.ts';
import type { Documents, Kind } from '../kinds.ts';
import { Conflict, Duplicate } from '../store.ts';
import type { WriteOptions } from '../store.ts';
import { busyProblem, isDuplicateKey } from './failure.ts';
import { dateOf, label, requireKnown, rowEventOf, rowFormat } from './rows.ts';
import type { Row, RowEvent, Tables } from './rows.ts';

/** Others that write the same document meanwhile: more than these at once are a defect. */
const attemptsMax = 20;

/** Fixed when the write is asked for: the caller may change its document after. */
export interface PreparedWrite {
  kind: Kind;
  id: string;
  expect: WriteOptions['expect'];
  writeId: string;
  fields: Pick<Row, (typeof optionalFields)[number]>;
  events: readonly Omit<RowEvent, 'version'>[];
}

/** What a row has or has not, by its document. */
const optionalFields = ['body', 'entries', 'unique', 'due', 'deletedAt'] as const;

export function prepareWrite<K extends Kind>(
  kind: K,
  id: string,
  document: Documents[K] | null,
  { expect, events = [], writeId, now }: WriteOptions & { writeId: string; now: number },
): PreparedWrite {
  requireWritable(kind, id, events);
  return {
    kind,
    id,
    expect,
    writeId,
    fields: document === null ? { deletedAt: dateOf(now) } : fieldsOf(kind, document),
    events: events.map((event) => rowEventOf(event)),
  };
}

function fieldsOf<K extends Kind>(kind: K, document: Documents[K]): PreparedWrite['fields'] {
  const entries = entriesOf(kind, document);
  const unique = entries.filter(({ exclusive }) => exclusive);
  const due = dueOf(kind, document);
  const labels = (list: typeof entries) => list.map(({ name, value }) => label(name, value));
  return {
    body: JSON.stringify(document),
    ...(entries.length === 0 ? {} : { entries: labels(entries) }),
    ...(unique.length === 0 ? {} : { unique: labels(unique) }),
    ...(due === undefined ? {} : { due: dateOf(due) }),
  };
}

function newRow({ id, writeId, fields, events }: PreparedWrite): Row {
  const [first] = events;
  const waiting = events.map((event) => ({ ...event, version: 1 }));
  return {
    _id: id,
    version: 1,
    writeId,
    format: rowFormat,
    ...fields,
    ...(first === undefined ? {} : { events: waiting, pending: first.id }),
  };
}

function changeOf({ writeId, fields, events }: PreparedWrite, version: number): UpdateFilter<Row> {
  const gone = optionalFields.filter((name) => fields[name] === undefined);
  const [first] = events;
  const waiting = events.map((event) => ({ ...event, version }));
  return {
    $set: { version, writeId, format: rowFormat, ...fields },
    $unset: Object.fromEntries(gone.map((name) => [name, true] as const)),
    ...(first === undefined
      ? {}
      : { $push: { events: { $each: waiting } }, $min: { pending: first.id } }),
  };
}

export function createWriter(tables: Tables): (write: PreparedWrite) => Promise<number> {
  return async (write) => {
    for (let attempt = 0; attempt < attemptsMax; attempt += 1) {
      const version = await attemptWrite(tables, write);
      if (version !== undefined) return version;
    }
    throw busyProblem();
  };
}

/** @returns the new version; undefined when something moved meanwhile, and it is to be tried again */
async function attemptWrite(tables: Tables, write: PreparedWrite): Promise<number | undefined> {
  const { kind, id, expect, writeId } = write;
  // Most writes end here: one command.
  if (typeof expect === 'number') {
    const version = await replace(tables, write, { version: expect, live: true });
    if (version !== undefined) return version;
  }
  if (expect === 'absent' && (await insert(tables, write))) return 1;

  const row = await tables
    .of(kind)
    .findOne({ _id: id }, { projection: { version: 1, body: 1, writeId: 1, format: 1 } });
  if (row !== null) requireKnown(row);
  if (row?.writeId === writeId) return confirm(tables, write, row.version);
  const live = row?.body !== undefined;
  if (!isExpected(expect, live ? row.version : undefined)) throw new Conflict(kind, id);
  if (typeof expect === 'number') return undefined;
  if (row !== null) return replace(tables, write, { version: row.version, live });
  if (expect === 'any' && (await insert(tables, write))) return 1;
  await refuseDuplicate(tables, write);
  return undefined;
}

function isExpected(expect: WriteOptions['expect'], version: number | undefined): boolean {
  if (expect === 'any') return true;
  return expect === 'absent' ? version === undefined : version === expect;
}

/** @returns whether there was no row with its id, and no other with its unique values */
async function insert(tables: Tables, write: PreparedWrite): Promise<boolean> {
  try {
    await tables.of(write.kind).insertOne(newRow(write));
    return true;
  } catch (error) {
    if (!isDuplicateKey(error)) throw error;
    return false;
  }
}

/** A deleted document's version goes on: nobody's old version fits the one made after it. */
async function replace(
  tables: Tables,
  write: PreparedWrite,
  { version, live }: { version: number; live: boolean },
): Promise<number | undefined> {
  const { kind, id, writeId } = write;
  const present = { _id: id, version, body: { $exists: live }, writeId: { $ne: writeId } };
  try {
    const change = changeOf(write, version + 1);
    const { matchedCount } = await tables.of(kind).updateOne(present, change);
    return matchedCount === 1 ? version + 1 : undefined;
  } catch (error) {
    if (!isDuplicateKey(error)) throw error;
    await refuseDuplicate(tables, write);
    return undefined;
  }
}

/**
 * The write was done before and its answer was lost, so nobody knows whether a majority has it: a
 * write that changes nothing is answered when a majority has all before it.
 */
async function confirm(
  tables: Tables,
  { kind, id, writeId }: PreparedWrite,
  version: number,
): Promise<number | undefined> {
  const done = { _id: id, version, writeId };
  const { matchedCount } = await tables.of(kind).updateOne(done, { $set: { writeId } });
  return matchedCount === 1 ? version : undefined;
}

/** @throws {Duplicate} unless who held the value has given it up meanwhile */
async function refuseDuplicate(
  tables: Tables,
  { kind, id, fields: { unique = [] } }: PreparedWrite,
): Promise<void> {
  if (unique.length === 0) return;
  const other = { unique: { $in: unique }, _id: { $ne: id } };
  const holder = await tables.of(kind).findOne(other, { projection: { unique: 1 } });
  const held = unique.find((value) => holder?.unique?.includes(value));
  if (held !== undefined) throw new Duplicate(kind, held.slice(0, held.indexOf('\0')));
}
