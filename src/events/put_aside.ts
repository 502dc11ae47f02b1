/** What becomes of a delivery that is not to be sent now, or not any more. */

import { gateOf } from './breaker.ts';
import type { Gate } from './breaker.ts';
import { ageOf } from './deliveries.ts';
import type { Delivery, Last } from './deliveries.ts';
import { day, longestLifeMs } from './schedule.ts';
import type { Sender } from './sender.ts';

/** For how long it may not be known here what another process knows as a receiver. */
const unknownForMs = day;

/** What cannot be sent now, because of its receiver. */
export async function putAside(
  sender: Sender,
  delivery: Delivery,
  gate: Gate,
): Promise<Delivery | undefined> {
  const { deliveries, receivers, clock } = sender.options;
  const { document } = delivery;
  const age = ageOf(document, clock());
  const last = (problem: string) => document.last ?? { at: clock(), problem };
  switch (gate) {
    case 'unknown':
      // A process with a newer configuration may have made it, or the receiver was removed.
      if (age > unknownForMs) return deliveries.drop(delivery, last('no_such_receiver'));
      return deliveries.park(delivery);
    case 'disabled':
      // It may have been enabled this moment, and this be sent again for that reason.
      if (!(await isStillDisabled(sender, document.receiver))) return deliveries.release(delivery);
      return giveUp(sender, delivery, { at: clock(), problem: 'disabled' });
    case 'held':
      return deliveries.hold(
        delivery,
        (await receivers.all()).get(document.receiver)?.url !== undefined,
      );
    case 'open':
      if (age > longestLifeMs) return giveUp(sender, delivery, last('unreachable'));
      return deliveries.park(delivery);
    case 'go':
      return deliveries.park(delivery);
  }
}

export async function giveUp(
  sender: Sender,
  delivery: Delivery,
  last: Last,
): Promise<Delivery | undefined> {
  const { deliveries, notices, log, meter } = sender.options;
  const { receiver, notice, type, attempts } = delivery.document;
  const killed = await deliveries.kill(delivery, last);
  if (killed === undefined) return undefined;
  meter.dead(receiver);
  const { status, problem } = last;
  log.warn('a delivery was given up', { receiver, event: notice, type, attempts, status, problem });
  // So that it can be sent again for as long as it is kept.
  await notices.keep(notice);
  return killed;
}

/** Its fan-out died between the two, and is done again; or the notice is gone for good. */
export async function withoutNotice(sender: Sender, delivery: Delivery): Promise<void> {
  const { deliveries, clock } = sender.options;
  const isYoung = ageOf(delivery.document, clock()) < 60 * 60 * 1000;
  if (isYoung) await deliveries.park(delivery);
  else await deliveries.kill(delivery, { at: clock(), problem: 'expired' });
}

async function isStillDisabled(sender: Sender, id: string): Promise<boolean> {
  const { receivers, states } = sender.options;
  return gateOf((await receivers.all()).get(id), await states.fresh(id)) === 'disabled';
}
