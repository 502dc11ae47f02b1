/** The end of a period, or of a trial, and what begins then. */

import type { Invoice, Subscription } from '../objects.ts';
import { now } from '../state.ts';
import type { State } from '../state.ts';
import { nextAfter } from '../time.ts';
import { cancelNow, giveUp } from './cancellation.ts';
import { collect } from './collection.ts';
import { draftInvoice, finalize, markUncollectible, subscriptionOf } from './invoices.ts';
import { amountOf, isMetered, usageLine } from './lines.ts';
import { methodFor } from './methods.ts';
import { recurrence } from './subscribing.ts';
import { changeSubscription, periodEnd, planOf, workOf } from './subscription_state.ts';
import { nextLines } from './updating.ts';

/** Begins the next period of the items whose period is over, with an invoice that is charged in an hour. */
export function renew(state: State, subscription: Subscription): void {
  const end = periodEnd(subscription);
  const work = workOf(state, subscription);
  changeSubscription(state, subscription, () => {
    for (const { item: id, price, quantity } of work.scheduled.splice(0)) {
      const item = subscription.items.data.find((one) => one.id === id);
      const next = state.prices.get(price);
      if (item === undefined || next === undefined) continue;
      item.price = next;
      item.plan = planOf(next);
      if (!isMetered(item)) item.quantity = quantity;
    }
    const due = subscription.items.data.filter((item) => item.current_period_end <= end);
    const lines = [...work.pending.splice(0), ...nextLines(state, subscription, due)];
    const start = Math.min(...due.map((item) => item.current_period_start));
    for (const item of due) {
      item.current_period_start = item.current_period_end;
      item.current_period_end = nextAfter(
        subscription.billing_cycle_anchor,
        recurrence(item),
        item.current_period_start,
      );
    }
    const invoice = draftInvoice(state, subscription, {
      reason: 'subscription_cycle',
      lines,
      later: true,
      held:
        subscription.status === 'unpaid' ||
        subscription.pause_collection?.behavior === 'keep_as_draft',
    });
    invoice.period_start = start;
    invoice.period_end = end;
  });
}

/** What a trial becomes: paid for, paused, or over. */
export function endTrial(state: State, subscription: Subscription): void {
  const owed = subscription.items.data.reduce(
    (sum, item) => (isMetered(item) ? sum : sum + amountOf(item.price, item.quantity ?? 1)),
    0,
  );
  const missing = owed > 0 && methodFor(state, subscription) === null;
  const behavior = subscription.trial_settings?.end_behavior.missing_payment_method;
  if (missing && behavior === 'cancel') {
    cancelNow(state, subscription, { reason: 'payment_failed' });
    return;
  }
  if (missing && behavior === 'pause') {
    changeSubscription(state, subscription, () => {
      markPaused(state, subscription, 'trial_end_without_payment_method');
    });
    return;
  }
  changeSubscription(state, subscription, () => {
    subscription.status = 'active';
    const lines = [
      ...workOf(state, subscription).pending.splice(0),
      ...nextLines(state, subscription, subscription.items.data).filter(
        (line) => line.amount !== 0,
      ),
    ];
    for (const item of subscription.items.data) {
      item.current_period_start = item.current_period_end;
      item.current_period_end = nextAfter(
        subscription.billing_cycle_anchor,
        recurrence(item),
        item.current_period_start,
      );
    }
    draftInvoice(state, subscription, { reason: 'subscription_cycle', lines, later: true });
  });
}

export function markPaused(state: State, subscription: Subscription, why: string): void {
  subscription.status = 'paused';
  subscription.status_details = {
    paused: {
      subscription: { type: why },
      transitioned_at: now(state, subscription.customer),
      type: 'subscription',
    },
  };
}

/** A draft whose hour is over. */
export function collectDraft(state: State, invoice: Invoice): void {
  const subscription = subscriptionOf(state, invoice);
  const paused = subscription?.pause_collection?.behavior;
  if (paused === 'keep_as_draft') {
    invoice.automatically_finalizes_at = null;
    invoice.auto_advance = false;
    return;
  }
  if (paused === undefined) {
    collect(state, invoice, { offSession: true, automatic: true });
    return;
  }
  finalize(state, invoice);
  if (invoice.status !== 'open') return;
  if (paused === 'void') giveUp(state, invoice);
  else markUncollectible(state, invoice);
}

/** The end that was scheduled; what was used by then is billed. */
export function endAsScheduled(state: State, subscription: Subscription): void {
  const at = now(state, subscription.customer);
  const lines = subscription.items.data
    .filter(isMetered)
    .map((item) =>
      usageLine(state, subscription, item, { start: item.current_period_start, end: at }),
    )
    .filter((line) => line.amount > 0);
  if (lines.length > 0) {
    draftInvoice(state, subscription, { reason: 'subscription_cycle', lines, later: false });
  }
  const last = lines.length > 0 ? subscription.latest_invoice : null;
  cancelNow(state, subscription, {
    reason: subscription.cancellation_details?.reason ?? 'cancellation_requested',
  });
  const invoice = last === null ? undefined : state.invoices.get(last);
  if (invoice !== undefined) collect(state, invoice, { offSession: true, automatic: true });
}
