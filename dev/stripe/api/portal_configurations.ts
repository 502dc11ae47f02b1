/** `/v1/billing_portal/configurations` */

import type Stripe from 'stripe';
import type { z } from 'zod';
import { change, emit } from '../engine/events.ts';
import { newConfiguration } from '../engine/portal_configuration.ts';
import { invalid } from '../errors.ts';
import type { PortalConfiguration } from '../objects.ts';
import {
  bool,
  choice,
  emptyable,
  group,
  list,
  metadata,
  paging,
  parameters,
  text,
  whole,
} from '../parameters.ts';
import { now } from '../state.ts';
import type { State } from '../state.ts';
import { mergeMetadata, page, route } from './route.ts';
import type { Route } from './route.ts';

const proration = choice('always_invoice', 'create_prorations', 'none');

const features = group({
  customer_update: group({
    allowed_updates: emptyable(
      list(choice('address', 'email', 'name', 'phone', 'shipping', 'tax_id')),
    ).optional(),
    enabled: bool.optional(),
  }).optional(),
  invoice_history: group({ enabled: bool }).optional(),
  payment_method_update: group({ enabled: bool }).optional(),
  subscription_cancel: group({
    cancellation_reason: group({
      enabled: bool,
      options: emptyable(list(text)).optional(),
    }).optional(),
    enabled: bool.optional(),
    mode: choice('at_period_end', 'immediately').optional(),
    proration_behavior: proration.optional(),
  }).optional(),
  subscription_pause: group({ enabled: bool.optional() }).optional(),
  subscription_update: group({
    billing_cycle_anchor: choice('now', 'unchanged').optional(),
    default_allowed_updates: emptyable(
      list(choice('price', 'promotion_code', 'quantity')),
    ).optional(),
    enabled: bool.optional(),
    products: emptyable(
      list(
        group({
          adjustable_quantity: group({
            enabled: bool,
            maximum: whole.optional(),
            minimum: whole.optional(),
          }).optional(),
          prices: list(text),
          product: text,
        }),
      ),
    ).optional(),
    proration_behavior: proration.optional(),
    schedule_at_period_end: group({
      conditions: emptyable(
        list(group({ type: choice('decreasing_item_amount', 'shortening_interval') })),
      ).optional(),
    }).optional(),
    trial_update_behavior: choice('continue_trial', 'end_trial').optional(),
  }).optional(),
});

const common = {
  business_profile: group({
    headline: emptyable(text).optional(),
    privacy_policy_url: emptyable(text).optional(),
    terms_of_service_url: emptyable(text).optional(),
  }).optional(),
  default_return_url: emptyable(text).optional(),
  metadata: metadata.optional(),
  name: emptyable(text).optional(),
};
const creating = parameters<Stripe.BillingPortal.ConfigurationCreateParams>()({
  ...common,
  features,
});
const updating = parameters<Stripe.BillingPortal.ConfigurationUpdateParams>()({
  ...common,
  active: bool.optional(),
  features: features.optional(),
});
const listing = parameters<Stripe.BillingPortal.ConfigurationListParams>()({
  ...paging,
  active: bool.optional(),
  is_default: bool.optional(),
});
const nothing = parameters<Stripe.BillingPortal.ConfigurationRetrieveParams>()({});
const root = '/v1/billing_portal/configurations';

export const portalConfigurationRoutes: Route[] = [
  route('POST', root, creating, (state, given) => {
    const configuration = newConfiguration(state);
    for (const feature of Object.values(configuration.features)) feature.enabled = false;
    assign(state, configuration, given);
    state.portalConfigurations.add(configuration);
    emit(state, 'billing_portal.configuration.created', configuration);
    return configuration;
  }),
  route('GET', root, listing, (state, given) => {
    const rows = state.portalConfigurations
      .newest()
      .filter(
        (one) =>
          (given.active === undefined || one.active === given.active) &&
          (given.is_default === undefined || one.is_default === given.is_default),
      );
    return page(rows, given, root);
  }),
  route('GET', `${root}/:id`, nothing, (state, _, id) => state.portalConfigurations.need(id)),
  route('POST', `${root}/:id`, updating, (state, given, id) => {
    const configuration = state.portalConfigurations.need(id);
    // Tried on a copy first: an update that is refused changes nothing.
    assign(state, structuredClone(configuration), given);
    change(state, 'billing_portal.configuration.updated', configuration, null, () => {
      if (given.active !== undefined) configuration.active = given.active;
      assign(state, configuration, given);
      configuration.updated = now(state);
    });
    return configuration;
  }),
];

