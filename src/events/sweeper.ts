/** Cleaning up: one process at a time has the store forget what has expired, and announce it. */

import { clearTimeout, setTimeout } from 'node:timers';
import type { Clock } from '../base/clock.ts';
import type { Log } from '../base/log.ts';
import type { Store } from '../storage/store.ts';
import { createLeases } from './leases.ts';

export interface SweeperOptions {
  store: Store;
  clock: Clock;
  log: Log;
  /** Names this process. */
  owner: string;
  everyMs?: number;
}

export interface Sweeper {
  start(): void;
  /** Waits for a round that is under way. */
  stop(): Promise<void>;
}

const leaseMs = 60_000;
const batch = 1000;

export function createSweeper({
  store,
  clock,
  log,
  owner,
  everyMs = 30_000,
}: SweeperOptions): Sweeper {
  const leases = createLeases({ store, clock, owner });
  let timer: NodeJS.Timeout | undefined;
  let round: Promise<void> = Promise.resolve();
  let stopped = true;

  async function sweep(): Promise<void> {
    try {
      const lease = await leases.take('sweeper', leaseMs);
      // A full batch of some kind means that more of it waits.
      while (lease?.held() === true && !stopped) {
        if ((await store.sweep(clock(), batch)) < batch) break;
        await lease.renew();
      }
    } catch (error) {
      log.error('sweeping failed', { error });
    }
  }

  function schedule(): void {
    timer = setTimeout(() => {
      round = sweep().then(() => {
        if (!stopped) schedule();
      });
    }, everyMs);
    timer.unref();
  }

  return {
    start() {
      if (!stopped) return;
      stopped = false;
      schedule();
    },
    async stop() {
      stopped = true;
      clearTimeout(timer);
      await round;
    },
  };
}
