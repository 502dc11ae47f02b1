/** `/v1/invoices/create_preview`: what an update would be charged, or what comes next. */

import type Stripe from 'stripe';
import { z } from 'zod';
import { applyDiscounts, newInvoice, total } from '../engine/invoices.ts';
import { nextLines, planUpdate } from '../engine/updating.ts';
import type { Updating } from '../engine/updating.ts';
import { workOf } from '../engine/subscription_state.ts';
import { invalid } from '../errors.ts';
import type { Invoice, Subscription } from '../objects.ts';
import {
  bool,
  choice,
  group,
  int,
  list,
  metadata,
  parameters,
  text,
  whole,
} from '../parameters.ts';
import type { State } from '../state.ts';
import { route } from './route.ts';
import type { Route } from './route.ts';
import { itemsOf } from './subscription_items.ts';

const previewing = parameters<Stripe.InvoiceCreatePreviewParams>()({
  customer: text.optional(),
  preview_mode: choice('next', 'recurring').optional(),
  subscription: text,
  subscription_details: group({
    billing_cycle_anchor: choice('now', 'unchanged').optional(),
    items: list(
      group({
        deleted: bool.optional(),
        id: text.optional(),
        metadata: metadata.optional(),
        price: text.optional(),
        quantity: whole.optional(),
      }),
    ).optional(),
    proration_behavior: choice('always_invoice', 'create_prorations', 'none').optional(),
    proration_date: int.optional(),
    trial_end: z.union([z.literal('now'), int]).optional(),
  }).optional(),
});

export const previewRoute: Route = route(
  'POST',
  '/v1/invoices/create_preview',
  previewing,
  (state, given) => {
    const subscription = state.subscriptions.need(given.subscription, 'subscription');
    if (given.customer !== undefined && given.customer !== subscription.customer) {
      throw invalid('The subscription is of another customer.', 'subscription');
    }
    const details = given.subscription_details;
    return preview(state, subscription, {
      items: itemsOf(state, details?.items ?? []),
      prorationBehavior: details?.proration_behavior ?? 'create_prorations',
      prorationDate: details?.proration_date,
      trialEnd: details?.trial_end,
      anchorNow: details?.billing_cycle_anchor === 'now',
    });
  },
);

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
  if (update.prorationDate !== undefined && invoice.parent?.subscription_details != null) {
    invoice.parent.subscription_details.subscription_proration_date = update.prorationDate;
  }
  applyDiscounts(state, changed, invoice);
  total(state, invoice);
  return invoice;
}
