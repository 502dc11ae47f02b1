/**
 * The documents of deliveries: what may become of one, each by one conditional write. Whoever is told of a
 * conflict (`undefined`) has lost it to somebody else, and leaves it alone.
 *
 * A process claims a delivery before it sends it. A claim ends by itself, so that a process which dies leaves it to
 * others; one that wakes late finds another version, and nothing that it writes counts.
 */

import type { Clock } from '../base/clock.ts';
import type { DeliveryDocument } from '../storage/documents.ts';
import { Conflict } from '../storage/store.ts';
import type { Store, Stored } from '../storage/store.ts';
import { day, netAfter } from './schedule.ts';

export type Delivery = Stored<DeliveryDocument>;
export type Last = NonNullable<DeliveryDocument['last']>;

export interface DeliveriesOptions {
  store: Store;
  clock: Clock;
  random: () => number;
  /** Names this process: unique, and new at each start. */
  owner: string;
  claimMs: number;
}

/** Of a lane so many are looked at: a terminal delivery overtakes within them. */
const windowSize = 100;
const keepDoneMs = day;
const keepDeadMs = 30 * day;
/** As long as its notice is kept: longer, there would be nothing to send. */
export const keepHeldMs = 7 * day;

/** Receiver and causing document. Neither a receiver's id nor a kind has a slash. */
export function laneOf(receiver: string, cause: { kind: string; id: string }): string {
  return `${receiver}/${cause.kind}/${cause.id}`;
}

/** The next of a lane: the first, or the first that ends access. */
export function headOf(window: readonly Delivery[]): Delivery | undefined {
  return window.find(({ document }) => document.terminal === true) ?? window[0];
}

export function ageOf({ createdAt, replayedAt }: DeliveryDocument, now: number): number {
  return now - (replayedAt ?? createdAt);
}

export class Deliveries {
  readonly #options: DeliveriesOptions;

  constructor(options: DeliveriesOptions) {
    this.#options = options;
  }

  /** What waits in a lane, in the order of sending but for terminal ones. */
  window(lane: string): Promise<Delivery[]> {
    return this.#options.store.find('delivery', 'lane', lane, { limit: windowSize });
  }

  newClaim(): { claim: { owner: string; until: number }; dueAt: number } {
    const until = this.#options.clock() + this.#options.claimMs;
    return { claim: { owner: this.#options.owner, until }, dueAt: until };
  }

  /** @returns `undefined` when it is there already: made by an earlier fan-out, or by another process */
  create(id: string, document: DeliveryDocument): Promise<Delivery | undefined> {
    return this.#write(id, document, 'absent');
  }

  /** Also renews one's own. */
  claim(delivery: Delivery): Promise<Delivery | undefined> {
    return this.#replace(delivery, { ...bare(delivery.document), ...this.newClaim() });
  }

  finish(delivery: Delivery, last: Last): Promise<Delivery | undefined> {
    return this.#done(delivery, 'delivered', keepDoneMs, last);
  }

  /** Given up: stays for a while, so that an operator can have it sent again. */
  kill(delivery: Delivery, last: Last): Promise<Delivery | undefined> {
    return this.#done(delivery, 'dead', keepDeadMs, last);
  }

  drop(delivery: Delivery, last: Last): Promise<Delivery | undefined> {
    return this.#done(delivery, 'dropped', keepDoneMs, last);
  }

  /** An attempt failed. */
  postpone(delivery: Delivery, delayMs: number, last: Last): Promise<Delivery | undefined> {
    const document = bare(delivery.document);
    const dueAt = this.#options.clock() + delayMs;
    return this.#replace(delivery, { ...document, attempts: document.attempts + 1, dueAt, last });
  }

  /** Its turn or its receiver is waited for, not a time. */
  park(delivery: Delivery, dueAt?: number, last?: Last): Promise<Delivery | undefined> {
    const document = bare(delivery.document);
    const parked = { ...document, parked: true as const, dueAt: dueAt ?? this.net(document) };
    return this.#replace(delivery, last === undefined ? parked : { ...parked, last });
  }

  /** Gives it back, to be taken by whoever comes first. */
  release(delivery: Delivery, delayMs = 0): Promise<Delivery | undefined> {
    return this.park(delivery, this.#options.clock() + delayMs);
  }

  /** Until its stream is not paused any more, or fetches it. @param isPushed it has an address */
  hold(delivery: Delivery, isPushed: boolean): Promise<Delivery | undefined> {
    return this.park(delivery, this.heldUntil(delivery.document, isPushed));
  }

  /** What is to be sent is looked at in between: that nobody can send it may be over without anybody's word. */
  heldUntil(document: DeliveryDocument, isPushed: boolean): number {
    const { createdAt, replayedAt = createdAt } = document;
    const end = replayedAt + keepHeldMs;
    return isPushed ? Math.min(end, this.net(document)) : end;
  }

  /** Sent again from the beginning, by an operator's wish. */
  revive(delivery: Delivery): Promise<Delivery | undefined> {
    const now = this.#options.clock();
    const document = { ...bare(delivery.document), state: 'waiting' as const, attempts: 0 };
    return this.#replace(delivery, { ...document, parked: true, dueAt: now, replayedAt: now });
  }

  /** @returns whether it is gone */
  async forget(delivery: Delivery): Promise<boolean> {
    try {
      await this.#options.store.write('delivery', delivery.id, null, { expect: delivery.version });
      return true;
    } catch (error) {
      if (error instanceof Conflict) return false;
      throw error;
    }
  }

  /** Of one that is made anew for what happened before. */
  fresh(): { createdAt: number; dueAt: number } {
    const now = this.#options.clock();
    return { createdAt: now, dueAt: now };
  }

  net(document: DeliveryDocument): number {
    const { clock, random } = this.#options;
    return clock() + netAfter(ageOf(document, clock()), random);
  }

  #done(
    delivery: Delivery,
    state: DeliveryDocument['state'],
    keepMs: number,
    last: Last,
  ): Promise<Delivery | undefined> {
    const document = bare(delivery.document);
    const attempts = document.attempts + (last.milliseconds === undefined ? 0 : 1);
    const dueAt = this.#options.clock() + keepMs;
    return this.#replace(delivery, { ...document, state, attempts, dueAt, last });
  }

  #replace({ id, version }: Delivery, document: DeliveryDocument): Promise<Delivery | undefined> {
    return this.#write(id, document, version);
  }

  async #write(
    id: string,
    document: DeliveryDocument,
    expect: number | 'absent',
  ): Promise<Delivery | undefined> {
    try {
      const version = await this.#options.store.write('delivery', id, document, { expect });
      return { id, version, document };
    } catch (error) {
      if (error instanceof Conflict) return undefined;
      throw error;
    }
  }
}

/** Without what is about being claimed and put off. */
function bare(document: DeliveryDocument): DeliveryDocument {
  const copy = { ...document };
  delete copy.claim;
  delete copy.parked;
  delete copy.dueAt;
  return copy;
}
