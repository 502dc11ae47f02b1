/** What several pages of the portal have in common. */

import { markup } from '../../look.ts';
import type { Markup } from '../../look.ts';
import type { PortalView } from '../contract.ts';
import type { Subscription } from '../objects.ts';
import { date, link, priceText } from './frame.ts';

export type Subscribed = PortalView['subscriptions'][number];

export const addressOf = (id: string): string => `/p/session/${id}`;

/** The one that is named, or the only one. */
export function subscribed(view: PortalView, id: string | undefined): Subscribed | undefined {
  return id === undefined
    ? view.subscriptions[0]
    : view.subscriptions.find(({ subscription }) => subscription.id === id);
}

export const periodEnd = ({ items, created }: Subscription): number =>
  items.data[0]?.current_period_end ?? created;

export const quantityOf = ({ items }: Subscription): number => items.data[0]?.quantity ?? 1;

/** When it ends, if it is to end. */
export function endOf(subscription: Subscription): number | null {
  if (subscription.cancel_at !== null) return subscription.cancel_at;
  return subscription.cancel_at_period_end ? periodEnd(subscription) : null;
}

export function describe({ subscription, price, product }: Subscribed): Markup {
  const quantity = quantityOf(subscription);
  return markup`<dl><dt>Plan</dt><dd>${product.name}</dd>
<dt>Price</dt><dd>${priceText(price, quantity)}${quantity > 1 ? `, for ${quantity}` : ''}</dd>
<dt>State</dt><dd class="state">${subscription.status}</dd>
${dates(subscription)}</dl>`;
}

function dates(subscription: Subscription): Markup {
  const end = endOf(subscription);
  const row = (term: string, seconds: number) => markup`<dt>${term}</dt><dd>${date(seconds)}</dd>`;
  if (subscription.ended_at !== null) return row('Ended', subscription.ended_at);
  if (end !== null) return row('Ends', end);
  if (subscription.status === 'trialing' && subscription.trial_end !== null) {
    return row('Trial ends', subscription.trial_end);
  }
  return subscription.status === 'active' ? row('Renews', periodEnd(subscription)) : markup``;
}

/** The ways out of each page but the first. */
export function waysOut({ session, merchant }: PortalView): Markup {
  return markup`<nav aria-label="Elsewhere">${link(`${addressOf(session.id)}/home`, 'All subscriptions')}
${session.return_url === null ? markup`` : link(`${addressOf(session.id)}/leave`, `Return to ${merchant}`)}</nav>`;
}

export const hidden = (name: string, value: string): Markup =>
  markup`<input type="hidden" name="${name}" value="${value}">`;
