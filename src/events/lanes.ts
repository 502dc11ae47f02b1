/**
 * Documents whose events wait, each in a lane of its own: one lane's events are handled one after
 * the other, in the order of the document's versions; lanes run beside each other, some at a time.
 *
 * A lane holds no events, only the document's name: what is pending is read from the store when its
 * turn comes. So an earlier event that another process wrote is seen and handled first, and memory
 * does not grow with the backlog. A lane whose event fails is parked for a while.
 */

import type { Clock } from '../base/clock.ts';
import type { Log } from '../base/log.ts';
import type { Kind } from '../storage/kinds.ts';
import type { EventPlace, PendingEvent, Store } from '../storage/store.ts';
import { runHandlers } from './handlers.ts';
import type { Handler } from './handlers.ts';

export interface LanesOptions {
  store: Store;
  clock: Clock;
  log: Log;
  handlers: readonly Handler[];
  /** Lanes that run at the same time. */
  concurrency: number;
  /** How long one handler may take with one event. */
  handlerTimeoutMs: number;
  /** From 0 to 1, for jitter. */
  random: () => number;
}

export type DocumentName = Pick<EventPlace, 'kind' | 'document'>;

export type Admission = 'admitted' | 'known' | 'refused';

interface Lane {
  key: string;
  kind: Kind;
  id: string;
  /** Something was written since the events were read. */
  again: boolean;
  failures: number;
  retryAt: number;
  /** The event that failed last, and the handlers that need not see it again. */
  failing: { event: string; done: Set<string> } | undefined;
}

/** Events that one lane handles before others get their turn. */
const turn = 100;
/** Bounds of memory: lanes waiting or running, and lanes parked. */
const mostWaiting = 10_000;
const mostRetrying = 1000;
const mostParked = 10_000;
const firstDelayMs = 200;
const longestDelayMs = 5 * 60 * 1000;

export class Lanes {
  readonly #options: LanesOptions;
  /** Waiting or running, by key. */
  readonly #active = new Map<string, Lane>();
  readonly #parked = new Map<string, Lane>();
  readonly #fresh = new Set<Lane>();
  readonly #retrying = new Set<Lane>();
  #running = 0;
  #runningRetries = 0;
  #closed = false;
  #waiters: { condition: () => boolean; resolve: () => void }[] = [];

  constructor(options: LanesOptions) {
    this.#options = options;
  }

