/** The reads. */

import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { boundedLimit, requireIndex, requireKept } from '../entries.ts';
import type { Documents, Kind } from '../kinds.ts';
import type { FindOptions, ListOptions, PendingEvent, PendingOptions, Stored } from '../store.ts';

interface DocumentRow {
  id: string;
  version: number;
  body: string;
}

/** Behind every string that begins with the prefix; U+10FFFF itself is not a character. */
const last = '\u{10FFFF}';

export function createQueries(database: DatabaseSync) {
  const one = database.prepare(
    'SELECT id, version, body FROM documents WHERE kind = ? AND id = ? AND body IS NOT NULL',
  );
  const byTime = database.prepare(
    'SELECT id, version, body FROM documents WHERE kind = ? AND due <= ? ORDER BY due, id LIMIT ?',
  );
  const all = database.prepare(
    'SELECT id, version, body FROM documents WHERE kind = ? AND id > ? AND body IS NOT NULL ORDER BY id LIMIT ?',
  );
  const outbox = createOutbox(database);
  const trivial = database.prepare('SELECT sequence FROM outbox LIMIT 1');
  const find = createFind(database);

  return {
    get<K extends Kind>(kind: K, id: string): Stored<Documents[K]> | undefined {
      const row = one.get(kind, id) as unknown as DocumentRow | undefined;
      return row === undefined ? undefined : stored(row);
    },
    list<K extends Kind>(kind: K, { after = '', limit }: ListOptions): Stored<Documents[K]>[] {
      requireKept(kind);
      const rows = all.all(kind, after, boundedLimit(limit)) as unknown as DocumentRow[];
      return rows.map((row) => stored(row));
    },
    due<K extends Kind>(kind: K, before: number, limit: number): Stored<Documents[K]>[] {
      const rows = byTime.all(kind, before, boundedLimit(limit)) as unknown as DocumentRow[];
      return rows.map((row) => stored(row));
    },
    pending: outbox,
    ping: () => void trivial.get(),
    find,
  };
}

function stored<D>({ id, version, body }: DocumentRow): Stored<D> {
  return { id, version, document: JSON.parse(body) as D };
}

/** `sequence` is the order of commits, and with it of each document's versions. */
function createOutbox(database: DatabaseSync) {
  const columns = 'SELECT id, type, at, data, kind, document, version FROM outbox';
  // Named, because the planner may take the order for the better choice.
  const page = database.prepare(
    `${columns} WHERE sequence > ifnull((SELECT sequence FROM outbox WHERE id = ?), 0)
     ORDER BY sequence LIMIT ?`,
  );
  const ofDocument = database.prepare(
    `${columns} INDEXED BY outbox_document WHERE document = ? AND kind = ?
       AND sequence > ifnull((SELECT sequence FROM outbox WHERE id = ?), 0)
     ORDER BY sequence LIMIT ?`,
  );

  return (limit: number, { after, of }: PendingOptions): PendingEvent[] => {
    const paging = [after?.id ?? null, boundedLimit(limit)];
    const rows = of === undefined ? page.all(...paging) : ofDocument.all(of.id, of.kind, ...paging);
    return (rows as unknown as (PendingEvent & { data: string })[]).map((row) => ({
      ...row,
      data: JSON.parse(row.data) as PendingEvent['data'],
    }));
  };
}

function createFind(database: DatabaseSync) {
  const statements = new Map<string, StatementSync>();
  const prepared = (sql: string): StatementSync => {
    const statement = statements.get(sql) ?? database.prepare(sql);
    statements.set(sql, statement);
    return statement;
  };

  return <K extends Kind>(
    kind: K,
    index: string,
    value: string,
    options: FindOptions,
  ): Stored<Documents[K]>[] => {
    requireIndex(kind, index, options);
    const { after, limit, descending = false, prefix = false } = options;
    const parameters = [kind, index, value];
    if (prefix) parameters.push(value + last);
    if (after !== undefined) parameters.push(after);
    const sql = findSql(prefix, after !== undefined, descending);
    const rows = prepared(sql).all(...parameters, boundedLimit(limit), kind);
    return (rows as unknown as DocumentRow[]).map((row) => stored(row));
  };
}

/**
 * Eight statements at the most. The inner one pages over ids alone, for a prefix each id once;
 * there `+id` keeps the planner from walking all ids of the kind instead of the values with the
 * prefix.
 */
function findSql(prefix: boolean, paged: boolean, descending: boolean): string {
  const order = descending ? 'DESC' : 'ASC';
  const matches = prefix ? 'value >= ? AND value < ?' : 'value = ?';
  const behind = paged ? `AND ${prefix ? '+id' : 'id'} ${descending ? '<' : '>'} ?` : '';
  return `
    SELECT documents.id, version, body
    FROM (SELECT DISTINCT id FROM entries WHERE kind = ? AND name = ? AND ${matches} ${behind}
          ORDER BY id ${order} LIMIT ?) AS found
    CROSS JOIN documents ON documents.kind = ? AND documents.id = found.id
    ORDER BY documents.id ${order}`;
}
