/**
 * Sends what is in lanes: one lane (receiver and causing document) in order, one request at a time; lanes beside each
 * other, as far as there are places. A lane that is not in memory is in the store, where any process finds it.
 *
 * Two processes may come to one lane. Each claims the delivery that it wants to send and looks at the lane only
 * then: of two claims at least one is seen by the other's owner, who gives his back. So there is never more than one
 * request under way, also where a terminal delivery overtakes.
 */

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
  receiver: string;
  held: Held | undefined;
  /** Something was put into it since it was last looked at. */
  again: boolean;
  /** It tries whether the receiver is there again. */
  probe: boolean;
  /** Whatever their time is; those named were tried already. For tests and tools. */
  all: Set<string> | undefined;
}

export type Admission = 'admitted' | 'known' | 'full' | 'closed';

/** Bounds of memory: lanes in all, and those of one receiver that wait. */
const mostLanes = 10_000;
const mostQueued = 32;

export class Sender {
  readonly options: SenderOptions;
  readonly slots: Slots;
  readonly #lanes = new Map<string, Lane>();
  readonly #abort = new AbortController();
  #closed = false;
  #attempts = 0;

  constructor(options: SenderOptions) {
    this.options = options;
    const { all, perHost } = options.concurrency;
    const limitOf = (receiver: string) => options.breakers.limitOf(receiver);
    this.slots = new Slots({ all, perHost, limitOf });
  }

  get signal(): AbortSignal {
    return this.#abort.signal;
  }

  get closed(): boolean {
    return this.#closed;
  }

  /** Attempts so far. */
  get attempts(): number {
    return this.#attempts;
  }

  countAttempt(): void {
    this.#attempts += 1;
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
    this.go(receiver, lane);
    return 'admitted';
  }

  /** Keeps a lane for a delivery that is about to be written; `go` or `cancel` follows. */
  reserve(receiver: Receiver, key: string): Lane | Exclude<Admission, 'admitted'> {
    if (this.#closed) return 'closed';
    if (this.#lanes.has(key)) return 'known';
    const isFull = this.#lanes.size >= mostLanes || this.slots.queued(receiver.id) >= mostQueued;
    if (isFull) return 'full';
    const lane: Lane = {
      key,
      receiver: receiver.id,
      held: undefined,
      again: false,
      probe: false,
      all: undefined,
    };
    this.#lanes.set(key, lane);
    return lane;
  }

  go(receiver: Receiver, lane: Lane, held?: Held): void {
    lane.held = held;
    this.slots.add({
      receiver: receiver.id,
      host: hostOf(receiver),
      run: () => this.#run(receiver, lane),
    });
    this.options.meter.load(this.slots.waiting, this.slots.running);
  }

  cancel(receiver: Receiver, lane: Lane): void {
    this.#lanes.delete(lane.key);
    if (lane.again) this.admit(receiver, lane.key);
  }

  /** Resolves when few lanes of the receiver wait: time for more. */
  room(receiver: string): Promise<void> {
    const hasRoom = () =>
      this.slots.queued(receiver) <= mostQueued / 2 && this.#lanes.size < mostLanes;
    return this.slots.until(() => this.#closed || hasRoom());
  }

  /** No further lane begins. @returns the claims that were not used */
  close(): Held[] {
    this.#closed = true;
    this.slots.close();
    return [...this.#lanes.values()].flatMap(({ held }) => held ?? []);
  }

  /** What is under way is broken off; its claims end by themselves. */
  abort(): void {
    this.#abort.abort(new Error('the process stops'));
  }

  async #run(receiver: Receiver, lane: Lane): Promise<void> {
    const { log } = this.options;
    let more = false;
    try {
      more = await runLane(this, lane);
    } catch (error) {
      // What is claimed is free again when the claim ends.
      if (!this.#closed) log.warn('a lane of deliveries failed', { lane: lane.key, error });
    }
    this.#lanes.delete(lane.key);
    if (more && !this.#closed) this.admit(receiver, lane.key);
  }
}

function hostOf({ url = '' }: Receiver): string {
  return URL.parse(url)?.host ?? '';
}
