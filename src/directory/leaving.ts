/**
 * People whose time has come: those who asked to be deleted and did not take it back, and what is left of those who were.
 * One process at a time does it, under a lease; all of it is idempotent.
 */

import type { Clock } from '../base/clock.ts';
import type { Log } from '../base/log.ts';
import { leasedWorker } from '../events/leased_worker.ts';
import type { LeasedWorker, LeasedWorkerOptions } from '../events/leased_worker.ts';
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

export interface LeavingWorkerOptions extends LeasedWorkerOptions {
  round: (goOn: () => boolean) => Promise<void>;
}

export function createLeavingWorker({ round, ...options }: LeavingWorkerOptions): LeasedWorker {
  const { store, clock } = options;
  return leasedWorker(options, {
    lease: 'leaving',
    name: 'deleting people',
    isDue: async () => (await store.due('user', clock(), 1)).length > 0,
    round,
  });
}
