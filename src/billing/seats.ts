/**
 * Seats: who is paid for is written on the account, so that the last seat is one document's business. A saga: the seat
 * is taken first, then paid for where the quantity at Stripe follows, then the membership begins, and the seat is looked
 * at once more; what fails gives it back. A crash in between leaves a seat or a quantity too many, which the next event
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

export function createSeats(options: SeatsOptions): BillingSeats {
  const { store, clock, config, log } = options;
  const quantity = createSeatQuantity(options);
  const limitsOf = (document: AccountDocument) =>
    seatLimits(document, { config: config(), now: clock() });

  /** @throws {Problem} `seats_full` (402) */
  async function reserve(account: string, user: string): Promise<void> {
    await change(store, 'account', account, (present) => {
      const limits = limitsOf(present);
      const { seats = [] } = present;
      if (limits.length === 0 || seats.includes(user)) return undefined;
      const full = limitBelow(limits, seats.length + 1);
      if (full !== undefined) throw seatsFull(full, account, config().issuer);
      return { document: { ...present, seats: [...seats, user] } };
    });
  }

  async function take(account: string, user: string): Promise<boolean> {
    const document = (await store.get('account', account))?.document;
    if (document === undefined || limitsOf(document).length === 0) return false;
    if (document.seats?.includes(user) === true) return quantity.follow(account);
    // Those who came while nothing was counted have none yet.
    if (document.seats === undefined) await putRight(account);
    try {
      await reserve(account, user);
    } catch (error) {
      if (!(error instanceof Problem) || error.code !== 'seats_full') throw error;
      // A seat of nobody, left over from a crash, keeps nobody out.
      if (!(await putRight(account))) throw error;
      await reserve(account, user);
    }
    try {
      return await quantity.follow(account);
    } catch (error) {
      await giveBack(account, user);
      throw error;
    }
  }

  /** Seats are members'. A seat that was taken a moment ago for somebody on the way in is taken again by them. */
  async function putRight(account: string): Promise<boolean> {
    const document = (await store.get('account', account))?.document;
    if (document === undefined) return false;
    const members = await memberIds(store, account, document);
    const changed = await change(store, 'account', account, (present) => {
      const { seats, ...rest } = present;
      const wanted = limitsOf(present).length === 0 ? [] : members;
      if (isSame(seats ?? [], wanted)) return undefined;
      return { document: wanted.length === 0 ? rest : { ...rest, seats: wanted } };
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
        return { document: left.length === 0 ? rest : { ...rest, seats: left } };
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
    take: async (account, user) => void (await take(account, user)),
    giveBack,
    settle,
    handler: handlerOf({ store, log }, { giveBack, settle }),
  };
}

function isSame(one: readonly string[], other: readonly string[]): boolean {
  return one.length === other.length && one.every((user) => other.includes(user));
}

/**
 * What a crash left. Stripe may be away: nothing of an account must wait for it, so what does not work now is left to the
 * comparison of all accounts.
 */
function handlerOf(
  { store, log }: Pick<SeatsOptions, 'store' | 'log'>,
  seats: Pick<BillingSeats, 'giveBack' | 'settle'>,
): Handler {
  const settle = async (account: string) => {
    try {
      await seats.settle(account);
    } catch (error) {
      log.warn('seats are compared later', { account, error });
    }
  };
  return {
    name: 'seats',
    types: ['member.added', 'member.removed', 'subscription.changed'],
    async handle(event) {
      if (isEvent(event, 'member.removed')) {
        await seats.giveBack(event.data.account, event.data.user);
      } else if (isEvent(event, 'member.added')) {
        const { account, user } = event.data;
        const document = (await store.get('account', account))?.document;
        if (document?.seats?.includes(user) !== true) await settle(account);
      } else if (isEvent(event, 'subscription.changed')) {
        await settle(event.data.account);
      }
    },
  };
}
