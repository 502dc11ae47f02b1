/**
 * The store in MongoDB: a collection a kind, a row a document, with its events inside. It needs what
 * every server has had for long, conditional changes of one document, so it works alike on one
 * server, on a replica set and behind `mongos`. Writes are acknowledged by a majority, on disk.
 */

import type { Clock } from '../base/clock.ts';
import { randomToken } from '../base/ids.ts';
import type { Log } from '../base/log.ts';
import { boundedLimit } from './entries.ts';
import { expire, remembranceMs } from './expiry.ts';
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
import { Calls } from './mongodb/calls.ts';
import { connect, connectionTo, databaseIn, unusable } from './mongodb/connection.ts';
import type { Connection } from './mongodb/connection.ts';
import { createOutbox } from './mongodb/outbox.ts';
import { createQueries } from './mongodb/queries.ts';
import { allKinds, tablesOf } from './mongodb/rows.ts';
import type { Tables } from './mongodb/rows.ts';
import { migrate } from './mongodb/schema.ts';
import { createUpkeep } from './mongodb/upkeep.ts';
import { createWriter, prepareWrite } from './mongodb/writing.ts';

export interface MongodbOptions {
  /** The connection string. Its database is `tollgate` where it names none. */
  address: string;
  clock: Clock;
  log?: Log;
  /** How long a server that cannot be reached is waited for, in milliseconds. */
  longestWait?: number;
}

const defaultLongestWait = 10_000;

/** @throws {Problem} when it cannot be used; its message is for the operator */
export async function openMongodb(options: MongodbOptions): Promise<Store> {
  const { address, log, longestWait = defaultLongestWait } = options;
  const connection = connectionTo(address);
  const tables = tablesOf(databaseIn(connection));
  const calls = new Calls(longestWait);
  try {
    await connect(connection, log);
    await calls.run(() => migrate(tables));
  } catch (error) {
    await connection.client.close();
    throw unusable(connection.place, error);
  }
  return new MongodbStore(connection, tables, calls, options);
}

class MongodbStore implements Store {
  readonly #connection: Connection;
  readonly #calls: Calls;
  readonly #clock: Clock;
  readonly #queries: ReturnType<typeof createQueries>;
  readonly #outbox: ReturnType<typeof createOutbox>;
  readonly #upkeep: ReturnType<typeof createUpkeep>;
  readonly #applyWrite: ReturnType<typeof createWriter>;
  #closing: Promise<void> | undefined;

  constructor(connection: Connection, tables: Tables, calls: Calls, { clock }: MongodbOptions) {
    this.#connection = connection;
    this.#calls = calls;
    this.#clock = clock;
    this.#queries = createQueries(tables);
    this.#outbox = createOutbox(tables);
    this.#upkeep = createUpkeep(tables);
    this.#applyWrite = createWriter(tables);
  }

  get<K extends Kind>(kind: K, id: string): Promise<Stored<Documents[K]> | undefined> {
    return this.#calls.run(() => this.#queries.get(kind, id));
  }

  find<K extends Kind>(
    kind: K,
    index: string,
    value: string,
    options: FindOptions = {},
  ): Promise<Stored<Documents[K]>[]> {
    return this.#calls.run(() => this.#queries.find(kind, index, value, options));
  }

  list<K extends Kind>(kind: K, options: ListOptions = {}): Promise<Stored<Documents[K]>[]> {
    return this.#calls.run(() => this.#queries.list(kind, options));
  }

  due<K extends Kind>(kind: K, before: number, limit: number): Promise<Stored<Documents[K]>[]> {
    return this.#calls.run(() => this.#queries.due(kind, before, limit));
  }

  async write<K extends Kind>(
    kind: K,
    id: string,
    document: Documents[K] | null,
    options: WriteOptions,
  ): Promise<number> {
    const writeId = options.writeId ?? randomToken();
    const write = prepareWrite(kind, id, document, { ...options, writeId, now: this.#clock() });
    return this.#calls.run(() => this.#applyWrite(write));
  }

  pending(limit: number, options: PendingOptions = {}): Promise<PendingEvent[]> {
    return this.#calls.run(() => this.#outbox.pending(limit, options));
  }

  settle(events: readonly EventPlace[]): Promise<void> {
    return this.#calls.run(() => this.#outbox.settle(events));
  }

  bump(key: string, by: number, ttlSeconds: number): Promise<number> {
    const now = this.#clock();
    return this.#calls.run(() => this.#upkeep.bump(key, by, ttlSeconds, now));
  }

  async sweep(now: number, limit?: number): Promise<number> {
    const most = boundedLimit(limit, 1000);
    const gone = await expire(this, allKinds, now, most);
    await this.#calls.run(() => this.#upkeep.forget(now, now - remembranceMs, most));
    return gone;
  }

  ping(): Promise<void> {
    return this.#calls.once(() => this.#queries.ping());
  }

  /** Waits for what was asked for before. */
  close(): Promise<void> {
    this.#closing ??= this.#calls.close().then(() => this.#connection.client.close());
    return this.#closing;
  }
}
