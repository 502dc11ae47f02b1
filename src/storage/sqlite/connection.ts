/** Opens the database file: where it lies, who may read it, and how durable a commit is. */

import { closeSync, mkdirSync, openSync, statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { Problem } from '../../base/errors.ts';
import type { Log } from '../../base/log.ts';
import { explain } from './failure.ts';
import { migrate } from './schema.ts';
import { whenFree } from './waiting.ts';

/** A document is a few kilobytes; whatever is a thousand times larger is a defect or an attack. */
const largestTextBytes = 4 * 1024 * 1024;
const largestJournalBytes = 64 * 1024 * 1024;

export interface ConnectOptions {
  path: string;
  /** How long a lock of another process is waited for, in milliseconds. */
  longestWait: number;
  log?: Log | undefined;
}

/** @throws {Problem} with a sentence for the operator that names the path */
export async function connect({ path, longestWait, log }: ConnectOptions): Promise<DatabaseSync> {
  const inMemory = path === ':memory:';
  // Absolute, so that SQLite sees a path where `file:...?mode=...` or an empty string was given.
  const location = inMemory ? path : resolve(path);
  let database: DatabaseSync | undefined;
  try {
    if (!inMemory) prepareFile(location, log);
    const opened = new DatabaseSync(location, {
      timeout: 0,
      limits: { attach: 0, length: largestTextBytes },
    });
    database = opened;
    refuseAttach(opened);
    await whenFree(() => configure(opened, inMemory), longestWait);
    await whenFree(() => migrate(opened), longestWait);
    return opened;
  } catch (error) {
    database?.close();
    throw unusable(location, error);
  }
}

/**
 * The file holds who signed in where: for the owner's eyes. SQLite gives -wal and -shm the same
 * mode.
 */
function prepareFile(location: string, log: Log | undefined): void {
  mkdirSync(dirname(location), { recursive: true, mode: 0o700 });
  const present = statSync(location, { throwIfNoEntry: false });
  if (present === undefined) {
    closeSync(openSync(location, 'a', 0o600));
    return;
  }
  if (!present.isFile()) throw new Problem('store_not_a_file', 500, 'It is not a file.');
  if ((present.mode & 0o007) !== 0) {
    log?.warn('the database can be read by every user of this machine', { path: location });
  }
}

/**
 * A statement that went wrong must not reach other files: checked, for older runtimes ignore the
 * limit.
 */
function refuseAttach(database: DatabaseSync): void {
  try {
    database.exec("ATTACH DATABASE ':memory:' AS other");
  } catch {
    return;
  }
  throw new Problem(
    'runtime_too_old',
    500,
    'This runtime cannot forbid ATTACH: Node 24.15 is needed.',
  );
}

function configure(database: DatabaseSync, inMemory: boolean): void {
  const journal = database.prepare('PRAGMA journal_mode = WAL').get();
  if (!inMemory && journal?.journal_mode !== 'wal') {
    throw new Problem('store_read_only', 500, 'It cannot keep a write-ahead log there.');
  }
  database.exec('PRAGMA synchronous = FULL');
  database.exec(`PRAGMA journal_size_limit = ${largestJournalBytes}`);
  // What is deleted is overwritten: a person who is gone is not left in the free space of the file.
  database.exec('PRAGMA secure_delete = ON');
  database.exec('PRAGMA trusted_schema = OFF');
  database.exec('PRAGMA temp_store = MEMORY');
}

function unusable(location: string, error: unknown): Problem {
  const known = explain(error);
  const code = known instanceof Problem ? known.code : 'store_unavailable';
  const reason = error instanceof Error ? error.message : String(error);
  const sentence = known instanceof Problem ? known.message : reason;
  return new Problem(code, 500, `The database ${location} cannot be used. ${sentence}`, {
    cause: error,
    details: { ...(known instanceof Problem ? known.details : {}), path: location },
  });
}
