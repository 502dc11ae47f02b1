/**
 * A receiver with more waiting than memory has room for, or one that answers again, is caught up with: what waits for
 * it is gone through page by page, as fast as it takes it. A mark in the receiver's document says that this is to be
 * done; one process at a time does it, and if that one dies another goes on.
 */

import { setTimeout } from 'node:timers/promises';
import type { ReceiverDocument } from '../storage/documents.ts';
import { gateOf } from './breaker.ts';
import type { Delivery } from './deliveries.ts';
import type { Receiver } from './receivers.ts';
import type { Sender } from './sender.ts';

export interface CatchUpsOptions {
  sender: Sender;
  owner: string;
  /** Of the states: whoever relied on a mark has read it no longer ago. */
  cacheMs: number;
}

const leaseMs = 60_000;
const pageSize = 100;
const mostAtOnce = 500;

export class CatchUps {
  readonly #options: CatchUpsOptions;
  readonly #running = new Map<string, Promise<void>>();

  constructor(options: CatchUpsOptions) {
    this.#options = options;
  }

  /** There is something to catch up with. */
  async mark(id: string): Promise<void> {
    const { states } = this.#options.sender.options;
    if ((await states.of(id))?.catchUp !== undefined) return;
    await states.change(id, (present) =>
      present.catchUp === undefined ? { ...present, catchUp: { until: 0 } } : undefined,
    );
  }

  /**
   * Begins here and at once: a receiver takes again what was held for it, which this process knows first. If it
   * dies, the others know it too by the time that they may go on.
   */
  async begin(id: string): Promise<void> {
    const { owner, sender } = this.#options;
    const { states, clock } = sender.options;
    const until = clock() + leaseMs;
    await states.change(id, (present) => ({ ...present, catchUp: { owner, until } }));
    this.#launch(id);
  }

  /** Begins with those that nobody is at. */
  start(fares: ReadonlyMap<string, ReceiverDocument>): void {
    const { clock } = this.#options.sender.options;
    for (const [id, state] of fares) {
      if (this.#running.size >= mostAtOnce) return;
      if (state.catchUp !== undefined && state.catchUp.until <= clock()) this.#launch(id);
    }
  }

  #launch(id: string): void {
    const { sender } = this.#options;
    const { log } = sender.options;
    if (this.#running.has(id) || sender.closed) return;
    const work = this.#run(id)
      .catch((error: unknown) => log.warn('catching up failed', { receiver: id, error }))
      .finally(() => this.#running.delete(id));
    this.#running.set(id, work);
  }

  async idle(): Promise<void> {
    await Promise.all(this.#running.values());
  }

  async #run(id: string): Promise<void> {
    const { sender, cacheMs } = this.#options;
    const { states } = sender.options;
    if (!(await this.#hold(id, undefined))) return;
    const isDone = await this.pass(id, () => this.#hold(id, leaseMs / 2));
    await states.change(id, (present) => {
      const { catchUp, ...rest } = present;
      if (catchUp?.owner !== this.#options.owner) return undefined;
      // Another process goes on. Where its circuit has opened there is a new mark when it answers again.
      return sender.closed ? { ...rest, catchUp: { until: 0 } } : rest;
    });
    if (!isDone) return;
    // Something may have been put there by one who still saw the mark.
    await Promise.race([setTimeout(cacheMs * 2, undefined, { ref: false }), sender.closing]);
    await this.pass(id, () => Promise.resolve(true));
  }

  /** Takes the work, or goes on with it: written anew once less than `leftMs` is left. */
  async #hold(id: string, leftMs: number | undefined): Promise<boolean> {
    const { sender, owner } = this.#options;
    const { states, clock } = sender.options;
    const now = clock();
    const present = (await states.of(id))?.catchUp;
    if (leftMs !== undefined && present?.owner === owner && present.until > now + leftMs) {
      return true;
    }
    const next = await states.change(id, (state) => {
      const { catchUp } = state;
      const isFree = catchUp?.owner === owner || (catchUp !== undefined && catchUp.until <= now);
      return isFree ? { ...state, catchUp: { owner, until: now + leaseMs } } : undefined;
    });
    return next !== undefined;
  }

  /**
   * Once through what waits for a receiver.
   * @param all whatever its time is; those named were tried already
   * @returns whether it came to the end
   */
  async pass(id: string, goOn: () => Promise<boolean>, all?: Set<string>): Promise<boolean> {
    const { sender } = this.#options;
    const { receivers, states, store } = sender.options;
    let after: string | undefined;
    let lane: string | undefined;
    while (await goOn()) {
      const receiver = (await receivers.all()).get(id);
      if (receiver === undefined || sender.closed) return false;
      if (gateOf(receiver, await states.of(id)) !== 'go') return false;
      const options = { limit: pageSize, ...(after === undefined ? {} : { after }) };
      const page = await store.find('delivery', 'receiver', `${id} waiting`, options);
      for (const delivery of page) {
        // A lane goes on by itself, or all of it waits.
        if (delivery.document.lane === lane) continue;
        if (await this.#admit(receiver, delivery, all)) ({ lane } = delivery.document);
      }
      after = page.at(-1)?.id;
      if (page.length < pageSize) return true;
    }
    return false;
  }

  /** @returns whether its lane was looked at */
  async #admit(receiver: Receiver, delivery: Delivery, all?: Set<string>): Promise<boolean> {
    const { sender } = this.#options;
    const { clock, claims } = sender.options;
    const { lane, parked, dueAt = 0, claim } = delivery.document;
    if (all === undefined) {
      if (parked !== true && dueAt > clock()) return false;
      if (claim !== undefined && claims.isForeign(delivery)) return false;
    } else if (all.has(delivery.id)) return false;
    // Others were waiting for the same place.
    do await sender.room(receiver.id);
    while (sender.admit(receiver, lane, all === undefined ? {} : { all }) === 'full');
    return true;
  }
}
