/**
 * From an event to its receivers: the notice, then a delivery for each receiver that wants it. Done again, it makes
 * nothing twice. What may be sent at once is written with a claim of this process and handed to its sender, so that
 * a delivery which succeeds is two writes.
 */

import type { DeliveryDocument, NoticeDocument } from '../storage/documents.ts';
import type { PendingEvent } from '../storage/store.ts';
import { gateOf } from './breaker.ts';
import type { Gate } from './breaker.ts';
import type { CatchUps } from './catch_up.ts';
import { laneOf } from './deliveries.ts';
import { eachOf } from './each_of.ts';
import type { Handler } from './handlers.ts';
import type { Receiver, Wanted } from './receivers.ts';
import type { Lane, Sender } from './sender.ts';
import { endsAccess } from './types.ts';

export interface FanoutOptions {
  sender: Sender;
  catchUps: CatchUps;
  types: Handler['types'];
  /** Whether deliveries are sent by this process now; else they are left to whoever looks. */
  sends(): boolean;
}

/** Writes at the same time. */
const concurrency = 64;
/** An app with more sessions of one browser than this is told of the first. */
const mostOfOne = 100;
/** A lane that is at work goes on by itself; if its process dies, others look after this. */
const behindMs = 30_000;

export function createFanout(options: FanoutOptions): Handler {
  const { receivers, states, notices } = options.sender.options;
  return {
    name: 'fanout',
    types: options.types,
    async handle(event) {
      const notice = await notices.write(event);
      const [all, fares] = await Promise.all([receivers.all(), states.all()]);
      const wanted = [...all.values()].flatMap((receiver) =>
        receiver
          .wants(event.id, notice)
          .slice(0, mostOfOne)
          .map((what, index) => ({ receiver, what, index })),
      );
      await eachOf(wanted, concurrency, async ({ receiver, what, index }) => {
        const known = gateOf(receiver, fares.get(receiver.id));
        // What is missed can be sent from the notices, once it is enabled again; no later than that.
        const gate =
          known === 'disabled' ? gateOf(receiver, await states.fresh(receiver.id)) : known;
        if (gate === 'disabled' || gate === 'unknown') return;
        const id = deliveryId(receiver.id, event.id, notice, index);
        const document = newDelivery(options, receiver, event, { notice, what });
        await create(options, receiver, { gate, id, document, notice });
      });
    },
  };
}

/** In one lane in the order of the document's versions. */
export function deliveryId(
  receiver: string,
  event: string,
  { cause }: Pick<NoticeDocument, 'cause'>,
  index: number,
): string {
  const version = String(cause.version).padStart(12, '0');
  return `${laneOf(receiver, cause)}/${version}/${event}/${index}`;
}

function newDelivery(
  { sender }: FanoutOptions,
  receiver: Receiver,
  event: Pick<PendingEvent, 'id' | 'type' | 'data'>,
  { notice, what }: { notice: NoticeDocument; what: Wanted },
): DeliveryDocument {
  return {
    notice: event.id,
    receiver: receiver.id,
    lane: laneOf(receiver.id, notice.cause),
    type: event.type,
    ...(what.logout === undefined ? {} : { logout: what.logout }),
    ...(what.part === undefined ? {} : { part: what.part }),
    ...(endsAccess(event) && receiver.inOrder !== true ? { terminal: true } : {}),
    state: 'waiting',
    attempts: 0,
    createdAt: sender.options.clock(),
  };
}

interface Creation {
  gate: Gate;
  id: string;
  document: DeliveryDocument;
  notice: NoticeDocument;
}

async function create(options: FanoutOptions, receiver: Receiver, what: Creation): Promise<void> {
  const { sender, catchUps } = options;
  const { deliveries, clock } = sender.options;
  const { gate, id, document } = what;
  const parked = (dueAt: number) =>
    deliveries.create(id, { ...document, parked: true as const, dueAt });
  if (gate === 'held') {
    await parked(deliveries.heldUntil(document, receiver.url !== undefined));
    return;
  }
  if (gate === 'open') {
    await parked(deliveries.net(document));
    return;
  }
  const lane = options.sends() ? sender.reserve(receiver, document.lane) : 'closed';
  if (typeof lane === 'object') {
    await createClaimed(sender, lane, what);
  } else if (lane === 'known') {
    await parked(clock() + behindMs);
    sender.admit(receiver, document.lane);
  } else if (lane === 'full') {
    await parked(deliveries.net(document));
    await catchUps.mark(receiver.id);
  } else {
    await parked(clock());
  }
}

async function createClaimed(
  sender: Sender,
  lane: Lane,
  { id, document, notice }: Creation,
): Promise<void> {
  const { deliveries } = sender.options;
  const since = performance.now();
  try {
    const delivery = await deliveries.create(id, { ...document, ...deliveries.newClaim() });
    if (delivery === undefined) sender.cancel(lane);
    else sender.go(lane, { delivery, since, notice });
  } catch (error) {
    sender.cancel(lane);
    throw error;
  }
}
