/**
 * Seats: who is paid for is written on the account, so that the last seat is one document's business. A saga: the seat
 * is taken first, then paid for where the quantity at Stripe follows, then the membership begins, and they have arrived;
 * what fails gives it back. A crash in between leaves a seat or a quantity too many, which the next event
 * of the account, or the comparison of all accounts, puts right: members, seats and quantity are made equal.
 */

import type { Clock } from '../base/clock.ts';
import { Problem } from '../base/errors.ts';
import type { Log } from '../base/log.ts';
import type { Config } from '../config.ts';
import { change } from '../directory/change.ts';
import { belongs, memberIds } from '../directory/member_list.ts';
import type { Seats } from '../directory/seats.ts';
import type { Handler } from '../events/handlers.ts';
import { isEvent } from '../events/types.ts';
import type { AccountDocument } from '../storage/documents.ts';
import type { Store } from '../storage/store.ts';
import { limitBelow, seatLimits, seatsFull } from './seat_limits.ts';
import { createSeatQuantity } from './seat_quantity.ts';
import type { StripeClient } from './stripe.ts';
import type { Sync } from './types.ts';

export interface SeatsOptions {
  /** The one of now. */
  config: () => Config;
  store: Store;
  clock: Clock;
  log: Log;
  stripe: StripeClient;
  sync: Sync;
}

export interface BillingSeats extends Seats {
  /**
   * Makes seats what members are, and the quantity at Stripe what seats are, where it follows.
   * @returns what was different: `seats`, `quantity`
   * @throws {Problem} `card_declined` (402), `stripe_unavailable` (503)
   */
  settle(account: string): Promise<string[]>;
  handler: Handler;
}

/** From a seat to the membership it takes a moment; a call to Stripe lies between them. */
const arrivingMs = 2 * 60_000;

