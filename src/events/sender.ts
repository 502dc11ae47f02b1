/**
 * Sends what is in lanes: one lane (receiver and causing document) in order, one request at a time; lanes beside each
 * other, as far as there are places. A lane that is not in memory is in the store, where any process finds it.
 *
 * Two processes may come to one lane. Each claims the delivery that it wants to send and looks at the lane only
 * then: of two claims at least one is seen by the other's owner, who gives his back. So there is never more than one
 * request under way, also where a terminal delivery overtakes.
 */

import { clearTimeout, setTimeout } from 'node:timers';
import type { Clock } from '../base/clock.ts';
import type { Log } from '../base/log.ts';
import type { NoticeDocument } from '../storage/documents.ts';
import type { Store } from '../storage/store.ts';
import type { DeliveryFetch } from './attempt.ts';
import type { Breakers } from './breaker.ts';
import type { Claims } from './claims.ts';
import type { Deliveries, Delivery } from './deliveries.ts';
import { runLane } from './lane.ts';
import type { Meter } from './meter.ts';
import type { Notices } from './notices.ts';
import type { Receiver } from './receivers.ts';
import type { Receivers, ReceiverStates } from './receiver_states.ts';
import { Slots } from './slots.ts';

export interface SenderOptions {
  store: Store;
  deliveries: Deliveries;
  notices: Notices;
  claims: Claims;
  receivers: Receivers;
  states: ReceiverStates;
  breakers: Breakers;
  fetch: DeliveryFetch;
  clock: Clock;
  log: Log;
  meter: Meter;
  random: () => number;
  timeoutMs: number;
  /** A request begins with a claim that is no older. */
  freshMs: number;
  concurrency: { all: number; perHost: number; perReceiver: number };
}

/** A delivery that this process has claimed. */
export interface Held {
  delivery: Delivery;
  /** By the clock that nobody sets. */
  since: number;
  notice?: NoticeDocument;
}

export interface Lane {
  key: string;
  receiver: Receiver;
  held: Held | undefined;
  /** Something was put into it since it was last looked at. */
  again: boolean;
  /** It tries whether the receiver is there again. */
  probe: boolean;
  /** Whatever their time is; those named were tried already. For tests and tools. */
  all: Set<string> | undefined;
}

export type Admission = 'admitted' | 'known' | 'full' | 'closed';

/** Bounds of memory: lanes in all, and those of one receiver. */
const mostLanes = 10_000;
const mostOfReceiver = 64;

export class Sender {
  readonly options: SenderOptions;
  readonly slots: Slots;
  readonly #lanes = new Map<string, Lane>();
  /** How many of them each receiver has. */
  readonly #counts = new Map<string, number>();
  readonly #underWay = new Set<AbortController>();
  #closed = false;
  #aborted = false;
  #attempts = 0;
  readonly #whenClosed = Promise.withResolvers<void>();
  #waiters: { condition: () => boolean; resolve: () => void }[] = [];

  constructor(options: SenderOptions) {
    this.options = options;
    const { all, perHost } = options.concurrency;
    const limitOf = (receiver: string) => options.breakers.limitOf(receiver);
    this.slots = new Slots({ all, perHost, limitOf });
  }

  get aborted(): boolean {
    return this.#aborted;
  }

  /** Resolves when no further request begins. */
  get closing(): Promise<void> {
    return this.#whenClosed.promise;
  }

  get closed(): boolean {
    return this.#closed;
  }

  /** Attempts so far. */
  get attempts(): number {
    return this.#attempts;
  }

  /** Waits for a place. `undefined`: the process stops, and nothing was done. */
  inPlace<T>(receiver: Receiver, work: () => Promise<T>): Promise<T | undefined> {
    this.options.meter.load(this.slots.waiting + 1, this.slots.running);
    return this.slots.use(receiver.id, hostOf(receiver), async () => {
      this.#attempts += 1;
      return work();
    });
  }

