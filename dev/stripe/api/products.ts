/** `/v1/products` */

import type Stripe from 'stripe';
import type { z } from 'zod';
import { change, emit } from '../engine/events.ts';
import { invalid } from '../errors.ts';
import type { Product } from '../objects.ts';
import {
  bool,
  emptyable,
  group,
  list,
  metadata,
  paging,
  parameters,
  range,
  text,
} from '../parameters.ts';
import { newId, now } from '../state.ts';
import type { State } from '../state.ts';
import { mergeMetadata, page, route, within } from './route.ts';
import type { Route } from './route.ts';

const common = {
  active: bool.optional(),
  description: emptyable(text).optional(),
  images: list(text).optional(),
  marketing_features: list(group({ name: text })).optional(),
  metadata: metadata.optional(),
  statement_descriptor: text.max(22).optional(),
  unit_label: emptyable(text.max(12)).optional(),
  url: emptyable(text).optional(),
};
const creating = parameters<Stripe.ProductCreateParams>()({
  ...common,
  id: text.regex(/^[\w-]{1,255}$/).optional(),
  name: text,
});
const updating = parameters<Stripe.ProductUpdateParams>()({
  ...common,
  default_price: text.optional(),
  name: text.optional(),
});
const listing = parameters<Stripe.ProductListParams>()({
  ...paging,
  active: bool.optional(),
  created: range.optional(),
  ids: list(text).optional(),
});
const nothing = parameters<Stripe.ProductRetrieveParams>()({});

export const productRoutes: Route[] = [
  route('POST', '/v1/products', creating, (state, given) => {
    if (given.id !== undefined && state.products.get(given.id) !== undefined) {
      throw invalid('Product already exists.', 'id', 'resource_already_exists');
    }
    const product = newProduct(state, given.name);
    if (given.id !== undefined) product.id = given.id;
    assign(product, given);
    state.products.add(product);
    emit(state, 'product.created', product);
    return product;
  }),
  route('GET', '/v1/products', listing, (state, given) => {
    const rows = state.products
      .newest()
      .filter(
        (one) =>
          (given.active === undefined || one.active === given.active) &&
          (given.ids === undefined || given.ids.includes(one.id)) &&
          within(one.created, given.created),
      );
    return page(rows, given, '/v1/products');
  }),
  route('GET', '/v1/products/:id', nothing, (state, _, id) => state.products.need(id)),
  route('POST', '/v1/products/:id', updating, (state, given, id) => {
    const product = state.products.need(id);
    if (given.default_price !== undefined) {
      const price = state.prices.need(given.default_price, 'default_price');
      if (price.product !== id) throw invalid('The price is of another product.', 'default_price');
    }
    change(state, 'product.updated', product, null, () => {
      assign(product, given);
      if (given.default_price !== undefined) product.default_price = given.default_price;
      product.updated = now(state);
    });
    return product;
  }),
  route('DELETE', '/v1/products/:id', nothing, (state, _, id) => {
    const product = state.products.need(id);
    if (state.prices.all().some((price) => price.product === id)) {
      throw invalid(
        'This product cannot be deleted because it has one or more user-created prices.',
        'id',
      );
    }
    state.products.remove(id);
    emit(state, 'product.deleted', product);
    return { id, object: 'product', deleted: true };
  }),
];

function assign(product: Product, given: Omit<z.infer<typeof updating>, 'expand'>): void {
  if (given.active !== undefined) product.active = given.active;
  if (given.description !== undefined) product.description = given.description;
  if (given.images !== undefined) product.images = given.images;
  if (given.marketing_features !== undefined) {
    product.marketing_features = given.marketing_features;
  }
  if (given.name !== undefined) product.name = given.name;
  if (given.statement_descriptor !== undefined) {
    product.statement_descriptor = given.statement_descriptor;
  }
  if (given.unit_label !== undefined) product.unit_label = given.unit_label;
  if (given.url !== undefined) product.url = given.url;
  product.metadata = mergeMetadata(product.metadata, given.metadata);
}

export function newProduct(state: State, name: string): Product {
  const created = now(state);
  return {
    id: newId(state, 'prod', 14),
    object: 'product',
    active: true,
    created,
    default_price: null,
    description: null,
    images: [],
    livemode: state.livemode,
    marketing_features: [],
    metadata: {},
    name,
    package_dimensions: null,
    shippable: null,
    statement_descriptor: null,
    tax_code: null,
    tax_details: null,
    type: 'service',
    unit_label: null,
    updated: created,
    url: null,
  };
}
