/**
 * Delivery by polling (RFC 8936). What waits is handed out, to whoever asks, until it is acknowledged; two who poll
 * at once get the same, so that nothing is lost with one of them. Signed anew each time, it is the same token.
 */

import type { Clock } from '../base/clock.ts';
import type { Log } from '../base/log.ts';
import type { Store } from '../storage/store.ts';
import type { Delivery } from './deliveries.ts';
import { eachOf } from './each_of.ts';
import { setId } from './encodings/set.ts';
import type { Notices } from './notices.ts';
import type { Receiver } from './receivers.ts';
import { deliveriesOf, receiverOf, waitingFor } from './stream_deliveries.ts';
import type { EndingOptions } from './stream_deliveries.ts';
import type { Stream, StreamReceivers } from './stream_receivers.ts';

export interface StreamPollsOptions extends EndingOptions {
  store: Pick<Store, 'find'>;
  notices: Pick<Notices, 'read'>;
  receivers: StreamReceivers;
  clock: Clock;
  log: Log;
}

export interface Sets {
  /** By `jti`, the oldest first. */
  sets: Record<string, string>;
  moreAvailable: boolean;
}

export interface SetError {
  err: string;
  description?: string | undefined;
}

export interface StreamPolls {
  fetch(stream: Stream, most: number): Promise<Sets>;
  anyWaits(stream: Stream): Promise<boolean>;
  /** Unknown ones are passed over: they were acknowledged before, or dropped. */
  acknowledge(stream: Stream, ids: readonly string[]): Promise<void>;
  /** The receiver cannot do anything with these: they do not come again (RFC 8936 §2.6). */
  refuse(stream: Stream, errors: ReadonlyMap<string, SetError>): Promise<void>;
}

const concurrency = 16;
/** Its notice is written before it: only when it is older than this it will not come any more. */
const orphanedMs = 60 * 60 * 1000;

export function createStreamPolls(options: StreamPollsOptions): StreamPolls {
  const { store, receivers, clock, log, deliveries } = options;

  async function encode(receiver: Receiver, delivery: Delivery): Promise<string | undefined> {
    const { notice: id, createdAt } = delivery.document;
    const notice = await options.notices.read(id);
    if (notice === undefined) {
      if (clock() - createdAt > orphanedMs) {
        await deliveries.drop(delivery, { at: clock(), problem: 'expired' });
      }
      return undefined;
    }
    try {
      return (await receiver.encode(id, notice, delivery.document)).body;
    } catch (error) {
      // One that cannot be made must not keep all others from being fetched.
      log.error('a delivery cannot be encoded', { delivery: delivery.id, error });
      return undefined;
    }
  }

  /** Those of the stream that wait and are named. */
  async function named(stream: Stream, ids: ReadonlySet<string>): Promise<Map<string, Delivery>> {
    const found = new Map<string, Delivery>();
    const take = (some: readonly Delivery[]) => {
      for (const one of some) {
        const { notice, part, state, receiver } = one.document;
        const id = setId(notice, part);
        const isOurs = receiver === receiverOf(stream.id) && state === 'waiting';
        if (isOurs && ids.has(id)) found.set(id, one);
      }
    };
    if (ids.size > 0) take(await deliveriesOf(store, stream.id, 'waiting'));
    const left = new Set([...ids].filter((id) => !found.has(id)).map((id) => id.split('.')[0]));
    await eachOf(left, concurrency, async (notice = '') => {
      take(await store.find('delivery', 'notice', notice, { limit: 1000 }));
    });
    return found;
  }

  return {
    async fetch(stream, most) {
      const sets: Record<string, string> = {};
      if (stream.document.status !== 'enabled') return { sets, moreAvailable: false };
      const waiting = await waitingFor(store, stream.id);
      const receiver = receivers.of(stream);
      const chosen = waiting.slice(0, most);
      const bodies = await Promise.all(chosen.map((delivery) => encode(receiver, delivery)));
      for (const [index, { document }] of chosen.entries()) {
        const body = bodies[index];
        if (body !== undefined) sets[setId(document.notice, document.part)] = body;
      }
      return { sets, moreAvailable: waiting.length > chosen.length };
    },

    async anyWaits(stream) {
      return (await deliveriesOf(store, stream.id, 'waiting', 1)).length > 0;
    },

    async acknowledge(stream, ids) {
      const found = await named(stream, new Set(ids));
      await eachOf(found.values(), concurrency, async (delivery) => {
        await deliveries.finish(delivery, { at: clock() });
      });
    },

    async refuse(stream, errors) {
      const found = await named(stream, new Set(errors.keys()));
      await eachOf(found, concurrency, async ([id, delivery]) => {
        const { err = 'unknown', description } = errors.get(id) ?? {};
        log.warn('a receiver refused a security event', {
          stream: stream.id,
          event: id,
          err,
          description,
        });
        await deliveries.kill(delivery, { at: clock(), problem: `refused: ${err}` });
      });
    },
  };
}
