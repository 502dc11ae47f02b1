/** What the endpoints of Checkout Sessions take. */

import type Stripe from 'stripe';
import {
  bool,
  choice,
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

const subscriptionData = group({
  billing_cycle_anchor: int.optional(),
  billing_mode: group({ type: choice('flexible') }).optional(),
  description: text.max(500).optional(),
  metadata: metadata.optional(),
  proration_behavior: choice('create_prorations', 'none').optional(),
  trial_end: int.optional(),
  trial_period_days: whole.optional(),
  trial_settings: group({
    end_behavior: group({ missing_payment_method: choice('cancel', 'create_invoice', 'pause') }),
  }).optional(),
});

export const creating = parameters<Stripe.Checkout.SessionCreateParams>()({
  allow_promotion_codes: bool.optional(),
  allowed_payment_method_types: list(text).optional(),
  automatic_tax: group({ enabled: bool }).optional(),
  billing_address_collection: choice('auto', 'required').optional(),
  cancel_url: text.optional(),
  client_reference_id: text.max(200).optional(),
  currency: text.optional(),
  customer: text.optional(),
  customer_email: text.max(800).optional(),
  customer_update: group({
    address: choice('auto', 'never').optional(),
    name: choice('auto', 'never').optional(),
  }).optional(),
  discounts: list(group({ coupon: text.optional(), promotion_code: text.optional() })).optional(),
  expires_at: int.optional(),
  line_items: list(
    group({
      adjustable_quantity: group({
        enabled: bool,
        maximum: whole.optional(),
        minimum: whole.optional(),
      }).optional(),
      metadata: metadata.optional(),
      price: text,
      quantity: whole.optional(),
    }),
  ),
  locale: text.max(10).optional(),
  metadata: metadata.optional(),
  mode: choice('payment', 'setup', 'subscription'),
  payment_method_collection: choice('always', 'if_required').optional(),
  phone_number_collection: group({ enabled: bool }).optional(),
  subscription_data: subscriptionData.optional(),
  success_url: text.optional(),
  tax_id_collection: group({ enabled: bool }).optional(),
  ui_mode: choice('hosted_page').optional(),
});

export const listing = parameters<Stripe.Checkout.SessionListParams>()({
  ...paging,
  created: range.optional(),
  customer: text.optional(),
  customer_details: group({ email: text }).optional(),
  payment_intent: text.optional(),
  status: choice('complete', 'expired', 'open').optional(),
  subscription: text.optional(),
});
export const nothing = parameters<Stripe.Checkout.SessionRetrieveParams>()({});
