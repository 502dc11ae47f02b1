/** A database that tells what is done to it, and fails when told. */

import { DatabaseSync } from 'node:sqlite';
import type { StatementSync } from 'node:sqlite';
import { migrate } from '../../src/storage/sqlite/schema.ts';

export interface Recording {
  database: DatabaseSync;
  /** All SQL that was prepared, each once. */
  prepared: Set<string>;
  /** How often a statement that begins so was run. */
  ran(beginning: string): number;
  /** The next run of a statement that begins so throws what SQLite would: `errcode`, once. */
  failOnce(beginning: string, errcode: number): void;
}

export function record(path = ':memory:'): Recording {
  const database = new DatabaseSync(path, { timeout: 0, limits: { attach: 0 } });
  database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;');
  migrate(database);
  const prepared = new Set<string>();
  const runs: string[] = [];
  const failures = new Map<string, number>();
  const prepare = database.prepare.bind(database);

  const note = (sql: string): void => {
    runs.push(sql);
    for (const [beginning, errcode] of failures) {
      if (!sql.startsWith(beginning)) continue;
      failures.delete(beginning);
      throw Object.assign(new Error(`injected ${errcode}`), { code: 'ERR_SQLITE_ERROR', errcode });
    }
  };
  database.prepare = (sql: string): StatementSync => {
    prepared.add(sql);
    const statement = prepare(sql);
    const run = statement.run.bind(statement);
    statement.run = ((...parameters: Parameters<typeof run>) => {
      note(sql);
      return run(...parameters);
    }) as typeof run;
    return statement;
  };
  return {
    database,
    prepared,
    ran: (beginning) => runs.filter((sql) => sql.startsWith(beginning)).length,
    failOnce: (beginning, errcode) => void failures.set(beginning, errcode),
  };
}
