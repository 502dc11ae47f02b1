/** One lane's turn: the head is claimed, sent, and done with, then the next, until one has to wait. */

import { attempt } from './attempt.ts';
import type { Outcome } from './attempt.ts';
import { gateOf } from './breaker.ts';
import { ageOf, headOf } from './deliveries.ts';
import type { Delivery } from './deliveries.ts';
import type { Receiver } from './receivers.ts';
import { giveUp, putAside, withoutNotice } from './put_aside.ts';
import { delayAfter, longestLifeMs } from './schedule.ts';
import type { Held, Lane, Sender } from './sender.ts';

/** Deliveries that one lane sends before others get their turn. */
const turn = 50;

/** @returns whether there is more to do in the lane, now */
export async function runLane(sender: Sender, lane: Lane): Promise<boolean> {
  const { deliveries } = sender.options;
  for (let step = 0; step < turn; step += 1) {
    lane.again = false;
    const held = lane.held ?? (sender.closed ? undefined : await takeHead(sender, lane));
    if (held === undefined) return lane.again && !sender.closed;
    lane.held = undefined;
    // Only the request takes a place: how long the store takes is nothing that a receiver notices.
    const sent = await sender.inPlace(lane.receiver, async () => request(sender, lane, held));
    if (sent === undefined) {
      await deliveries.release(held.delivery);
      return false;
    }
    if (sent === 'lost') return lane.again;
    if (sent === 'waits') return false;
    // Not its turn. Who has the turn may be done meanwhile: look again.
    if (sent === 'early') continue;
    // What ends access may have come meanwhile, and does not wait for this one to be tried again.
    if (!(await conclude(sender, lane, sent))) return lane.again && !sender.closed;
  }
  return true;
}

async function takeHead(sender: Sender, lane: Lane): Promise<Held | undefined> {
  const { deliveries, claims, clock, receivers, states } = sender.options;
  const receiver = (await receivers.all()).get(lane.receiver.id);
  const gate = gateOf(receiver, await states.of(lane.receiver.id));
  if (gate !== 'go' && !(gate === 'open' && lane.probe)) return undefined;
  const window = await deliveries.window(lane.key);
  const head = headOf(window);
  if (head === undefined) return undefined;
  // Whoever has claimed one goes on with the lane himself, or gives it back soon.
  const foreign = lane.all === undefined && window.some((one) => claims.isForeign(one));
  if (foreign) return undefined;
  const now = clock();
  const { parked, dueAt = 0 } = head.document;
  const isTime = lane.all === undefined ? dueAt <= now || parked : !lane.all.has(head.id);
  if (isTime !== true && !lane.probe) {
    await putBehind(sender, head, window);
    return undefined;
  }
  // What a process that died has claimed behind the head.
  for (const one of window) {
    if (one !== head && one.document.claim !== undefined) await deliveries.release(one, 30_000);
  }
  lane.all?.add(head.id);
  const since = performance.now();
  const claimed = await deliveries.claim(head);
  return claimed && { delivery: claimed, since };
}

/** Those whose time has come, though they have to wait for the head's. */
async function putBehind(sender: Sender, head: Delivery, window: Delivery[]): Promise<void> {
  const { deliveries, clock, random } = sender.options;
  const now = clock();
  const headAt = Math.max(now, head.document.dueAt ?? now);
  for (const one of window) {
    const { dueAt = Infinity, claim } = one.document;
    if (one === head || dueAt > now || claim !== undefined) continue;
    await deliveries.park(one, headAt + 5000 + random() * 30_000);
  }
}

/** @returns `lost`: another one has it, or will; `early`: given back, others come first */
async function verify(sender: Sender, lane: Lane, held: Held): Promise<Held | 'lost' | 'early'> {
  const { deliveries, freshMs, random } = sender.options;
  let { delivery, since } = held;
  // It waited for its place for long: a claim that is new again, or none.
  if (performance.now() - since > freshMs / 2) {
    since = performance.now();
    const renewed = await deliveries.claim(delivery);
    if (renewed === undefined) return 'lost';
    delivery = renewed;
  }
  const window = await deliveries.window(lane.key);
  const head = headOf(window);
  const isHead = head?.id === delivery.id && head.version === delivery.version;
  const isAlone = window.every(
    ({ id, document }) => id === delivery.id || document.claim === undefined,
  );
  if (isHead && isAlone) return { ...held, delivery, since };
  if (isHead) {
    // Two claims: neither knows whether the other is sending already.
    await deliveries.release(delivery, 250 + random() * 1000);
    return 'lost';
  }
  const headAt = head?.document.dueAt ?? 0;
  const delayMs = Math.max(0, headAt - sender.options.clock()) + 1000 + random() * 5000;
  const released = await deliveries.release(delivery, delayMs);
  return released === undefined ? 'lost' : 'early';
}

