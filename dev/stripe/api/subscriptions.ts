/** `/v1/subscriptions` */

import type { z } from 'zod';
import { cancelNow, note, scheduleEnd } from '../engine/cancellation.ts';
import { collect } from '../engine/collection.ts';
import { couponOf, redeem } from '../engine/discounts.ts';
import { draftInvoice } from '../engine/invoices.ts';
import { creditLine, isMetered } from '../engine/lines.ts';
import { pause, resume } from '../engine/pausing.ts';
import { subscribe, trialEndOf } from '../engine/subscribing.ts';
import { latestPeriodEnd, over, periodEnd, workOf } from '../engine/subscription_state.ts';
import { applyUpdate } from '../engine/updating.ts';
import { invalid, missing } from '../errors.ts';
import type { Subscription } from '../objects.ts';
import { now } from '../state.ts';
import type { State } from '../state.ts';
import { mergeMetadata, page, route, within } from './route.ts';
import type { Route } from './route.ts';
import { itemsOf, needPrice } from './subscription_items.ts';
import {
  cancelling,
  creating,
  listing,
  nothing,
  pausing,
  resuming,
  updating,
} from './subscription_parameters.ts';

export const subscriptionRoutes: Route[] = [
  route('POST', '/v1/subscriptions', creating, create),
  route('GET', '/v1/subscriptions', listing, (state, given) => {
    const all =
      given.customer === undefined
        ? state.subscriptions.all()
        : state.subscriptions.of(given.customer);
    const rows = all.toReversed().filter((one) => matches(one, given));
    return page(rows, given, '/v1/subscriptions');
  }),
  route('GET', '/v1/subscriptions/:id', nothing, (state, _, id) => state.subscriptions.need(id)),
  route('POST', '/v1/subscriptions/:id', updating, update),
  route('DELETE', '/v1/subscriptions/:id', cancelling, cancel),
  route('POST', '/v1/subscriptions/:id/pause', pausing, (state, given, id) => {
    const subscription = state.subscriptions.need(id);
    pause(state, subscription, {
      credit: given.bill_for?.unused_time_from?.type ?? 'now',
      usage: given.bill_for?.outstanding_usage_through?.type ?? 'now',
      invoicing: given.invoicing_behavior ?? 'pending_invoice_item',
    });
    return subscription;
  }),
  route('POST', '/v1/subscriptions/:id/resume', resuming, (state, given, id) => {
    const subscription = state.subscriptions.need(id);
    resume(state, subscription, {
      anchor: given.billing_cycle_anchor?.type ?? 'now',
      paymentBehavior: given.payment_behavior ?? 'resume_on_payment_attempt',
      prorationBehavior: given.proration_behavior ?? 'create_prorations',
      prorationDate: given.proration_date,
    });
    return subscription;
  }),
];

/** Without a status: all but the canceled ones. */
function matches(one: Subscription, given: z.infer<typeof listing>): boolean {
  const { status } = given;
  const fits =
    status === undefined
      ? one.status !== 'canceled'
      : status === 'all'
        ? true
        : status === 'ended'
          ? over.includes(one.status)
          : one.status === status;
  return (
    fits &&
    (given.customer === undefined || one.customer === given.customer) &&
    (given.test_clock === undefined || one.test_clock === given.test_clock) &&
    (given.price === undefined || one.items.data.some((item) => item.price.id === given.price)) &&
    within(periodEnd(one), given.current_period_end) &&
    within(one.items.data[0]?.current_period_start ?? 0, given.current_period_start) &&
    within(one.created, given.created)
  );
}

function create(state: State, given: z.infer<typeof creating>): Subscription {
  if (state.deletedCustomers.has(given.customer)) {
    throw missing('customer', given.customer, 'customer', 400);
  }
  const customer = state.customers.need(given.customer, 'customer');
  const items = given.items.map((item, index) => ({
    price: needPrice(state, item.price, `items[${index}][price]`),
    quantity: item.quantity ?? 1,
    metadata: mergeMetadata({}, item.metadata),
  }));
  if (given.default_payment_method !== undefined) {
    needMethod(state, given.default_payment_method, customer.id);
  }
  const trial = given.trial_end === 'now' ? null : trialEndOf(state, customer.id, given);
  const { subscription } = subscribe(state, {
    customer,
    items,
    metadata: mergeMetadata({}, given.metadata),
    description: given.description ?? null,
    trialEnd: trial,
    missingPaymentMethod:
      given.trial_settings?.end_behavior.missing_payment_method ?? 'create_invoice',
    discounts: (given.discounts ?? []).map((one, index) =>
      couponOf(state, one, `discounts[${index}]`),
    ),
    defaultMethod: given.default_payment_method ?? null,
    anchor: given.billing_cycle_anchor ?? null,
    prorationBehavior: given.proration_behavior ?? 'create_prorations',
    paymentBehavior: given.payment_behavior ?? 'allow_incomplete',
    offSession: given.off_session ?? false,
  });
  if (given.cancel_at !== undefined) scheduleEnd(state, subscription, given.cancel_at);
  if (given.cancel_at_period_end === true) {
    scheduleEnd(state, subscription, latestPeriodEnd(subscription));
    subscription.cancel_at_period_end = true;
  }
  if (
    given.payment_settings?.save_default_payment_method !== undefined &&
    subscription.payment_settings
  ) {
    subscription.payment_settings.save_default_payment_method =
      given.payment_settings.save_default_payment_method;
  }
  return subscription;
}

