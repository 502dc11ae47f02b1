/**
 * Subscriptions that need no Checkout: trials without a card, which end by themselves unless a card comes. A retry finds
 * the one that was made, by its key, or, when Stripe has forgotten that, among the customer's.
 */

import { Problem } from '../base/errors.ts';
import type { Config } from '../config.ts';
import { metadataOf, quantityOf } from './checkout.ts';
import type { StoredSignup } from './checkout.ts';
import { idempotencyKey, isOfGoneCustomer } from './identifiers.ts';
import type { StripeClient } from './stripe.ts';
import { isDead } from './subscription_state.ts';

export interface DirectOptions {
  stripe: StripeClient;
  config: () => Config;
}

/**
 * @returns its id; `undefined` where Stripe refuses it, and has done nothing
 * @throws {Problem} `stripe_unavailable` (503); `stripe_refused` (502) where the customer was deleted
 */
export async function subscribeDirectly(
  options: DirectOptions,
  signup: StoredSignup,
  customer: string,
): Promise<string | undefined> {
  const made = await madeBefore(options, signup, customer);
  if (made !== undefined) return made;
  try {
    return await create(options, signup, customer);
  } catch (error) {
    if (!(error instanceof Problem) || error.code !== 'stripe_refused') throw error;
    if (isOfGoneCustomer(error)) throw error;
    return undefined;
  }
}

async function create(
  { stripe, config }: DirectOptions,
  { id, document }: StoredSignup,
  customer: string,
): Promise<string> {
  const { price = '', trialDays, attempt } = document;
  const subscription = await stripe.call('subscriptions.create', (api) =>
    api.subscriptions.create(
      {
        customer,
        items: [{ price, ...quantityOf(config().products, document) }],
        metadata: metadataOf(id, document),
        ...(trialDays === undefined ? {} : { trial_period_days: trialDays }),
        trial_settings: { end_behavior: { missing_payment_method: 'cancel' } },
      },
      { idempotencyKey: idempotencyKey('subscription', id, attempt) },
    ),
  );
  return subscription.id;
}

/** What was asked for in an earlier attempt of this sign-up counts as well: nobody has two. */
async function madeBefore(
  { stripe }: DirectOptions,
  { id }: StoredSignup,
  customer: string,
): Promise<string | undefined> {
  const { data } = await stripe.call('subscriptions.list', (api) =>
    api.subscriptions.list({ customer, status: 'all', limit: 100 }),
  );
  const ours = data.find(
    (subscription) => subscription.metadata.tollgate_signup === id && !isDead(subscription),
  );
  return ours?.id;
}
