/** Changes of plan and quantity: what they come to is worked out first, then done or only shown. */

import { invalid } from '../errors.ts';
import type {
  Invoice,
  InvoiceLineItem,
  Price,
  Subscription,
  SubscriptionItem,
} from '../objects.ts';
import { now } from '../state.ts';
import type { State } from '../state.ts';
import { after, nextAfter } from '../time.ts';
import { collect } from './collection.ts';
import { emit } from './events.ts';
import { draftInvoice } from './invoices.ts';
import { amountOf, creditLine, debitLine, isMetered, periodLine, usageLine } from './lines.ts';
import { methodFor } from './methods.ts';
import { judge } from './payments.ts';
import type { Attempt } from './payments.ts';
import { recurrence, throwIfRefused } from './subscribing.ts';
import { changeSubscription, newItem, planOf, workOf } from './subscription_state.ts';

export interface ItemChange {
  id?: string | undefined;
  price?: Price | undefined;
  quantity?: number | undefined;
  deleted?: boolean | undefined;
  metadata?: Record<string, string> | undefined;
}

export interface Updating {
  items: ItemChange[];
  prorationBehavior: string;
  /** As of when it is worked out; now, where left out. */
  prorationDate?: number | undefined;
  trialEnd?: number | 'now' | undefined;
  /** A whole new period begins now. */
  anchorNow?: boolean | undefined;
}

export interface Planned {
  items: SubscriptionItem[];
  lines: InvoiceLineItem[];
  /** Invoiced now, not with the next period. */
  immediate: boolean;
  trialEnd: number | null;
  anchor: number;
}

/** What an update comes to; it changes nothing. @throws {ApiError} where it cannot be done */
export function planUpdate(state: State, subscription: Subscription, update: Updating): Planned {
  const at = update.prorationDate ?? now(state, subscription.customer);
  const endsTrial =
    update.trialEnd === 'now' &&
    subscription.trial_end !== null &&
    subscription.status === 'trialing';
  const trialEnd =
    typeof update.trialEnd === 'number'
      ? update.trialEnd
      : endsTrial
        ? null
        : runningTrial(subscription, at);
  const planned: Planned = {
    items: [],
    lines: [],
    immediate: update.prorationBehavior === 'always_invoice',
    trialEnd,
    anchor: subscription.billing_cycle_anchor,
  };
  for (const item of subscription.items.data) {
    const wanted = update.items.find((one) => one.id === item.id);
    replaceItem(state, subscription, planned, { item, wanted, update, at, reset: endsTrial });
  }
  for (const wanted of update.items) {
    if (wanted.id === undefined) addItem(state, subscription, planned, { wanted, update, at });
    else if (!subscription.items.data.some((item) => item.id === wanted.id)) {
      throw invalid(
        `No such subscription_item: '${wanted.id}'`,
        'items[0][id]',
        'resource_missing',
      );
    }
  }
  if (planned.items.length === 0) {
    throw invalid('A subscription must have at least one active plan.', 'items');
  }
  return planned;
}

function runningTrial(subscription: Subscription, at: number): number | null {
  const { trial_end: end } = subscription;
  return subscription.status === 'trialing' && end !== null && end > at ? end : null;
}

interface Replacing {
  item: SubscriptionItem;
  wanted: ItemChange | undefined;
  update: Updating;
  at: number;
  /** Its trial is over. */
  reset: boolean;
}

function replaceItem(
  state: State,
  subscription: Subscription,
  planned: Planned,
  { item, wanted, update, at, reset }: Replacing,
): void {
  const prorates = update.prorationBehavior !== 'none';
  if (wanted?.deleted === true) {
    if (prorates && planned.trialEnd === null && !isMetered(item)) {
      planned.lines.push(creditLine(state, subscription, item, at));
    }
    return;
  }
  const next: SubscriptionItem = structuredClone(item);
  const price = wanted?.price ?? item.price;
  next.price = price;
  next.plan = planOf(price);
  if (price.recurring?.usage_type === 'metered') delete next.quantity;
  else next.quantity = wanted?.quantity ?? item.quantity ?? 1;
  if (wanted?.metadata !== undefined) next.metadata = { ...next.metadata, ...wanted.metadata };
  planned.items.push(next);
  if (planned.trialEnd !== null) {
    next.current_period_end = planned.trialEnd;
    planned.anchor = planned.trialEnd;
    return;
  }
  const changed = next.price.id !== item.price.id || next.quantity !== item.quantity;
  const anew = reset || update.anchorNow === true || (changed && beginsAnew(item, next));
  if (!changed && !anew) return;
  // Nothing was paid for the trial that is over: nothing comes back of it.
  if (prorates && !reset && !isMetered(item)) {
    planned.lines.push(creditLine(state, subscription, item, at));
  }
  if (!anew) {
    if (prorates && !isMetered(next)) planned.lines.push(debitLine(state, subscription, next, at));
    return;
  }
  next.current_period_start = at;
  next.current_period_end = after(at, recurrence(next), 1);
  planned.anchor = at;
  planned.immediate = true;
  if (!isMetered(next)) {
    planned.lines.push(
      periodLine(state, subscription, next, { start: at, end: next.current_period_end }),
    );
  }
}

