/**
 * The unit of work of one request. Rooms read documents through it and record *operations*: functions
 * from a document to its successor, or to a refusal. They are written when the answer is composed and
 * before a byte of it is sent, so that an answer is never sent for a write that did not happen.
 *
 * Operations instead of documents are what makes two tabs work: on a conflict the document is read
 * again and the operations are applied afresh, so both changes stand.
 */

import { AsyncLocalStorage } from 'node:async_hooks';
import { systemClock } from '../base/clock.ts';
import type { Clock } from '../base/clock.ts';
import { randomToken } from '../base/ids.ts';
import { Problem } from '../base/errors.ts';
import type { Documents, Kind } from './kinds.ts';
import { Conflict } from './store.ts';
import type { NewEvent, Store, Stored } from './store.ts';

/** What an operation makes of a document: its successor, its end, or nothing to write. */
export type Successor<D> =
  | { document: D | null; events?: readonly NewEvent[] }
  | { unchanged: true };

export interface Operation<D> {
  /**
   * Pure: it may run several times. Throws what the endpoint shall answer when the document does not
   * allow it; nothing further is written then.
   */
  apply(document: D | undefined): Successor<D>;
  /**
   * Written even when the answer is a 4xx: tombstones and consumed codes. Everything else is then
   * dropped, since the library rotates and saves before it refuses.
   */
  evenWhenRefused?: boolean;
}

export type Outcome = 'success' | 'refused' | 'failed';

export interface Work {
  /**
   * When it began. A process may be frozen in the middle of it: whether something came too late is judged by this
   * time, since whoever asked may have asked another process meanwhile, and gone on from there.
   */
  readonly since: number;
  /** The document as it will be with the operations recorded so far. One read of the store a document. */
  read<K extends Kind>(kind: K, id: string): Promise<Documents[K] | undefined>;
  /** The same, of a document that was read before: for library hooks that cannot wait. */
  peek<K extends Kind>(kind: K, id: string): Documents[K] | undefined;
  record<K extends Kind>(kind: K, id: string, operation: Operation<Documents[K]>): void;
  /** Runs behind the next flush that writes, before the answer goes out. */
  afterwards(task: () => Promise<void>): void;
  /** Writes what was recorded and forgets it. Single-use gates first, then grants, then sessions. */
  flush(outcome: Outcome): Promise<void>;
}

export interface UnitOfWork {
  /** Runs `fn` with a fresh unit of work. The caller flushes. */
  open<T>(fn: (work: Work) => Promise<T>): Promise<T>;
  /** Outside a request: runs `fn` and writes what it recorded. */
  run<T>(fn: (work: Work) => Promise<T>): Promise<T>;
  /** @throws when no unit of work is open: a defect */
  current(): Work;
}

/** Lower goes first. What is not named here goes last. */
const order: Partial<Record<Kind, number>> = {
  replay: 0,
  interaction: 0,
  par: 0,
  transaction: 0,
  grant: 1,
  session: 2,
};

const attemptsMax = 8;

interface Slot {
  kind: Kind;
  id: string;
  stored: Stored<unknown> | undefined;
  loaded: boolean;
  operations: Operation<unknown>[];
}

interface Folded {
  document: unknown;
  events: NewEvent[];
  changed: boolean;
}

function fold(slot: Slot, operations: readonly Operation<unknown>[]): Folded {
  let document = slot.stored?.document;
  const events: NewEvent[] = [];
  let changed = false;
  for (const operation of operations) {
    const successor = operation.apply(document);
    if ('unchanged' in successor) continue;
    document = successor.document ?? undefined;
    events.push(...(successor.events ?? []));
    changed = true;
  }
  return { document, events, changed };
}

class RequestWork implements Work {
  readonly since: number;
  readonly #store: Store;
  readonly #nextWriteId: () => string;
  readonly #slots = new Map<string, Slot>();
  #tasks: (() => Promise<void>)[] = [];

