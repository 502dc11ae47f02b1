/** `/v1/invoices/create_preview`: what an update would be charged, or what comes next. */

import type Stripe from 'stripe';
import { z } from 'zod';
import { preview } from '../engine/previewing.ts';
import { invalid } from '../errors.ts';
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
