/**
 * Plans at Stripe: each a product of its own there, with the plan's prices and the features that it entitles to.
 * They are found by their prices, or by the metadata that they were made with.
 */

import type { PlanConfig, PriceConfig, ProductConfig } from '../../config.ts';
import type { Stripe } from '../stripe.ts';
import { complainOfPrice } from './prices.ts';
import { mostRead, pageSize, settle } from './survey.ts';
import type { Complaint, Making, Survey } from './survey.ts';

export interface SurveyedPlan {
  plan: PlanConfig;
  /** At Stripe, like the prices; absent where it is not there. */
  product: string | undefined;
  prices: string[];
  /** Periods whose price is not there. */
  missing: string[];
}

interface Known {
  meters: ReadonlyMap<string, Stripe.Billing.Meter>;
  features: ReadonlyMap<string, Stripe.Entitlements.Feature>;
}

export async function surveyPlans(survey: Survey, known: Known): Promise<SurveyedPlan[]> {
  const { products } = survey.config;
  const paid = products.flatMap((product) =>
    product.plans.filter(({ prices }) => prices.length > 0).map((plan) => ({ product, plan })),
  );
  const list = paid.length === 0 ? [] : await listProducts(survey);
  const surveyed: SurveyedPlan[] = [];
  for (const { product, plan } of paid) {
    surveyed.push(await surveyPlan(survey, { ...known, list, product, plan }));
  }
  return surveyed;
}

function listProducts({ stripe }: Survey): Promise<Stripe.Product[]> {
  return stripe.call('products.list', (api) =>
    api.products.list({ limit: pageSize }).autoPagingToArray({ limit: mostRead }),
  );
}

interface Place extends Known {
  list: readonly Stripe.Product[];
  product: ProductConfig;
  plan: PlanConfig;
}

const metadataOf = ({ product, plan }: Pick<Place, 'product' | 'plan'>) => ({
  tollgate_product: product.id,
  tollgate_plan: plan.id,
});

async function surveyPlan(survey: Survey, place: Place): Promise<SurveyedPlan> {
  const { plan } = place;
  const found = new Map<PriceConfig, Stripe.Price | undefined>();
  for (const price of plan.prices) found.set(price, await find(survey, price));
  const there = [...found.values()].filter((price) => price !== undefined);
  const product = await surveyProduct(survey, place, there);
  const prices: string[] = [];
  const missing: string[] = [];
  for (const price of plan.prices) {
    const settled = await surveyPrice(survey, place, { price, found: found.get(price), product });
    if (settled === undefined) missing.push(price.period);
    else prices.push(settled.id);
  }
  // Where the prices are named by ids that lead nowhere, there is no product to speak of.
  if (product !== undefined || isMakeable(plan)) await surveyAttached(survey, place, product);
  return { plan, product, prices, missing };
}

/** By lookup key also one that is archived, so that it can be said. */
async function find(survey: Survey, price: PriceConfig): Promise<Stripe.Price | undefined> {
  const { price: id, lookupKey } = price;
  if (id !== undefined) {
    return survey.stripe.find('prices.retrieve', (api) =>
      api.prices.retrieve(id, { expand: ['product'] }),
    );
  }
  const { data } = await survey.stripe.call('prices.list', (api) =>
    api.prices.list({ lookup_keys: [lookupKey ?? ''], limit: 10, expand: ['data.product'] }),
  );
  return data.find(({ active }) => active) ?? data[0];
}

/** @returns its id at Stripe */
async function surveyProduct(
  survey: Survey,
  place: Place,
  prices: readonly Stripe.Price[],
): Promise<string | undefined> {
  const { list, product, plan } = place;
  const what = `product ${product.id}/${plan.id}`;
  const ids = [...new Set(prices.map((price) => idOf(price.product)))];
  const ofPrices = prices.map((price) => price.product).find(isProduct);
  const metadata = metadataOf(place);
  const noted = list.find((one) => isNoted(one, metadata));
  const found = ofPrices ?? noted;
  // Of a plan that names prices by their ids, nothing can be made that would lead to them.
  if (found === undefined && !isMakeable(plan)) {
    return ids[0];
  }
  const parameters: Stripe.ProductCreateParams = {
    name: `${product.name} ${plan.name}`,
    ...(plan.description !== undefined && { description: plan.description }),
    ...(plan.seats !== undefined && { unit_label: 'seat' }),
    metadata,
  };
  const settled = await settle(survey, {
    what,
    found,
    complain: (one) => complainOfProduct(one, ids, metadata),
    make: {
      call: 'products.create',
      parameters,
      create: (api, options) => api.products.create(parameters, options),
    },
  });
  return settled?.id;
}

const isMakeable = ({ prices }: PlanConfig) =>
  prices.some(({ lookupKey }) => lookupKey !== undefined);

type Noted = ReturnType<typeof metadataOf>;

