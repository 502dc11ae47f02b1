/**
 * Events that never reached us: at start and each hour Stripe's own list of them is read since the last time, and what
 * is not in the inbox goes there. Stripe keeps it for 30 days; what is older is found by comparing all accounts.
 */

import type { Clock } from '../base/clock.ts';
import type { Log } from '../base/log.ts';
import { repeat } from '../base/repeat.ts';
import { createLeases } from '../events/leases.ts';
import type { Store } from '../storage/store.ts';
import { readEnvelope } from './arrivals.ts';
import { handledTypes } from './event_kinds.ts';
import type { Inbox } from './inbox.ts';
import type { StripeClient } from './stripe.ts';
import type { Worker } from './types.ts';

export interface CatchUpOptions {
  store: Store;
  stripe: StripeClient;
  inbox: Inbox;
  clock: Clock;
  log: Log;
  random: () => number;
  /** Names this process. */
  owner: string;
}

export interface CatchUp extends Worker {
  /** @returns how many events were missed; `undefined` while another process looks */
  run(): Promise<number | undefined>;
}

/**
 * Meta document: the date of the newest event that was listed, in milliseconds since the epoch. Of Stripe's clock: by ours,
 * were it ahead by more than the overlap, some would never be looked at.
 */
export const seenId = 'billing.events_seen';

const minute = 60_000;
const hour = 60 * minute;
const leaseMs = 5 * minute;
/** An event may be listed a little later than it is dated. */
const overlapMs = 10 * minute;
const listedForMs = 30 * 24 * hour;
const pageSize = 100;
const mostEvents = 20_000;

export function createCatchUp(options: CatchUpOptions): CatchUp {
  const { store, clock, log, random, owner } = options;
  const leases = createLeases({ store, clock, owner });
  let stopped = false;

  async function run(): Promise<number | undefined> {
    const lease = await leases.take('billing.catch_up', leaseMs);
    if (lease === undefined) return undefined;
    try {
      return await catchUp(options, async () => !stopped && (await lease.renew()));
    } finally {
      await lease.release();
    }
  }

  const name = 'looking for events of Stripe that were missed';
  const hourly = repeat(async () => void (await run()), {
    name,
    everyMs: hour,
    firstMs: 1000,
    log,
    random,
  });
  return {
    run,
    start: hourly.start,
    stop() {
      stopped = true;
      return hourly.stop();
    },
  };
}

async function catchUp(
  { store, stripe, inbox, clock, log }: CatchUpOptions,
  goOn: () => Promise<boolean>,
): Promise<number> {
  const now = clock();
  const seen = await store.get('meta', seenId);
  const since = seen?.document.value;
  if (seen === undefined || typeof since !== 'number') {
    // Whoever begins has accounts without customers, or compares them all first.
    const value = await newestAt(stripe);
    await store.write('meta', seenId, { value }, { expect: seen?.version ?? 'absent' });
    return 0;
  }
  const from = Math.max(since - overlapMs, now - listedForMs);
  let [listed, missed, isWhole, newest] = [0, 0, true, since];
  await stripe.call('events.list', async (api) => {
    const created = { gte: Math.floor(from / 1000) };
    const events = api.events.list({ created, types: [...handledTypes], limit: pageSize });
    for await (const event of events) {
      listed += 1;
      newest = Math.max(newest, event.created * 1000);
      if (listed > mostEvents) break;
      isWhole = listed % pageSize !== 0 || (await goOn());
      if (!isWhole) break;
      const { live, account, arrival } = readEnvelope(event, now);
      if (arrival === undefined || live !== stripe.live || account !== undefined) continue;
      if (await inbox.add(arrival)) missed += 1;
    }
  });
  if (listed > mostEvents) {
    log.warn('more events of Stripe were missed than are read', { listed });
  }
  if (missed > 0) log.info('events of Stripe were caught up with', { missed });
  if (!isWhole) return missed;
  await store.write('meta', seenId, { value: newest }, { expect: seen.version });
  return missed;
}

/** @returns 0 where there is none: then all that comes is new */
async function newestAt(stripe: StripeClient): Promise<number> {
  const { data } = await stripe.call('events.list', (api) =>
    api.events.list({ types: [...handledTypes], limit: 1 }),
  );
  return (data[0]?.created ?? 0) * 1000;
}