  /** @returns `refused` when there is no room; the events are still in the outbox then. */
  add({ kind, document: id }: DocumentName): Admission {
    const key = `${kind}/${id}`;
    const active = this.#active.get(key);
    if (active !== undefined) active.again = true;
    if (active !== undefined || this.#parked.has(key)) return 'known';
    if (this.#closed || this.#active.size >= mostWaiting) return 'refused';
    const lane = { key, kind, id, again: false, failures: 0, retryAt: 0, failing: undefined };
    this.#enqueue(lane);
    return 'admitted';
  }

  /** Whether the document's events wait here, are being handled, or failed. */
  has({ kind, document }: DocumentName): boolean {
    const key = `${kind}/${document}`;
    return this.#active.has(key) || this.#parked.has(key);
  }

  /** Takes up the parked lanes whose time has come, or all of them. */
  retry(which: 'due' | 'all'): void {
    const now = this.#options.clock();
    for (const lane of this.#parked.values()) {
      if (this.#retrying.size >= mostRetrying) return;
      if (which === 'due' && lane.retryAt > now) continue;
      this.#parked.delete(lane.key);
      this.#enqueue(lane);
    }
  }

  /** Resolves when few lanes are left that have not failed: time for the next page. */
  room(): Promise<void> {
    return this.#until(() => {
      const fresh = this.#active.size - this.#retrying.size - this.#runningRetries;
      return fresh <= this.#options.concurrency;
    });
  }

  /** Resolves when no lane waits or runs. Parked ones do not count. */
  idle(): Promise<void> {
    return this.#until(() => this.#active.size === 0);
  }

  #until(condition: () => boolean): Promise<void> {
    if (this.#closed || condition()) return Promise.resolve();
    return new Promise((resolve) => this.#waiters.push({ condition, resolve }));
  }

  /** No further lane begins. */
  close(): void {
    this.#closed = true;
    this.#notify();
  }

  #enqueue(lane: Lane): void {
    this.#active.set(lane.key, lane);
    (lane.failures === 0 ? this.#fresh : this.#retrying).add(lane);
    this.#pump();
  }

  #pump(): void {
    while (!this.#closed && this.#running < this.#options.concurrency) {
      const lane = this.#next();
      if (lane === undefined) return;
      const isRetry = lane.failures > 0;
      this.#running += 1;
      if (isRetry) this.#runningRetries += 1;
      // Rejects only by a defect of this file, and then the process should hear of it.
      void this.#run(lane).then(() => {
        this.#running -= 1;
        if (isRetry) this.#runningRetries -= 1;
        this.#notify();
        this.#pump();
      });
    }
  }

  /** Lanes that failed get a quarter of the places, so that handlers which hang leave some free. */
  #next(): Lane | undefined {
    for (const lane of this.#fresh) {
      this.#fresh.delete(lane);
      return lane;
    }
    if (this.#runningRetries >= Math.max(1, this.#options.concurrency / 4)) return undefined;
    for (const lane of this.#retrying) {
      this.#retrying.delete(lane);
      return lane;
    }
    return undefined;
  }

  async #run(lane: Lane): Promise<void> {
    const { store, log } = this.#options;
    lane.again = false;
    const handled: PendingEvent[] = [];
    try {
      const events = await store.pending(turn, { of: { kind: lane.kind, id: lane.id } });
      let failed = false;
      for (const event of events) {
        failed = !(await this.#handle(lane, event));
        if (!failed) handled.push(event);
        if (failed || this.#closed) break;
      }
      await store.settle(handled);
      if (failed) this.#park(lane);
      else this.#end(lane, events.length >= turn);
    } catch (error) {
      if (!this.#closed) {
        log.warn('reading or settling events failed', { kind: lane.kind, id: lane.id, error });
      }
      this.#park(lane);
    }
  }

  /** @returns whether every handler has succeeded with the event */
  async #handle(lane: Lane, event: PendingEvent): Promise<boolean> {
    const { handlers, handlerTimeoutMs, log } = this.#options;
    const done = lane.failing?.event === event.id ? lane.failing.done : new Set<string>();
    const failures = await runHandlers(event, handlers, done, handlerTimeoutMs);
    if (failures.length === 0) {
      lane.failures = 0;
      lane.failing = undefined;
      return true;
    }
    lane.failing = { event: event.id, done };
    // What fails because the process stops is taken up by another one.
    if (this.#closed) return false;
    for (const { handler, error } of failures) {
      const attempt = lane.failures + 1;
      log.warn('handling an event failed', {
        event: event.id,
        type: event.type,
        handler,
        attempt,
        error,
      });
    }
    return false;
  }

  #end(lane: Lane, more: boolean): void {
    this.#active.delete(lane.key);
    if (more || lane.again) this.#enqueue(lane);
  }

  #park(lane: Lane): void {
    const { clock, random } = this.#options;
    lane.failures += 1;
    const delay = Math.min(longestDelayMs, firstDelayMs * 2 ** Math.min(lane.failures - 1, 20));
    lane.retryAt = clock() + delay * (0.5 + random());
    this.#active.delete(lane.key);
    this.#parked.set(lane.key, lane);
    // The one that waits longest is forgotten: polling finds it again.
    for (const key of this.#parked.keys()) {
      if (this.#parked.size <= mostParked) break;
      this.#parked.delete(key);
    }
  }

  #notify(): void {
    const ready = this.#waiters.filter(({ condition }) => this.#closed || condition());
    if (ready.length === 0) return;
    this.#waiters = this.#waiters.filter((waiter) => !ready.includes(waiter));
    for (const { resolve } of ready) resolve();
  }
}
