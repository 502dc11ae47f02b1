/**
 * Since when a subscription is past due: when the oldest of its open invoices was made. The period of its item says
 * nothing of it, for Stripe has moved that on by then, and what is late may be the invoice of a change in its middle.
 */

import type { Stripe, StripeClient } from './stripe.ts';

/** By the subscription's id, in milliseconds. */
export type LateSince = ReadonlyMap<string, number>;

/** More than this are never open: Stripe stops trying long before. */
const mostRead = 100;

/** @throws {Problem} `stripe_unavailable` (503) */
export async function lateSince(
  stripe: StripeClient,
  subscriptions: readonly Stripe.Subscription[],
): Promise<LateSince> {
  const since = new Map<string, number>();
  for (const { id, status } of subscriptions) {
    if (status !== 'past_due') continue;
    const open = await stripe.find('invoices.list', (api) =>
      api.invoices.list({ subscription: id, status: 'open', limit: mostRead }),
    );
    const made = (open?.data ?? []).map(({ created }) => created);
    if (made.length > 0) since.set(id, Math.min(...made) * 1000);
  }
  return since;
}
