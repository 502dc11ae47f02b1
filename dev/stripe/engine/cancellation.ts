/** The end of a subscription: now, or scheduled. */

import type { Invoice, Subscription } from '../objects.ts';
import { now } from '../state.ts';
import type { State } from '../state.ts';
import { refreshEntitlements } from './entitlements.ts';
import { emit } from './events.ts';
import { invoicesOf, stopCollecting, voidInvoice } from './invoices.ts';
import { cancelIntent, paymentOf } from './payments.ts';
import { changeSubscription, latestPeriodEnd, over, periodEnd } from './subscription_state.ts';

export interface Leaving {
  reason: string;
  feedback?: string | null | undefined;
  comment?: string | null | undefined;
}

/** Ends it now. One whose first payment never came is `incomplete_expired`, and its invoice void. */
export function cancelNow(state: State, subscription: Subscription, leaving: Leaving): void {
  if (over.includes(subscription.status)) return;
  if (subscription.status === 'incomplete') {
    expireIncomplete(state, subscription);
    return;
  }
  const at = now(state, subscription.customer);
  for (const invoice of invoicesOf(state, subscription)) {
    if (['draft', 'open'].includes(invoice.status ?? '')) stopCollecting(state, invoice);
  }
  subscription.status = 'canceled';
  subscription.ended_at = at;
  subscription.canceled_at ??= at;
  note(subscription, leaving);
  emit(state, 'customer.subscription.deleted', subscription, { customer: subscription.customer });
  refreshEntitlements(state, subscription.customer);
}

export function expireIncomplete(state: State, subscription: Subscription): void {
  for (const invoice of invoicesOf(state, subscription)) {
    if (invoice.status === 'open') giveUp(state, invoice);
  }
  changeSubscription(state, subscription, () => {
    subscription.status = 'incomplete_expired';
    subscription.ended_at = now(state, subscription.customer);
  });
}

/** Nobody will pay it any more. */
export function giveUp(state: State, invoice: Invoice): void {
  voidInvoice(state, invoice);
  const payment = paymentOf(state, invoice);
  const intent = state.paymentIntents.get(payment?.payment.payment_intent ?? '');
  if (intent !== undefined) cancelIntent(state, intent, 'void_invoice');
  if (payment !== undefined && payment.status === 'open') {
    payment.status = 'canceled';
    payment.status_transitions.canceled_at = now(state, invoice.customer);
  }
}

/** @param when a moment, or a period's end by Stripe's words for it; null takes a scheduled end back */
export function scheduleEnd(
  state: State,
  subscription: Subscription,
  when: number | 'min_period_end' | 'max_period_end' | null,
  leaving?: Leaving,
): void {
  if (when === null) {
    subscription.cancel_at = null;
    subscription.cancel_at_period_end = false;
    subscription.canceled_at = null;
    if (subscription.cancellation_details !== null) {
      subscription.cancellation_details.reason = null;
    }
    return;
  }
  subscription.cancel_at =
    when === 'min_period_end'
      ? periodEnd(subscription)
      : when === 'max_period_end'
        ? latestPeriodEnd(subscription)
        : when;
  subscription.canceled_at = now(state, subscription.customer);
  note(subscription, leaving ?? { reason: 'cancellation_requested' });
}

/** Writes why down; what is not said stays as it was. */
export function note(subscription: Subscription, leaving: Partial<Leaving>): void {
  const before = subscription.cancellation_details;
  subscription.cancellation_details = {
    comment: leaving.comment === undefined ? (before?.comment ?? null) : leaving.comment,
    feedback: leaving.feedback === undefined ? (before?.feedback ?? null) : leaving.feedback,
    feedback_option: before?.feedback_option ?? null,
    reason: leaving.reason ?? before?.reason ?? null,
  };
}
