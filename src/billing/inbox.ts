/**
 * Events of Stripe from their arrival until they are forgotten: what may become of one, each by one conditional write.
 * A process claims what it works on; a claim ends by itself, so that a process which dies leaves it to others.
 */

import { bare, retryDelay, WorkQueue } from '../events/work_queue.ts';
import type { WorkQueueOptions } from '../events/work_queue.ts';
import type { InboxDocument } from '../storage/documents.ts';
import type { Stored } from '../storage/store.ts';
import type { Arrival } from './arrivals.ts';

export type InboxEvent = Stored<InboxDocument>;

const minute = 60_000;
const day = 24 * 60 * minute;
/** It only spares double work. */
const claimMs = minute / 2;
/** Stripe lists its events for 30 days: none of them can come as a new one again. */
const keepMs = 35 * day;
const longestLifeMs = 3 * day;
/** 1 s, 2 s, 4 s, … 1 h. */
export const retrying = { firstMs: 1000, longestMs: 60 * minute };
/** While Stripe is away its worker asks little of it by itself: what waits is not to wait much longer than that lasts. */
const longestDelayAwayMs = 5 * minute;

export class Inbox extends WorkQueue<'inbox'> {
  constructor(options: WorkQueueOptions) {
    super('inbox', claimMs, options);
  }

  /** @returns false when it was there already. One that was given up begins anew: somebody sends it again on purpose. */
  async add({ id, ...about }: Arrival): Promise<boolean> {
    const now = this.options.clock();
    const state = { receivedAt: now, state: 'waiting', attempts: 0, dueAt: now } as const;
    const document = { ...about, ...state };
    const added = (await this.write(id, document, 'absent')) ?? (await this.#revive(id, document));
    if (added !== undefined) this.arrived();
    return added !== undefined;
  }

  async #revive(id: string, document: InboxDocument): Promise<InboxEvent | undefined> {
    const present = await this.options.store.get('inbox', id);
    return present?.document.state === 'dead'
      ? this.write(id, document, present.version)
      : undefined;
  }

  /** Nothing was tried: others may, after a while. */
  release(event: InboxEvent, delayMs: number): Promise<InboxEvent | undefined> {
    const dueAt = this.options.clock() + delayMs;
    return this.write(event.id, { ...bare(event.document), dueAt }, event.version);
  }

  /** @param problem why nothing was done, where nothing can be */
  finish(event: InboxEvent, problem?: string): Promise<InboxEvent | undefined> {
    // Of two that take each other's claim neither would ever come to an end.
    return this.settle(event, (document) => {
      if (document.state !== 'waiting') return undefined;
      const dueAt = this.options.clock() + keepMs;
      const why = problem === undefined ? {} : { problem };
      return { ...bare(document), ...why, state: 'done', dueAt };
    });
  }

  /** An attempt failed. @returns whether it is given up */
  async fail(event: InboxEvent, problem: string): Promise<boolean> {
    const { clock, random } = this.options;
    const now = clock();
    const document = { ...bare(event.document), attempts: event.document.attempts + 1, problem };
    const isAway = problem === 'stripe_unavailable';
    const steps = isAway ? { ...retrying, longestMs: longestDelayAwayMs } : retrying;
    const isDead = now - document.receivedAt >= longestLifeMs;
    const next: InboxDocument = isDead
      ? { ...document, state: 'dead', dueAt: now + keepMs }
      : {
          ...document,
          dueAt: now + retryDelay(event.document.attempts, random, steps),
        };
    await this.write(event.id, next, event.version);
    return isDead;
  }

  waiting() {
    return this.count(({ receivedAt }) => receivedAt);
  }
}
