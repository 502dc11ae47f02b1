/** Tables, as numbered steps that only go forward. `PRAGMA user_version` counts the steps taken. */

import type { DatabaseSync } from 'node:sqlite';
import { Problem } from '../../base/errors.ts';

/** `Toll`: marks the file as ours. */
const applicationId = 0x546f6c6c;

/** A released step is never edited: the next change is a new step. */
const steps: readonly string[] = [
  `
  CREATE TABLE documents (
    kind TEXT NOT NULL,
    id TEXT NOT NULL,
    version INTEGER NOT NULL,
    body TEXT,            -- JSON; NULL once deleted: version and write_id outlive it for a while
    write_id TEXT NOT NULL,
    entries TEXT NOT NULL, -- JSON of what it is found by: a write that changes none of it asks no more
    due INTEGER,
    deleted_at INTEGER,
    UNIQUE (kind, id)
  ) STRICT;
  CREATE INDEX documents_due ON documents (kind, due, id) WHERE due IS NOT NULL;
  CREATE INDEX documents_deleted ON documents (deleted_at) WHERE deleted_at IS NOT NULL;

  CREATE TABLE entries (
    kind TEXT NOT NULL,
    name TEXT NOT NULL,
    value TEXT NOT NULL,
    id TEXT NOT NULL,
    exclusive INTEGER NOT NULL,
    PRIMARY KEY (kind, name, value, id)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX entries_document ON entries (id, kind);
  CREATE UNIQUE INDEX entries_exclusive ON entries (kind, name, value) WHERE exclusive = 1;

  CREATE TABLE outbox (
    sequence INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    type TEXT NOT NULL,
    at REAL NOT NULL,
    data TEXT NOT NULL,
    kind TEXT NOT NULL,
    document TEXT NOT NULL,
    version INTEGER NOT NULL
  ) STRICT;
  CREATE INDEX outbox_document ON outbox (document, kind);

  CREATE TABLE counters (
    key TEXT PRIMARY KEY,
    value INTEGER NOT NULL,
    expires_at INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX counters_expiry ON counters (expires_at);
  `,
];

export const schemaVersion = steps.length;

function pragma(database: DatabaseSync, name: string): number {
  return Number(database.prepare(`PRAGMA ${name}`).get()?.[name] ?? 0);
}

/** @throws {Problem} the file belongs to a newer Tollgate, or to another program */
export function migrate(database: DatabaseSync): void {
  // Prepared, because Deno's `exec` reports no result code, and this may meet a lock.
  database.prepare('BEGIN IMMEDIATE').run();
  try {
    const version = recognisedVersion(database);
    for (const step of steps.slice(version)) database.exec(step);
    if (version < schemaVersion) {
      database.exec(`PRAGMA application_id = ${applicationId}`);
      database.exec(`PRAGMA user_version = ${schemaVersion}`);
    }
    database.prepare('COMMIT').run();
  } catch (error) {
    if (database.isTransaction) database.prepare('ROLLBACK').run();
    throw error;
  }
}

function recognisedVersion(database: DatabaseSync): number {
  const version = pragma(database, 'user_version');
  const owner = pragma(database, 'application_id');
  if (owner === 0 && version === 0) {
    const table = database.prepare('SELECT name FROM sqlite_schema LIMIT 1').get();
    if (table === undefined) return 0;
  }
  if (owner !== applicationId) {
    throw new Problem('store_foreign', 500, 'The database belongs to another program.');
  }
  if (version > schemaVersion) {
    throw new Problem(
      'store_newer',
      500,
      `A newer version made it (schema ${version}; this one knows ${schemaVersion}).`,
      { details: { schema: version, known: schemaVersion } },
    );
  }
  return version;
}
