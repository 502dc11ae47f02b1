/** Changes of plan in the portal: which may be chosen, what they cost, and when they begin. */

import type { PlanChange, PortalOutcome } from '../contract.ts';
import { invalid } from '../errors.ts';
import type { Invoice, Price, Subscription, SubscriptionItem } from '../objects.ts';
import type { State } from '../state.ts';
import { after } from '../time.ts';
import { preview } from './previewing.ts';
import { amountOf } from './lines.ts';
import { confirmedChange, itemOf } from './portal.ts';
import { outcomeOf, requireEnabled, subscriptionFor, visit } from './portal_sessions.ts';
import type { Visit } from './portal_sessions.ts';
import { recurrence } from './subscribing.ts';
import { workOf } from './subscription_state.ts';
import { applyUpdate } from './updating.ts';
import type { Updating } from './updating.ts';

interface Wanted {
  at: Visit;
  subscription: Subscription;
  item: SubscriptionItem;
  price: Price;
  quantity: number;
  update: Updating;
}

export function updatePlanIn(state: State, id: string, to: PlanChange | undefined): PortalOutcome {
  const wanted = wantedChange(state, id, to ?? confirmedChange(state, id));
  const { at, subscription, item, price, quantity } = wanted;
  if (beginsLater(wanted)) {
    workOf(state, subscription).scheduled = [{ item: item.id, price: price.id, quantity }];
    return outcomeOf(at);
  }
  // A card that says no changes nothing.
  applyUpdate(state, subscription, wanted.update, {
    paymentBehavior: 'error_if_incomplete',
    offSession: true,
  });
  return outcomeOf(at);
}

export function previewPlanIn(state: State, id: string, to: PlanChange): Invoice {
  const { subscription, update } = wantedChange(state, id, to);
  return preview(state, subscription, update);
}

/** @throws {ApiError} where it may not be chosen */
function wantedChange(state: State, id: string, to: PlanChange): Wanted {
  const at = visit(state, id);
  const feature = at.configuration.features.subscription_update;
  requireEnabled(feature.enabled, 'subscription update');
  const subscription = subscriptionFor(state, at, to.subscription);
  const item = itemOf(subscription, null);
  const price = state.prices.need(to.price, 'price');
  const quantity = to.quantity ?? item.quantity ?? 1;
  requireAllowed(at, item, price, quantity);
  const endsTrial =
    subscription.status === 'trialing' && feature.trial_update_behavior === 'end_trial';
  const update: Updating = {
    items: [{ id: item.id, price, quantity }],
    prorationBehavior: feature.proration_behavior,
    ...(endsTrial ? { trialEnd: 'now' } : {}),
  };
  return { at, subscription, item, price, quantity, update };
}

/** @throws {ApiError} by the configuration of the session */
export function requireAllowed(
  { configuration }: Pick<Visit, 'configuration'>,
  item: SubscriptionItem,
  price: Price,
  quantity: number,
): void {
  const { products, default_allowed_updates: allowed } = configuration.features.subscription_update;
  const product = products?.find((one) => one.prices.includes(price.id));
  if (price.id !== item.price.id && (product === undefined || !allowed.includes('price'))) {
    throw invalid(`The price ${price.id} is not one that the portal offers.`, 'price');
  }
  if (!price.active) throw invalid('The price specified is inactive.', 'price');
  const before = item.quantity ?? 1;
  if (quantity === before) return;
  const range = product?.adjustable_quantity;
  const within =
    range?.enabled !== true ||
    (quantity >= range.minimum && (range.maximum === null || quantity <= range.maximum));
  if (!allowed.includes('quantity') || !within) {
    throw invalid('The quantity may not be changed so in the portal.', 'quantity');
  }
}

function beginsLater({ at, item, price, quantity }: Wanted): boolean {
  const { conditions } = at.configuration.features.subscription_update.schedule_at_period_end;
  const has = (type: string) => conditions.some((one) => one.type === type);
  const less = amountOf(price, quantity) < amountOf(item.price, item.quantity ?? 1);
  const length = (one: SubscriptionItem) => after(0, recurrence(one), 1);
  const shorter = length({ ...item, price }) < length(item);
  return (less && has('decreasing_item_amount')) || (shorter && has('shortening_interval'));
}