  /** For one request. Not derived from a signal of the whole process, which would keep them all. */
  deadline(): { signal: AbortSignal; clear(): void } {
    const controller = new AbortController();
    const { timeoutMs } = this.options;
    const over = () => controller.abort(new DOMException('no answer in time', 'TimeoutError'));
    const timer = setTimeout(over, timeoutMs);
    this.#underWay.add(controller);
    const clear = () => {
      clearTimeout(timer);
      this.#underWay.delete(controller);
    };
    return { signal: controller.signal, clear };
  }

  has(key: string): boolean {
    return this.#lanes.has(key);
  }

  /** Takes up a lane, to send what it finds in it. */
  admit(receiver: Receiver, key: string, how: { probe?: true; all?: Set<string> } = {}): Admission {
    const lane = this.reserve(receiver, key);
    if (typeof lane === 'string') {
      const known = this.#lanes.get(key);
      if (known !== undefined) known.again = true;
      return lane;
    }
    lane.probe = how.probe === true;
    lane.all = how.all;
    this.go(lane);
    return 'admitted';
  }

  /** Keeps a lane for a delivery that is about to be written; `go` or `cancel` follows. */
  reserve(receiver: Receiver, key: string): Lane | Exclude<Admission, 'admitted'> {
    if (this.#closed) return 'closed';
    if (this.#lanes.has(key)) return 'known';
    if (!this.#hasRoom(receiver.id, mostOfReceiver)) return 'full';
    const lane: Lane = {
      key,
      receiver,
      held: undefined,
      again: false,
      probe: false,
      all: undefined,
    };
    this.#lanes.set(key, lane);
    this.#count(receiver.id, 1);
    return lane;
  }

  go(lane: Lane, held?: Held): void {
    lane.held = held;
    // It rejects only by a defect, and then the process should hear of it.
    void this.#run(lane);
  }

  cancel(lane: Lane): void {
    this.#end(lane, lane.again);
  }

  /** Resolves when the receiver has few lanes here: time for more. */
  room(receiver: string): Promise<void> {
    return this.#until(() => this.#closed || this.#hasRoom(receiver, mostOfReceiver / 2));
  }

  /** Resolves when there are no lanes any more. */
  idle(): Promise<void> {
    return this.#until(() => this.#lanes.size === 0);
  }

  /** No further request begins; claims that were not used are given back. */
  close(): void {
    this.#closed = true;
    this.slots.close();
    this.#whenClosed.resolve();
    this.#notify();
  }

  /** What is under way is broken off; its claims end by themselves. */
  abort(): void {
    this.#aborted = true;
    for (const controller of this.#underWay) controller.abort(new Error('the process stops'));
  }

  async #run(lane: Lane): Promise<void> {
    const { log } = this.options;
    let more = false;
    try {
      more = await runLane(this, lane);
    } catch (error) {
      // What is claimed is free again when the claim ends.
      log.warn('a lane of deliveries failed', { lane: lane.key, error });
    }
    this.#end(lane, more);
  }

  #end({ key, receiver }: Lane, more: boolean): void {
    this.#lanes.delete(key);
    this.#count(receiver.id, -1);
    if (more) this.admit(receiver, key);
    this.#notify();
  }

  #hasRoom(receiver: string, most: number): boolean {
    return this.#lanes.size < mostLanes && (this.#counts.get(receiver) ?? 0) < most;
  }

  #count(receiver: string, by: 1 | -1): void {
    const count = (this.#counts.get(receiver) ?? 0) + by;
    if (count === 0) this.#counts.delete(receiver);
    else this.#counts.set(receiver, count);
  }

  #until(condition: () => boolean): Promise<void> {
    if (condition()) return Promise.resolve();
    return new Promise((resolve) => this.#waiters.push({ condition, resolve }));
  }

  #notify(): void {
    if (this.#waiters.length === 0) return;
    const ready = new Set(this.#waiters.filter(({ condition }) => condition()));
    if (ready.size === 0) return;
    this.#waiters = this.#waiters.filter((waiter) => !ready.has(waiter));
    for (const { resolve } of ready) resolve();
  }
}

function hostOf({ url = '' }: Receiver): string {
  return URL.parse(url)?.host ?? '';
}