const isNoted = ({ metadata }: Stripe.Product, wanted: Noted) =>
  metadata.tollgate_product === wanted.tollgate_product &&
  metadata.tollgate_plan === wanted.tollgate_plan;

function complainOfProduct(found: Stripe.Product, ids: string[], wanted: Noted): Complaint[] {
  const complaints: Complaint[] = [];
  if (!found.active) {
    complaints.push([
      'It is archived, so nobody can buy it.',
      "Bring it back in Stripe's dashboard, or take the plan out of the configuration.",
    ]);
  }
  if (ids.length > 1) {
    complaints.push([
      `The prices of this plan belong to different products at Stripe (${ids.join(', ')}).`,
      'Make a plan of each: features and changes of plan go by the product.',
    ]);
  }
  const { metadata } = found;
  if (metadata.tollgate_plan !== undefined && !isNoted(found, wanted)) {
    complaints.push([
      `Its metadata says that it is the plan ${metadata.tollgate_product}/${metadata.tollgate_plan}.`,
      'Give each plan prices of its own product.',
    ]);
  }
  return complaints;
}

const needsOthers = 'What it needs is missing: see above.';

interface PricePlace {
  price: PriceConfig;
  found: Stripe.Price | undefined;
  /** At Stripe. */
  product: string | undefined;
}

async function surveyPrice(survey: Survey, place: Place, { price, found, product }: PricePlace) {
  const { plan, meters } = place;
  const meter = plan.meter === undefined ? undefined : meters.get(plan.meter)?.id;
  return settle(survey, {
    what: `price ${place.product.id}/${plan.id} ${price.period}`,
    found,
    complain: (one) => complainOfPrice(one, { plan, price, meter }),
    make: makingOf(survey, place, { price, product, meter }),
  });
}

function makingOf(
  { makes }: Survey,
  place: Place,
  { price, product, meter }: Omit<PricePlace, 'found'> & { meter: string | undefined },
): Making<Stripe.Price> | string {
  const { lookupKey, amount, currency } = price;
  if (lookupKey === undefined) {
    return `Stripe has no ${price.price}: set the id of a price of this account, or a \`lookupKey\`.`;
  }
  if (amount === undefined || currency === undefined) {
    return `Set \`amount\` and \`currency\` to have it made, or give a price there the lookup key ${lookupKey}.`;
  }
  const { meter: eventName } = place.plan;
  if (makes && (product === undefined || (eventName !== undefined && meter === undefined))) {
    return needsOthers;
  }
  const parameters = {
    ...(product !== undefined && { product }),
    currency,
    unit_amount: amount,
    lookup_key: lookupKey,
    recurring: {
      interval: price.period,
      ...(meter !== undefined && { meter, usage_type: 'metered' as const }),
    },
    metadata: metadataOf(place),
  };
  return {
    call: 'prices.create',
    parameters,
    create: (api, options) => api.prices.create(parameters, options),
  };
}

/** The features that the product gives by Stripe Entitlements. */
async function surveyAttached(
  survey: Survey,
  place: Place,
  product: string | undefined,
): Promise<void> {
  const { plan, features } = place;
  if (plan.features.length === 0) return;
  const attached = product === undefined ? [] : await attachedTo(survey, product);
  const of = `${place.product.id}/${plan.id}`;
  for (const key of plan.features) {
    const feature = features.get(key)?.id;
    await settle(survey, {
      what: `feature ${key} of ${of}`,
      found: attached.find((one) => one.entitlement_feature.lookup_key === key),
      make: attaching(survey, product, feature),
    });
  }
  for (const { id, entitlement_feature: extra } of attached) {
    if (plan.features.includes(extra.lookup_key)) continue;
    survey.findings.push({
      what: `feature ${extra.lookup_key} of ${of}`,
      state: 'different',
      id,
      says: 'The product gives it, and the configuration does not name it.',
      remedy: 'Add it to `features` of the plan, or take it off the product.',
    });
  }
}

function attachedTo({ stripe }: Survey, product: string): Promise<Stripe.ProductFeature[]> {
  return stripe.call('products.listFeatures', (api) =>
    api.products.listFeatures(product, { limit: pageSize }).autoPagingToArray({ limit: mostRead }),
  );
}

function attaching(
  { makes }: Survey,
  product = '',
  feature = '',
): Making<Stripe.ProductFeature> | string {
  if (makes && (product === '' || feature === '')) return needsOthers;
  return {
    call: 'products.createFeature',
    parameters: { product, feature },
    create: (api, options) =>
      api.products.createFeature(product, { entitlement_feature: feature }, options),
  };
}

function isProduct(product: Stripe.Price['product']): product is Stripe.Product {
  return typeof product === 'object' && product.deleted !== true;
}

function idOf(reference: string | { id: string }): string {
  return typeof reference === 'string' ? reference : reference.id;
}
