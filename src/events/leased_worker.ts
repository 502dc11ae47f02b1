/**
 * Work that one process at a time does in rounds, under a lease. A round asks `goOn` before each step: the process may be
 * stopping, or have slept past the end of its lease. Two at once do no harm, as with every lease.
 */

import type { Clock } from '../base/clock.ts';
import type { Log } from '../base/log.ts';
import { repeat } from '../base/repeat.ts';
import type { Repeated } from '../base/repeat.ts';
import type { Store } from '../storage/store.ts';
import { createLeases } from './leases.ts';

export interface LeasedWorkerOptions {
  store: Store;
  clock: Clock;
  log: Log;
  /** Names this process. */
  owner: string;
}

export interface LeasedWork {
  lease: string;
  /** For the log. */
  name: string;
  round(goOn: () => boolean): Promise<void>;
  /** Whether there is anything to do, where that is known without the lease. */
  isDue?(): Promise<boolean>;
}

export interface LeasedWorker extends Repeated {
  /** A round, now. */
  look(): Promise<void>;
}

const everyMs = 60_000;
const leaseMs = 5 * 60_000;

export function leasedWorker(
  options: LeasedWorkerOptions,
  { lease: of, name, round, isDue }: LeasedWork,
): LeasedWorker {
  const leases = createLeases(options);
  let stopped = false;

  async function look(): Promise<void> {
    if (isDue !== undefined && !(await isDue())) return;
    const lease = await leases.take(of, leaseMs);
    if (lease === undefined) return;
    try {
      await round(() => !stopped && lease.held());
    } finally {
      await lease.release();
    }
  }

  const repeated = repeat(look, { name, everyMs, log: options.log });
  return {
    look,
    start: repeated.start,
    stop() {
      stopped = true;
      return repeated.stop();
    },
  };
}
