/** Sessions of the portal: for whom, what may be done, and where it goes afterwards. */

import type { PortalOutcome, PortalView } from '../contract.ts';
import { invalid } from '../errors.ts';
import type { PortalConfiguration, PortalSession, Price, Subscription } from '../objects.ts';
import { now } from '../state.ts';
import type { State } from '../state.ts';
import { hour } from '../time.ts';
import { over } from './subscription_state.ts';

const lifetime = hour;

export interface Visit {
  session: PortalSession;
  configuration: PortalConfiguration;
}

/** @throws {ApiError} where the link is unknown or too old */
export function visit(state: State, id: string): Visit {
  const session = state.portalSessions.need(id);
  if (session.created + lifetime < now(state, session.customer)) {
    throw invalid('This portal session has expired. Ask for a new link.');
  }
  return { session, configuration: state.portalConfigurations.need(session.configuration) };
}

/** Once what was wanted is done. */
export function outcomeOf({ session }: Visit, requiresAction = false): PortalOutcome {
  const done = session.flow?.after_completion;
  if (requiresAction || done === undefined) {
    return { redirect: null, message: null, requiresAction };
  }
  return {
    redirect: done.type === 'redirect' ? (done.redirect?.return_url ?? null) : null,
    message:
      done.type === 'hosted_confirmation'
        ? (done.hosted_confirmation?.custom_message ?? 'Your changes have been saved.')
        : null,
    requiresAction,
  };
}

export function requireEnabled(enabled: boolean, what: string): void {
  if (!enabled) {
    throw invalid(`The ${what} feature in the portal configuration is disabled.`);
  }
}

/** The one that is named, the flow's, or the only one. @throws {ApiError} */
export function subscriptionFor(
  state: State,
  { session }: Visit,
  named: string | undefined,
): Subscription {
  const { flow } = session;
  const id =
    named ??
    flow?.subscription_cancel?.subscription ??
    flow?.subscription_pause?.subscription ??
    flow?.subscription_update?.subscription ??
    flow?.subscription_update_confirm?.subscription;
  const mine = liveOf(state, session.customer);
  const found = id === undefined && mine.length === 1 ? mine[0] : mine.find((one) => one.id === id);
  if (found === undefined)
    throw invalid('Which subscription is meant is not known.', 'subscription');
  return found;
}

export function liveOf(state: State, customer: string): Subscription[] {
  return state.subscriptions
    .of(customer)
    .toReversed()
    .filter((one) => !over.includes(one.status));
}

export function view(state: State, id: string): PortalView {
  const { session, configuration } = visit(state, id);
  const { customer: customerId } = session;
  const customer = state.customers.need(customerId);
  const product = (price: Price) => state.products.need(price.product);
  const choices = configuration.features.subscription_update.products ?? [];
  return structuredClone({
    session,
    configuration,
    merchant: state.settings.merchant,
    customer,
    subscriptions: liveOf(state, customerId).flatMap((subscription) => {
      const price = subscription.items.data[0]?.price;
      return price === undefined ? [] : [{ subscription, price, product: product(price) }];
    }),
    plans: choices
      .flatMap((one) => one.prices.map((price) => state.prices.get(price)))
      .filter((price) => price !== undefined)
      .map((price) => ({ price, product: product(price) })),
    invoices: configuration.features.invoice_history.enabled
      ? state.invoices
          .newest()
          .filter((one) => one.customer === customerId && one.status !== 'draft')
      : [],
    paymentMethods: state.paymentMethods.newest().filter((one) => one.customer === customerId),
    defaultPaymentMethod: customer.invoice_settings.default_payment_method,
  });
}
