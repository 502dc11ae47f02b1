/** `/v1/payment_intents`, `/v1/charges`, `/v1/refunds`, `/v1/disputes` and `/v1/payment_methods` */

import type Stripe from 'stripe';
import { attach, newMethod } from '../engine/methods.ts';
import { chargeOf, refundCharge } from '../engine/reversals.ts';
import { emit } from '../engine/events.ts';
import { invalid } from '../errors.ts';
import { choice, int, metadata, paging, parameters, range, text } from '../parameters.ts';
import { mergeMetadata, page, route, within } from './route.ts';
import type { Route } from './route.ts';

const nothing = parameters<Stripe.ChargeRetrieveParams>()({});
const listing = parameters<Stripe.ChargeListParams>()({
  ...paging,
  created: range.optional(),
  customer: text.optional(),
  payment_intent: text.optional(),
});
const listingIntents = parameters<Stripe.PaymentIntentListParams>()({
  ...paging,
  created: range.optional(),
  customer: text.optional(),
});
const refunding = parameters<Stripe.RefundCreateParams>()({
  amount: int.optional(),
  charge: text.optional(),
  metadata: metadata.optional(),
  payment_intent: text.optional(),
  reason: choice('duplicate', 'fraudulent', 'requested_by_customer').optional(),
});
const listingOfCharge = parameters<Stripe.RefundListParams>()({
  ...paging,
  charge: text.optional(),
  created: range.optional(),
  payment_intent: text.optional(),
});
const listingMethods = parameters<Stripe.PaymentMethodListParams>()({
  ...paging,
  customer: text.optional(),
  type: choice('card', 'sepa_debit').optional(),
});
const attaching = parameters<Stripe.PaymentMethodAttachParams>()({ customer: text });

export const paymentRoutes: Route[] = [
  route('GET', '/v1/payment_intents', listingIntents, (state, given) =>
    page(
      state.paymentIntents
        .newest()
        .filter(
          (one) =>
            (given.customer === undefined || one.customer === given.customer) &&
            within(one.created, given.created),
        ),
      given,
      '/v1/payment_intents',
    ),
  ),
  route('GET', '/v1/payment_intents/:id', nothing, (state, _, id) => state.paymentIntents.need(id)),
  route('GET', '/v1/charges', listing, (state, given) =>
    page(
      state.charges
        .newest()
        .filter(
          (one) =>
            (given.customer === undefined || one.customer === given.customer) &&
            (given.payment_intent === undefined || one.payment_intent === given.payment_intent) &&
            within(one.created, given.created),
        ),
      given,
      '/v1/charges',
    ),
  ),
  route('GET', '/v1/charges/:id', nothing, (state, _, id) => state.charges.need(id)),
  route('POST', '/v1/refunds', refunding, (state, given) => {
    const of = given.charge ?? given.payment_intent;
    if (of === undefined) {
      throw invalid(
        'One of the following params should be provided for this request: payment_intent or charge.',
        'charge',
      );
    }
    return refundCharge(state, chargeOf(state, of), {
      amount: given.amount,
      reason: given.reason,
      metadata: mergeMetadata({}, given.metadata),
    });
  }),
  route('GET', '/v1/refunds', listingOfCharge, (state, given) =>
    page(
      state.refunds
        .newest()
        .filter(
          (one) =>
            (given.charge === undefined || one.charge === given.charge) &&
            (given.payment_intent === undefined || one.payment_intent === given.payment_intent),
        ),
      given,
      '/v1/refunds',
    ),
  ),
  route('GET', '/v1/refunds/:id', nothing, (state, _, id) => state.refunds.need(id)),
  route('GET', '/v1/disputes', listingOfCharge, (state, given) =>
    page(
      state.disputes
        .newest()
        .filter((one) => given.charge === undefined || one.charge === given.charge),
      given,
      '/v1/disputes',
    ),
  ),
  route('GET', '/v1/disputes/:id', nothing, (state, _, id) => state.disputes.need(id)),
  route('GET', '/v1/payment_methods', listingMethods, (state, given) =>
    page(
      state.paymentMethods
        .newest()
        .filter(
          (one) =>
            one.customer !== null &&
            (given.customer === undefined || one.customer === given.customer) &&
            (given.type === undefined || one.type === given.type),
        ),
      given,
      '/v1/payment_methods',
    ),
  ),
  route('GET', '/v1/customers/:id/payment_methods', listingMethods, (state, given, id) =>
    page(
      state.paymentMethods
        .newest()
        .filter(
          (one) => one.customer === id && (given.type === undefined || one.type === given.type),
        ),
      given,
      `/v1/customers/${id}/payment_methods`,
    ),
  ),
  route('GET', '/v1/payment_methods/:id', nothing, (state, _, id) => state.paymentMethods.need(id)),
  route('POST', '/v1/payment_methods/:id/attach', attaching, (state, given, id) => {
    const customer = state.customers.need(given.customer, 'customer');
    // Stripe's ready-made ones, such as `pm_card_visa`, become a method of their own each time.
    const number = readyMade[id];
    const method =
      number === undefined ? state.paymentMethods.need(id) : newMethod(state, { card: number });
    attach(state, method, customer);
    return method;
  }),
  route('POST', '/v1/payment_methods/:id/detach', nothing, (state, _, id) => {
    const method = state.paymentMethods.need(id);
    const { customer } = method;
    if (customer === null) throw invalid('The payment method is not attached to a customer.');
    method.customer = null;
    const owner = state.customers.get(customer);
    if (owner?.invoice_settings.default_payment_method === id) {
      owner.invoice_settings.default_payment_method = null;
    }
    emit(state, 'payment_method.detached', method, { customer });
    return method;
  }),
];

const readyMade: Record<string, string> = {
  pm_card_visa: '4242424242424242',
  pm_card_chargeCustomerFail: '4000000000000341',
  pm_card_authenticationRequired: '4000002760003184',
};
