/**
 * What an account pays for ends with it: a closing that is decided ends it with the period, one that is taken back lets it
 * go on, and of a closed account it ends at once. What is to be is the account's document of that moment, read again after
 * each round, so that of two that work on opposite wishes the later one wins. What cannot be done now is done by the
 * inbox, the next event of the customer, and the comparison of all accounts: a closed account never pays again.
 */

import type { Clock } from '../base/clock.ts';
import type { Log } from '../base/log.ts';
import { busy } from '../directory/change.ts';
import type { Closing } from '../directory/closing.ts';
import type { Handler } from '../events/handlers.ts';
import { isEvent } from '../events/types.ts';
import type { AccountDocument } from '../storage/documents.ts';
import { eachFound } from '../storage/each.ts';
import type { Store } from '../storage/store.ts';
import { expireSession } from './checkout.ts';
import { arrange } from './closing_subscriptions.ts';
import type { Wish } from './closing_subscriptions.ts';
import type { StripeClient } from './stripe.ts';
import { isDead } from './subscription_state.ts';
import { remind } from './sync.ts';
import type { Catalog, Sync } from './types.ts';

export interface BillingClosingOptions {
  store: Store;
  stripe: StripeClient;
  catalog: Catalog;
  sync: Sync;
  directory: { closing: Pick<Closing, 'follow'> };
  clock: Clock;
  log: Log;
}

export interface BillingClosing {
  /**
   * Makes of its subscriptions what its document wants of them. Asks Stripe only where there may be something to do, or to
   * `look` in any case. Idempotent.
   * @throws {Problem} `stripe_unavailable` (503)
   */
  settle(account: string, look?: boolean): Promise<void>;
  /** The same, after what is known of its subscriptions was read afresh. @throws {Problem} `stripe_unavailable` (503) */
  refresh(account: string): Promise<void>;
  handler: Handler;
}

const mostRounds = 8;

export function createClosing(options: BillingClosingOptions): BillingClosing {
  const { store, sync, log, directory } = options;

  async function settle(account: string, look = false): Promise<void> {
    let mustLook = look;
    for (let round = 1; round <= mostRounds; round += 1) {
      const document = (await store.get('account', account))?.document;
      if (document === undefined) return;
      const wish = wishOf(document);
      if (wish.is === 'go_on' && !mustLook && !isMarked(document)) return;
      if (wish.is !== 'go_on') await closeCheckouts(options, 'account', account);
      const { customer, customerGoneAt } = document;
      let isSet = true;
      if (customer !== undefined && customerGoneAt === undefined) {
        const { changed, refused } = await arrange(options, { account, customer, wish });
        // Done before, by one that was stopped then: our document may not say so yet.
        if (changed > 0 || mustLook) await sync.customer(customer);
        isSet = refused === 0;
      }
      // One that is renewed again and again has no end: that would put off the closing for ever.
      if (wish.is === 'end' && isSet) await directory.closing.follow(account, endOf);
      const now = (await store.get('account', account))?.document;
      if (now === undefined || wishOf(now).from === wish.from) return;
      mustLook = true;
    }
    throw busy();
  }

  /** Nothing else of the account must wait for Stripe. */
  async function settleOrRemind(account: string, look: boolean): Promise<void> {
    try {
      await settle(account, look);
    } catch (error) {
      log.warn('what an account pays for is settled later', { account, error });
      const customer = (await store.get('account', account))?.document.customer;
      if (customer !== undefined) await remind(options, customer);
    }
  }

  /** What is paid for all the same is ended, and told of: this only spares them that. */
  async function forgetPages(user: string): Promise<void> {
    try {
      await closeCheckouts(options, 'user', user);
    } catch (error) {
      log.warn('a payment page of somebody who was deleted is still open', { user, error });
    }
  }

  return {
    settle,
    async refresh(account) {
      const customer = (await store.get('account', account))?.document.customer;
      if (customer !== undefined) await sync.customer(customer);
      await settle(account);
    },
    handler: {
      name: 'closing',
      types: [
        'account.closing',
        'account.closing_withdrawn',
        'account.closed',
        'account.reopened',
        'subscription.changed',
        'user.deleted',
      ],
      async handle(event) {
        if (isEvent(event, 'user.deleted')) return forgetPages(event.data.user);
        if (isEvent(event, 'subscription.changed')) {
          const { account } = event.data;
          await settleOrRemind(account, false);
        } else if (typeof event.data.account === 'string') {
          await settleOrRemind(event.data.account, true);
        }
      },
    },
  };
}

/** What its subscriptions are to do, and which decision that is from. */
function wishOf({ status, closing, closed }: AccountDocument): Wish & { from: string } {
  if (status === 'closed')
    return { is: 'end_now', why: closed ?? {}, from: `closed ${closed?.at}` };
  if (closing === undefined) return { is: 'go_on', from: 'open' };
  return { is: 'end', why: closing, from: `closing ${closing.askedAt}` };
}

/** A closing has set the end of one of them. */
function isMarked({ subscriptions = {} }: AccountDocument): boolean {
  return Object.values(subscriptions).some((one) => one.closing === true && !isDead(one));
}

/**
 * When all that the account pays for is over, if none of it is renewed.
 * @returns `undefined` where it pays for nothing
 */
export function endOf({
  subscriptions = {},
}: Pick<AccountDocument, 'subscriptions'>): number | undefined {
  const ends = Object.values(subscriptions)
    .filter((one) => !isDead(one) && one.status !== 'incomplete')
    .flatMap(({ cancelAt, periodEnd, trialEnd }) => cancelAt ?? periodEnd ?? trialEnd ?? []);
  return ends.length === 0 ? undefined : Math.max(...ends);
}

/** So that nobody pays for it. Of a person those of accounts that would be made for them. */
async function closeCheckouts(
  { store, stripe }: Pick<BillingClosingOptions, 'store' | 'stripe'>,
  index: 'account' | 'user',
  id: string,
): Promise<void> {
  for await (const { document } of eachFound(store, 'signup', { index, value: id })) {
    const { state, session, isNew } = document;
    if (state !== 'paying' || session === undefined) continue;
    if (index === 'account' || isNew) await expireSession(stripe, session);
  }
}
