/**
 * The store of hot kinds: one Redis, one watched by Sentinels, or a cluster. A write is one script on the one
 * key of its document, so nothing needs hash tags. It takes no kind with unique fields.
 */

import type { Clock } from '../base/clock.ts';
import { Problem } from '../base/errors.ts';
import { randomToken } from '../base/ids.ts';
import type { Log } from '../base/log.ts';
import { boundedLimit, requireKept } from './entries.ts';
import { expire } from './expiry.ts';
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
import { parseRedisAddress } from './redis/address.ts';
import { ServerClock } from './redis/clock.ts';
import { Connection } from './redis/connection.ts';
import { closedProblem } from './store.ts';
import { createKeys } from './redis/keys.ts';
import type { Keys } from './redis/keys.ts';
import { createOutbox } from './redis/outbox.ts';
import { createReader } from './redis/reading.ts';
import { bumpScript } from './redis/scripts.ts';
import { prepare } from './redis/start.ts';
import { createTidying } from './redis/tidying.ts';
import { createWriter, prepareWrite } from './redis/writing.ts';

export interface RedisStoreOptions {
  /** `redis://`, `redis+sentinel://` or `redis+cluster://`, each with `rediss` for TLS. */
  address: string;
  clock: Clock;
  log?: Log;
  /** What all keys begin with, where the address does not say it. */
  prefix?: string;
  /** Redis' clock as this process sees it: for tests. */
  serverClock?: ServerClock;
}

/** @throws {Problem} when the server cannot be used; its message is for the operator */
export async function openRedis(options: RedisStoreOptions): Promise<Store> {
  const { log, prefix, serverClock = new ServerClock() } = options;
  const address = parseRedisAddress(options.address, prefix === undefined ? {} : { prefix });
  const keys = createKeys(address.prefix);
  const connection = new Connection(address, log);
  try {
    await prepare(connection, { keys, clock: serverClock, log });
  } catch (error) {
    connection.close();
    throw unusable(address.shown, error, connection.trouble);
  }
  return new RedisStore(connection, keys, serverClock, options);
}

function unusable(shown: string, error: unknown, trouble: string | undefined): Problem {
  const problem = error instanceof Problem ? error : undefined;
  const cause = problem?.cause instanceof Error ? problem.cause.message : undefined;
  const reason = [
    error instanceof Error ? error.message : String(error),
    ...[trouble ?? cause].filter((text) => text !== undefined).map((text) => `(${text})`),
  ];
  const message = `The Redis ${shown} cannot be used. ${reason.join(' ')}`;
  return new Problem(problem?.code ?? 'store_unavailable', 500, message, {
    cause: problem?.cause,
    details: { ...problem?.details, address: shown },
  });
}

class RedisStore implements Store {
  readonly #connection: Connection;
  readonly #keys: Keys;
  readonly #clock: Clock;
  readonly #log: Log | undefined;
  readonly #reader: ReturnType<typeof createReader>;
  readonly #outbox: ReturnType<typeof createOutbox>;
  readonly #tidy: () => Promise<void>;
  readonly #applyWrite: ReturnType<typeof createWriter>;
  readonly #underway = new Set<Promise<unknown>>();
  #closing: Promise<void> | undefined;

  constructor(
    connection: Connection,
    keys: Keys,
    clock: ServerClock,
    options: Pick<RedisStoreOptions, 'clock' | 'log'>,
  ) {
    this.#connection = connection;
    this.#keys = keys;
    this.#clock = options.clock;
    this.#log = options.log;
    const parts = { connection, keys, clock, later: (task: Promise<unknown>) => this.#later(task) };
    this.#reader = createReader(parts);
    this.#outbox = createOutbox(parts);
    this.#applyWrite = createWriter(parts);
    this.#tidy = createTidying(parts);
  }

  get<K extends Kind>(kind: K, id: string): Promise<Stored<Documents[K]> | undefined> {
    return this.#open(() => this.#reader.get(kind, id));
  }

  find<K extends Kind>(
    kind: K,
    index: string,
    value: string,
    options?: FindOptions,
  ): Promise<Stored<Documents[K]>[]> {
    return this.#open(() => this.#reader.find(kind, index, value, options));
  }

  /** What lives here is not listed. */
  async list<K extends Kind>(kind: K, _options?: ListOptions): Promise<Stored<Documents[K]>[]> {
    requireKept(kind);
    throw new TypeError(`${kind} is not kept in Redis`);
  }

  due<K extends Kind>(kind: K, before: number, limit: number): Promise<Stored<Documents[K]>[]> {
    return this.#open(() => this.#reader.due(kind, before, limit));
  }

  async write<K extends Kind>(
    kind: K,
    id: string,
    document: Documents[K] | null,
    options: WriteOptions,
  ): Promise<number> {
    const writeId = options.writeId ?? randomToken();
    const write = prepareWrite(kind, id, document, { ...options, writeId, now: this.#clock() });
    return this.#open(() => this.#applyWrite(write));
  }

  pending(limit: number, options?: PendingOptions): Promise<PendingEvent[]> {
    return this.#open(() => this.#outbox.pending(limit, options));
  }

  settle(events: readonly EventPlace[]): Promise<void> {
    return this.#open(() => this.#outbox.settle(events));
  }

  /** By the server's clock. Counted twice, should the answer be lost: that is what limits can bear. */
  bump(key: string, by: number, ttlSeconds: number): Promise<number> {
    const lifetimeMs = Math.ceil(ttlSeconds * 1000);
    const counter = this.#keys.counter(key);
    return this.#open(async () =>
      Number(await this.#connection.run(bumpScript, counter, by, lifetimeMs)),
    );
  }

  /** Counters and deleted documents vanish by Redis' own clock. */
  async sweep(now: number, limit?: number): Promise<number> {
    const among = (Object.keys(kinds) as Kind[]).filter((kind) => kinds[kind].unique === undefined);
    const gone = await expire(this, among, now, boundedLimit(limit, 1000));
    await this.#open(() => this.#tidy());
    return gone;
  }

  async ping(): Promise<void> {
    await this.#open(() => this.#connection.send('get', this.#keys.schema));
  }

  /** Waits for what was asked for before. */
  close(): Promise<void> {
    this.#closing ??= this.#idle().then(() => this.#connection.close());
    return this.#closing;
  }

  #open<T>(work: () => Promise<T>): Promise<T> {
    if (this.#closing !== undefined) return Promise.reject(closedProblem());
    return this.#track(work());
  }

  #track<T>(task: Promise<T>): Promise<T> {
    this.#underway.add(task);
    const ended = () => void this.#underway.delete(task);
    task.then(ended, ended);
    return task;
  }

  /** What only tidies up: what fails of it is harmless, and done again by who meets it. */
  #later(task: Promise<unknown>): void {
    const noted = task.catch((error: unknown) =>
      this.#log?.debug('tidying up in Redis failed', { error: String(error) }),
    );
    void this.#track(noted);
  }

  async #idle(): Promise<void> {
    while (this.#underway.size > 0) await Promise.allSettled(this.#underway);
  }
}
