/** What a customer may use: the features of the products that they are subscribed to. */

import type { ActiveEntitlement } from '../objects.ts';
import { emit } from './events.ts';
import { newId } from '../state.ts';
import type { State } from '../state.ts';
import type { ActiveEntitlementRow } from '../tables.ts';

const entitling = ['active', 'past_due', 'trialing'];

/** Holds what a customer has against what their subscriptions give, and says when it has changed. */
export function refreshEntitlements(state: State, customer: string): void {
  const due = featuresOf(state, customer);
  const had = entitlementsOf(state, customer);
  const added = [...due].filter((feature) => !had.some((row) => row.feature === feature));
  const removed = had.filter((row) => !due.has(row.feature));
  if (added.length === 0 && removed.length === 0) return;
  for (const row of removed) state.activeEntitlements.remove(row.id);
  for (const feature of added) {
    state.activeEntitlements.add({
      id: newId(state, 'ent', 14),
      object: 'entitlements.active_entitlement',
      feature,
      livemode: state.livemode,
      lookup_key: state.features.get(feature)?.lookup_key ?? '',
      customer,
    });
  }
  const name = 'v1.entitlements.active_entitlement_summary';
  emit(state, 'entitlements.active_entitlement_summary.updated', summaryOf(state, customer), {
    previous: { entitlements: listOf(had, customer) },
    customer,
    thin: [
      ...(added.length > 0 ? [`${name}.entitlement_added`] : []),
      ...(removed.length > 0 ? [`${name}.entitlement_removed`] : []),
    ],
  });
}

/** Of everybody, where a product's features have changed. */
export function refreshAllEntitlements(state: State): void {
  for (const customer of state.customers.all()) refreshEntitlements(state, customer.id);
}

export function entitlementsOf(state: State, customer: string): ActiveEntitlementRow[] {
  return state.activeEntitlements.of(customer);
}

/** As it goes over the wire: without whose it is. */
export function shown(row: ActiveEntitlementRow): ActiveEntitlement {
  const { customer: _, ...entitlement } = row;
  return entitlement;
}

function featuresOf(state: State, customer: string): Set<string> {
  const products = new Set<string>();
  for (const subscription of state.subscriptions.of(customer)) {
    if (!entitling.includes(subscription.status)) continue;
    for (const item of subscription.items.data) products.add(item.price.product);
  }
  const rows = state.productFeatures.all().filter((row) => products.has(row.product));
  return new Set(rows.map((row) => row.entitlement_feature.id));
}

function summaryOf(state: State, customer: string) {
  return {
    object: 'entitlements.active_entitlement_summary',
    customer,
    entitlements: listOf(entitlementsOf(state, customer), customer),
    livemode: state.livemode,
  };
}

/** The first ten, as in Stripe's summary. */
function listOf(rows: readonly ActiveEntitlementRow[], customer: string) {
  return {
    object: 'list',
    data: rows.slice(0, 10).map(shown),
    has_more: rows.length > 10,
    url: `/v1/customer/${customer}/entitlements`,
  };
}
