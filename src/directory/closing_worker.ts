/**
 * Accounts whose end has come are closed: by one process at a time, under a lease, and by two at once no worse, since the
 * write decides. What is paid for is looked at before, since its end may have moved.
 */

import type { Clock } from '../base/clock.ts';
import type { Log } from '../base/log.ts';
import { repeat } from '../base/repeat.ts';
import type { Repeated } from '../base/repeat.ts';
import { createLeases } from '../events/leases.ts';
import type { Store } from '../storage/store.ts';
import type { Closing } from './closing.ts';

export interface ClosingWorkerOptions {
  store: Store;
  clock: Clock;
  log: Log;
  /** Names this process. */
  owner: string;
  closing: Pick<Closing, 'finish'>;
  /** May move the end. While it fails the account waits, for an hour at the most: nothing is renewed meanwhile. */
  before?: ((account: string) => Promise<void>) | undefined;
}

export interface ClosingWorker extends Repeated {
  /** All whose end has come. */
  look(): Promise<void>;
}

const everyMs = 60_000;
const leaseMs = 5 * 60_000;
const batch = 1000;
const longestWaitMs = 3_600_000;

export function createClosingWorker(options: ClosingWorkerOptions): ClosingWorker {
  const { store, clock, log, closing, before } = options;
  const leases = createLeases(options);
  let stopped = false;

  async function finish(account: string, endsAt: number): Promise<void> {
    try {
      await before?.(account);
    } catch (error) {
      log.warn('what an account pays for cannot be looked at before it is closed', {
        account,
        error,
      });
      if (clock() < endsAt + longestWaitMs) return;
    }
    if (await closing.finish(account)) log.info('an account was closed', { account });
  }

  async function look(): Promise<void> {
    if ((await store.due('account', clock(), 1)).length === 0) return;
    const lease = await leases.take('closing', leaseMs);
    if (lease === undefined) return;
    try {
      for (const { id, document } of await store.due('account', clock(), batch)) {
        if (stopped || !lease.held()) return;
        await finish(id, document.closing?.endsAt ?? 0).catch((error: unknown) => {
          log.error('an account could not be closed', { account: id, error });
        });
      }
    } finally {
      await lease.release();
    }
  }

  const repeated = repeat(look, { name: 'closing accounts', everyMs, log });
  return {
    look,
    start: repeated.start,
    stop() {
      stopped = true;
      return repeated.stop();
    },
  };
}
