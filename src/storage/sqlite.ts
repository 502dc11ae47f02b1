/**
 * The embedded store: one SQLite file, or `:memory:`. Several processes of one machine may share
 * the file. Reads are synchronous point reads; writes are committed in groups
 * (`sqlite/commits.ts`).
 */

import type { DatabaseSync } from 'node:sqlite';
import type { Clock } from '../base/clock.ts';
import { randomToken } from '../base/ids.ts';
import type { Log } from '../base/log.ts';
import { boundedLimit } from './entries.ts';
import { expire, remembranceMs } from './expiry.ts';
import { closedProblem } from './store.ts';
import { kinds } from './kinds.ts';
import type { Documents, Kind } from './kinds.ts';
import type {
  EventPlace,
  FindOptions,
  ListOptions,
  PendingEvent,
  PendingOptions,
  Store,
  Stored,
  WriteOptions,
} from './store.ts';
import { Commits } from './sqlite/commits.ts';
import { connect } from './sqlite/connection.ts';
import { createQueries } from './sqlite/queries.ts';
import { Reads } from './sqlite/reads.ts';
import { createUpkeep } from './sqlite/upkeep.ts';
import { whenFree } from './sqlite/waiting.ts';
import { createWriter, prepareWrite } from './sqlite/writing.ts';

export interface SqliteOptions {
  /** A file, made with its directory when there is none, or `:memory:`. */
  path: string;
  clock: Clock;
  log?: Log;
  /** How long a lock that another process holds is waited for, in milliseconds. */
  longestWait?: number;
}

const defaultLongestWait = 10_000;
const emptyLogEveryMs = 10 * 60 * 1000;

/** @throws {Problem} when the file cannot be used; its message is for the operator */
export async function openSqlite(options: SqliteOptions): Promise<Store> {
  const { path, log, longestWait = defaultLongestWait } = options;
  const database = await connect({ path, longestWait, log });
  return createSqliteStore(database, options);
}

/** Over a database that is open already: for tests that prepare one of their own. */
export function createSqliteStore(
  database: DatabaseSync,
  options: Omit<SqliteOptions, 'path'>,
): Store {
  return new SqliteStore(database, options);
}

class SqliteStore implements Store {
  readonly #database: DatabaseSync;
  readonly #clock: Clock;
  readonly #longestWait: number;
  readonly #commits: Commits;
  readonly #queries: ReturnType<typeof createQueries>;
  readonly #reads: Reads;
  readonly #upkeep: ReturnType<typeof createUpkeep>;
  readonly #applyWrite: ReturnType<typeof createWriter>;
  #logEmptiedAt = 0;
  #closing: Promise<void> | undefined;

  constructor(database: DatabaseSync, options: Omit<SqliteOptions, 'path'>) {
    const { clock, log, longestWait = defaultLongestWait } = options;
    this.#database = database;
    this.#clock = clock;
    this.#longestWait = longestWait;
    this.#commits = new Commits(database, { longestWait, log });
    this.#queries = createQueries(database);
    this.#reads = new Reads(database, longestWait);
    this.#upkeep = createUpkeep(database);
    this.#applyWrite = createWriter(database);
  }

  get<K extends Kind>(kind: K, id: string): Promise<Stored<Documents[K]> | undefined> {
    if (this.#closing !== undefined) return Promise.reject(closedProblem());
    return this.#reads.get(() => this.#queries.get(kind, id));
  }

  find<K extends Kind>(
    kind: K,
    index: string,
    value: string,
    options: FindOptions = {},
  ): Promise<Stored<Documents[K]>[]> {
    return this.#read(() => this.#queries.find(kind, index, value, options));
  }

  list<K extends Kind>(kind: K, options: ListOptions = {}): Promise<Stored<Documents[K]>[]> {
    return this.#read(() => this.#queries.list(kind, options));
  }

  due<K extends Kind>(kind: K, before: number, limit: number): Promise<Stored<Documents[K]>[]> {
    return this.#read(() => this.#queries.due(kind, before, limit));
  }

  async write<K extends Kind>(
    kind: K,
    id: string,
    document: Documents[K] | null,
    options: WriteOptions,
  ): Promise<number> {
    const writeId = options.writeId ?? randomToken();
    const write = prepareWrite(kind, id, document, { ...options, writeId, now: this.#clock() });
    return this.#change(() => this.#applyWrite(write), true);
  }

  pending(limit: number, options: PendingOptions = {}): Promise<PendingEvent[]> {
    return this.#read(() => this.#queries.pending(limit, options));
  }

  /** Not fsynced by itself: an event that comes again after a power cut is handled again. */
  async settle(events: readonly EventPlace[]): Promise<void> {
    if (events.length === 0) return;
    const ids = events.map(({ id }) => id);
    await this.#change(() => this.#upkeep.settle(ids), false);
  }

  bump(key: string, by: number, ttlSeconds: number): Promise<number> {
    const now = this.#clock();
    return this.#change(() => this.#upkeep.bump(key, by, ttlSeconds, now), false);
  }

  async sweep(now: number, limit?: number): Promise<number> {
    const most = boundedLimit(limit, 1000);
    const gone = await expire(this, Object.keys(kinds) as Kind[], now, most);
    await this.#change(() => this.#upkeep.forget(now, now - remembranceMs, most), false);
    this.#emptyLog(now);
    return gone;
  }

  /** Each time is an fsync or two. */
  #emptyLog(now: number): void {
    if (now < this.#logEmptiedAt + emptyLogEveryMs || this.#closing !== undefined) return;
    this.#logEmptiedAt = now;
    this.#upkeep.emptyLog();
  }

  async ping(): Promise<void> {
    if (this.#commits.failure !== undefined) throw this.#commits.failure;
    await this.#read(() => this.#queries.ping());
  }

  /** Waits for the writes that were asked for before. */
  close(): Promise<void> {
    this.#closing ??= this.#commits.idle().then(() => this.#database.close());
    return this.#closing;
  }

  #change<T>(apply: () => T, durable: boolean): Promise<T> {
    if (this.#closing !== undefined) return Promise.reject(closedProblem());
    return this.#commits.submit(apply, durable);
  }

  async #read<T>(query: () => T): Promise<T> {
    if (this.#closing !== undefined) throw closedProblem();
    return whenFree(query, this.#longestWait);
  }
}
