/**
 * The events room: what happened is written with its cause into the outbox of the store, and the
 * dispatcher of every process hands it to the handlers, at least once, in order for each document.
 *
 * A process handles the events of its own writes at once. What is left over, by a process that died
 * or had no room, is found by polling: one process at a time does that, under a lease. The room knows
 * nobody above it: sagas, audit and deliveries are handlers given to it.
 */

import { clearInterval, clearTimeout, setInterval, setTimeout } from 'node:timers';
import type { Clock } from '../base/clock.ts';
import type { Log } from '../base/log.ts';
import type { EventPlace, PendingEvent, Store } from '../storage/store.ts';
import type { Handler } from './handlers.ts';
import { Lanes } from './lanes.ts';
import { createLeases } from './leases.ts';
import type { Lease, Leases } from './leases.ts';

export interface DispatcherOptions {
  store: Store;
  clock: Clock;
  log: Log;
  handlers: readonly Handler[];
  /** Names this process: unique, and new at each start. */
  owner: string;
  /** How often what others left is looked for. */
  pollMs?: number;
  /** Events younger than this are left to the process that wrote them. */
  leftoverAfterMs?: number;
  leaseMs?: number;
  concurrency?: number;
  handlerTimeoutMs?: number;
  /** How long `stop` waits for what is under way. */
  stopMs?: number;
  random?: () => number;
  /** At each look: for how long the oldest event has waited; undefined where another process looks. */
  seen?: (oldestMs: number | undefined) => void;
}

export interface Dispatcher {
  /** These were just written by this process; without events: look for some. Never throws. */
  wake(events?: readonly PendingEvent[]): void;
  start(): void;
  /** Ends when what is under way is done, or after `stopMs`. What is left waits in the outbox. */
  stop(): Promise<void>;
  /**
   * Handles everything that is pending, also what follows from it, of any age and whoever wrote it.
   * What fails is tried once and stays pending. For tests and tools.
   */
  drain(): Promise<void>;
}

const pageSize = 500;
const leaseName = 'dispatcher';
const mostDrainPasses = 10_000;

export function createDispatcher(options: DispatcherOptions): Dispatcher {
  return new OutboxDispatcher({
    pollMs: 1000,
    leftoverAfterMs: 5000,
    leaseMs: 15_000,
    concurrency: 16,
    handlerTimeoutMs: 30_000,
    stopMs: 5000,
    random: Math.random,
    seen: () => undefined,
    ...options,
  });
}

class OutboxDispatcher implements Dispatcher {
  readonly #options: Required<DispatcherOptions>;
  readonly #lanes: Lanes;
  readonly #leases: Leases;
  #state: 'new' | 'started' | 'stopping' | 'stopped' = 'new';
  #lease: Lease | undefined;
  #renewAt = 0;
  #pollTimer: NodeJS.Timeout | undefined;
  #retryTimer: NodeJS.Timeout | undefined;
  #polling: Promise<void> | undefined;
  #stopped: Promise<void> | undefined;

  constructor(options: Required<DispatcherOptions>) {
    this.#options = options;
    this.#lanes = new Lanes(options);
    this.#leases = createLeases(options);
  }

  wake(events?: readonly PendingEvent[]): void {
    if (events === undefined) this.#schedule(0);
    if (this.#state !== 'started' && this.#state !== 'stopping') return;
    for (const event of events ?? []) this.#lanes.add(event);
  }

  start(): void {
    if (this.#state !== 'new') return;
    this.#state = 'started';
    const retryMs = Math.min(this.#options.pollMs, 250);
    this.#retryTimer = setInterval(() => this.#lanes.retry('due'), retryMs);
    this.#schedule(0);
  }

  stop(): Promise<void> {
    this.#stopped ??= this.#stop();
    return this.#stopped;
  }

  async drain(): Promise<void> {
    const goOn = () => Promise.resolve(this.#state === 'new' || this.#state === 'started');
    this.#lanes.retry('all');
    await this.#lanes.idle();
    for (let pass = 0; pass < mostDrainPasses; pass += 1) {
      const admitted = await this.#readOutbox(goOn, () => true);
      await this.#lanes.idle();
      if (admitted === 0) return;
    }
  }

  #schedule(delayMs: number): void {
    if (this.#state !== 'started' || this.#polling !== undefined) return;
    const { pollMs, random } = this.#options;
    clearTimeout(this.#pollTimer);
    this.#pollTimer = setTimeout(() => {
      this.#polling = this.#poll().finally(() => {
        this.#polling = undefined;
        // Jitter, so that processes started together do not ask together.
        this.#schedule(pollMs * (0.75 + random() / 2));
      });
    }, delayMs);
  }

  async #poll(): Promise<void> {
    const { clock, leftoverAfterMs, log } = this.#options;
    // The writer's clock may be wrong: an event from far ahead waits no longer than an old one.
    const isLeftover = (event: PendingEvent) => Math.abs(clock() - event.at) >= leftoverAfterMs;
    try {
      if (!(await this.#mayPoll())) return this.#options.seen(undefined);
      await this.#readOutbox(() => this.#mayPoll(), isLeftover);
    } catch (error) {
      log.warn('reading the outbox failed', { error });
    }
  }

  /** Writes only when half of the lease is over, so that an idle installation is quiet. */
  async #mayPoll(): Promise<boolean> {
    const { clock, leaseMs } = this.#options;
    if (this.#state !== 'started') return false;
    const present = this.#lease?.held() === true ? this.#lease : undefined;
    if (present !== undefined && clock() < this.#renewAt) return true;
    if (present === undefined || !(await present.renew())) {
      this.#lease = await this.#leases.take(leaseName, leaseMs);
    }
    this.#renewAt = clock() + leaseMs / 2;
    return this.#lease !== undefined;
  }

  /**
   * Goes through the outbox in pages and puts the documents into lanes.
   * @returns how many documents were new to the lanes
   */
  async #readOutbox(
    goOn: () => Promise<boolean>,
    concerns: (event: PendingEvent) => boolean,
  ): Promise<number> {
    let admitted = 0;
    let after: EventPlace | undefined;
    while (await goOn()) {
      const page = await this.#options.store.pending(pageSize, { after });
      if (after === undefined) this.#tellOldest(page[0]);
      for (const event of page) {
        if (concerns(event) && this.#lanes.add(event) === 'admitted') admitted += 1;
      }
      if (page.length < pageSize) break;
      await this.#lanes.room();
      // Go on behind what stays: the rest of the page is settled, and gone from the outbox.
      after = page.findLast((event) => !concerns(event) || this.#lanes.has(event)) ?? after;
    }
    return admitted;
  }

  #tellOldest(oldest: PendingEvent | undefined): void {
    const { clock, seen } = this.#options;
    seen(oldest === undefined ? 0 : Math.max(0, clock() - oldest.at));
  }

  async #stop(): Promise<void> {
    const { log, stopMs } = this.#options;
    this.#state = 'stopping';
    clearTimeout(this.#pollTimer);
    clearInterval(this.#retryTimer);
    let timer: NodeJS.Timeout | undefined;
    const bound = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, stopMs);
    });
    await Promise.race([Promise.all([this.#polling, this.#lanes.idle()]), bound]);
    clearTimeout(timer);
    this.#lanes.close();
    this.#state = 'stopped';
    await this.#lease?.release().catch((error: unknown) => {
      log.warn('giving back a lease failed', { lease: leaseName, error });
    });
  }
}
