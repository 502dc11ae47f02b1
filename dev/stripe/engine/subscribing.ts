/** A new subscription: with its first invoice, or its trial. */

import { declined, invalid } from '../errors.ts';
import type {
  Coupon,
  Customer,
  InvoiceLineItem,
  Price,
  PromotionCode,
  Subscription,
  SubscriptionItem,
} from '../objects.ts';
import { now } from '../state.ts';
import type { State } from '../state.ts';
import { after } from '../time.ts';
import { collect } from './collection.ts';
import { redeem } from './discounts.ts';
import { refreshEntitlements } from './entitlements.ts';
import { emit } from './events.ts';
import { draftInvoice, finalize } from './invoices.ts';
import { amountOf, isMetered, newLine, periodLine, trialLine } from './lines.ts';
import { methodFor } from './methods.ts';
import { intentOf, judge } from './payments.ts';
import type { Attempt } from './payments.ts';
import { newItem, newSubscription, workOf } from './subscription_state.ts';

export interface Subscribing {
  customer: Customer;
  items: { price: Price; quantity: number; metadata?: Record<string, string> }[];
  metadata: Record<string, string>;
  description: string | null;
  /** In seconds; null without a trial. */
  trialEnd: number | null;
  missingPaymentMethod: string;
  discounts: { coupon: Coupon; code: PromotionCode | undefined }[];
  defaultMethod: string | null;
  /** The first full period begins then; null for now. */
  anchor: number | null;
  prorationBehavior: string;
  paymentBehavior: string;
  /** The customer is not there to answer the bank. */
  offSession: boolean;
  checkoutSession?: string;
}

export interface Subscribed {
  subscription: Subscription;
  /** Of the first payment; nothing where none was tried. */
  outcome: Attempt | undefined;
}

/** @throws {ApiError} where the first payment cannot be made and that is not to be waited for */
export function subscribe(state: State, given: Subscribing): Subscribed {
  const { customer } = given;
  const first = given.items[0];
  if (first === undefined)
    throw invalid('Missing required param: items.', 'items', 'parameter_missing');
  const subscription = newSubscription(state, {
    customer: customer.id,
    currency: first.price.currency,
    test_clock: customer.test_clock ?? null,
  });
  subscription.metadata = given.metadata;
  subscription.description = given.description;
  subscription.default_payment_method = given.defaultMethod;
  if (subscription.trial_settings !== null) {
    subscription.trial_settings.end_behavior.missing_payment_method = given.missingPaymentMethod;
  }
  subscription.items.data = given.items.map(({ price, quantity, metadata }) => ({
    ...newItem(state, subscription, price, quantity),
    metadata: metadata ?? {},
  }));
  const amount = given.items.reduce(
    (sum, { price, quantity }) =>
      price.recurring?.usage_type === 'metered' ? sum : sum + amountOf(price, quantity),
    0,
  );
  if (given.trialEnd === null && amount > 0) requirePayable(state, subscription, given);
  state.subscriptions.add(subscription);
  workOf(state, subscription);
  subscription.discounts = given.discounts.map(
    (one) =>
      redeem(state, one, {
        customer: customer.id,
        subscription: subscription.id,
        ...(given.checkoutSession === undefined ? {} : { checkout_session: given.checkoutSession }),
      }).id,
  );
  customer.currency ??= subscription.currency;
  return given.trialEnd === null
    ? beginPaying(state, subscription, given)
    : beginTrial(state, subscription, given.trialEnd);
}

/** @throws {ApiError} where there is nothing to charge, or where it would be refused and must not be */
function requirePayable(state: State, subscription: Subscription, given: Subscribing): void {
  if (given.paymentBehavior === 'default_incomplete') return;
  const methodId = methodFor(state, subscription);
  const method = methodId === null ? undefined : state.paymentMethods.get(methodId);
  if (method === undefined) {
    throw invalid(
      'This customer has no attached payment source or default payment method. Please consider adding a default payment method.',
      undefined,
      'resource_missing',
    );
  }
  if (given.paymentBehavior === 'error_if_incomplete') {
    throwIfRefused(judge(state, method, given.offSession));
  }
}

