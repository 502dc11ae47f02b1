/** The plans that people can change between in the portal: which it lacks, and adding them to one that is our own. */

import { Problem } from '../../base/errors.ts';
import type { Stripe } from '../stripe.ts';
import type { Survey } from './survey.ts';

export type Portal = Stripe.BillingPortal.Configuration;
type PortalProduct = Stripe.BillingPortal.Configuration.Features.SubscriptionUpdate.Product;
type Parameters = Stripe.BillingPortal.ConfigurationUpdateParams.Features.SubscriptionUpdate;
type ProductParameters = Exclude<Parameters['products'], '' | null | undefined>[number];

export interface Changeable {
  plan: string;
  /** At Stripe, like the prices; absent where it is not there. */
  product: string | undefined;
  prices: string[];
  /** Periods whose price is not there. */
  missing: string[];
  seats: { min: number; max: number } | undefined;
}

/** Of a portal to have its products as well. */
export const expand = ['features.subscription_update.products'];
/** So many products may be changed between, Stripe says. */
export const mostProducts = 10;

/** Made by an earlier run, for this issuer. */
export function isOurs({ config }: Pick<Survey, 'config'>, { metadata }: Portal): boolean {
  return metadata?.['tollgate_issuer'] === config.issuer;
}

/** What people cannot change to in it, as `plan price` or, of one that Stripe does not have, `plan period`. */
export function lackingIn({ features }: Portal, wanted: readonly Changeable[]): string[] {
  const products = features.subscription_update.products ?? [];
  const there = new Map(products.map(({ product, prices }) => [product, new Set(prices)]));
  return wanted.flatMap(({ plan, product = '', prices, missing }) => [
    ...prices
      .filter((price) => there.get(product)?.has(price) !== true)
      .map((price) => `${plan} ${price}`),
    ...missing.map((period) => `${plan} ${period}`),
  ]);
}

export function productOf(product: string, { prices, seats }: Changeable): ProductParameters {
  const range = seats && { enabled: true, minimum: seats.min, maximum: seats.max };
  return { product, prices, ...(range && { adjustable_quantity: range }) };
}

/**
 * Adds to a portal of our own what has come into the configuration since: without it, links to that would lead nowhere.
 * All else of it stays as it is.
 * @returns it, as it is then
 */
export async function addPlans(
  survey: Survey,
  portal: Portal,
  wanted: readonly Changeable[],
): Promise<Portal> {
  const { enabled, products: before } = portal.features.subscription_update;
  if (!survey.makes || !enabled || !isOurs(survey, portal)) return portal;
  // The whole list is sent, so what is not known would be lost.
  if (before === undefined || before === null) return portal;
  const products = withPlans(before, wanted);
  const after = await update(survey, portal, products);
  if (after === undefined) return portal;
  const still = new Set(lackingIn(after, wanted));
  const added = lackingIn(portal, wanted).filter((one) => !still.has(one));
  for (const one of added) {
    survey.findings.push({ what: `${one} in the portal`, state: 'made', id: portal.id });
  }
  return after;
}

function withPlans(before: readonly PortalProduct[], wanted: readonly Changeable[]) {
  const products = new Map(before.map((one) => [one.product, asSent(one)]));
  for (const one of wanted) {
    const { product, prices } = one;
    if (product === undefined || prices.length === 0) continue;
    const known = products.get(product);
    if (known !== undefined) known.prices = [...new Set([...known.prices, ...prices])];
    else if (products.size < mostProducts) products.set(product, productOf(product, one));
  }
  return [...products.values()];
}

function asSent({ product, prices, adjustable_quantity: range }: PortalProduct): ProductParameters {
  const { enabled, minimum, maximum } = range;
  return {
    product,
    prices,
    adjustable_quantity: { enabled, minimum, ...(maximum !== null && { maximum }) },
  };
}

/** @returns nothing where there is nothing to add, or Stripe does not take it: that is told as what is lacking */
async function update(
  { stripe }: Survey,
  { id, features }: Portal,
  products: ProductParameters[],
): Promise<Portal | undefined> {
  const count = (list: readonly { prices: string[] }[]) =>
    list.reduce((sum, { prices }) => sum + prices.length, 0);
  if (count(products) === count(features.subscription_update.products ?? [])) return undefined;
  try {
    return await stripe.call('billingPortal.configurations.update', (api) =>
      api.billingPortal.configurations.update(id, {
        features: { subscription_update: { products } },
        expand,
      }),
    );
  } catch (error) {
    if (error instanceof Problem && isAboutProducts(error)) return undefined;
    throw error;
  }
}

function isAboutProducts({ code, details }: Problem): boolean {
  const { parameter } = details;
  if (code !== 'stripe_refused' || typeof parameter !== 'string') return false;
  return parameter.startsWith('features');
}