type Given = Pick<z.infer<typeof updating>, keyof typeof common | 'features'>;
type Features = NonNullable<Given['features']>;

function assign(state: State, configuration: PortalConfiguration, given: Given): void {
  if (given.business_profile !== undefined) {
    Object.assign(configuration.business_profile, given.business_profile);
  }
  if (given.default_return_url !== undefined) {
    configuration.default_return_url = given.default_return_url;
  }
  if (given.name !== undefined) configuration.name = given.name;
  configuration.metadata = mergeMetadata(configuration.metadata ?? {}, given.metadata);
  if (given.features !== undefined) assignFeatures(state, configuration.features, given.features);
}

function assignFeatures(
  state: State,
  features: PortalConfiguration['features'],
  given: Features,
): void {
  const { customer_update: customer, subscription_cancel: cancel } = given;
  if (customer !== undefined) {
    features.customer_update.enabled = customer.enabled ?? features.customer_update.enabled;
    if (customer.allowed_updates !== undefined) {
      features.customer_update.allowed_updates = customer.allowed_updates ?? [];
    }
  }
  if (given.invoice_history !== undefined) {
    features.invoice_history.enabled = given.invoice_history.enabled;
  }
  if (given.payment_method_update !== undefined) {
    features.payment_method_update.enabled = given.payment_method_update.enabled;
  }
  if (given.subscription_pause?.enabled !== undefined) {
    features.subscription_pause.enabled = given.subscription_pause.enabled;
  }
  if (cancel !== undefined) {
    const mine = features.subscription_cancel;
    mine.enabled = cancel.enabled ?? mine.enabled;
    mine.mode = cancel.mode ?? mine.mode;
    mine.proration_behavior = cancel.proration_behavior ?? mine.proration_behavior;
    if (cancel.cancellation_reason !== undefined) {
      mine.cancellation_reason.enabled = cancel.cancellation_reason.enabled;
      if (cancel.cancellation_reason.options !== undefined) {
        mine.cancellation_reason.options = cancel.cancellation_reason.options ?? [];
      }
    }
  }
  if (given.subscription_update !== undefined) {
    assignUpdate(state, features.subscription_update, given.subscription_update);
  }
}

function assignUpdate(
  state: State,
  mine: PortalConfiguration['features']['subscription_update'],
  given: NonNullable<Features['subscription_update']>,
): void {
  mine.enabled = given.enabled ?? mine.enabled;
  mine.billing_cycle_anchor = given.billing_cycle_anchor ?? mine.billing_cycle_anchor;
  mine.proration_behavior = given.proration_behavior ?? mine.proration_behavior;
  mine.trial_update_behavior = given.trial_update_behavior ?? mine.trial_update_behavior;
  if (given.default_allowed_updates !== undefined) {
    mine.default_allowed_updates = given.default_allowed_updates ?? [];
  }
  if (given.schedule_at_period_end !== undefined) {
    mine.schedule_at_period_end.conditions = given.schedule_at_period_end.conditions ?? [];
  }
  if (given.products !== undefined) {
    mine.products = (given.products ?? []).map((one, index) => {
      const param = `features[subscription_update][products][${index}]`;
      state.products.need(one.product, `${param}[product]`);
      for (const price of one.prices) {
        if (state.prices.need(price, `${param}[prices]`).product !== one.product) {
          throw invalid(`The price ${price} is of another product.`, `${param}[prices]`);
        }
      }
      return {
        adjustable_quantity: {
          enabled: one.adjustable_quantity?.enabled ?? false,
          maximum: one.adjustable_quantity?.maximum ?? null,
          minimum: one.adjustable_quantity?.minimum ?? 1,
        },
        prices: one.prices,
        product: one.product,
      };
    });
  }
  if (mine.enabled && (mine.default_allowed_updates.length === 0 || mine.products?.length === 0)) {
    throw invalid(
      'Where updates are enabled, `default_allowed_updates` and `products` are needed.',
      'features[subscription_update]',
      'parameter_missing',
    );
  }
}
