/**
 * What streams need without anybody asking: a sign of life at times (a verification without `state`, SSF 1.0
 * §8.1.4), word of what was lost, and secrets that are sealed with the newest key. One process at a time does it.
 */

import type { Clock } from '../base/clock.ts';
import type { Log } from '../base/log.ts';
import { repeat } from '../base/repeat.ts';
import type { Repeated } from '../base/repeat.ts';
import type { Secrets } from '../base/secrets.ts';
import type { StreamDocument } from '../storage/documents.ts';
import { Conflict } from '../storage/store.ts';
import type { NewEvent, Store } from '../storage/store.ts';
import { createLeases } from './leases.ts';
import { deliveriesOf, receiverOf } from './stream_deliveries.ts';
import type { EndingOptions } from './stream_deliveries.ts';
import { authorizationLabel, everyStream } from './stream_receivers.ts';
import type { Stream, StreamReceivers } from './stream_receivers.ts';
import { newEvent } from './types.ts';

export interface StreamCareOptions extends EndingOptions {
  store: Store;
  secrets: Secrets;
  clock: Clock;
  log: Log;
  /** Names this process: unique, and new at each start. */
  owner: string;
  receivers: StreamReceivers;
  heartbeatSeconds: number;
  mayHaveStreams(client: string): boolean;
}

export interface StreamCare extends Repeated {
  /** Once through all streams, if no other process is at it. */
  round(): Promise<void>;
}

/** What waits for one stream. More would be of no use to whoever comes back after so long. */
export const mostWaiting = 10_000;
const pageSize = 1000;
const leaseMs = 60_000;

export function createStreamCare(options: StreamCareOptions): StreamCare {
  const { store, clock, log, owner, heartbeatSeconds } = options;
  const leases = createLeases({ store, clock, owner });

  async function round(): Promise<void> {
    const streams = (await everyStream(store)).filter(({ document }) =>
      options.mayHaveStreams(document.client),
    );
    const lease = streams.length === 0 ? undefined : await leases.take('streams', leaseMs);
    if (lease === undefined) return;
    for (const stream of streams) {
      if (!lease.held() && !(await lease.renew())) return;
      await care(options, stream).catch((error: unknown) => {
        // Somebody changed it: it is looked at again in the next round.
        if (!(error instanceof Conflict)) {
          log.warn('caring for a stream failed', { stream: stream.id, error });
        }
      });
    }
  }

  const everyMs = Math.min(heartbeatSeconds * 250, 30_000);
  return { round, ...repeat(round, { name: 'caring for streams', everyMs, log }) };
}

/** One thing at a time: each is a write, after which the stream is read anew. */
async function care(options: StreamCareOptions, stream: Stream): Promise<void> {
  const change =
    (await switchedOff(options, stream)) ??
    (await losses(options, stream)) ??
    sealedAnew(options, stream) ??
    (await heartbeat(options, stream));
  if (change === undefined) return;
  const { document, events = [] } = change;
  await options.store.write('stream', stream.id, document, { expect: stream.version, events });
  options.receivers.forget();
}

interface Change {
  document: StreamDocument;
  events?: NewEvent[];
}

/** After days without an answer nothing is sent any more, and the stream says so. */
async function switchedOff(
  { store, clock, log }: StreamCareOptions,
  { id, document }: Stream,
): Promise<Change | undefined> {
  const { status, method, url } = document;
  if (status === 'disabled' || method !== 'push') return undefined;
  const disabled = (await store.get('receiver', receiverOf(id)))?.document.disabled;
  if (disabled === undefined || (disabled.url !== undefined && disabled.url !== url)) {
    return undefined;
  }
  const reason = 'Its address has not taken any event for days.';
  log.warn('a stream is disabled', { stream: id, client: document.client });
  return updated({ clock }, id, { ...document, status: 'disabled', statusReason: reason });
}

/** What nobody fetched is given up after a week, or when there is too much of it. */
async function losses(options: StreamCareOptions, stream: Stream): Promise<Change | undefined> {
  const { store, clock, log } = options;
  const { id, document } = stream;
  const dropped = await dropOldest(options, stream);
  const dead = await deliveriesOf(store, id, 'dead');
  const since = document.lostAt ?? document.createdAt;
  const isNew = dead.some(
    ({ document: { last } }) => last?.problem === 'not_fetched' && last.at > since,
  );
  if (dropped === 0 && !isNew) return undefined;
  log.warn('events of a stream were dropped', { stream: id, client: document.client, dropped });
  const statusReason = 'Events were dropped that had waited for too long, or were too many.';
  return updated({ clock }, id, { ...document, statusReason, lostAt: clock() });
}

async function dropOldest(
  { store, clock, deliveries }: StreamCareOptions,
  { id, document: { method, status } }: Stream,
): Promise<number> {
  // What is pushed has bounds of its own.
  if (method === 'push' && status === 'enabled') return 0;
  const value = `${receiverOf(id)} waiting`;
  let after: string | undefined;
  let oldest: Awaited<ReturnType<typeof deliveriesOf>> = [];
  let count = 0;
  // Twice the bound: what is beyond comes in the next round.
  for (let page = 0; page < (2 * mostWaiting) / pageSize; page += 1) {
    const cursor = { limit: pageSize, ...(after === undefined ? {} : { after }) };
    const found = await store.find('delivery', 'receiver', value, cursor);
    count += found.length;
    oldest = [...oldest, ...found]
      .toSorted((left, right) => left.document.createdAt - right.document.createdAt)
      .slice(0, pageSize);
    after = found.at(-1)?.id;
    if (found.length < pageSize) break;
  }
  const surplus = oldest.slice(0, Math.max(0, count - mostWaiting));
  for (const one of surplus) await deliveries.drop(one, { at: clock(), problem: 'too_many' });
  return surplus.length;
}

function updated({ clock }: { clock: Clock }, stream: string, document: StreamDocument): Change {
  const { status, statusReason: reason } = document;
  const data = { stream, status, ...(reason === undefined ? {} : { reason }) };
  return { document, events: [newEvent(clock, 'stream.updated', data)] };
}

/** So that an old secret can be taken out of the configuration. */
function sealedAnew({ secrets }: StreamCareOptions, { id, document }: Stream): Change | undefined {
  const { authorization } = document;
  if (authorization === undefined || authorization.startsWith(`${secrets.version}.`)) {
    return undefined;
  }
  const opened = secrets.open(authorizationLabel, authorization, id);
  const sealed = secrets.seal(authorizationLabel, opened, id);
  return { document: { ...document, authorization: sealed } };
}

async function heartbeat(
  { store, clock, heartbeatSeconds }: StreamCareOptions,
  { id, document }: Stream,
): Promise<Change | undefined> {
  if (document.status !== 'enabled') return undefined;
  const now = clock();
  const { heartbeatAt = document.createdAt, verifiedAt = 0 } = document;
  const last = Math.max(heartbeatAt, verifiedAt);
  // By a clock that was ahead, it would never come.
  if (last <= now && now - last < heartbeatSeconds * 1000) return undefined;
  // Where the last one has not arrived, another one tells nothing, and they would pile up.
  if ((await deliveriesOf(store, id, 'waiting', 1)).length > 0) return undefined;
  const event = newEvent(clock, 'stream.verification', { stream: id });
  return { document: { ...document, heartbeatAt: now }, events: [event] };
}
