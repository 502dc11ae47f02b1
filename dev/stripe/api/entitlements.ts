/** `/v1/entitlements`, and the features of products. */

import type Stripe from 'stripe';
import { entitlementsOf, refreshAllEntitlements, shown } from '../engine/entitlements.ts';
import { invalid, missing } from '../errors.ts';
import type { Feature, ProductFeature } from '../objects.ts';
import { bool, metadata, paging, parameters, text } from '../parameters.ts';
import { newId } from '../state.ts';
import type { State } from '../state.ts';
import type { ProductFeatureRow } from '../tables.ts';
import { mergeMetadata, page, route } from './route.ts';
import type { Route } from './route.ts';

const creating = parameters<Stripe.Entitlements.FeatureCreateParams>()({
  lookup_key: text.max(80),
  metadata: metadata.optional(),
  name: text.max(80),
});
const updating = parameters<Stripe.Entitlements.FeatureUpdateParams>()({
  active: bool.optional(),
  metadata: metadata.optional(),
  name: text.max(80).optional(),
});
const listing = parameters<Stripe.Entitlements.FeatureListParams>()({
  ...paging,
  archived: bool.optional(),
  lookup_key: text.optional(),
});
const listingActive = parameters<Stripe.Entitlements.ActiveEntitlementListParams>()({
  ...paging,
  customer: text,
});
const attaching = parameters<Stripe.ProductCreateFeatureParams>()({ entitlement_feature: text });
const listingOfProduct = parameters<Stripe.ProductListFeaturesParams>()(paging);
const nothing = parameters<Stripe.Entitlements.FeatureRetrieveParams>()({});
const root = '/v1/entitlements';

export const entitlementRoutes: Route[] = [
  route('POST', `${root}/features`, creating, (state, given) => {
    if (state.features.all().some((one) => one.lookup_key === given.lookup_key)) {
      throw invalid(
        `A feature with the lookup key ${given.lookup_key} exists already.`,
        'lookup_key',
        'resource_already_exists',
      );
    }
    const feature: Feature = {
      id: newId(state, state.livemode ? 'feat' : 'feat_test'),
      object: 'entitlements.feature',
      active: true,
      livemode: state.livemode,
      lookup_key: given.lookup_key,
      metadata: mergeMetadata({}, given.metadata),
      name: given.name,
    };
    return state.features.add(feature);
  }),
  route('GET', `${root}/features`, listing, (state, given) => {
    const rows = state.features
      .newest()
      .filter(
        (one) =>
          (given.lookup_key === undefined || one.lookup_key === given.lookup_key) &&
          (given.archived === undefined ? one.active : one.active !== given.archived),
      );
    return page(rows, given, `${root}/features`);
  }),
  route('GET', `${root}/features/:id`, nothing, (state, _, id) => state.features.need(id)),
  route('POST', `${root}/features/:id`, updating, (state, given, id) => {
    const feature = state.features.need(id);
    if (given.active !== undefined) feature.active = given.active;
    if (given.name !== undefined) feature.name = given.name;
    feature.metadata = mergeMetadata(feature.metadata, given.metadata);
    return feature;
  }),
  route('GET', `${root}/active_entitlements`, listingActive, (state, given) => {
    requireKnown(state, given.customer);
    const rows = entitlementsOf(state, given.customer).map(shown);
    return page(rows, given, `${root}/active_entitlements`);
  }),
  route('GET', `${root}/active_entitlements/:id`, nothing, (state, _, id) =>
    shown(state.activeEntitlements.need(id)),
  ),
  route('POST', '/v1/products/:id/features', attaching, (state, given, id) => {
    const product = state.products.need(id);
    const feature = state.features.need(given.entitlement_feature, 'entitlement_feature');
    const row: ProductFeatureRow = {
      id: newId(state, 'prodft', 14),
      object: 'product_feature',
      entitlement_feature: feature,
      livemode: state.livemode,
      product: product.id,
    };
    state.productFeatures.add(row);
    refreshAllEntitlements(state);
    return withoutProduct(row);
  }),
  route('GET', '/v1/products/:id/features', listingOfProduct, (state, given, id) => {
    state.products.need(id);
    const rows = state.productFeatures
      .newest()
      .filter((one) => one.product === id)
      .map(withoutProduct);
    return page(rows, given, `/v1/products/${id}/features`);
  }),
  route('GET', '/v1/products/:id/features/:feature', nothing, (state, _, __, feature) =>
    withoutProduct(state.productFeatures.need(feature)),
  ),
  route('DELETE', '/v1/products/:id/features/:feature', nothing, (state, _, __, feature) => {
    state.productFeatures.need(feature);
    state.productFeatures.remove(feature);
    refreshAllEntitlements(state);
    return { id: feature, object: 'product_feature', deleted: true };
  }),
];

function requireKnown(state: State, customer: string): void {
  if (state.customers.get(customer) === undefined) {
    throw missing('customer', customer, 'customer', 400);
  }
}

function withoutProduct(row: ProductFeatureRow): ProductFeature {
  const { product: _, ...feature } = row;
  return feature;
}
