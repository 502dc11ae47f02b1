/** Invoices that are only shown. */

import { invalid } from '../errors.ts';
import type { Invoice, Subscription } from '../objects.ts';
import type { State } from '../state.ts';
import { applyDiscounts, newInvoice, total } from './invoices.ts';
import { workOf } from './subscription_state.ts';
import { nextLines, planUpdate } from './updating.ts';
import type { Updating } from './updating.ts';

/** An invoice that is not kept: with the next period, unless it would be charged at once. */
export function preview(state: State, subscription: Subscription, update: Updating): Invoice {
  if (['canceled', 'incomplete_expired'].includes(subscription.status)) {
    throw invalid(
      `No upcoming invoices for subscription: ${subscription.id}`,
      'subscription',
      'invoice_upcoming_none',
    );
  }
  const planned = planUpdate(state, subscription, update);
  const changed = structuredClone(subscription);
  changed.items.data = planned.items;
  changed.billing_cycle_anchor = planned.anchor;
  const lines = [...structuredClone(workOf(state, subscription).pending), ...planned.lines];
  const now = planned.immediate && planned.lines.length > 0;
  if (!now) lines.push(...nextLines(state, changed, planned.items));
  const invoice = newInvoice(state, changed, now ? 'subscription_update' : 'upcoming', lines);
  invoice.id = invoice.id.replace(/^in_/, 'upcoming_in_');
  const ends = planned.items.map((item) => item.current_period_end);
  if (!now) {
    invoice.next_payment_attempt = Math.min(...ends);
    invoice.period_start = Math.min(...planned.items.map((item) => item.current_period_start));
    invoice.period_end = Math.min(...ends);
    invoice.created = invoice.period_end;
  }
  const details = invoice.parent?.subscription_details ?? undefined;
  if (update.prorationDate !== undefined && details !== undefined) {
    details.subscription_proration_date = update.prorationDate;
  }
  applyDiscounts(state, changed, invoice);
  total(state, invoice);
  return invoice;
}
