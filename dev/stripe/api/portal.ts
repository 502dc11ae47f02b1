/** `/v1/billing_portal/sessions` */

import type Stripe from 'stripe';
import type { z } from 'zod';
import { emit } from '../engine/events.ts';
import { configurationOf } from '../engine/portal_configuration.ts';
import { requireAllowed } from '../engine/portal_plans.ts';
import { requireEnabled } from '../engine/portal_sessions.ts';
import { over } from '../engine/subscription_state.ts';
import { invalid, missing } from '../errors.ts';
import type { PortalConfiguration, PortalSession, Subscription } from '../objects.ts';
import { choice, group, list, parameters, text, whole } from '../parameters.ts';
import { newId, now } from '../state.ts';
import type { State } from '../state.ts';
import { portalConfigurationRoutes } from './portal_configurations.ts';
import { route } from './route.ts';
import type { Route } from './route.ts';

const ofSubscription = group({ subscription: text });

const creating = parameters<Stripe.BillingPortal.SessionCreateParams>()({
  configuration: text.optional(),
  customer: text,
  flow_data: group({
    after_completion: group({
      hosted_confirmation: group({ custom_message: text.max(500).optional() }).optional(),
      redirect: group({ return_url: text }).optional(),
      type: choice('hosted_confirmation', 'portal_homepage', 'redirect'),
    }).optional(),
    subscription_cancel: ofSubscription.optional(),
    subscription_pause: ofSubscription.optional(),
    subscription_update: ofSubscription.optional(),
    subscription_update_confirm: group({
      items: list(group({ id: text, price: text.optional(), quantity: whole.optional() })),
      subscription: text,
    }).optional(),
    type: choice(
      'customer_update',
      'payment_method_update',
      'subscription_cancel',
      'subscription_pause',
      'subscription_update',
      'subscription_update_confirm',
    ),
  }).optional(),
  locale: text.max(10).optional(),
  return_url: text.optional(),
});

type Flow = NonNullable<z.infer<typeof creating>['flow_data']>;

export const portalRoutes: Route[] = [
  ...portalConfigurationRoutes,
  route('POST', '/v1/billing_portal/sessions', creating, (state, given) => {
    if (state.deletedCustomers.has(given.customer)) {
      throw missing('customer', given.customer, 'customer', 400);
    }
    const customer = state.customers.need(given.customer, 'customer');
    const configuration = configurationOf(state, given.configuration);
    if (!configuration.active) throw invalid('The configuration is not active.', 'configuration');
    const returnUrl = given.return_url ?? configuration.default_return_url;
    const id = newId(state, 'bps');
    const session: PortalSession = {
      id,
      object: 'billing_portal.session',
      after_expiration: null,
      configuration: configuration.id,
      created: now(state, customer.id),
      customer: customer.id,
      customer_account: null,
      flow:
        given.flow_data === undefined
          ? null
          : flowOf(state, customer.id, configuration, given.flow_data),
      livemode: state.livemode,
      locale: given.locale ?? null,
      on_behalf_of: null,
      return_url: returnUrl,
      url: `${state.url}/p/session/${id}`,
    };
    state.portalSessions.add(session);
    emit(state, 'billing_portal.session.created', session, { customer: customer.id });
    return session;
  }),
];