function needMethod(state: State, id: string, customer: string): void {
  if (state.paymentMethods.need(id, 'default_payment_method').customer !== customer) {
    throw invalid(
      `The customer does not have a payment method with the ID ${id}. The payment method must be attached to the customer.`,
      'default_payment_method',
    );
  }
}

function update(state: State, given: z.infer<typeof updating>, id: string): Subscription {
  const subscription = state.subscriptions.need(id);
  if (over.includes(subscription.status)) refuseWhenOver(given);
  if (typeof given.default_payment_method === 'string') {
    needMethod(state, given.default_payment_method, subscription.customer);
  }
  if (typeof given.cancel_at === 'number' && given.cancel_at <= now(state, subscription.customer)) {
    throw invalid('cancel_at must be a timestamp in the future.', 'cancel_at');
  }
  const coupons = given.discounts?.map((one, index) => couponOf(state, one, `discounts[${index}]`));
  applyUpdate(
    state,
    subscription,
    {
      items: itemsOf(state, given.items ?? []),
      prorationBehavior: given.proration_behavior ?? 'create_prorations',
      prorationDate: given.proration_date,
      trialEnd: given.trial_end,
      anchorNow: given.billing_cycle_anchor?.type === 'now',
    },
    {
      paymentBehavior: given.payment_behavior ?? 'allow_incomplete',
      offSession: given.off_session ?? false,
      also: () => {
        assign(state, subscription, given);
        if (given.discounts !== undefined) {
          const known = { customer: subscription.customer, subscription: subscription.id };
          subscription.discounts = (coupons ?? []).map((one) => redeem(state, one, known).id);
        }
      },
    },
  );
  return subscription;
}

/** @throws {ApiError} of one that has ended, only its notes may change */
function refuseWhenOver(given: z.infer<typeof updating>): void {
  const allowed = ['metadata', 'cancellation_details', 'expand'];
  if (Object.keys(given).every((key) => allowed.includes(key))) return;
  throw invalid('A canceled subscription can only update its cancellation_details and metadata.');
}

function assign(state: State, subscription: Subscription, given: z.infer<typeof updating>): void {
  if (given.default_payment_method !== undefined) {
    subscription.default_payment_method = given.default_payment_method;
  }
  if (given.description !== undefined) subscription.description = given.description;
  subscription.metadata = mergeMetadata(subscription.metadata, given.metadata);
  if (given.trial_settings !== undefined && subscription.trial_settings !== null) {
    subscription.trial_settings.end_behavior.missing_payment_method =
      given.trial_settings.end_behavior.missing_payment_method;
  }
  if (given.pause_collection !== undefined) {
    subscription.pause_collection =
      given.pause_collection === null
        ? null
        : {
            behavior: given.pause_collection.behavior,
            resumes_at: given.pause_collection.resumes_at ?? null,
          };
  }
  if (given.cancel_at_period_end !== undefined) {
    const end = given.cancel_at_period_end ? latestPeriodEnd(subscription) : null;
    if (end !== null || subscription.cancel_at_period_end) scheduleEnd(state, subscription, end);
    subscription.cancel_at_period_end = given.cancel_at_period_end;
  }
  if (given.cancel_at !== undefined) {
    scheduleEnd(state, subscription, given.cancel_at);
    subscription.cancel_at_period_end = false;
  }
  if (given.cancellation_details !== undefined) note(subscription, given.cancellation_details);
}

function cancel(state: State, given: z.infer<typeof cancelling>, id: string): Subscription {
  const subscription = state.subscriptions.need(id);
  if (over.includes(subscription.status)) throw missing('subscription', id);
  const at = now(state, subscription.customer);
  const lines =
    given.prorate === true && subscription.status === 'active'
      ? subscription.items.data
          .filter((item) => !isMetered(item))
          .map((item) => creditLine(state, subscription, item, at))
      : [];
  const invoice =
    given.invoice_now === true
      ? draftInvoice(state, subscription, {
          reason: 'subscription_update',
          lines: [...workOf(state, subscription).pending.splice(0), ...lines],
          later: false,
        })
      : undefined;
  cancelNow(state, subscription, {
    reason: 'cancellation_requested',
    feedback: given.cancellation_details?.feedback,
    comment: given.cancellation_details?.comment,
  });
  if (invoice !== undefined) collect(state, invoice, { offSession: true, automatic: true });
  return subscription;
}
