/** One write: a document, what it is found by, and its events, inside the caller's transaction. */

import type { DatabaseSync } from 'node:sqlite';
import { dueOf, entriesOf, requireWritable } from '../entries.ts';
import type { Entry } from '../entries.ts';
import type { Documents, Kind } from '../kinds.ts';
import { Conflict, Duplicate } from '../store.ts';
import type { WriteOptions } from '../store.ts';

/**
 * Everything that the write needs, fixed when it is asked for: the caller may change its document
 * after.
 */
export interface PreparedWrite {
  kind: Kind;
  id: string;
  body: string | null;
  entries: readonly Entry[];
  /** The same as text, to see at once whether they change. */
  entriesKey: string;
  due: number | null;
  expect: WriteOptions['expect'];
  writeId: string;
  now: number;
  events: readonly { id: string; type: string; at: number; data: string }[];
}

export function prepareWrite<K extends Kind>(
  kind: K,
  id: string,
  document: Documents[K] | null,
  options: WriteOptions & { writeId: string; now: number },
): PreparedWrite {
  requireWritable(kind, id, options.events);
  const entries = document === null ? [] : entriesOf(kind, document);
  return {
    kind,
    id,
    body: document === null ? null : JSON.stringify(document),
    entries,
    entriesKey: JSON.stringify(entries),
    due: dueOf(kind, document) ?? null,
    expect: options.expect,
    writeId: options.writeId,
    now: options.now,
    events: (options.events ?? []).map((event) => ({ ...event, data: JSON.stringify(event.data) })),
  };
}

interface Present {
  version: number;
  deleted: number;
  write_id: string;
}

/** @returns the function that applies a write and answers the new version */
export function createWriter(database: DatabaseSync): (write: PreparedWrite) => number {
  const replaceEntries = createEntryWriter(database);
  const present = database.prepare(
    'SELECT version, body IS NULL AS deleted, write_id FROM documents WHERE kind = ? AND id = ?',
  );
  const put = database.prepare(
    `INSERT INTO documents (kind, id, version, body, write_id, entries, due, deleted_at)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?)
     ON CONFLICT (kind, id) DO UPDATE SET version = excluded.version, body = excluded.body,
       write_id = excluded.write_id, entries = excluded.entries, due = excluded.due,
       deleted_at = excluded.deleted_at`,
  );
  // Most writes: the version is as expected, and the document is found by what it was found by.
  const replace = database.prepare(
    `UPDATE documents SET version = version + 1, body = ?, write_id = ?, due = ?
     WHERE kind = ? AND id = ? AND version = ? AND entries = ? AND body IS NOT NULL
       AND write_id <> ?`,
  );
  // An event that is pending already is the same event: ids are given by the writer.
  const announce = database.prepare(
    `INSERT INTO outbox (id, type, at, data, kind, document, version) VALUES (?, ?, ?, ?, ?, ?, ?)
     ON CONFLICT (id) DO NOTHING`,
  );

  const announced = ({ kind, id, events }: PreparedWrite, version: number): number => {
    for (const event of events) {
      announce.run(event.id, event.type, event.at, event.data, kind, id, version);
    }
    return version;
  };

  /** @returns the new version; undefined when it is not that simple */
  const replaced = ({ kind, id, body, writeId, entriesKey, due, expect }: PreparedWrite) => {
    if (body === null || typeof expect !== 'number') return undefined;
    const values = [body, writeId, due, kind, id, expect, entriesKey, writeId];
    const { changes } = replace.run(...values);
    return Number(changes) === 1 ? expect + 1 : undefined;
  };

  const decided = (write: PreparedWrite): number => {
    const { kind, id, body, writeId } = write;
    const row = present.get(kind, id) as unknown as Present | undefined;
    if (row?.write_id === writeId) return row.version;
    if (!asExpected(write.expect, row)) throw new Conflict(kind, id);
    // A deleted document's version goes on: nobody's old version fits the one made after it.
    const version = (row?.version ?? 0) + 1;
    replaceEntries(write, row !== undefined);
    const deletedAt = body === null ? write.now : null;
    put.run(kind, id, version, body, writeId, write.entriesKey, write.due, deletedAt);
    return announced(write, version);
  };

  return (write) => {
    const version = replaced(write);
    return version === undefined ? decided(write) : announced(write, version);
  };
}

function asExpected(expect: WriteOptions['expect'], row: Present | undefined): boolean {
  if (expect === 'any') return true;
  const version = row === undefined || row.deleted === 1 ? undefined : row.version;
  return expect === 'absent' ? version === undefined : version === expect;
}

function createEntryWriter(database: DatabaseSync) {
  // Named, because the planner takes the primary key's first column for the better choice.
  const held = database.prepare(
    `SELECT name, value, exclusive FROM entries INDEXED BY entries_document
     WHERE id = ?2 AND kind = ?1`,
  );
  const remove = database.prepare(
    'DELETE FROM entries WHERE kind = ? AND name = ? AND value = ? AND id = ?',
  );
  const holder = database.prepare(
    'SELECT id FROM entries WHERE kind = ? AND name = ? AND value = ? AND exclusive = 1',
  );
  const add = database.prepare(
    'INSERT INTO entries (kind, name, value, id, exclusive) VALUES (?, ?, ?, ?, ?)',
  );
  const label = (name: unknown, value: unknown) => JSON.stringify([name, value]);

  return ({ kind, id, entries }: PreparedWrite, exists: boolean): void => {
    const wanted = new Map(entries.map((entry) => [label(entry.name, entry.value), entry]));
    for (const { name, value, exclusive } of exists ? held.all(kind, id) : []) {
      const kept = wanted.get(label(name, value));
      if (kept !== undefined && kept.exclusive === (exclusive === 1)) {
        wanted.delete(label(name, value));
      } else {
        remove.run(kind, String(name), String(value), id);
      }
    }
    for (const { name, value, exclusive } of wanted.values()) {
      if (exclusive && holder.get(kind, name, value) !== undefined) throw new Duplicate(kind, name);
      add.run(kind, name, value, id, exclusive ? 1 : 0);
    }
  };
}
