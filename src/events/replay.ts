/** Sending again, by an operator's wish: what was given up, or what a receiver missed or lost. */

import type { NoticeDocument } from '../storage/documents.ts';
import type { Store, Stored } from '../storage/store.ts';
import { laneOf } from './deliveries.ts';
import type { Deliveries } from './deliveries.ts';
import { deliveryId } from './fanout.ts';
import type { Receiver, Wanted } from './receivers.ts';
import type { Receivers } from './receiver_states.ts';
import { endsAccess } from './types.ts';

export interface ReplayWish {
  /** Of deliveries, or of events. */
  ids?: readonly string[];
  /** To this one alone. */
  receiver?: string;
  /** What was given up. Without it, all that was told of. */
  state?: 'dead';
  /** Milliseconds: what happened, or was given up, no earlier. */
  since?: number;
}

export interface Replayed {
  deliveries: number;
  /** There is nothing of that name. */
  unknown: string[];
  /** What was to be sent is kept no longer. */
  expired: number;
  /** The most at a time were done: ask again. */
  more: boolean;
}

export interface ReplayParts {
  store: Store;
  deliveries: Deliveries;
  receivers: Receivers;
}

const pageSize = 100;
const mostAtOnce = 10_000;

export async function replay(parts: ReplayParts, wish: ReplayWish): Promise<Replayed> {
  const done: Replayed = { deliveries: 0, unknown: [], expired: 0, more: false };
  if (wish.ids !== undefined) {
    for (const id of wish.ids.slice(0, mostAtOnce)) await replayOne(parts, wish, done, id);
    done.more = wish.ids.length > mostAtOnce;
  } else if (wish.state === 'dead') {
    const ids =
      wish.receiver === undefined ? [...(await parts.receivers.all()).keys()] : [wish.receiver];
    for (const id of ids) await replayDead(parts, wish, done, id);
  } else {
    await replayNotices(parts, wish, done);
  }
  return done;
}

async function replayOne(parts: ReplayParts, wish: ReplayWish, done: Replayed, id: string) {
  const notice = await parts.store.get('notice', id);
  if (notice !== undefined) {
    await replayNotice(parts, wish, done, notice);
    return;
  }
  const delivery = await parts.store.get('delivery', id);
  if (delivery === undefined) done.unknown.push(id);
  else if ((await parts.store.get('notice', delivery.document.notice)) === undefined) {
    done.expired += 1;
  } else if (delivery.document.state !== 'waiting') {
    if ((await parts.deliveries.revive(delivery)) !== undefined) done.deliveries += 1;
  }
}

async function replayDead(
  parts: ReplayParts,
  { since = -Infinity }: ReplayWish,
  done: Replayed,
  receiver: string,
): Promise<void> {
  let after: string | undefined;
  while (!isEnough(done)) {
    const options = { limit: pageSize, ...(after === undefined ? {} : { after }) };
    const page = await parts.store.find('delivery', 'receiver', `${receiver} dead`, options);
    for (const delivery of page) {
      const { notice, last, createdAt } = delivery.document;
      if ((last?.at ?? createdAt) < since) continue;
      if ((await parts.store.get('notice', notice)) === undefined) done.expired += 1;
      else if ((await parts.deliveries.revive(delivery)) !== undefined) done.deliveries += 1;
    }
    if (page.length < pageSize) return;
    after = page.at(-1)?.id;
  }
}

/** Ids of events are in the order of time. */
async function replayNotices(parts: ReplayParts, wish: ReplayWish, done: Replayed): Promise<void> {
  const { since = 0 } = wish;
  let after = `evt_${Math.max(0, since).toString(16).padStart(12, '0')}`;
  while (!isEnough(done)) {
    const page = await parts.store.find('notice', 'all', 'all', { after, limit: pageSize });
    for (const notice of page) await replayNotice(parts, wish, done, notice);
    if (page.length < pageSize) return;
    after = page.at(-1)?.id ?? after;
  }
}

async function replayNotice(
  parts: ReplayParts,
  { receiver: only }: ReplayWish,
  done: Replayed,
  notice: Stored<NoticeDocument>,
): Promise<void> {
  const all = await parts.receivers.all();
  for (const [id, receiver] of all) {
    if (only !== undefined && only !== id) continue;
    const wanted = receiver.wants(notice.id, notice.document);
    for (const [index, what] of wanted.entries()) {
      if (await sendAgain(parts, receiver, notice, { what, index })) done.deliveries += 1;
    }
  }
}

async function sendAgain(
  { store, deliveries }: ReplayParts,
  receiver: Receiver,
  { id: event, document: notice }: Stored<NoticeDocument>,
  { what, index }: { what: Wanted; index: number },
): Promise<boolean> {
  const id = deliveryId(receiver.id, event, notice, index);
  const present = await store.get('delivery', id);
  if (present?.document.state === 'waiting') return false;
  if (present !== undefined) return (await deliveries.revive(present)) !== undefined;
  const created = await deliveries.create(id, {
    notice: event,
    receiver: receiver.id,
    lane: laneOf(receiver.id, notice.cause),
    type: notice.type,
    ...what,
    ...(endsAccess(notice) && receiver.inOrder !== true ? { terminal: true } : {}),
    state: 'waiting',
    attempts: 0,
    parked: true,
    ...deliveries.fresh(),
  });
  return created !== undefined;
}

function isEnough(done: Replayed): boolean {
  done.more = done.deliveries + done.expired >= mostAtOnce;
  return done.more;
}
