/**
 * Fills an account at the simulated Stripe with what the world sells: products, prices, features, a portal, and the
 * endpoint of webhooks. May run any number of times. In earnest this is `tollgate stripe push`.
 */

import type Stripe from 'stripe';
import { plans } from './plans.ts';
import type { DemoPlan } from './plans.ts';

export interface StripeAccountOptions {
  api: Stripe;
  /** Whose plans these are: the product's id in the configuration. */
  product: string;
  /** Where the world is told of events. */
  webhooks: string;
}

export interface StripeAccount {
  portalConfiguration: string;
  webhookSecret: string;
}

/** A product of Stripe's is a plan of ours. */
interface Offered {
  product: string;
  prices: string[];
  features: readonly string[];
}

export async function fillStripeAccount(options: StripeAccountOptions): Promise<StripeAccount> {
  const offered: Offered[] = [];
  for (const plan of plans) {
    if (plan.prices.length > 0) offered.push(await sell(options, plan));
  }
  await addFeatures(options.api, offered);
  return {
    portalConfiguration: await portalOf(options.api, offered),
    webhookSecret: await endpointOf(options),
  };
}

async function sell(
  { api, product: ours }: StripeAccountOptions,
  plan: DemoPlan,
): Promise<Offered> {
  const metadata = { tollgate_product: ours, tollgate_plan: plan.id };
  const keys = plan.prices.map(({ lookupKey }) => lookupKey);
  const there = await api.prices.list({ lookup_keys: keys, limit: 10 });
  const first = there.data[0]?.product;
  const product =
    typeof first === 'string'
      ? first
      : (await api.products.create({ name: plan.name, metadata })).id;
  const prices = [];
  for (const { lookupKey, period, amount, currency } of plan.prices) {
    const known = there.data.find((price) => price.lookup_key === lookupKey);
    const price =
      known ??
      (await api.prices.create({
        product,
        currency,
        unit_amount: amount,
        recurring: { interval: period },
        lookup_key: lookupKey,
        metadata,
      }));
    prices.push(price.id);
  }
  return { product, prices, features: plan.features };
}

async function addFeatures(api: Stripe, offered: readonly Offered[]): Promise<void> {
  const ids = new Map<string, string>();
  for (const key of new Set(offered.flatMap(({ features }) => features))) {
    const { data } = await api.entitlements.features.list({ lookup_key: key });
    const feature =
      data[0] ?? (await api.entitlements.features.create({ lookup_key: key, name: key }));
    ids.set(key, feature.id);
  }
  for (const { product, features } of offered) {
    const { data: attached } = await api.products.listFeatures(product);
    const there = new Set(attached.map(({ entitlement_feature: feature }) => feature.lookup_key));
    for (const key of features) {
      const feature = ids.get(key);
      if (feature === undefined || there.has(key)) continue;
      await api.products.createFeature(product, { entitlement_feature: feature });
    }
  }
}

const reasons = [
  'too_expensive',
  'missing_features',
  'switched_service',
  'unused',
  'other',
] as const;

/** Everything that people can do there; a change is paid for at once. */
async function portalOf(api: Stripe, offered: readonly Offered[]): Promise<string> {
  const { data } = await api.billingPortal.configurations.list({ active: true });
  const own = data.find(({ metadata }) => metadata?.tollgate === 'demo');
  if (own !== undefined) return own.id;
  const made = await api.billingPortal.configurations.create({
    metadata: { tollgate: 'demo' },
    features: {
      customer_update: { enabled: true, allowed_updates: ['name', 'email'] },
      invoice_history: { enabled: true },
      payment_method_update: { enabled: true },
      subscription_cancel: {
        enabled: true,
        mode: 'at_period_end',
        cancellation_reason: { enabled: true, options: [...reasons] },
      },
      subscription_update: {
        enabled: true,
        default_allowed_updates: ['price', 'quantity'],
        proration_behavior: 'always_invoice',
        products: offered.map(({ product, prices }) => ({ product, prices })),
      },
    },
  });
  return made.id;
}

/** Anew at each start: a secret is told once, when its endpoint is made. */
async function endpointOf({ api, webhooks }: StripeAccountOptions): Promise<string> {
  const { data } = await api.webhookEndpoints.list({ limit: 100 });
  for (const { id, url } of data) if (url === webhooks) await api.webhookEndpoints.del(id);
  const made = await api.webhookEndpoints.create({
    url: webhooks,
    enabled_events: ['*'],
    api_version: '2026-10-28.endive',
  });
  if (made.secret === undefined) throw new Error('Stripe tells no secret.');
  return made.secret;
}
