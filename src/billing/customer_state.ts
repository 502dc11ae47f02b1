/** All that Stripe says of a customer, read afresh, and what an account's document comes to by it. */

import type { Config } from '../config.ts';
import type { AccountDocument, SubscriptionProjection } from '../storage/documents.ts';
import { lateSince } from './late.ts';
import { withSubscriptions } from './projection.ts';
import type { Stripe, StripeClient } from './stripe.ts';
import { isDead, stateOf } from './subscription_state.ts';
import type { SubscriptionState } from './subscription_state.ts';
import type { Catalog } from './types.ts';

/** Of a subscription that gives nothing yet: paid by a method that takes days (S7). */
export type Withheld = (subscription: Stripe.Subscription) => Promise<boolean>;

export interface CustomerState extends SubscriptionState {
  /** The customer was deleted at Stripe, with all that it had. */
  gone: boolean;
  /** Stripe knows of no such customer, neither deleted nor alive: it is gone, or the key is of another Stripe account. */
  unknown: boolean;
  /** Lookup keys of features, sorted. */
  entitlements: string[];
}

export interface ReadCustomerOptions {
  config: () => Pick<Config, 'products'>;
  stripe: StripeClient;
  catalog: Catalog;
  withheld: Withheld;
}

/** Of each list so much is read: far more than anybody has. */
const mostRead = 1000;
const pageSize = 100;

/** @throws {Problem} `stripe_unavailable` (503) */
export async function readCustomer(
  { config, stripe, catalog, withheld }: ReadCustomerOptions,
  customer: string,
): Promise<CustomerState> {
  const [all, entitlements] = await Promise.all([
    subscriptionsOf(stripe, customer),
    entitlementsOf(stripe, customer),
  ]);
  // A deleted customer's subscriptions may still be listed, and are all over.
  const is = all.every(isDead) ? await existenceOf(stripe, customer) : 'there';
  const gone = is !== 'there';
  const subscriptions: Stripe.Subscription[] = [];
  const held: Stripe.Subscription[] = [];
  for (const subscription of all) {
    ((await withheld(subscription)) ? held : subscriptions).push(subscription);
  }
  const products = config().products.map(({ id }) => id);
  return {
    ...stateOf(subscriptions, catalog, products, await lateSince(stripe, subscriptions)),
    gone,
    unknown: is === 'unknown',
    entitlements: gone ? [] : await givenBy(stripe, { entitlements, held, subscriptions }),
  };
}

/** Stripe gives the features of what is withheld as well: without those that come from nothing else. */
async function givenBy(
  stripe: StripeClient,
  {
    entitlements,
    held,
    subscriptions,
  }: Record<'held' | 'subscriptions', Stripe.Subscription[]> & { entitlements: string[] },
): Promise<string[]> {
  if (held.length === 0 || entitlements.length === 0) return entitlements;
  const withheld = await featuresOf(stripe, held);
  const given = await featuresOf(
    stripe,
    subscriptions.filter((one) => !isDead(one)),
  );
  return entitlements.filter((feature) => !withheld.has(feature) || given.has(feature));
}

async function featuresOf(
  stripe: StripeClient,
  subscriptions: readonly Stripe.Subscription[],
): Promise<Set<string>> {
  const items = subscriptions.flatMap((subscription) => subscription.items.data);
  const products = new Set(items.map(({ price }) => idOf(price.product)));
  const features = new Set<string>();
  for (const product of products) {
    const found = await stripe.find('products.listFeatures', (api) =>
      api.products.listFeatures(product, { limit: pageSize }),
    );
    for (const { entitlement_feature: feature } of found?.data ?? []) {
      features.add(feature.lookup_key);
    }
  }
  return features;
}

/** All of a customer, those that are over as well. @throws {Problem} `stripe_unavailable` (503) */
export async function subscriptionsOf(
  stripe: StripeClient,
  customer: string,
): Promise<Stripe.Subscription[]> {
  const found = await stripe.find('subscriptions.list', (api) =>
    api.subscriptions
      .list({ customer, status: 'all', limit: pageSize })
      .autoPagingToArray({ limit: mostRead }),
  );
  // Should it ever be that it answers with others': the customer decides, nothing else.
  return (found ?? []).filter((subscription) => idOf(subscription.customer) === customer);
}

async function entitlementsOf(stripe: StripeClient, customer: string): Promise<string[]> {
  const found = await stripe.find('entitlements.activeEntitlements.list', (api) =>
    api.entitlements.activeEntitlements
      .list({ customer, limit: pageSize })
      .autoPagingToArray({ limit: mostRead }),
  );
  return [...new Set((found ?? []).map((entitlement) => entitlement.lookup_key))].toSorted();
}

async function existenceOf(
  stripe: StripeClient,
  customer: string,
): Promise<'there' | 'deleted' | 'unknown'> {
  const found = await stripe.find('customers.retrieve', (api) => api.customers.retrieve(customer));
  if (found === undefined) return 'unknown';
  return found.deleted === true ? 'deleted' : 'there';
}

/** Of what is an id, or the object where it was expanded. */
export function idOf(reference: string | { id: string }): string;
export function idOf(reference: string | { id: string } | null | undefined): string | undefined;
export function idOf(reference: string | { id: string } | null | undefined): string | undefined {
  return typeof reference === 'string' ? reference : reference?.id;
}

/** The account as Stripe has it. Of a customer that was deleted, what we knew is over. */
export function accountBy(
  account: AccountDocument,
  state: CustomerState,
  now: number,
): AccountDocument {
  const { entitlements: _before, customerGoneAt, ...rest } = account;
  const kept = Object.entries(account.subscriptions ?? {})
    .filter(([product]) => state.gone && state.subscriptions[product] === undefined)
    .map(([product, projection]) => [product, ended(projection, now)] as const);
  const gone = state.gone ? { customerGoneAt: customerGoneAt ?? now } : {};
  return {
    ...withSubscriptions(rest, { ...Object.fromEntries(kept), ...state.subscriptions }),
    ...(state.entitlements.length === 0 ? {} : { entitlements: state.entitlements }),
    ...gone,
  };
}

function ended(projection: SubscriptionProjection, now: number): SubscriptionProjection {
  if (isDead(projection)) return projection;
  const { cancelAt: _never, ...rest } = projection;
  return { ...rest, status: 'canceled', endedAt: now };
}