export function createSeats(options: SeatsOptions): BillingSeats {
  const { store, clock, config, log } = options;
  const quantity = createSeatQuantity(options);
  const limitsOf = (document: AccountDocument) =>
    seatLimits(document, { config: config(), now: clock() });

  /** @throws {Problem} `seats_full` (402) */
  async function reserve(account: string, user: string): Promise<void> {
    await change(store, 'account', account, (present) => {
      const limits = limitsOf(present);
      if (limits.length === 0) return undefined;
      const seats = new Set(present.seats).add(user);
      const full = limitBelow(limits, seats.size);
      if (full !== undefined) throw seatsFull(full, account, config().issuer);
      if (seats.size === present.seats?.length) return undefined;
      const arriving = { ...present.arriving, [user]: clock() };
      return { document: { ...present, seats: [...seats], arriving } };
    });
  }

  async function takeNew(account: string, user: string): Promise<void> {
    try {
      await reserve(account, user);
    } catch (error) {
      if (!(error instanceof Problem) || error.code !== 'seats_full') throw error;
      // A seat of nobody, left over from a crash, keeps nobody out.
      if (!(await putRight(account))) throw error;
      await reserve(account, user);
    }
    try {
      await quantity.follow(account);
    } catch (error) {
      await giveBack(account, user);
      throw error;
    }
  }

  async function take(account: string, user: string): Promise<void> {
    const document = (await store.get('account', account))?.document;
    if (document === undefined || limitsOf(document).length === 0) return;
    // Those who came while nothing was counted have none yet.
    if (document.seats === undefined) await putRight(account);
    await takeNew(account, user);
  }

  async function arrived(account: string, user: string): Promise<void> {
    const changed = await change(store, 'account', account, (present) => {
      const { [user]: since, ...others } = present.arriving ?? {};
      return since === undefined ? undefined : { document: withArriving(present, others) };
    });
    if (changed === undefined || limitsOf(changed.document).length === 0) return;
    if (changed.document.seats?.includes(user) === true) return;
    await takeNew(account, user);
    await arrived(account, user);
  }

  /** Seats are members', and for a while those of who is on the way in. */
  async function putRight(account: string): Promise<boolean> {
    const document = (await store.get('account', account))?.document;
    if (document === undefined) return false;
    const members = await memberIds(store, account, document);
    const changed = await change(store, 'account', account, (present) => {
      const { seats = [], ...rest } = present;
      const isCounted = limitsOf(present).length > 0;
      const arriving = Object.entries(present.arriving ?? {}).filter(
        ([, since]) => isCounted && Math.abs(clock() - since) < arrivingMs,
      );
      const wanted = new Set([...(isCounted ? members : []), ...arriving.map(([user]) => user)]);
      const isSame = seats.length === wanted.size && seats.every((user) => wanted.has(user));
      if (isSame && arriving.length === Object.keys(present.arriving ?? {}).length)
        return undefined;
      const kept = withArriving(rest, Object.fromEntries(arriving));
      return { document: wanted.size === 0 ? kept : { ...kept, seats: [...wanted] } };
    });
    return changed?.written === true;
  }

  async function giveBack(account: string, user: string): Promise<void> {
    try {
      const [stored, person] = await Promise.all([
        store.get('account', account),
        store.get('user', user),
      ]);
      if (stored?.document.seats?.includes(user) !== true) return;
      if (person && belongs(user, person.document, account, stored.document)) return;
      await change(store, 'account', account, (present) => {
        const { seats = [], ...rest } = present;
        const left = seats.filter((one) => one !== user);
        if (left.length === seats.length) return undefined;
        const { [user]: _gone, ...others } = present.arriving ?? {};
        const kept = withArriving(rest, others);
        return { document: left.length === 0 ? kept : { ...kept, seats: left } };
      });
      await quantity.follow(account);
    } catch (error) {
      log.warn('a seat is given back later', { account, user, error });
    }
  }

  async function settle(account: string): Promise<string[]> {
    const document = (await store.get('account', account))?.document;
    if (document === undefined) return [];
    if (document.seats === undefined && limitsOf(document).length === 0) return [];
    const seats = await putRight(account);
    const followed = await quantity.follow(account);
    const after = (await store.get('account', account))?.document;
    const beyond = after && limitBelow(limitsOf(after), after.seats?.length ?? 0);
    if (beyond) {
      const { product, quantity: paid } = beyond;
      const taken = after.seats?.length;
      log.warn('an account has more members than seats', { account, product, taken, paid });
    }
    return [...(seats ? ['seats'] : []), ...(followed ? ['quantity'] : [])];
  }

  return {
    take,
    arrived,
    giveBack,
    settle,
    handler: handlerOf({ store, log }, { arrived, giveBack, settle }),
  };
}

function withArriving(account: AccountDocument, arriving: Record<string, number>): AccountDocument {
  const { arriving: _before, ...rest } = account;
  return Object.keys(arriving).length === 0 ? rest : { ...rest, arriving };
}

/**
 * What a crash left. Stripe may be away: nothing of an account must wait for it, so what does not work now is left to the
 * comparison of all accounts.
 */
function handlerOf(
  { store, log }: Pick<SeatsOptions, 'store' | 'log'>,
  seats: Pick<BillingSeats, 'arrived' | 'giveBack' | 'settle'>,
): Handler {
  const later = async (account: string, work: Promise<unknown>) => {
    try {
      await work;
    } catch (error) {
      log.warn('seats are compared later', { account, error });
    }
  };
  const settle = (account: string) => later(account, seats.settle(account));
  return {
    name: 'seats',
    types: ['member.added', 'member.removed', 'subscription.changed'],
    async handle(event) {
      if (isEvent(event, 'member.removed')) {
        await seats.giveBack(event.data.account, event.data.user);
      } else if (isEvent(event, 'member.added')) {
        const { account, user } = event.data;
        const document = (await store.get('account', account))?.document;
        if (document?.arriving?.[user] !== undefined) {
          await later(account, seats.arrived(account, user));
        } else if (document?.seats?.includes(user) !== true) await settle(account);
      } else if (isEvent(event, 'subscription.changed')) {
        await settle(event.data.account);
      }
    },
  };
}
