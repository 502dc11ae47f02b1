/** The whole subscription and its items, and the one way to change them. */

import type { Price, Subscription, SubscriptionItem } from '../objects.ts';
import { newId, now } from '../state.ts';
import type { State } from '../state.ts';
import type { SubscriptionWork } from '../tables.ts';
import { refreshEntitlements } from './entitlements.ts';
import { change, emit } from './events.ts';

export const over = ['canceled', 'incomplete_expired'];

/** Does something to a subscription; says what has changed, and what that means for entitlements. */
export function changeSubscription(
  state: State,
  subscription: Subscription,
  act: () => void,
): boolean {
  const customer = subscription.customer;
  const was = subscription.status;
  const changed = change(state, 'customer.subscription.updated', subscription, customer, act);
  if (was !== 'paused' && subscription.status === 'paused') {
    emit(state, 'customer.subscription.paused', subscription, { customer });
  }
  if (was === 'paused' && subscription.status === 'active') {
    emit(state, 'customer.subscription.resumed', subscription, { customer });
  }
  if (changed) refreshEntitlements(state, customer);
  return changed;
}

/** What Stripe does not show of it. */
export function workOf(state: State, subscription: Subscription): SubscriptionWork {
  return (
    state.subscriptionWork.get(subscription.id) ??
    state.subscriptionWork.add({
      id: subscription.id,
      trialAnnounced: null,
      upcomingAnnounced: null,
      pending: [],
      resumesAt: null,
      scheduled: [],
    })
  );
}

/** The end of what is paid for: of several items the earliest. */
export function periodEnd(subscription: Subscription): number {
  return Math.min(...subscription.items.data.map((item) => item.current_period_end));
}

export function latestPeriodEnd(subscription: Subscription): number {
  return Math.max(...subscription.items.data.map((item) => item.current_period_end));
}

export function newSubscription(
  state: State,
  known: { customer: string; currency: string; test_clock: string | null },
): Subscription {
  const created = now(state, known.customer);
  const id = newId(state, 'sub');
  return {
    id,
    object: 'subscription',
    application: null,
    application_fee_percent: null,
    automatic_tax: { disabled_reason: null, enabled: false, liability: null },
    billing_cycle_anchor: created,
    billing_cycle_anchor_config: null,
    billing_mode: { flexible: { proration_discounts: 'included' }, type: 'flexible' },
    billing_schedules: [],
    billing_thresholds: null,
    cancel_at: null,
    cancel_at_period_end: false,
    canceled_at: null,
    cancellation_details: { comment: null, feedback: null, feedback_option: null, reason: null },
    collection_method: 'charge_automatically',
    created,
    currency: known.currency,
    customer: known.customer,
    customer_account: null,
    days_until_due: null,
    default_payment_method: null,
    default_source: null,
    default_tax_rates: [],
    description: null,
    discounts: [],
    ended_at: null,
    invoice_settings: {
      account_tax_ids: null,
      custom_fields: null,
      description: null,
      footer: null,
      issuer: { type: 'self' },
    },
    items: {
      object: 'list',
      data: [],
      has_more: false,
      url: `/v1/subscription_items?subscription=${id}`,
    },
    latest_invoice: null,
    livemode: state.livemode,
    managed_payments: null,
    metadata: {},
    next_pending_invoice_item_invoice: null,
    on_behalf_of: null,
    pause_collection: null,
    payment_settings: {
      payment_method_options: null,
      payment_method_types: null,
      save_default_payment_method: 'off',
    },
    pending_invoice_item_interval: null,
    pending_setup_intent: null,
    pending_update: null,
    schedule: null,
    start_date: created,
    status: 'incomplete',
    test_clock: known.test_clock,
    transfer_data: null,
    trial_end: null,
    trial_settings: {
      end_behavior: { billing_cycle_anchor: null, missing_payment_method: 'create_invoice' },
    },
    trial_start: null,
  };
}

export function newItem(
  state: State,
  subscription: Subscription,
  price: Price,
  quantity: number,
): SubscriptionItem {
  return {
    id: newId(state, 'si', 14),
    object: 'subscription_item',
    billing_thresholds: null,
    created: now(state, subscription.customer),
    current_period_end: 0,
    current_period_start: 0,
    current_trial: null,
    discounts: [],
    metadata: {},
    plan: planOf(price),
    price,
    ...(price.recurring?.usage_type === 'metered' ? {} : { quantity }),
    subscription: subscription.id,
    tax_rates: [],
  };
}

/** The price in the form that plans had before there were prices. */
export function planOf(price: Price): SubscriptionItem['plan'] {
  return {
    id: price.id,
    object: 'plan',
    active: price.active,
    amount: price.unit_amount,
    amount_decimal: price.unit_amount_decimal,
    billing_scheme: price.billing_scheme,
    created: price.created,
    currency: price.currency,
    interval: price.recurring?.interval ?? 'month',
    interval_count: price.recurring?.interval_count ?? 1,
    livemode: price.livemode,
    metadata: price.metadata,
    meter: price.recurring?.meter ?? null,
    nickname: price.nickname,
    product: price.product,
    tiers_mode: price.tiers_mode,
    transform_usage: null,
    trial_period_days: price.recurring?.trial_period_days ?? null,
    usage_type: price.recurring?.usage_type ?? 'licensed',
  };
}
