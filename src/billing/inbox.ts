/**
 * Events of Stripe from their arrival until they are forgotten: what may become of one, each by one conditional write.
 * A process claims what it works on; a claim ends by itself, so that a process which dies leaves it to others.
 */

import type { Clock } from '../base/clock.ts';
import type { InboxDocument } from '../storage/documents.ts';
import { Conflict } from '../storage/store.ts';
import type { Store, Stored } from '../storage/store.ts';
import type { Arrival } from './arrivals.ts';

export type InboxEvent = Stored<InboxDocument>;

export interface InboxOptions {
  store: Store;
  clock: Clock;
  random: () => number;
  /** Names this process. */
  owner: string;
}

const minute = 60_000;
const day = 24 * 60 * minute;
/** It only spares double work; what a dead process had waits so long. */
const claimMs = minute / 2;
/** Stripe lists its events for 30 days: none of them can come as a new one again. */
const keepMs = 35 * day;
const longestLifeMs = 3 * day;
const longestDelayMs = 60 * minute;
/** While Stripe is away its worker asks little of it by itself: what waits is not to wait much longer than that lasts. */
const longestDelayAwayMs = 5 * minute;
const mostRounds = 3;
/** Of what waits so many are counted. */
const mostCounted = 1000;

/** After so many attempts that failed: 1 s, 2 s, 4 s, … 1 h, and jitter, so that all does not come back at once. */
export function retryDelay(
  attempts: number,
  random: () => number,
  longestMs: number = longestDelayMs,
): number {
  return Math.min(longestMs, 1000 * 2 ** Math.min(attempts, 20)) * (0.5 + random());
}

export class Inbox {
  readonly #options: InboxOptions;
  #listener: () => void = () => undefined;

  constructor(options: InboxOptions) {
    this.#options = options;
  }

  /** Whoever works on it hears at once of what this process stored. */
  onArrival(listener: () => void): void {
    this.#listener = listener;
  }

  /** @returns false when it was there already. One that was given up begins anew: somebody sends it again on purpose. */
  async add({ id, ...about }: Arrival): Promise<boolean> {
    const now = this.#options.clock();
    const state = { receivedAt: now, state: 'waiting', attempts: 0, dueAt: now } as const;
    const document = { ...about, ...state };
    const added = (await this.#write(id, document, 'absent')) ?? (await this.#revive(id, document));
    if (added !== undefined) this.#listener();
    return added !== undefined;
  }

  async #revive(id: string, document: InboxDocument): Promise<InboxEvent | undefined> {
    const present = await this.#options.store.get('inbox', id);
    return present?.document.state === 'dead'
      ? this.#write(id, document, present.version)
      : undefined;
  }

  /** What is to be worked on, or to be forgotten, now; the one that waits longest first. */
  due(limit: number): Promise<InboxEvent[]> {
    return this.#options.store.due('inbox', this.#options.clock(), limit);
  }

  /** @returns `undefined` when somebody else was faster, like all that follow */
  claim(event: InboxEvent): Promise<InboxEvent | undefined> {
    const until = this.#options.clock() + claimMs;
    const claim = { owner: this.#options.owner, until };
    return this.#write(event.id, { ...event.document, claim, dueAt: until }, event.version);
  }

  /** Nothing was tried: others may, after a while. */
  release(event: InboxEvent, delayMs: number): Promise<InboxEvent | undefined> {
    const dueAt = this.#options.clock() + delayMs;
    return this.#write(event.id, { ...bare(event.document), dueAt }, event.version);
  }

  /**
   * Whoever has done it says so, even where it took longer than the claim and another process has begun it again: of two
   * that take each other's claim neither would ever come to an end.
   * @param problem why nothing was done, where nothing can be
   */
  async finish(event: InboxEvent, problem?: string): Promise<InboxEvent | undefined> {
    let present: InboxEvent | undefined = event;
    for (let round = 1; round <= mostRounds; round += 1) {
      if (present?.document.state !== 'waiting') return undefined;
      const document = { ...bare(present.document), ...(problem === undefined ? {} : { problem }) };
      const dueAt = this.#options.clock() + keepMs;
      const done = await this.#write(
        event.id,
        { ...document, state: 'done', dueAt },
        present.version,
      );
      if (done !== undefined) return done;
      present = await this.#options.store.get('inbox', event.id);
    }
    return undefined;
  }

  /** An attempt failed. @returns whether it is given up */
  async fail(event: InboxEvent, problem: string): Promise<boolean> {
    const { clock, random } = this.#options;
    const now = clock();
    const document = { ...bare(event.document), attempts: event.document.attempts + 1, problem };
    const longestMs = problem === 'stripe_unavailable' ? longestDelayAwayMs : longestDelayMs;
    const isDead = now - document.receivedAt >= longestLifeMs;
    const next: InboxDocument = isDead
      ? { ...document, state: 'dead', dueAt: now + keepMs }
      : { ...document, dueAt: now + retryDelay(event.document.attempts, random, longestMs) };
    await this.#write(event.id, next, event.version);
    return isDead;
  }

  async forget(event: InboxEvent): Promise<void> {
    await this.#write(event.id, null, event.version);
  }

  /** For the metrics. @returns how many wait, up to 1000, and since when the oldest of them does */
  async waiting(): Promise<{ count: number; since: number | undefined }> {
    const { store } = this.#options;
    const found = await store.find('inbox', 'state', 'waiting', { limit: mostCounted });
    const times = found.map(({ document }) => document.receivedAt);
    return { count: found.length, since: times.length === 0 ? undefined : Math.min(...times) };
  }

  async #write(
    id: string,
    document: InboxDocument | null,
    expect: number | 'absent',
  ): Promise<InboxEvent | undefined> {
    try {
      const version = await this.#options.store.write('inbox', id, document, { expect });
      return document === null ? undefined : { id, version, document };
    } catch (error) {
      if (error instanceof Conflict) return undefined;
      throw error;
    }
  }
}

/** Without what is about this attempt. */
function bare(document: InboxDocument): InboxDocument {
  const { claim: _claim, problem: _problem, ...rest } = document;
  return rest;
}
