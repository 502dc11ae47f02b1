/** The lines of an invoice: what is charged for which period, and credits and debits of changes. */

import type { InvoiceLineItem, Price, Subscription, SubscriptionItem } from '../objects.ts';
import { newId } from '../state.ts';
import type { State } from '../state.ts';
import { usageOf } from './usage.ts';

export interface Period {
  start: number;
  end: number;
}

export function amountOf(price: Price, quantity: number): number {
  return Math.round(Number(price.unit_amount_decimal ?? price.unit_amount ?? 0) * quantity);
}

export function isMetered(item: SubscriptionItem): boolean {
  return item.price.recurring?.usage_type === 'metered';
}

interface LineOptions {
  amount: number;
  quantity: number;
  period: Period;
  description: string;
  proration?: boolean;
}

export function newLine(
  state: State,
  subscription: Subscription,
  item: SubscriptionItem,
  { amount, quantity, period, description, proration = false }: LineOptions,
): InvoiceLineItem {
  return {
    id: newId(state, 'il'),
    object: 'line_item',
    amount,
    currency: subscription.currency,
    description,
    discount_amounts: [],
    discountable: !proration,
    discounts: [],
    invoice: null,
    livemode: state.livemode,
    metadata: { ...subscription.metadata },
    parent: {
      invoice_item_details: null,
      subscription_item_details: {
        invoice_item: null,
        proration,
        proration_details: { credited_items: null },
        subscription: subscription.id,
        subscription_item: item.id,
      },
      type: 'subscription_item_details',
    },
    period,
    pretax_credit_amounts: [],
    pricing: {
      price_details: { price: item.price.id, product: item.price.product },
      type: 'price_details',
      unit_amount_decimal: item.price.unit_amount_decimal,
    },
    quantity,
    quantity_decimal: String(quantity),
    subscription: subscription.id,
    subtotal: amount,
    taxes: [],
  };
}

/** Charged in advance: a whole period. */
export function periodLine(
  state: State,
  subscription: Subscription,
  item: SubscriptionItem,
  period: Period,
): InvoiceLineItem {
  const quantity = item.quantity ?? 1;
  return newLine(state, subscription, item, {
    amount: amountOf(item.price, quantity),
    quantity,
    period,
    description: `${quantity} × ${nameOf(state, item.price)}${rateOf(item.price)}`,
  });
}

/** Charged afterwards: what was used in a period that is over. */
export function usageLine(
  state: State,
  subscription: Subscription,
  item: SubscriptionItem,
  period: Period,
): InvoiceLineItem {
  const meter = item.price.recurring?.meter ?? '';
  const used = usageOf(state, meter, subscription.customer, period);
  return newLine(state, subscription, item, {
    amount: amountOf(item.price, used),
    quantity: used,
    period,
    description: `${used} × ${nameOf(state, item.price)}${rateOf(item.price)}`,
  });
}

export function trialLine(
  state: State,
  subscription: Subscription,
  item: SubscriptionItem,
  period: Period,
): InvoiceLineItem {
  return newLine(state, subscription, item, {
    amount: 0,
    quantity: item.quantity ?? 1,
    period,
    description: `Free trial for ${item.quantity ?? 1} × ${nameOf(state, item.price)}`,
  });
}

/** Back for the time that is left of what was paid in advance, by the second. */
export function creditLine(
  state: State,
  subscription: Subscription,
  item: SubscriptionItem,
  at: number,
): InvoiceLineItem {
  const quantity = item.quantity ?? 1;
  return newLine(state, subscription, item, {
    amount: -prorated(amountOf(item.price, quantity), item, at),
    quantity,
    period: { start: at, end: item.current_period_end },
    description: `Unused time on ${quantity} × ${nameOf(state, item.price)} after ${dayOf(at)}`,
    proration: true,
  });
}

/** For the time that is left, of what it is changed to. */
export function debitLine(
  state: State,
  subscription: Subscription,
  item: SubscriptionItem,
  at: number,
): InvoiceLineItem {
  const quantity = item.quantity ?? 1;
  return newLine(state, subscription, item, {
    amount: prorated(amountOf(item.price, quantity), item, at),
    quantity,
    period: { start: at, end: item.current_period_end },
    description: `Remaining time on ${quantity} × ${nameOf(state, item.price)} after ${dayOf(at)}`,
    proration: true,
  });
}

function prorated(amount: number, item: SubscriptionItem, at: number): number {
  const length = item.current_period_end - item.current_period_start;
  const left = Math.max(0, item.current_period_end - at);
  return length <= 0 ? 0 : Math.round((amount * left) / length);
}

function nameOf(state: State, price: Price): string {
  return state.products.get(price.product)?.name ?? price.product;
}

function rateOf(price: Price): string {
  const { interval, interval_count: count } = price.recurring ?? {};
  const amount = (Number(price.unit_amount_decimal ?? 0) / 100).toFixed(2);
  const every = count === 1 ? interval : `${count} ${interval}s`;
  return ` (at ${amount} ${price.currency.toUpperCase()} / ${every})`;
}

function dayOf(at: number): string {
  return new Date(at * 1000).toISOString().slice(0, 10);
}
