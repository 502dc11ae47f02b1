/**
 * What can be bought, by the configuration of now: a plan for a wish, the price's id at Stripe, and the way back from a
 * price to its plan. Prices are looked up at most once a minute each: whoever archives one has to wait as long.
 */

import type { Clock } from '../base/clock.ts';
import { Problem } from '../base/errors.ts';
import type { Config, PlanConfig, PriceConfig, ProductConfig } from '../config.ts';
import { priceUnavailable } from './checkout.ts';
import type { Stripe, StripeClient } from './stripe.ts';
import type { Catalog, KeptPlan, Offer, PlanWish } from './types.ts';

export interface CatalogOptions {
  /** The one of now: products may change while the process runs. */
  config: () => Pick<Config, 'products'>;
  stripe: StripeClient;
  clock: Clock;
}

const keepMs = 60_000;
/** The configuration has fewer by far; prices that it does not name any more go with the others. */
const mostKept = 2000;

export function createCatalog({ config, stripe, clock }: CatalogOptions): Catalog {
  const kept = new Map<string, { id: string; until: number }>();

  async function priceId(price: PriceConfig): Promise<string> {
    const key = price.price ?? `lookup_key ${price.lookupKey}`;
    const known = kept.get(key);
    if (known !== undefined && known.until > clock()) return known.id;
    const id = await lookUp(stripe, price);
    if (kept.size >= mostKept) kept.clear();
    kept.set(key, { id, until: clock() + keepMs });
    return id;
  }

  return {
    offer: (wish, keep) => offerOf(config().products, wish, keep),
    priceId,
    planOf: (price) => planOfPrice(config().products, price),
  };
}

async function lookUp(stripe: StripeClient, { price: id, lookupKey }: PriceConfig) {
  const found =
    id === undefined
      ? await byLookupKey(stripe, lookupKey ?? '')
      : await stripe.find('prices.retrieve', (api) => api.prices.retrieve(id));
  if (found?.active === true) return found.id;
  const which = id ?? `with the lookup key ${lookupKey}`;
  throw priceUnavailable(new Error(`Stripe has no active price ${which}`));
}

/** Of active prices only one has it. */
async function byLookupKey(stripe: StripeClient, key: string): Promise<Stripe.Price | undefined> {
  const { data } = await stripe.call('prices.list', (api) =>
    api.prices.list({ lookup_keys: [key], active: true, limit: 1 }),
  );
  return data[0];
}

function offerOf(products: readonly ProductConfig[], wish: PlanWish, keep?: KeptPlan): Offer {
  const product = products.find(({ id }) => id === wish.product);
  if (product === undefined) {
    const known = products.filter(({ plans }) => plans.length > 0).map(({ id }) => id);
    throw refused('product_unknown', 'There is no such product.', 'product', known);
  }
  const plan = planFor(product, wish, keep?.plan);
  requireQuantity(plan, wish.quantity);
  const price = priceFor(plan, wish.period, keep?.period);
  return price === undefined ? { product, plan } : { product, plan, price };
}

function planFor(product: ProductConfig, wish: PlanWish, keep?: string): PlanConfig {
  const known = plansOffered(product).map(({ id }) => id);
  if (wish.plan !== undefined) {
    const plan = product.plans.find(({ id }) => id === wish.plan);
    if (plan === undefined) throw refused('plan_unknown', 'There is no such plan.', 'plan', known);
    if (plan.offered || plan.id === keep) return plan;
    throw refused('plan_not_offered', 'This plan is not offered any more.', 'plan', known);
  }
  const fitting = plansOffered(product, wish.period);
  const [only] = fitting;
  if (only !== undefined && fitting.length === 1) return only;
  throw refused('plan_unknown', 'A plan has to be chosen.', 'plan', known);
}

/** Those that people can choose; of a period, where one is named. */
export function plansOffered({ plans }: ProductConfig, period?: string): PlanConfig[] {
  return plans.filter(
    ({ offered, prices }) =>
      offered && (period === undefined || prices.some((price) => price.period === period)),
  );
}

/**
 * A free plan is free for every period.
 * @param keep what is chosen of several, where none is wished for
 */
function priceFor(
  { prices }: PlanConfig,
  period: string | undefined,
  keep: string | undefined,
): PriceConfig | undefined {
  if (prices.length === 0) return undefined;
  const fitting = prices.filter((price) => period === undefined || price.period === period);
  const [only] = fitting;
  if (only !== undefined && fitting.length === 1) return only;
  const kept = fitting.find((price) => price.period === keep);
  if (kept !== undefined) return kept;
  const known = prices.map((price) => price.period);
  const sentence =
    period === undefined
      ? 'A period has to be chosen.'
      : 'This plan is not paid for by that period.';
  throw refused('period_unknown', sentence, 'period', known);
}

function requireQuantity({ seats }: PlanConfig, quantity: number | undefined): void {
  // Where it follows the members nobody chooses it.
  if (quantity === undefined || seats?.whenFull === 'raise') return;
  const [min, max] = [seats?.min ?? 1, seats?.max ?? 1];
  if (Number.isInteger(quantity) && quantity >= min && quantity <= max) return;
  const sentence = seats === undefined ? 'This plan has no seats.' : `From ${min} to ${max} seats.`;
  throw refused('quantity_invalid', sentence, 'quantity', [String(min), String(max)]);
}

function refused(code: string, sentence: string, parameter: string, known: string[]): Problem {
  return new Problem(code, 400, sentence, { details: { parameter, known } });
}

/**
 * By id, by lookup key, and (a lookup key may have moved on to a newer price) by the metadata that `tollgate stripe push`
 * gives to prices. Only who runs the Stripe account can write there.
 */
function planOfPrice(
  products: readonly ProductConfig[],
  { id, lookup_key: lookupKey, metadata }: Stripe.Price,
): { product: string; plan: string } | undefined {
  for (const product of products) {
    for (const plan of product.plans) {
      const isOurs = plan.prices.some((price) =>
        price.price === undefined ? price.lookupKey === lookupKey : price.price === id,
      );
      if (isOurs) return { product: product.id, plan: plan.id };
    }
  }
  const product = products.find((one) => one.id === metadata.tollgate_product);
  const plan = product?.plans.find((one) => one.id === metadata.tollgate_plan);
  if (product === undefined || plan === undefined) return undefined;
  return { product: product.id, plan: plan.id };
}
