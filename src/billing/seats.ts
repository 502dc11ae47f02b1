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
import { belongs } from '../directory/member_list.ts';
import type { Seats } from '../directory/seats.ts';
import type { Handler } from '../events/handlers.ts';
import { isEvent } from '../events/types.ts';
import type { AccountDocument } from '../storage/documents.ts';
import type { Store } from '../storage/store.ts';
import { createSeatHolders } from './seat_holders.ts';
import { limitBelow, seatLimits } from './seat_limits.ts';
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
  const holders = createSeatHolders(options);
  const limitsOf = (document: AccountDocument) =>
    seatLimits(document, { config: config(), now: clock() });

  async function takeNew(account: string, user: string): Promise<void> {
    try {
      await holders.reserve(account, user);
    } catch (error) {
      if (!(error instanceof Problem) || error.code !== 'seats_full') throw error;
      // A seat of nobody, left over from a crash, keeps nobody out.
      if (!(await holders.putRight(account))) throw error;
      await holders.reserve(account, user);
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
    if (document.seats === undefined) await holders.putRight(account);
    await takeNew(account, user);
  }

  async function arrived(account: string, user: string): Promise<void> {
    const document = await holders.settleIn(account, user);
    if (document === undefined || limitsOf(document).length === 0) return;
    if (document.seats?.includes(user) === true) return;
    await takeNew(account, user);
    await arrived(account, user);
  }

  async function giveBack(account: string, user: string): Promise<void> {
    try {
      const [stored, person] = await Promise.all([
        store.get('account', account),
        store.get('user', user),
      ]);
      if (stored?.document.seats?.includes(user) !== true) return;
      if (person && belongs(user, person.document, account, stored.document)) return;
      await holders.leave(account, user);
      await quantity.follow(account);
    } catch (error) {
      log.warn('a seat is given back later', { account, user, error });
    }
  }

  async function settle(account: string): Promise<string[]> {
    const document = (await store.get('account', account))?.document;
    if (document === undefined) return [];
    if (document.seats === undefined && limitsOf(document).length === 0) return [];
    const seats = await holders.putRight(account);
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
