/** `/v1/prices`: recurring ones and one-time ones, licensed or metered, at one amount for each unit. */

import type Stripe from 'stripe';
import type { z } from 'zod';
import { change, emit } from '../engine/events.ts';
import { invalid } from '../errors.ts';
import type { Price } from '../objects.ts';
import {
  bool,
  choice,
  decimal,
  emptyable,
  group,
  int,
  list,
  metadata,
  paging,
  parameters,
  range,
  text,
  whole,
} from '../parameters.ts';
import { newId, now } from '../state.ts';
import type { State } from '../state.ts';
import { newProduct } from './products.ts';
import { mergeMetadata, page, route, within } from './route.ts';
import type { Route } from './route.ts';

const taxBehavior = choice('exclusive', 'inclusive', 'unspecified');

const creating = parameters<Stripe.PriceCreateParams>()({
  active: bool.optional(),
  billing_scheme: choice('per_unit').optional(),
  currency: text.toLowerCase(),
  lookup_key: text.max(200).optional(),
  metadata: metadata.optional(),
  nickname: text.optional(),
  product: text.optional(),
  product_data: group({ name: text, metadata: metadata.optional() }).optional(),
  recurring: group({
    interval: choice('day', 'week', 'month', 'year'),
    interval_count: whole.optional(),
    meter: text.optional(),
    trial_period_days: whole.optional(),
    usage_type: choice('licensed', 'metered').optional(),
  }).optional(),
  tax_behavior: taxBehavior.optional(),
  transfer_lookup_key: bool.optional(),
  unit_amount: int.optional(),
  unit_amount_decimal: decimal.optional(),
});
const updating = parameters<Stripe.PriceUpdateParams>()({
  active: bool.optional(),
  lookup_key: emptyable(text.max(200)).optional(),
  metadata: metadata.optional(),
  nickname: emptyable(text).optional(),
  tax_behavior: taxBehavior.optional(),
  transfer_lookup_key: bool.optional(),
});
const listing = parameters<Stripe.PriceListParams>()({
  ...paging,
  active: bool.optional(),
  created: range.optional(),
  currency: text.optional(),
  lookup_keys: list(text).optional(),
  product: text.optional(),
  recurring: group({
    interval: text.optional(),
    meter: text.optional(),
    usage_type: text.optional(),
  }).optional(),
  type: choice('one_time', 'recurring').optional(),
});
const nothing = parameters<Stripe.PriceRetrieveParams>()({});

export const priceRoutes: Route[] = [
  route('POST', '/v1/prices', creating, create),
  route('GET', '/v1/prices', listing, (state, given) => {
    const { recurring } = given;
    const rows = state.prices
      .newest()
      .filter(
        (one) =>
          (given.active === undefined || one.active === given.active) &&
          (given.currency === undefined || one.currency === given.currency) &&
          (given.product === undefined || one.product === given.product) &&
          (given.type === undefined || one.type === given.type) &&
          (given.lookup_keys === undefined || given.lookup_keys.includes(one.lookup_key ?? '')) &&
          (recurring?.interval === undefined || one.recurring?.interval === recurring.interval) &&
          (recurring?.meter === undefined || one.recurring?.meter === recurring.meter) &&
          (recurring?.usage_type === undefined ||
            one.recurring?.usage_type === recurring.usage_type) &&
          within(one.created, given.created),
      );
    return page(rows, given, '/v1/prices');
  }),
  route('GET', '/v1/prices/:id', nothing, (state, _, id) => state.prices.need(id)),
  route('POST', '/v1/prices/:id', updating, (state, given, id) => {
    const price = state.prices.need(id);
    if (typeof given.lookup_key === 'string') {
      takeLookupKey(state, given.lookup_key, given.transfer_lookup_key, price);
    }
    change(state, 'price.updated', price, null, () => {
      if (given.active !== undefined) price.active = given.active;
      if (given.lookup_key !== undefined) price.lookup_key = given.lookup_key;
      if (given.nickname !== undefined) price.nickname = given.nickname;
      if (given.tax_behavior !== undefined) price.tax_behavior = given.tax_behavior;
      price.metadata = mergeMetadata(price.metadata, given.metadata);
    });
    return price;
  }),
];

function create(state: State, given: z.infer<typeof creating>): Price {
  const amount = given.unit_amount_decimal ?? given.unit_amount?.toString();
  if (amount === undefined) {
    throw invalid('One of unit_amount or unit_amount_decimal is required.', 'unit_amount');
  }
  const product = productOf(state, given);
  const metered = given.recurring?.usage_type === 'metered';
  if (metered && given.recurring?.meter === undefined) {
    throw invalid('A metered price needs a meter.', 'recurring[meter]', 'parameter_missing');
  }
  if (given.recurring?.meter !== undefined)
    state.meters.need(given.recurring.meter, 'recurring[meter]');
  if (given.lookup_key !== undefined) {
    takeLookupKey(state, given.lookup_key, given.transfer_lookup_key);
  }
  const price: Price = {
    id: newId(state, 'price'),
    object: 'price',
    active: given.active ?? true,
    billing_scheme: 'per_unit',
    created: now(state),
    currency: given.currency,
    custom_unit_amount: null,
    livemode: state.livemode,
    lookup_key: given.lookup_key ?? null,
    metadata: mergeMetadata({}, given.metadata),
    nickname: given.nickname ?? null,
    product,
    recurring:
      given.recurring === undefined
        ? null
        : {
            interval: given.recurring.interval,
            interval_count: given.recurring.interval_count ?? 1,
            meter: given.recurring.meter ?? null,
            trial_period_days: given.recurring.trial_period_days ?? null,
            usage_type: given.recurring.usage_type ?? 'licensed',
          },
    tax_behavior: given.tax_behavior ?? 'unspecified',
    tiers_mode: null,
    transform_quantity: null,
    type: given.recurring === undefined ? 'one_time' : 'recurring',
    unit_amount: amount.includes('.') ? null : Number(amount),
    unit_amount_decimal: amount,
  };
  state.prices.add(price);
  emit(state, 'price.created', price);
  return price;
}

function productOf(state: State, given: z.infer<typeof creating>): string {
  if (given.product !== undefined) return state.products.need(given.product, 'product').id;
  if (given.product_data === undefined) {
    throw invalid('Missing required param: product.', 'product', 'parameter_missing');
  }
  const product = newProduct(state, given.product_data.name);
  product.metadata = mergeMetadata({}, given.product_data.metadata);
  state.products.add(product);
  emit(state, 'product.created', product);
  return product.id;
}

function takeLookupKey(
  state: State,
  key: string,
  transfer: boolean | undefined,
  mine?: Price,
): void {
  const other = state.prices.all().find((one) => one.lookup_key === key && one !== mine);
  if (other === undefined) return;
  if (transfer !== true) {
    throw invalid(
      `A price (\`${other.id}\`) already uses that lookup key.`,
      'lookup_key',
      'resource_already_exists',
    );
  }
  change(state, 'price.updated', other, null, () => {
    other.lookup_key = null;
  });
}
