/**
 * People whose time has come: those who asked to be deleted and did not take it back, and what is left of those who were.
 * One process at a time does it, under a lease; all of it is idempotent.
 */

import type { Clock } from '../base/clock.ts';
import type { Log } from '../base/log.ts';
import { repeat } from '../base/repeat.ts';
import type { Repeated } from '../base/repeat.ts';
import { createLeases } from '../events/leases.ts';
import type { Store } from '../storage/store.ts';
import { change } from './change.ts';
import type { Deletions } from './deletion.ts';
import { purge } from './purge.ts';

export interface LeavingOptions {
  store: Store;
  clock: Clock;
  log: Log;
  deletions: Pick<Deletions, 'whenDue' | 'finish'>;
}

const batch = 100;
const laterMs = 60 * 60_000;

/** @returns looks at those whose time has come, at most a hundred. @param goOn asked before each */
export function createLeaving(options: LeavingOptions): (goOn?: () => boolean) => Promise<void> {
  const { store, clock, log } = options;
  return async (goOn = () => true) => {
    for (const { id, document } of await store.due('user', clock(), batch)) {
      if (!goOn()) return;
      try {
        if (document.status !== 'deleted') await options.deletions.whenDue(id);
        else if (!(await purge({ ...options, finish: options.deletions.finish }, id))) {
          await postpone(options, id);
        }
      } catch (error) {
        log.error('somebody cannot be deleted yet', { user: id, error });
        await postpone(options, id);
      }
    }
  };
}

/** So that those behind them have their turn. */
async function postpone({ store, clock }: LeavingOptions, id: string): Promise<void> {
  const later = clock() + laterMs;
  await change(store, 'user', id, (present) => {
    const { deletion, purgeAt } = present;
    if (purgeAt !== undefined) {
      return purgeAt > clock() ? undefined : { document: { ...present, purgeAt: later } };
    }
    if (deletion === undefined || deletion.dueAt > clock()) return undefined;
    return { document: { ...present, deletion: { ...deletion, dueAt: later } } };
  });
}

const everyMs = 60_000;
const leaseMs = 5 * 60_000;

export interface LeavingWorkerOptions {
  store: Store;
  clock: Clock;
  log: Log;
  /** Names this process. */
  owner: string;
  round: (goOn: () => boolean) => Promise<void>;
}

export function createLeavingWorker(options: LeavingWorkerOptions): Repeated {
  const { log, round } = options;
  const leases = createLeases(options);
  let stopped = false;
  const leased = async () => {
    const lease = await leases.take('leaving', leaseMs);
    if (lease === undefined) return;
    try {
      await round(() => !stopped && lease.held());
    } finally {
      await lease.release();
    }
  };
  const repeated = repeat(leased, { name: 'deleting people', everyMs, log });
  return {
    start: repeated.start,
    stop() {
      stopped = true;
      return repeated.stop();
    },
  };
}
