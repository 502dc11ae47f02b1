/** `/v1/customers` */

import type Stripe from 'stripe';
import { z } from 'zod';
import { cancelNow } from '../engine/cancellation.ts';
import { change, emit } from '../engine/events.ts';
import { newCustomer } from '../engine/new_customer.ts';
import { invalid, missing } from '../errors.ts';
import type { Customer } from '../objects.ts';
import {
  address,
  choice,
  emptyable,
  group,
  list,
  metadata,
  paging,
  parameters,
  range,
  text,
} from '../parameters.ts';
import { now } from '../state.ts';
import type { State } from '../state.ts';
import { mergeMetadata, page, route, within } from './route.ts';
import type { Route } from './route.ts';
import { searchQuery } from './search.ts';

const changeable = {
  address: emptyable(address).optional(),
  description: emptyable(text).optional(),
  email: emptyable(z.string().max(512)).optional(),
  invoice_settings: group({ default_payment_method: emptyable(text).optional() }).optional(),
  metadata: metadata.optional(),
  name: emptyable(z.string().max(256)).optional(),
  phone: emptyable(z.string().max(20)).optional(),
  preferred_locales: list(text).optional(),
  tax_exempt: emptyable(choice('none', 'exempt', 'reverse')).optional(),
};

const creating = parameters<Stripe.CustomerCreateParams>()({
  ...changeable,
  payment_method: text.optional(),
  test_clock: text.optional(),
});
const updating = parameters<Stripe.CustomerUpdateParams>()(changeable);
const listing = parameters<Stripe.CustomerListParams>()({
  ...paging,
  created: range.optional(),
  email: text.optional(),
  test_clock: text.optional(),
});
const searching = parameters<Stripe.CustomerSearchParams>()({
  query: text,
  limit: paging.limit,
  page: text.optional(),
});
const nothing = parameters<Stripe.CustomerRetrieveParams>()({});

export const customerRoutes: Route[] = [
  route('POST', '/v1/customers', creating, create),
  route('GET', '/v1/customers', listing, (state, given) => {
    const rows = state.customers
      .newest()
      .filter(
        (one) =>
          (given.email === undefined || one.email === given.email) &&
          (given.test_clock === undefined
            ? (one.test_clock ?? null) === null
            : one.test_clock === given.test_clock) &&
          within(one.created, given.created),
      );
    return page(rows, given, '/v1/customers');
  }),
  route('GET', '/v1/customers/search', searching, (state, given) => {
    const matches = searchQuery(given.query);
    const rows = state.customers.newest().filter(matches);
    const from = given.page === undefined ? 0 : Number(given.page);
    const limit = given.limit ?? 10;
    const more = rows.length > from + limit;
    return {
      object: 'search_result',
      data: rows.slice(from, from + limit),
      has_more: more,
      next_page: more ? String(from + limit) : null,
      url: '/v1/customers/search',
    };
  }),
  route('GET', '/v1/customers/:id', nothing, (state, _, id) =>
    state.deletedCustomers.has(id) ? deleted(id) : state.customers.need(id),
  ),
  route('POST', '/v1/customers/:id', updating, (state, given, id) => {
    if (state.deletedCustomers.has(id)) throw missing('customer', id);
    const customer = state.customers.need(id);
    const method = given.invoice_settings?.default_payment_method;
    if (typeof method === 'string') needAttached(state, customer, method);
    change(state, 'customer.updated', customer, id, () => assign(customer, given));
    return customer;
  }),
  route('DELETE', '/v1/customers/:id', nothing, (state, _, id) => {
    const customer = state.customers.need(id);
    for (const subscription of state.subscriptions.all()) {
      const over = ['canceled', 'incomplete_expired'].includes(subscription.status);
      if (subscription.customer === id && !over) {
        cancelNow(state, subscription, { reason: 'cancellation_requested' });
      }
    }
    emit(state, 'customer.deleted', customer, { customer: id });
    state.customers.remove(id);
    state.deletedCustomers.add(id);
    return deleted(id);
  }),
];

function deleted(id: string): object {
  return { id, object: 'customer', deleted: true };
}

function create(state: State, given: z.infer<typeof creating>): Customer {
  const clock = given.test_clock;
  const frozen = clock === undefined ? undefined : state.testClocks.need(clock, 'test_clock');
  const customer = newCustomer(state, {
    created: frozen?.frozen_time ?? now(state),
    test_clock: clock ?? null,
  });
  if (given.payment_method !== undefined) {
    const method = state.paymentMethods.need(given.payment_method, 'payment_method');
    if (method.customer !== null)
      throw invalid('The payment method is attached already.', 'payment_method');
    method.customer = customer.id;
  }
  const preferred = given.invoice_settings?.default_payment_method;
  if (typeof preferred === 'string') needAttached(state, customer, preferred);
  assign(customer, given);
  state.customers.add(customer);
  emit(state, 'customer.created', customer, { customer: customer.id });
  return customer;
}

function needAttached(state: State, customer: Customer, methodId: string): void {
  const param = 'invoice_settings[default_payment_method]';
  if (state.paymentMethods.need(methodId, param).customer !== customer.id) {
    throw invalid('The payment method must be attached to this customer.', param);
  }
}

function assign(customer: Customer, given: z.infer<typeof updating>): void {
  const { address, invoice_settings, metadata } = given;
  if (address !== undefined) {
    customer.address =
      address === null
        ? null
        : {
            city: address.city ?? null,
            country: address.country ?? null,
            line1: address.line1 ?? null,
            line2: address.line2 ?? null,
            postal_code: address.postal_code ?? null,
            state: address.state ?? null,
          };
  }
  if (given.description !== undefined) customer.description = given.description;
  if (given.email !== undefined) customer.email = given.email;
  if (given.name !== undefined) customer.name = given.name;
  if (given.phone !== undefined) customer.phone = given.phone;
  if (given.preferred_locales !== undefined) customer.preferred_locales = given.preferred_locales;
  if (given.tax_exempt !== undefined) customer.tax_exempt = given.tax_exempt ?? 'none';
  if (invoice_settings?.default_payment_method !== undefined) {
    customer.invoice_settings.default_payment_method = invoice_settings.default_payment_method;
  }
  customer.metadata = mergeMetadata(customer.metadata, metadata);
}
