/** Where the configuration wants it: a payment that is disputed ends the subscription that it was for. */

import type { Log } from '../base/log.ts';
import type { Store } from '../storage/store.ts';
import { idOf } from './customer_state.ts';
import type { Stripe, StripeClient } from './stripe.ts';
import { isDead } from './subscription_state.ts';
import type { Sync } from './types.ts';

export interface DisputeOptions {
  store: Store;
  stripe: StripeClient;
  sync: Sync;
  log: Log;
}

/** Of a payment so many invoices are looked at: it was made for one. */
const mostInvoices = 10;

/** Does nothing where the customer is no account's: others may sell by the same Stripe account. */
export async function endDisputed(options: DisputeOptions, dispute: string): Promise<void> {
  const { store, stripe, sync, log } = options;
  const found = await stripe.find('disputes.retrieve', (api) =>
    api.disputes.retrieve(dispute, { expand: ['charge'] }),
  );
  if (found === undefined || typeof found.charge === 'string') return;
  const customer = idOf(found.charge.customer);
  if (customer === undefined) return;
  const [account] = await store.find('account', 'customer', customer, { limit: 1 });
  if (account === undefined) return;
  for (const subscription of await disputedSubscriptions(stripe, found)) {
    const present = await stripe.find('subscriptions.retrieve', (api) =>
      api.subscriptions.retrieve(subscription),
    );
    if (present === undefined || isDead(present) || idOf(present.customer) !== customer) continue;
    const how = { cancellation_details: { comment: `Payment disputed: ${dispute}` } };
    const idempotencyKey = `tollgate:dispute:${dispute}:${subscription}`;
    await stripe.call('subscriptions.cancel', (api) =>
      api.subscriptions.cancel(subscription, how, { idempotencyKey }),
    );
    log.warn('a disputed payment ended a subscription', { account: account.id, subscription });
  }
  await sync.customer(customer);
}

async function disputedSubscriptions(
  stripe: StripeClient,
  { payment_intent: reference }: Stripe.Dispute,
): Promise<string[]> {
  const payment = idOf(reference);
  if (payment === undefined) return [];
  const { data } = await stripe.call('invoicePayments.list', (api) =>
    api.invoicePayments.list({
      payment: { type: 'payment_intent', payment_intent: payment },
      limit: mostInvoices,
      expand: ['data.invoice'],
    }),
  );
  const found = data.map(({ invoice }) =>
    typeof invoice === 'string' || invoice.deleted === true
      ? undefined
      : idOf(invoice.parent?.subscription_details?.subscription),
  );
  return [...new Set(found.filter((one) => one !== undefined))];
}
