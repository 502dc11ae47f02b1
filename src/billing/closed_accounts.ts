/**
 * A closed account pays for nothing any more: nobody can act for it, so nobody could end its subscriptions. What cannot be
 * done now, for Stripe is away, the comparison of all accounts does.
 */

import type { Log } from '../base/log.ts';
import type { Handler } from '../events/handlers.ts';
import { isEvent } from '../events/types.ts';
import type { Store } from '../storage/store.ts';
import { expireSession } from './checkout.ts';
import type { Stripe, StripeClient } from './stripe.ts';
import { isDead } from './subscription_state.ts';
import type { Catalog, Sync } from './types.ts';

export interface ClosedAccountsOptions {
  store: Store;
  stripe: StripeClient;
  catalog: Catalog;
  sync: Sync;
  log: Log;
}

export interface ClosedAccounts {
  /** Does nothing for an account that is open. @throws {Problem} `stripe_unavailable` (503) */
  end(account: string): Promise<void>;
  handler: Handler;
}

const mostRead = 100;

export function createClosedAccounts(options: ClosedAccountsOptions): ClosedAccounts {
  const { store, log } = options;

  async function end(account: string): Promise<void> {
    const document = (await store.get('account', account))?.document;
    if (document?.status !== 'closed') return;
    await closeCheckouts(options, account);
    if (document.customer === undefined || document.customerGoneAt !== undefined) return;
    await endSubscriptions(options, account, document.customer);
  }

  return {
    end,
    handler: {
      name: 'closed_accounts',
      types: ['account.closed', 'subscription.changed'],
      async handle(event) {
        if (!isEvent(event, 'account.closed') && !isEvent(event, 'subscription.changed')) return;
        const { account } = event.data;
        try {
          await end(account);
        } catch (error) {
          log.warn('the subscriptions of a closed account are ended later', { account, error });
        }
      },
    },
  };
}

/** So that nobody pays for it. */
async function closeCheckouts(
  { store, stripe }: ClosedAccountsOptions,
  account: string,
): Promise<void> {
  const signups = await store.find('signup', 'account', account, { limit: mostRead });
  for (const { document } of signups) {
    if (document.state !== 'paying' || document.session === undefined) continue;
    await expireSession(stripe, document.session);
  }
}

async function endSubscriptions(
  { stripe, catalog, sync, log }: ClosedAccountsOptions,
  account: string,
  customer: string,
): Promise<void> {
  // What is sold otherwise, by whoever runs the Stripe account, is theirs to end.
  const isOurs = ({ items, metadata }: Stripe.Subscription) =>
    metadata.tollgate_account === account ||
    items.data.some(({ price }) => catalog.planOf(price) !== undefined);
  const { data } = await stripe.call('subscriptions.list', (api) =>
    api.subscriptions.list({ customer, status: 'all', limit: mostRead }),
  );
  const live = data.filter((subscription) => !isDead(subscription) && isOurs(subscription));
  for (const { id: subscription } of live) {
    await stripe.find('subscriptions.cancel', (api) =>
      api.subscriptions.cancel(
        subscription,
        {},
        { idempotencyKey: `tollgate:closed:${subscription}` },
      ),
    );
    log.info('a subscription of a closed account was ended', { account, subscription });
  }
  if (live.length > 0) await sync.customer(customer);
}
