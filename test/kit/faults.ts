/**
 * A store that stops its process at the k-th write, so that a story can be run for every k: the
 * write did not happen (`before`), or it happened and its answer was lost (`after`). What follows
 * is refused until `revive`, which stands for the restart.
 *
 * Counted as writes: `write`, `settle` and `sweep`. `bump` promises nothing and is only refused.
 */

import type { Store } from '../../src/storage/store.ts';

export interface Fault {
  /** 1 for the first write. Without it the store only counts. */
  stopAfterWrites?: number;
  mode?: 'before' | 'after';
  /** Runs at the moment of the stop, before anything is thrown. */
  onStop?: () => void;
}

export interface Counts {
  /** By kind; settling and sweeping count as `settle` and `sweep`. */
  writes: Record<string, number>;
  /** By kind; reading the outbox counts as `pending`. */
  reads: Record<string, number>;
}

export interface FaultyStore extends Store {
  /** Whether the k-th write was reached: a story is through when it no longer is. */
  readonly stopped: boolean;
  counts(): Counts;
  totalWrites(): number;
  /** The process starts again; nothing fails from now on, unless another fault is given. */
  revive(fault?: Fault): void;
}

/** Thrown by the write that met the fault, and by everything asked for after it. */
export class Stopped extends Error {
  constructor() {
    super('the process has stopped');
    this.name = 'Stopped';
  }
}

export function faulty(store: Store, fault: Fault = {}): FaultyStore {
  let present = fault;
  let untilStop = 0;
  let dead = false;
  let stopped = false;
  const counted: Counts = { writes: {}, reads: {} };

  const stop = (): Stopped => {
    dead = true;
    stopped = true;
    present.onStop?.();
    return new Stopped();
  };

  async function writing<T>(kind: string, write: () => Promise<T>): Promise<T> {
    if (dead) throw new Stopped();
    counted.writes[kind] = (counted.writes[kind] ?? 0) + 1;
    untilStop += 1;
    if (untilStop !== present.stopAfterWrites) {
      const answer = await write();
      // The process died while this write was under way: it happened, and nobody hears of it.
      if (dead) throw new Stopped();
      return answer;
    }
    if (present.mode !== 'after') throw stop();
    const mine = present;
    dead = true;
    await write().catch(() => undefined);
    // What nobody waits for may end when the next life has begun: that one goes on.
    if (present !== mine) throw new Stopped();
    throw stop();
  }

  async function reading<T>(kind: string, read: () => Promise<T>): Promise<T> {
    if (dead) throw new Stopped();
    counted.reads[kind] = (counted.reads[kind] ?? 0) + 1;
    return read();
  }

  return {
    get: (kind, id) => reading(kind, () => store.get(kind, id)),
    find: (kind, index, value, options) =>
      reading(kind, () => store.find(kind, index, value, options)),
    list: (kind, options) => reading(kind, () => store.list(kind, options)),
    due: (kind, before, limit) => reading(kind, () => store.due(kind, before, limit)),
    write: (kind, id, document, options) =>
      writing(kind, () => store.write(kind, id, document, options)),
    pending: (limit, options) => reading('pending', () => store.pending(limit, options)),
    settle: (events) => writing('settle', () => store.settle(events)),
    sweep: (now, limit) => writing('sweep', () => store.sweep(now, limit)),
    bump: async (key, by, ttlSeconds) => {
      if (dead) throw new Stopped();
      return store.bump(key, by, ttlSeconds);
    },
    ping: async () => {
      if (dead) throw new Stopped();
      await store.ping();
    },
    close: () => store.close(),

    get stopped() {
      return stopped;
    },
    counts: () => structuredClone(counted),
    totalWrites: () => Object.values(counted.writes).reduce((sum, count) => sum + count, 0),
    revive: (next = {}) => {
      present = next;
      untilStop = 0;
      dead = false;
      stopped = false;
    },
  };
}
