/** Puts whole objects in the place of ids: `expand[]=data.items.data.price.product`. */

import { invalid } from '../errors.ts';
import type { State } from '../state.ts';

const maxDepth = 4;

/** @returns a copy. @throws {ApiError} where a name cannot be expanded */
export function expand(state: State, object: object, paths: readonly string[]): object {
  const copy = structuredClone(object);
  for (const path of paths) {
    const names = path.split('.');
    // `data` of lists does not count.
    if (names.filter((name) => name !== 'data').length > maxDepth) {
      throw invalid(
        `You cannot expand more than ${maxDepth} levels of a property.`,
        'expand',
        'property_expansion_max_depth',
      );
    }
    descend(state, copy, names, path);
  }
  return copy;
}

function descend(state: State, at: object, names: readonly string[], path: string): void {
  const [name, ...rest] = names;
  if (name === undefined) return;
  const value: unknown = Reflect.get(at, name) ?? included(state, at, name);
  if (value === undefined) {
    throw invalid(`This property cannot be expanded (${path}).`, 'expand');
  }
  if (Array.isArray(value)) {
    const found = value.map((one: unknown) => objectOf(state, name, one) ?? one);
    Reflect.set(at, name, found);
    for (const one of found) {
      if (typeof one === 'object' && one !== null) descend(state, one, rest, path);
    }
    return;
  }
  if (value === null) return;
  const whole = objectOf(state, name, value);
  if (whole === undefined) {
    throw invalid(`This property cannot be expanded (${path}).`, 'expand');
  }
  Reflect.set(at, name, whole);
  descend(state, whole, rest, path);
}

function objectOf(state: State, name: string, value: unknown): object | undefined {
  if (typeof value === 'object' && value !== null) return value;
  if (typeof value !== 'string') return undefined;
  if (name === 'customer' && state.deletedCustomers.has(value)) {
    return { id: value, object: 'customer', deleted: true };
  }
  const found = tableOf(state, name)?.get(value);
  return found === undefined ? undefined : structuredClone(found);
}

function tableOf(state: State, name: string): { get(id: string): object | undefined } | undefined {
  switch (name) {
    case 'charge':
    case 'latest_charge':
      return state.charges;
    case 'configuration':
      return state.portalConfigurations;
    case 'coupon':
      return state.coupons;
    case 'customer':
      return state.customers;
    case 'default_payment_method':
    case 'payment_method':
      return state.paymentMethods;
    case 'default_price':
    case 'price':
      return state.prices;
    case 'discount':
    case 'discounts':
      return state.discounts;
    case 'feature':
      return state.features;
    case 'invoice':
    case 'latest_invoice':
      return state.invoices;
    case 'payment_intent':
      return state.paymentIntents;
    case 'product':
      return state.products;
    case 'promotion_code':
      return state.promotionCodes;
    case 'subscription':
      return state.subscriptions;
    case 'test_clock':
      return state.testClocks;
    default:
      return undefined;
  }
}

/** What an object has only where it is asked for. */
function included(state: State, at: object, name: string): object | undefined {
  const kind: unknown = Reflect.get(at, 'object');
  const id: unknown = Reflect.get(at, 'id');
  if (typeof id !== 'string') return undefined;
  switch (`${String(kind)} ${name}`) {
    case 'customer subscriptions':
      return listOf(
        state.subscriptions
          .newest()
          .filter(
            (one) =>
              one.customer === id && !['canceled', 'incomplete_expired'].includes(one.status),
          ),
        `/v1/customers/${id}/subscriptions`,
      );
    case 'customer tax_ids':
      return listOf([], `/v1/customers/${id}/tax_ids`);
    case 'invoice payments':
      return listOf(state.invoicePayments.of(id), `/v1/invoice_payments?invoice=${id}`);
    case 'invoice confirmation_secret':
      return confirmationSecret(state, id);
    case 'checkout.session line_items':
      return listOf(
        state.checkoutWork.get(id)?.lines ?? [],
        `/v1/checkout/sessions/${id}/line_items`,
      );
    case 'charge refunds':
      return listOf(
        state.refunds.newest().filter((one) => one.charge === id),
        `/v1/charges/${id}/refunds`,
      );
    case 'product default_price':
      return undefined;
    default:
      return undefined;
  }
}

function listOf(rows: readonly object[], url: string): object {
  return structuredClone({
    object: 'list',
    data: rows.slice(0, 10),
    has_more: rows.length > 10,
    url,
  });
}

function confirmationSecret(state: State, invoiceId: string): object | undefined {
  const payment = state.invoicePayments.of(invoiceId)[0];
  const intent = state.paymentIntents.get(payment?.payment.payment_intent ?? '');
  const secret = intent?.client_secret ?? undefined;
  return secret === undefined ? undefined : { client_secret: secret, type: 'payment_intent' };
}
