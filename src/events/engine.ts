/**
 * Deliveries as a whole: events are fanned out to receivers, and sent until they arrive or are given up. At least
 * once, in order for each receiver and document, by any number of processes, none of which tells another anything.
 */

import { clearTimeout, setTimeout } from 'node:timers';
import type { Clock } from '../base/clock.ts';
import type { Log } from '../base/log.ts';
import { repeat } from '../base/repeat.ts';
import type { Store } from '../storage/store.ts';
import type { DeliveryFetch } from './attempt.ts';
import { Breakers } from './breaker.ts';
import { CatchUps } from './catch_up.ts';
import { Claims } from './claims.ts';
import { Deliveries as DeliveryDocuments } from './deliveries.ts';
import { statusOf } from './delivery_status.ts';
import type { ReceiverStatus } from './delivery_status.ts';
import { createFanout } from './fanout.ts';
import type { Handler } from './handlers.ts';
import { noMeter } from './meter.ts';
import type { Meter } from './meter.ts';
import { Notices } from './notices.ts';
import { poll, sweepAll } from './poller.ts';
import { Receivers, ReceiverStates } from './receiver_states.ts';
import type { ReceiverSource } from './receivers.ts';
import { replay } from './replay.ts';
import type { Replayed, ReplayWish } from './replay.ts';
import { Sender } from './sender.ts';

export interface DeliveriesOptions {
  store: Store;
  clock: Clock;
  log: Log;
  /** The guarded one, which reads no more of an answer than it is told. */
  fetch: DeliveryFetch;
  /** Names this process: unique, and new at each start. */
  owner: string;
  sources: readonly ReceiverSource[];
  /** The types of events that leave the house; all when not given. */
  types?: Handler['types'];
  meter?: Meter;
  random?: () => number;
  /** For one request, to the end. */
  timeoutMs?: number;
  /** At least three times as long. */
  claimMs?: number;
  /** A request begins with a claim that is no older. */
  freshMs?: number;
  /** For how long a claim that seems to be over must have been seen: `freshMs`, a request, and a little. */
  observeMs?: number;
  pollMs?: number;
  /** How long it is believed how receivers fare. */
  cacheMs?: number;
  /** How long `stop` waits for requests that are under way. */
  stopMs?: number;
  concurrency?: { all: number; perHost: number; perReceiver: number };
}

export interface Deliveries {
  /** For the dispatcher. */
  handler: Handler;
  start(): void;
  /** Ends when the requests under way are over, or after `stopMs`. */
  stop(): Promise<void>;
  /**
   * Sends all that is due or waits for its turn. With `ignoreTimes` also what waits for its time or is claimed: once
   * each, for tests and tools that are alone at the store.
   */
  drain(options?: { ignoreTimes?: boolean }): Promise<void>;
  status(receiver?: string): Promise<ReceiverStatus[]>;
  replay(wish: ReplayWish): Promise<Replayed>;
  /** A stream is not paused any more, and its source says so already: what was held for it goes. */
  release(receiver: string): Promise<void>;
}

const mostPasses = 10_000;

export function createDeliveries(given: DeliveriesOptions): Deliveries {
  const options = withDefaults(given);
  const { store, clock, log, random, owner, cacheMs, pollMs, stopMs } = options;
  const receivers = new Receivers(options.sources);
  const states = new ReceiverStates({ store, clock, cacheMs });
  const { perReceiver } = options.concurrency;
  const sender = new Sender({
    ...options,
    receivers,
    states,
    deliveries: new DeliveryDocuments(options),
    notices: new Notices(options),
    claims: new Claims(options),
    breakers: new Breakers({ states, clock, log, random, perReceiver }),
  });
  const catchUps = new CatchUps({ sender, owner, cacheMs });
  const parts = { sender, catchUps };
  let started = false;
  let stopped: Promise<void> | undefined;
  const watch = repeat(async () => poll(parts), {
    name: 'looking for deliveries',
    everyMs: pollMs,
    log,
    random,
  });

  async function drain({ ignoreTimes = false } = {}): Promise<void> {
    const tried = ignoreTimes ? new Set<string>() : undefined;
    let before = -1;
    for (let pass = 0; pass < mostPasses && !sender.closed; pass += 1) {
      states.forget();
      if (!ignoreTimes) await poll(parts);
      await sweepAll(parts, tried);
      await sender.idle();
      if (sender.attempts === before) return;
      before = sender.attempts;
    }
  }

  async function stop(): Promise<void> {
    started = false;
    sender.close();
    let timer: NodeJS.Timeout | undefined;
    const bound = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, stopMs);
    });
    await Promise.race([Promise.all([watch.stop(), sender.idle()]), bound]);
    clearTimeout(timer);
    sender.abort();
    await Promise.all([watch.stop(), sender.idle(), catchUps.idle()]);
  }

  return {
    handler: createFanout({ ...parts, types: options.types, sends: () => started }),
    start() {
      if (started || stopped !== undefined) return;
      started = true;
      watch.start();
    },
    stop() {
      stopped ??= stop();
      return stopped;
    },
    drain,
    status: (receiver) => statusOf({ store, clock, receivers }, receiver),
    replay: (wish) => replay({ store, deliveries: sender.options.deliveries, receivers }, wish),
    release: (receiver) => (started ? catchUps.begin(receiver) : catchUps.mark(receiver)),
  };
}

function withDefaults(given: DeliveriesOptions) {
  const { timeoutMs = 10_000, freshMs = 2000 } = given;
  return {
    types: 'all' as const,
    meter: noMeter,
    random: Math.random,
    claimMs: 3 * timeoutMs,
    observeMs: freshMs + timeoutMs + 1000,
    pollMs: 1000,
    cacheMs: 1000,
    stopMs: 5000,
    concurrency: { all: 64, perHost: 8, perReceiver: 8 },
    ...given,
    timeoutMs,
    freshMs,
  };
}
