/**
 * The store port: what every driver (SQLite, MongoDB, Redis) promises, and all that the rooms above
 * may ask. A write is one document and the events that it causes: conditional, atomic, durable.
 * Nothing here spans two documents; what takes several is a saga of the room that needs it.
 * Every driver passes `test/conformance/store.ts`.
 */

import { Problem } from '../base/errors.ts';
import type { Documents, Kind } from './kinds.ts';

/**
 * An event as it is written with its cause. `data` is plain JSON; `src/events/types.ts` types it.
 */
export interface NewEvent {
  /** `evt_…`, time-ordered, given by the writer, so that a repeated write repeats no event. */
  id: string;
  /** Such as `session.ended`. */
  type: string;
  /** Milliseconds since the epoch: when it took effect. */
  at: number;
  data: Record<string, unknown>;
}

/** An event and where it waits: with the document that caused it. */
export interface EventPlace {
  id: string;
  kind: Kind;
  document: string;
}

/** An event that waits in the outbox, with the document and version that caused it. */
export interface PendingEvent extends NewEvent, EventPlace {
  version: number;
}

export interface Stored<D> {
  id: string;
  /**
   * 1 at the first write, one more with each, deleting too: a document made again soon after goes
   * on counting, so that no old reader's version fits it. Settling events does not move it.
   */
  version: number;
  document: D;
}

export interface WriteOptions {
  /** The version that was read, `absent` for a document that must not exist, `any` to overwrite. */
  expect: number | 'absent' | 'any';
  events?: readonly NewEvent[];
  /**
   * The document keeps the id of its last write: repeating a write whose answer was lost, with the
   * same `writeId`, answers as the first one did. Made up when it is not given.
   */
  writeId?: string;
}

export interface FindOptions {
  /** Continue behind this document id (exclusive), in the direction of reading. */
  after?: string;
  /** 100 when not given, 1000 at the most. */
  limit?: number;
  descending?: boolean;
  /** `value` is a prefix of the indexed value. For kept kinds only (`requireIndex`). */
  prefix?: boolean;
}

export type ListOptions = Pick<FindOptions, 'after' | 'limit'>;

export interface PendingOptions {
  /** Continue behind this event; from the beginning where it is no longer pending. */
  after?: EventPlace | undefined;
  /** The events of this document alone, in the order of its versions. */
  of?: { kind: Kind; id: string } | undefined;
}

export interface Store {
  get<K extends Kind>(kind: K, id: string): Promise<Stored<Documents[K]> | undefined>;

  /** Documents whose index or unique field `index` holds `value`, in the order of their ids. */
  find<K extends Kind>(
    kind: K,
    index: string,
    value: string,
    options?: FindOptions,
  ): Promise<Stored<Documents[K]>[]>;

  /**
   * All documents of a kept kind, in the order of their ids, from behind `after`. For operators and for what goes
   * through everything: what is asked for often has an index. A page with less than its limit is the last one.
   */
  list<K extends Kind>(kind: K, options?: ListOptions): Promise<Stored<Documents[K]>[]>;

  /**
   * Documents whose time (`due` of the kind) has come: `<= before`, earliest first. 1000 at the
   * most.
   */
  due<K extends Kind>(kind: K, before: number, limit: number): Promise<Stored<Documents[K]>[]>;

  /**
   * Writes the document, or deletes it (`null`), with its events: all of it or nothing, and on disk
   * before the promise resolves.
   * @returns the new version
   * @throws {Conflict} the version is not the expected one
   * @throws {Duplicate} another document of the kind holds one of the unique values
   */
  write<K extends Kind>(
    kind: K,
    id: string,
    document: Documents[K] | null,
    options: WriteOptions,
  ): Promise<number>;

  /**
   * Events not yet settled. Those of one document in the order of its versions, and as they were given;
   * documents about in the order in which they began to wait. 1000 at the most.
   */
  pending(limit: number, options?: PendingOptions): Promise<PendingEvent[]>;

  /** These events were handled: forget them. Unknown ones are ignored. */
  settle(events: readonly EventPlace[]): Promise<void>;

  /**
   * Adds to a counter that vanishes `ttlSeconds` after its first use, and answers its new value.
   * For limits: not conditional, and not necessarily on disk.
   */
  bump(key: string, by: number, ttlSeconds: number): Promise<number>;

  /**
   * Deletes what has expired, announcing it first where the kind says so, and old counters.
   * @returns how many documents went. At most `limit` (1000) a kind a call.
   */
  sweep(now: number, limit?: number): Promise<number>;

  /** Rejects when the store cannot answer a trivial read. For readiness. */
  ping(): Promise<void>;

  close(): Promise<void>;
}

/** The version moved: read again, decide again. */
export class Conflict extends Error {
  constructor(kind: string, id: string) {
    super(`${kind} ${id} has changed`);
    this.name = 'Conflict';
  }
}

/** Another document of the kind holds this unique value already. */
export class Duplicate extends Error {
  readonly field: string;

  constructor(kind: string, field: string) {
    super(`another ${kind} has the same ${field}`);
    this.name = 'Duplicate';
    this.field = field;
  }
}

/** What every call is answered once the store is closed. */
export function closedProblem(): Problem {
  return new Problem('store_closed', 503, 'The service is stopping.', { retryAfterSeconds: 1 });
}