/** Another interval, or a price after none: a whole period begins, and is paid at once. */
function beginsAnew(before: SubscriptionItem, next: SubscriptionItem): boolean {
  const was = recurrence(before);
  const is = recurrence(next);
  if (was.interval !== is.interval || was.interval_count !== is.interval_count) return true;
  const paid = amountOf(before.price, before.quantity ?? 1);
  return paid === 0 && !isMetered(before) && amountOf(next.price, next.quantity ?? 1) > 0;
}

function addItem(
  state: State,
  subscription: Subscription,
  planned: Planned,
  { wanted, update, at }: { wanted: ItemChange; update: Updating; at: number },
): void {
  if (wanted.price === undefined) {
    throw invalid(
      'Missing required param: items[0][price].',
      'items[0][price]',
      'parameter_missing',
    );
  }
  if (planned.items.some((item) => item.price.id === wanted.price?.id)) {
    throw invalid(
      `Cannot add multiple subscription items with the same plan: ${wanted.price.id}`,
      'items',
    );
  }
  const item = newItem(state, subscription, wanted.price, wanted.quantity ?? 1);
  item.metadata = wanted.metadata ?? {};
  item.current_period_start = at;
  item.current_period_end = planned.trialEnd ?? nextAfter(planned.anchor, recurrence(item), at);
  planned.items.push(item);
  if (planned.trialEnd !== null || update.prorationBehavior === 'none' || isMetered(item)) return;
  const whole = { ...item, current_period_start: item.current_period_end - lengthOf(item) };
  planned.lines.push(debitLine(state, subscription, whole, at));
}

function lengthOf(item: SubscriptionItem): number {
  return after(item.current_period_start, recurrence(item), 1) - item.current_period_start;
}

export interface Applying {
  paymentBehavior: string;
  offSession: boolean;
  /** What else changes in the same update. */
  also?: () => void;
}

/**
 * Does an update, and collects what is due now. Where that fails, the subscription is `past_due`.
 * @throws {ApiError} where it would fail and must not (`error_if_incomplete`): nothing is changed
 */
export function applyUpdate(
  state: State,
  subscription: Subscription,
  update: Updating,
  how: Applying,
): { invoice: Invoice | undefined; outcome: Attempt | undefined } {
  const planned = planUpdate(state, subscription, update);
  const work = workOf(state, subscription);
  const due = planned.lines.reduce((sum, line) => sum + line.amount, 0);
  if (how.paymentBehavior === 'error_if_incomplete' && planned.immediate && due > 0) {
    const method = state.paymentMethods.get(methodFor(state, subscription) ?? '');
    throwIfRefused(
      method === undefined
        ? {
            kind: 'declined',
            code: 'resource_missing',
            declineCode: undefined,
            message: 'There is no payment method to charge.',
          }
        : judge(state, method, how.offSession),
    );
  }
  let invoice: Invoice | undefined;
  changeSubscription(state, subscription, () => {
    subscription.items.data = planned.items;
    subscription.billing_cycle_anchor = planned.anchor;
    if (update.trialEnd !== undefined) {
      const at = now(state, subscription.customer);
      subscription.trial_end = planned.trialEnd ?? at;
      subscription.trial_start ??= at;
      subscription.status = planned.trialEnd === null ? 'active' : 'trialing';
    }
    how.also?.();
    if (planned.lines.length === 0 && !planned.immediate) return;
    if (!planned.immediate) work.pending.push(...planned.lines);
    else if (planned.lines.length > 0) {
      const lines = [...work.pending.splice(0), ...planned.lines];
      invoice = draftInvoice(state, subscription, {
        reason: 'subscription_update',
        lines,
        later: false,
      });
    }
  });
  if (update.trialEnd === 'now' && planned.trialEnd === null) {
    // Also for a trial that is over in the same moment.
    emit(state, 'customer.subscription.trial_will_end', subscription, {
      customer: subscription.customer,
    });
  }
  const outcome =
    invoice === undefined
      ? undefined
      : collect(state, invoice, { offSession: how.offSession, automatic: true });
  return { invoice, outcome };
}

/** The lines of the next period, for items whose period ends by then. */
export function nextLines(
  state: State,
  subscription: Subscription,
  items: readonly SubscriptionItem[],
): InvoiceLineItem[] {
  const end = Math.min(...items.map((item) => item.current_period_end));
  return items
    .filter((item) => item.current_period_end <= end)
    .map((item) =>
      isMetered(item)
        ? usageLine(state, subscription, item, {
            start: item.current_period_start,
            end: item.current_period_end,
          })
        : periodLine(state, subscription, item, {
            start: item.current_period_end,
            end: nextAfter(
              subscription.billing_cycle_anchor,
              recurrence(item),
              item.current_period_end,
            ),
          }),
    );
}
