/**
 * What nobody has told this process of: deliveries whose time has come, that others left, that are to be forgotten;
 * receivers that may be tried again, or have to be caught up with. Looked for about each second, in pages.
 */

import { gateOf } from './breaker.ts';
import type { CatchUps } from './catch_up.ts';
import { ageOf, keepHeldMs } from './deliveries.ts';
import type { Delivery } from './deliveries.ts';
import { eachOf } from './each_of.ts';
import { giveUp, putAside } from './put_aside.ts';
import type { Receiver } from './receivers.ts';
import type { Sender } from './sender.ts';

const pageSize = 1000;
const mostPages = 50;
const concurrency = 128;
/** Of what waits for a receiver so much is looked at, to choose what tries whether it is there. */
const candidates = 50;

export interface PollerOptions {
  sender: Sender;
  catchUps: CatchUps;
}

export async function poll(options: PollerOptions): Promise<void> {
  const { sender, catchUps } = options;
  const { states, clock } = sender.options;
  const fares = await states.all();
  const probes = [...fares].filter(([, { failing, disabled }]) => {
    return disabled === undefined && (failing?.openUntil ?? Infinity) <= clock();
  });
  await eachOf(probes, concurrency, async ([id]) => probe(options, id));
  catchUps.start(fares);
  for (let page = 0; page < mostPages && !sender.closed; page += 1) {
    if (!(await pollPage(options))) return;
  }
}

/** @returns whether it is worth looking for more, now */
async function pollPage(options: PollerOptions): Promise<boolean> {
  const { store, clock } = options.sender.options;
  const page = await store.due('delivery', clock(), pageSize);
  const isFull = page.length >= pageSize;
  let changed = 0;
  await eachOf(page, concurrency, async (delivery) => {
    if (options.sender.closed) return;
    if (await takeUp(options, delivery, isFull)) changed += 1;
  });
  return isFull && changed > 0;
}

/** @returns whether it is not due any more */
async function takeUp(
  options: PollerOptions,
  delivery: Delivery,
  isCrowded: boolean,
): Promise<boolean> {
  const { sender, catchUps } = options;
  const { deliveries, claims, receivers, states, clock } = sender.options;
  const { document } = delivery;
  if (document.state !== 'waiting') return deliveries.forget(delivery);
  if (sender.has(document.lane) || claims.isForeign(delivery)) return false;
  const receiver = (await receivers.all()).get(document.receiver);
  const gate = gateOf(receiver, await states.of(document.receiver));
  if (gate === 'held' && ageOf(document, clock()) >= keepHeldMs) {
    const last = document.last ?? { at: clock(), problem: 'not_fetched' };
    return (await giveUp(sender, delivery, last)) !== undefined;
  }
  if (gate !== 'go' || receiver === undefined) {
    return (await putAside(sender, delivery, gate)) !== undefined;
  }
  const admission = sender.admit(receiver, document.lane);
  if (admission !== 'full' || !isCrowded) return false;
  // More than there is room for, and others wait behind it: its receiver is served from its own index.
  const parked = await deliveries.park(delivery);
  await catchUps.mark(receiver.id);
  return parked !== undefined;
}

/** The time of an open circuit is over: one delivery tries. */
async function probe({ sender }: PollerOptions, id: string): Promise<void> {
  const { breakers, receivers, store, states, random } = sender.options;
  const receiver = (await receivers.all()).get(id);
  if (receiver === undefined || gateOf(receiver, await states.of(id)) !== 'open') return;
  if (!(await breakers.mayProbe(id))) return;
  const waiting = await store.find('delivery', 'receiver', `${id} waiting`, { limit: candidates });
  // Any of them: one that it cannot digest must not be the one each time.
  const chosen = waiting[Math.floor(random() * waiting.length)];
  if (chosen === undefined) await breakers.nothingToTry(id);
  else sender.admit(receiver, chosen.document.lane, { probe: true });
}

/**
 * All that may be sent, of every receiver.
 * @param tried whatever its time is, but those named; they are added
 * @returns whether there was anything new
 */
export async function sweepAll(
  { sender, catchUps }: PollerOptions,
  tried: Set<string> | undefined,
): Promise<void> {
  const all: Iterable<Receiver> = (await sender.options.receivers.all()).values();
  const always = () => Promise.resolve(true);
  await eachOf(all, concurrency, async ({ id }) => {
    await catchUps.pass(id, always, tried);
  });
}
