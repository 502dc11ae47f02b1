/** What waits for a stream: in which order it is fetched, and what becomes of it when nobody wants it any more. */

import type { Clock } from '../base/clock.ts';
import type { Store } from '../storage/store.ts';
import type { Deliveries, Delivery } from './deliveries.ts';
import { eachOf } from './each_of.ts';

export interface EndingOptions {
  store: Pick<Store, 'find'>;
  clock: Clock;
  deliveries: Pick<Deliveries, 'finish' | 'kill' | 'drop'>;
}

/** Of what waits so much is looked at. */
const pageSize = 1000;
const mostPages = 20;
const concurrency = 32;

export const receiverOf = (stream: string) => `stream:${stream}`;

/** Without an order but that of ids: a page of what is in this state. */
export function deliveriesOf(
  store: Pick<Store, 'find'>,
  stream: string,
  state: 'waiting' | 'dead',
  limit = pageSize,
): Promise<Delivery[]> {
  return store.find('delivery', 'receiver', `${receiverOf(stream)} ${state}`, { limit });
}

/** The oldest first; within a lane (one causing document) in the order of its versions. */
export async function waitingFor(store: Pick<Store, 'find'>, stream: string): Promise<Delivery[]> {
  // Notices' ids are in the order of time, but by the clocks of several processes.
  const latest = new Map<string, string>();
  const placed = (await deliveriesOf(store, stream, 'waiting')).map((delivery) => {
    const { lane, notice } = delivery.document;
    const before = latest.get(lane) ?? '';
    const place = before > notice ? before : notice;
    latest.set(lane, place);
    return { delivery, place };
  });
  return placed
    .toSorted((left, right) =>
      left.place === right.place
        ? compare(left.delivery.id, right.delivery.id)
        : compare(left.place, right.place),
    )
    .map(({ delivery }) => delivery);
}

/** Its stream is disabled, for which nothing is held, or gone. */
export async function dropWaiting(
  { store, clock, deliveries }: EndingOptions,
  stream: string,
  problem: string,
): Promise<void> {
  for (let page = 0; page < mostPages; page += 1) {
    const found = await deliveriesOf(store, stream, 'waiting');
    await eachOf(found, concurrency, async (one) => {
      await deliveries.drop(one, { at: clock(), problem });
    });
    if (found.length < pageSize) return;
  }
}

function compare(left: string, right: string): number {
  if (left === right) return 0;
  return left < right ? -1 : 1;
}
