/** A pause of the whole subscription, and its end. `pause_collection` is something else. */

import { invalid } from '../errors.ts';
import type { Invoice, InvoiceLineItem, Subscription } from '../objects.ts';
import { now } from '../state.ts';
import type { State } from '../state.ts';
import { after, nextAfter } from '../time.ts';
import { collect } from './collection.ts';
import { draftInvoice } from './invoices.ts';
import { creditLine, debitLine, isMetered, periodLine, usageLine } from './lines.ts';
import { markPaused } from './renewing.ts';
import { recurrence } from './subscribing.ts';
import { changeSubscription, workOf } from './subscription_state.ts';

export interface Pausing {
  /** From when on unused time is credited. */
  credit: string;
  /** Whether what was used is billed. */
  usage: string;
  invoicing: string;
  /** In seconds; null for a pause without an end. */
  resumesAt?: number | null;
}

/** @throws {ApiError} where it is not running */
export function pause(state: State, subscription: Subscription, how: Pausing): void {
  if (!['active', 'past_due', 'trialing'].includes(subscription.status)) {
    throw invalid(`A subscription that is ${subscription.status} cannot be paused.`);
  }
  const at = now(state, subscription.customer);
  const work = workOf(state, subscription);
  const lines: InvoiceLineItem[] = [];
  for (const item of subscription.items.data) {
    if (isMetered(item)) {
      if (how.usage === 'now') {
        const period = { start: item.current_period_start, end: at };
        lines.push(usageLine(state, subscription, item, period));
      }
    } else if (subscription.status !== 'trialing' && how.credit !== 'none') {
      const from = how.credit === 'now' ? at : item.current_period_start;
      lines.push(creditLine(state, subscription, item, from));
    }
  }
  let invoice: Invoice | undefined;
  changeSubscription(state, subscription, () => {
    markPaused(state, subscription, 'pause_requested');
    work.resumesAt = how.resumesAt ?? null;
    if (how.invoicing !== 'invoice') work.pending.push(...lines);
    else if (lines.length > 0) {
      invoice = draftInvoice(state, subscription, {
        reason: 'subscription_update',
        lines: [...work.pending.splice(0), ...lines],
        later: false,
      });
    }
  });
  if (invoice !== undefined) collect(state, invoice, { offSession: true, automatic: true });
}

export interface Resuming {
  anchor: string;
  paymentBehavior: string;
  prorationBehavior: string;
  prorationDate?: number | undefined;
}

/** Begins again, with an invoice where anything is due. @throws {ApiError} where it is not paused */
export function resume(state: State, subscription: Subscription, how: Resuming): void {
  if (subscription.status !== 'paused') {
    throw invalid('Only subscriptions with status `paused` can be resumed.');
  }
  const at = how.prorationDate ?? now(state, subscription.customer);
  const work = workOf(state, subscription);
  work.resumesAt = null;
  let invoice: Invoice | undefined;
  const begin = () => {
    subscription.status = 'active';
    delete subscription.status_details;
  };
  changeSubscription(state, subscription, () => {
    const lines = [...work.pending.splice(0), ...begunLines(state, subscription, how, at)];
    if (lines.length > 0) {
      invoice = draftInvoice(state, subscription, {
        reason: 'subscription_update',
        lines,
        later: false,
      });
    }
    const due = invoice?.amount_due ?? 0;
    if (due === 0 || how.paymentBehavior === 'resume_on_payment_attempt') begin();
  });
  if (invoice !== undefined) collect(state, invoice, { offSession: false, automatic: true });
}

function begunLines(
  state: State,
  subscription: Subscription,
  how: Resuming,
  at: number,
): InvoiceLineItem[] {
  const lines: InvoiceLineItem[] = [];
  const anew = how.anchor === 'now';
  if (anew) subscription.billing_cycle_anchor = at;
  for (const item of subscription.items.data) {
    const anchor = subscription.billing_cycle_anchor;
    const end = anew ? after(at, recurrence(item), 1) : nextAfter(anchor, recurrence(item), at);
    item.current_period_start = anew
      ? at
      : nextAfter(anchor, recurrence(item), at) - lengthOf(item, at);
    item.current_period_end = end;
    if (isMetered(item)) continue;
    if (anew) lines.push(periodLine(state, subscription, item, { start: at, end }));
    else if (how.prorationBehavior !== 'none') {
      lines.push(debitLine(state, subscription, item, at));
    }
  }
  return lines;
}

function lengthOf(item: Subscription['items']['data'][number], at: number): number {
  return after(at, recurrence(item), 1) - at;
}