interface Sent {
  receiver: Receiver;
  delivery: Delivery;
  outcome: Outcome;
  isProbe: boolean;
}

/** @returns `lost`: another one has it, or will; `early`: others come first; `waits`: it was put aside */
async function request(
  sender: Sender,
  lane: Lane,
  claimed: Held,
): Promise<Sent | 'lost' | 'early' | 'waits'> {
  const { notices, receivers, states, clock, meter } = sender.options;
  const held = await verify(sender, lane, claimed);
  if (typeof held === 'string') return held;
  const { delivery } = held;
  const { document } = delivery;
  const receiver = (await receivers.all()).get(lane.receiver.id);
  const gate = gateOf(receiver, await states.of(lane.receiver.id));
  const isProbe = gate === 'open' && lane.probe;
  if (receiver === undefined || (gate !== 'go' && !isProbe)) {
    await putAside(sender, delivery, gate);
    return 'waits';
  }
  const notice = held.notice ?? (await notices.read(document.notice));
  if (notice === undefined) {
    await withoutNotice(sender, delivery);
    return 'waits';
  }
  if (document.attempts === 0) meter.lag(receiver.id, Math.max(0, clock() - notice.at));
  const mayBegin = () => performance.now() - held.since <= sender.options.freshMs;
  const sending = { id: document.notice, receiver, notice, delivery: document, mayBegin };
  const { signal, clear } = sender.deadline();
  const options = { ...sender.options, signal, stops: () => sender.aborted };
  const outcome = await attempt(options, sending).finally(clear);
  // Before anybody else takes the place: a receiver that fails is not to be asked by all of its lanes first.
  if (outcome.kind === 'later') await tellBreaker(sender, receiver, lane, outcome, isProbe);
  return { receiver, delivery, outcome, isProbe };
}

/** @returns whether the next of the lane may go */
async function conclude(sender: Sender, lane: Lane, sent: Sent): Promise<boolean> {
  const { deliveries, meter, log } = sender.options;
  const { receiver, delivery, outcome, isProbe } = sent;
  const { kind, last } = outcome;
  if (kind === 'stopped') return false;
  if (kind === 'late') return (await deliveries.release(delivery)) !== undefined;
  meter.attempt(receiver.id, kind, last.milliseconds ?? 0);
  const written = await settle(sender, delivery, outcome, isProbe);
  if (kind !== 'later') await tellBreaker(sender, receiver, lane, outcome, isProbe);
  if (written !== undefined) return written.document.state !== 'waiting';
  // Frozen past the claim: somebody else has sent it, or does.
  log.info('a delivery was taken by another process meanwhile', { delivery: delivery.id });
  return false;
}

async function settle(
  sender: Sender,
  delivery: Delivery,
  { kind, last, retryAfterMs, error }: Outcome,
  isProbe: boolean,
): Promise<Delivery | undefined> {
  const { deliveries, clock, random, log } = sender.options;
  const { document } = delivery;
  if (kind === 'delivered') return deliveries.finish(delivery, last);
  if (kind === 'refused' || kind === 'gone') return giveUp(sender, delivery, last);
  if (kind === 'unencodable') {
    log.error('a delivery cannot be encoded', { delivery: delivery.id, error });
  }
  if (ageOf(document, clock()) > longestLifeMs) {
    if (document.attempts > 0) return giveUp(sender, delivery, last);
    // It was held for days, and its attempts begin now.
    const young = { ...delivery, document: { ...document, replayedAt: clock() } };
    return settle(sender, young, { kind, last, retryAfterMs, error }, isProbe);
  }
  // While the circuit is open it is tried for all of them, and that must not use up its own attempts.
  if (isProbe) return deliveries.park(delivery, undefined, last);
  const delayMs = delayAfter(document.attempts + 1, random);
  if (delayMs === undefined) return giveUp(sender, delivery, last);
  // A little later than asked for, never earlier.
  const waitMs = retryAfterMs === undefined ? delayMs : retryAfterMs * (1 + random() / 10);
  return deliveries.postpone(delivery, waitMs, last);
}

async function tellBreaker(
  sender: Sender,
  receiver: Receiver,
  lane: Lane,
  { kind, last, retryAfterMs }: Outcome,
  isProbe: boolean,
): Promise<void> {
  const { breakers } = sender.options;
  const problem = last.problem ?? `answered_${last.status}`;
  if (kind === 'gone') await breakers.gone(receiver);
  // Whoever refuses is there.
  else if (kind === 'delivered' || kind === 'refused') await breakers.succeeded(receiver);
  else if (kind === 'later' && retryAfterMs !== undefined) {
    await breakers.throttled(receiver, retryAfterMs, problem);
  } else if (kind === 'later') await breakers.failed(receiver, lane.key, problem, isProbe);
}
