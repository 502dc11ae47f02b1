/**
 * Documents that are work: each waits for its time, is claimed by one process, and is done with, put off or given up by
 * one conditional write. A claim ends by itself, so that a process which dies leaves its work to others.
 */

import type { Clock } from '../base/clock.ts';
import type { Documents } from '../storage/kinds.ts';
import { Conflict } from '../storage/store.ts';
import type { Store, Stored } from '../storage/store.ts';

type WorkKind = 'inbox' | 'mail';
type Work<K extends WorkKind> = Stored<Documents[K]>;

export interface WorkQueueOptions {
  store: Store;
  clock: Clock;
  random: () => number;
  /** Names this process. */
  owner: string;
}

const mostRounds = 3;
/** Of what waits so many are counted. */
const mostCounted = 1000;

/** After so many attempts that failed: twice as long each time, and jitter, so that all does not come back at once. */
export function retryDelay(
  attempts: number,
  random: () => number,
  { firstMs, longestMs }: { firstMs: number; longestMs: number },
): number {
  return Math.min(longestMs, firstMs * 2 ** Math.min(attempts, 20)) * (0.5 + random());
}

export abstract class WorkQueue<K extends WorkKind> {
  protected readonly options: WorkQueueOptions;
  readonly #kind: K;
  readonly #claimMs: number;
  #listener: () => void = () => undefined;

  /** @param claimMs what a dead process had waits so long */
  protected constructor(kind: K, claimMs: number, options: WorkQueueOptions) {
    this.#kind = kind;
    this.#claimMs = claimMs;
    this.options = options;
  }

  /** Whoever works on it hears at once of what this process stored. */
  onArrival(listener: () => void): void {
    this.#listener = listener;
  }

  protected arrived(): void {
    this.#listener();
  }

  /** What is to be worked on, or to be forgotten, now; what waits longest first. */
  due(limit: number): Promise<Work<K>[]> {
    return this.options.store.due(this.#kind, this.options.clock(), limit);
  }

  /** @returns `undefined` when somebody else was faster, like all that follow */
  claim(work: Work<K>): Promise<Work<K> | undefined> {
    const until = this.options.clock() + this.#claimMs;
    const claim = { owner: this.options.owner, until };
    return this.write(work.id, { ...work.document, claim, dueAt: until }, work.version);
  }

  async forget(work: Work<K>): Promise<void> {
    await this.write(work.id, null, work.version);
  }

  /** @param after the id to go on behind */
  find(
    state: 'waiting' | 'dead',
    { after, limit }: { after?: string | undefined; limit: number },
  ): Promise<Work<K>[]> {
    const paging = { limit, ...(after === undefined ? {} : { after }) };
    return this.options.store.find(this.#kind, 'state', state, paging);
  }

  /** For the metrics. @returns how many wait, up to 1000, and since when the oldest of them does */
  protected async count(
    sinceOf: (document: Documents[K]) => number,
  ): Promise<{ count: number; since: number | undefined }> {
    const found = await this.find('waiting', { limit: mostCounted });
    const times = found.map(({ document }) => sinceOf(document));
    return { count: found.length, since: times.length === 0 ? undefined : Math.min(...times) };
  }

  /**
   * Whoever has done it says so, even where it took longer than the claim and another process has begun it again.
   * @param next what becomes of it; `undefined`: somebody else has said so
   */
  protected async settle(
    work: Work<K>,
    next: (document: Documents[K]) => Documents[K] | undefined,
  ): Promise<Work<K> | undefined> {
    let present: Work<K> | undefined = work;
    for (let round = 1; round <= mostRounds; round += 1) {
      const document: Documents[K] | undefined = present && next(present.document);
      if (present === undefined || document === undefined) return undefined;
      const done = await this.write(work.id, document, present.version);
      if (done !== undefined) return done;
      present = await this.options.store.get(this.#kind, work.id);
    }
    return undefined;
  }

  /** @returns `undefined` when it is another one by now */
  protected async write(
    id: string,
    document: Documents[K] | null,
    expect: number | 'absent',
  ): Promise<Work<K> | undefined> {
    try {
      const version = await this.options.store.write(this.#kind, id, document, { expect });
      return document === null ? undefined : { id, version, document };
    } catch (error) {
      if (error instanceof Conflict) return undefined;
      throw error;
    }
  }
}

/** Without what is about this attempt. */
export function bare<D extends { claim?: unknown; problem?: unknown }>(
  document: D,
): Omit<D, 'claim' | 'problem'> {
  const { claim: _claim, problem: _problem, ...rest } = document;
  return rest;
}