/** @throws {ApiError} 402 */
export function throwIfRefused(outcome: Attempt): void {
  if (outcome.kind === 'requires_action') {
    throw declined({
      code: 'subscription_payment_intent_requires_action',
      message:
        'Payment for this subscription requires additional user action before it can be completed successfully.',
    });
  }
  if (outcome.kind !== 'declined') return;
  throw declined({
    code: outcome.code,
    message: outcome.message,
    ...(outcome.declineCode === undefined ? {} : { decline_code: outcome.declineCode }),
  });
}

function beginTrial(state: State, subscription: Subscription, trialEnd: number): Subscribed {
  const period = { start: subscription.created, end: trialEnd };
  subscription.status = 'trialing';
  subscription.trial_start = subscription.created;
  subscription.trial_end = trialEnd;
  subscription.billing_cycle_anchor = trialEnd;
  for (const item of subscription.items.data) {
    item.current_period_start = period.start;
    item.current_period_end = period.end;
  }
  const lines = subscription.items.data.map((item) => trialLine(state, subscription, item, period));
  const invoice = draftInvoice(state, subscription, {
    reason: 'subscription_create',
    lines,
    later: false,
  });
  created(state, subscription);
  finalize(state, invoice);
  return { subscription, outcome: undefined };
}

function beginPaying(state: State, subscription: Subscription, given: Subscribing): Subscribed {
  const start = subscription.created;
  subscription.billing_cycle_anchor = given.anchor ?? start;
  const lines: InvoiceLineItem[] = [];
  for (const item of subscription.items.data) {
    const whole = after(start, recurrence(item), 1);
    item.current_period_start = start;
    item.current_period_end = given.anchor ?? whole;
    if (isMetered(item)) continue;
    if (given.anchor === null) {
      lines.push(periodLine(state, subscription, item, { start, end: whole }));
    } else if (given.prorationBehavior !== 'none') {
      lines.push(partLine(state, subscription, item, { start, end: whole }, given.anchor));
    }
  }
  const invoice = draftInvoice(state, subscription, {
    reason: 'subscription_create',
    lines,
    later: false,
  });
  if (invoice.amount_due === 0) {
    subscription.status = 'active';
    created(state, subscription);
    finalize(state, invoice);
    return { subscription, outcome: undefined };
  }
  created(state, subscription);
  if (given.paymentBehavior === 'default_incomplete') {
    finalize(state, invoice);
    intentOf(state, invoice);
    return { subscription, outcome: undefined };
  }
  const outcome = collect(state, invoice, { offSession: given.offSession, automatic: true });
  return { subscription, outcome };
}

/** Until the anchor, which is earlier than a whole period's end. */
function partLine(
  state: State,
  subscription: Subscription,
  item: SubscriptionItem,
  whole: { start: number; end: number },
  anchor: number,
): InvoiceLineItem {
  const quantity = item.quantity ?? 1;
  const share = (anchor - whole.start) / (whole.end - whole.start);
  return newLine(state, subscription, item, {
    amount: Math.round(amountOf(item.price, quantity) * share),
    quantity,
    period: { start: whole.start, end: anchor },
    description: `${quantity} × ${item.price.product} until the first full period`,
    proration: true,
  });
}

function created(state: State, subscription: Subscription): void {
  emit(state, 'customer.subscription.created', subscription, { customer: subscription.customer });
  refreshEntitlements(state, subscription.customer);
}

export function recurrence(item: SubscriptionItem): { interval: string; interval_count: number } {
  return item.price.recurring ?? { interval: 'month', interval_count: 1 };
}

/** @returns in seconds; null without a trial. @throws {ApiError} where it is over before it begins */
export function trialEndOf(
  state: State,
  customer: string,
  given: {
    trial_end?: number | 'now' | null | undefined;
    trial_period_days?: number | null | undefined;
  },
): number | null {
  const at = now(state, customer);
  if (typeof given.trial_end === 'number') {
    if (given.trial_end <= at) throw invalid('Trial end must be in the future.', 'trial_end');
    return given.trial_end;
  }
  return given.trial_period_days ? at + given.trial_period_days * 24 * 60 * 60 : null;
}
