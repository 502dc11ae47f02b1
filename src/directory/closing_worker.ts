/**
 * Accounts whose end has come are closed: by one process at a time, under a lease, and by two at once no worse, since the
 * write decides. What is paid for is looked at before, since its end may have moved.
 */

import { leasedWorker } from '../events/leased_worker.ts';
import type { LeasedWorker, LeasedWorkerOptions } from '../events/leased_worker.ts';
import type { Closing } from './closing.ts';

export interface ClosingWorkerOptions extends LeasedWorkerOptions {
  closing: Pick<Closing, 'finish'>;
  /** May move the end. While it fails the account waits, for an hour at the most: nothing is renewed meanwhile. */
  before?: ((account: string) => Promise<void>) | undefined;
}

const batch = 1000;
const longestWaitMs = 3_600_000;

export function createClosingWorker(options: ClosingWorkerOptions): LeasedWorker {
  const { store, clock, log } = options;
  return leasedWorker(options, {
    lease: 'closing',
    name: 'closing accounts',
    isDue: async () => (await store.due('account', clock(), 1)).length > 0,
    async round(goOn) {
      for (const { id, document } of await store.due('account', clock(), batch)) {
        if (!goOn()) return;
        await finish(options, id, document.closing?.endsAt ?? 0).catch((error: unknown) => {
          log.error('an account could not be closed', { account: id, error });
        });
      }
    },
  });
}

async function finish(
  { clock, log, closing, before }: ClosingWorkerOptions,
  account: string,
  endsAt: number,
): Promise<void> {
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