  constructor(store: Store, since: number, nextWriteId: () => string) {
    this.since = since;
    this.#store = store;
    this.#nextWriteId = nextWriteId;
  }

  #slot(kind: Kind, id: string): Slot {
    const key = `${kind} ${id}`;
    let slot = this.#slots.get(key);
    if (slot === undefined) {
      slot = { kind, id, stored: undefined, loaded: false, operations: [] };
      this.#slots.set(key, slot);
    }
    return slot;
  }

  async #load(slot: Slot): Promise<void> {
    slot.stored = await this.#store.get(slot.kind, slot.id);
    slot.loaded = true;
  }

  async read<K extends Kind>(kind: K, id: string): Promise<Documents[K] | undefined> {
    const slot = this.#slot(kind, id);
    if (!slot.loaded) await this.#load(slot);
    return this.peek(kind, id);
  }

  peek<K extends Kind>(kind: K, id: string): Documents[K] | undefined {
    const slot = this.#slot(kind, id);
    return fold(slot, slot.operations).document as Documents[K] | undefined;
  }

  record<K extends Kind>(kind: K, id: string, operation: Operation<Documents[K]>): void {
    this.#slot(kind, id).operations.push(operation);
  }

  afterwards(task: () => Promise<void>): void {
    this.#tasks.push(task);
  }

  async flush(outcome: Outcome): Promise<void> {
    const tasks = this.#tasks;
    this.#tasks = [];
    const slots = [...this.#slots.values()].filter((slot) => slot.operations.length > 0);
    slots.sort((a, b) => (order[a.kind] ?? 3) - (order[b.kind] ?? 3));
    for (const slot of slots) {
      const { operations } = slot;
      slot.operations = [];
      if (outcome === 'failed') continue;
      const writable =
        outcome === 'success'
          ? operations
          : operations.filter((operation) => operation.evenWhenRefused === true);
      if (writable.length > 0) await this.#write(slot, writable);
    }
    if (outcome !== 'failed') for (const task of tasks) await task();
  }

  async #write(slot: Slot, operations: readonly Operation<unknown>[]): Promise<void> {
    // Kept over the attempts: should the answer to a write be lost, its repetition is recognised.
    const writeId = this.#nextWriteId();
    for (let attempt = 0; attempt < attemptsMax; attempt += 1) {
      if (!slot.loaded) await this.#load(slot);
      const { document, events, changed } = fold(slot, operations);
      if (!changed) return;
      if (document === undefined && slot.stored === undefined) return;
      try {
        const version = await this.#store.write(
          slot.kind,
          slot.id,
          (document ?? null) as Documents[Kind] | null,
          { expect: slot.stored?.version ?? 'absent', events, writeId },
        );
        slot.stored = document === undefined ? undefined : { id: slot.id, version, document };
        return;
      } catch (error) {
        if (!(error instanceof Conflict)) throw error;
        slot.loaded = false;
      }
    }
    throw new Problem('busy', 503, 'Too many changes at once. Try again in a moment.', {
      details: { kind: slot.kind },
      retryAfterSeconds: 1,
    });
  }
}

export function createUnitOfWork(store: Store, clock: Clock = systemClock): UnitOfWork {
  const storage = new AsyncLocalStorage<Work>();
  // Unique among all processes and starts, for the price of one number.
  const prefix = randomToken();
  let writes = 0;
  const nextWriteId = () => `${prefix}.${(writes += 1)}`;
  const open = <T>(fn: (work: Work) => Promise<T>): Promise<T> => {
    const work = new RequestWork(store, clock(), nextWriteId);
    return storage.run(work, () => fn(work));
  };
  return {
    open,
    run: (fn) =>
      open(async (work) => {
        const result = await fn(work);
        await work.flush('success');
        return result;
      }),
    current() {
      const work = storage.getStore();
      if (work === undefined) throw new Error('no unit of work is open');
      return work;
    },
  };
}