/** @throws {ApiError} where the flow could not be gone through */
function flowOf(
  state: State,
  customer: string,
  configuration: PortalConfiguration,
  flow: Flow,
): PortalSession['flow'] {
  const { features } = configuration;
  switch (flow.type) {
    case 'subscription_cancel': {
      requireEnabled(features.subscription_cancel.enabled, 'subscription cancellation');
      const subscription = subscriptionOf(state, customer, flow, flow.subscription_cancel);
      if (subscription.cancel_at !== null || subscription.cancel_at_period_end) {
        throw invalid(
          'The subscription cannot be canceled because it is already set to be canceled.',
          'flow_data[subscription_cancel][subscription]',
        );
      }
      break;
    }
    case 'subscription_pause':
      requireEnabled(features.subscription_pause.enabled, 'subscription pause');
      subscriptionOf(state, customer, flow, flow.subscription_pause);
      break;
    case 'subscription_update':
      requireEnabled(features.subscription_update.enabled, 'subscription update');
      requireOneItem(subscriptionOf(state, customer, flow, flow.subscription_update));
      break;
    case 'subscription_update_confirm':
      requireEnabled(features.subscription_update.enabled, 'subscription update');
      checkConfirm(
        state,
        configuration,
        subscriptionOf(state, customer, flow, flow.subscription_update_confirm),
        flow,
      );
      break;
    case 'payment_method_update':
      requireEnabled(features.payment_method_update.enabled, 'payment method update');
      break;
    case 'customer_update':
      requireEnabled(features.customer_update.enabled, 'customer update');
  }
  return wholeFlow(flow);
}

function subscriptionOf(
  state: State,
  customer: string,
  flow: Flow,
  named: { subscription: string } | undefined,
): Subscription {
  const param = `flow_data[${flow.type}]`;
  if (named === undefined)
    throw invalid(`Missing required param: ${param}.`, param, 'parameter_missing');
  const subscription = state.subscriptions.need(named.subscription, `${param}[subscription]`);
  if (subscription.customer !== customer) {
    throw missing('subscription', named.subscription, `${param}[subscription]`, 400);
  }
  if (over.includes(subscription.status)) {
    throw invalid('The subscription is canceled.', `${param}[subscription]`);
  }
  return subscription;
}

function requireOneItem(subscription: Subscription): void {
  if (subscription.items.data.length === 1) return;
  throw invalid('This subscription cannot be updated because it has multiple products.');
}

function checkConfirm(
  state: State,
  configuration: PortalConfiguration,
  subscription: Subscription,
  flow: Flow,
): void {
  requireOneItem(subscription);
  const param = 'flow_data[subscription_update_confirm][items]';
  const wanted = flow.subscription_update_confirm?.items ?? [];
  const [first] = wanted;
  const item = subscription.items.data.find((one) => one.id === first?.id);
  if (first === undefined || item === undefined || wanted.length > 1) {
    throw invalid(
      `No such subscription_item: '${first?.id ?? ''}'`,
      `${param}[0][id]`,
      'resource_missing',
    );
  }
  const price =
    first.price === undefined ? item.price : state.prices.need(first.price, `${param}[0][price]`);
  const quantity = first.quantity ?? item.quantity ?? 1;
  if (price.id === item.price.id && quantity === (item.quantity ?? 1)) {
    throw invalid('This subscription update would not change the subscription.', param);
  }
  requireAllowed({ configuration }, item, price, quantity);
}

function wholeFlow(flow: Flow): PortalSession['flow'] {
  const done = flow.after_completion;
  const confirm = flow.subscription_update_confirm;
  return {
    after_completion: {
      hosted_confirmation:
        done?.hosted_confirmation === undefined
          ? null
          : { custom_message: done.hosted_confirmation.custom_message ?? null },
      redirect: done?.redirect ?? null,
      type: done?.type ?? 'portal_homepage',
    },
    customer_update: flow.type === 'customer_update' ? {} : null,
    subscription_cancel:
      flow.subscription_cancel === undefined
        ? null
        : { retention: null, subscription: flow.subscription_cancel.subscription },
    subscription_pause: flow.subscription_pause ?? null,
    subscription_update: flow.subscription_update ?? null,
    subscription_update_confirm:
      confirm === undefined
        ? null
        : {
            discounts: null,
            items: confirm.items.map((item) => ({
              id: item.id,
              price: item.price ?? null,
              ...(item.quantity === undefined ? {} : { quantity: item.quantity }),
            })),
            subscription: confirm.subscription,
          },
    type: flow.type,
  };
}
