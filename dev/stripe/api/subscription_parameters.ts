/** What the endpoints of subscriptions take. */

import type Stripe from 'stripe';
import { z } from 'zod';
import {
  bool,
  choice,
  emptyable,
  group,
  int,
  list,
  metadata,
  paging,
  parameters,
  range,
  text,
  whole,
} from '../parameters.ts';

const proration = choice('always_invoice', 'create_prorations', 'none');
const feedback = choice(
  'customer_service',
  'low_quality',
  'missing_features',
  'other',
  'switched_service',
  'too_complex',
  'too_expensive',
  'unused',
);
const details = group({
  comment: emptyable(text).optional(),
  feedback: emptyable(feedback).optional(),
});
const trialSettings = group({
  end_behavior: group({ missing_payment_method: choice('cancel', 'create_invoice', 'pause') }),
});
const discounts = emptyable(
  list(group({ coupon: text.optional(), promotion_code: text.optional() })),
);
const behaviors = choice('allow_incomplete', 'default_incomplete', 'error_if_incomplete');
const billingMode = group({ type: choice('flexible') });
const trialEnd = z.union([z.literal('now'), int]);
const paymentSettings = group({
  save_default_payment_method: choice('off', 'on_subscription').optional(),
});

export const creating = parameters<Stripe.SubscriptionCreateParams>()({
  billing_cycle_anchor: int.optional(),
  billing_mode: billingMode.optional(),
  cancel_at: z.union([choice('min_period_end', 'max_period_end'), int]).optional(),
  cancel_at_period_end: bool.optional(),
  collection_method: choice('charge_automatically').optional(),
  currency: text.optional(),
  customer: text,
  default_payment_method: text.optional(),
  description: text.max(500).optional(),
  discounts: discounts.optional(),
  items: list(
    group({
      metadata: metadata.optional(),
      price: text,
      quantity: whole.optional(),
    }),
  ),
  metadata: metadata.optional(),
  off_session: bool.optional(),
  payment_behavior: behaviors.optional(),
  payment_settings: paymentSettings.optional(),
  proration_behavior: proration.optional(),
  trial_end: trialEnd.optional(),
  trial_period_days: whole.optional(),
  trial_settings: trialSettings.optional(),
});

export const updating = parameters<Stripe.SubscriptionUpdateParams>()({
  billing_cycle_anchor: group({ type: choice('now', 'unchanged') }).optional(),
  cancel_at: emptyable(z.union([choice('min_period_end', 'max_period_end'), int])).optional(),
  cancel_at_period_end: bool.optional(),
  cancellation_details: details.optional(),
  default_payment_method: emptyable(text).optional(),
  description: emptyable(text.max(500)).optional(),
  discounts: discounts.optional(),
  items: list(
    group({
      deleted: bool.optional(),
      id: text.optional(),
      metadata: metadata.optional(),
      price: text.optional(),
      quantity: whole.optional(),
    }),
  ).optional(),
  metadata: metadata.optional(),
  off_session: bool.optional(),
  pause_collection: emptyable(
    group({
      behavior: choice('keep_as_draft', 'mark_uncollectible', 'void'),
      resumes_at: int.optional(),
    }),
  ).optional(),
  payment_behavior: behaviors.optional(),
  payment_settings: paymentSettings.optional(),
  proration_behavior: proration.optional(),
  proration_date: int.optional(),
  trial_end: trialEnd.optional(),
  trial_settings: trialSettings.optional(),
});

export const listing = parameters<Stripe.SubscriptionListParams>()({
  ...paging,
  created: range.optional(),
  current_period_end: range.optional(),
  current_period_start: range.optional(),
  customer: text.optional(),
  price: text.optional(),
  status: choice(
    'active',
    'all',
    'canceled',
    'ended',
    'incomplete',
    'incomplete_expired',
    'past_due',
    'paused',
    'trialing',
    'unpaid',
  ).optional(),
  test_clock: text.optional(),
});
export const cancelling = parameters<Stripe.SubscriptionCancelParams>()({
  cancellation_details: details.optional(),
  invoice_now: bool.optional(),
  prorate: bool.optional(),
});
export const pausing = parameters<Stripe.SubscriptionPauseParams>()({
  bill_for: group({
    outstanding_usage_through: group({ type: choice('none', 'now') }).optional(),
    unused_time_from: group({
      type: choice('item_current_period_start', 'none', 'now'),
    }).optional(),
  }).optional(),
  invoicing_behavior: choice('invoice', 'pending_invoice_item').optional(),
  type: choice('subscription').optional(),
});
export const resuming = parameters<Stripe.SubscriptionResumeParams>()({
  billing_cycle_anchor: group({ type: choice('now', 'unchanged') }).optional(),
  payment_behavior: choice('resume_on_payment_attempt', 'resume_on_payment_success').optional(),
  proration_behavior: proration.optional(),
  proration_date: int.optional(),
});
export const nothing = parameters<Stripe.SubscriptionRetrieveParams>()({});
