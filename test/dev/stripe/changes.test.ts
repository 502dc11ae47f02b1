/** Changes of plan and quantity, what they cost, and coupons. */

import type { Stripe } from 'stripe';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { cards } from '../../../dev/stripe/cards.ts';
import { day, openMarket } from './market.ts';
import type { Market } from './market.ts';

let market: Market;
beforeEach(async () => {
  market = await openMarket({ clock: () => Date.UTC(2026, 0, 1) });
});
afterEach(() => market.close());

function itemOf(subscription: Stripe.Subscription): Stripe.SubscriptionItem {
  const [item] = subscription.items.data;
  if (item === undefined) throw new Error('no item');
  return item;
}

async function invoiceOf(subscription: Stripe.Subscription): Promise<Stripe.Invoice> {
  return market.api.invoices.retrieve(String(subscription.latest_invoice));
}

test('more seats in the middle of a month: half of it, on the next invoice', async () => {
  const begun = await market.subscribe();
  // January has 31 days.
  await market.advance(15.5);
  const changed = await market.api.subscriptions.update(begun.id, {
    items: [{ id: itemOf(begun).id, quantity: 3 }],
  });
  expect(itemOf(changed)).toMatchObject({ quantity: 3, price: { id: market.prices.month } });
  expect(changed.latest_invoice).toBe(begun.latest_invoice);
  await market.advance(15.6);
  const invoice = await invoiceOf(await market.api.subscriptions.retrieve(begun.id));
  expect(invoice.lines.data.map(({ amount }) => amount)).toEqual([-1000, 3000, 6000]);
  expect(invoice).toMatchObject({ status: 'paid', total: 8000, amount_paid: 8000 });
});

test('the same, invoiced at once', async () => {
  const begun = await market.subscribe();
  await market.advance(15.5);
  const changed = await market.api.subscriptions.update(begun.id, {
    items: [{ id: itemOf(begun).id, quantity: 3 }],
    proration_behavior: 'always_invoice',
  });
  expect(await invoiceOf(changed)).toMatchObject({
    status: 'paid',
    total: 2000,
    billing_reason: 'subscription_update',
  });
});

test('from month to year begins a year now, less what is left of the month', async () => {
  const begun = await market.subscribe();
  await market.advance(15.5);
  const changed = await market.api.subscriptions.update(begun.id, {
    items: [{ id: itemOf(begun).id, price: market.prices.year }],
  });
  const item = itemOf(changed);
  expect(item.current_period_end - item.current_period_start).toBe(365 * day);
  expect(changed.billing_cycle_anchor).toBe(item.current_period_start);
  expect(await invoiceOf(changed)).toMatchObject({ status: 'paid', total: 20_000 - 1000 });
});

test('a preview says what the change then costs, and changes nothing', async () => {
  const begun = await market.subscribe();
  await market.advance(15.5);
  const proration_date = Math.floor(market.simulator.now() / 1000);
  const items = [{ id: itemOf(begun).id, price: market.prices.year }];
  const preview = await market.api.invoices.createPreview({
    subscription: begun.id,
    subscription_details: { items, proration_behavior: 'always_invoice', proration_date },
  });
  expect(preview).toMatchObject({ total: 19_000, status: 'draft' });
  expect(
    preview.lines.data.map((line) => line.parent?.subscription_item_details?.proration),
  ).toEqual([true, false]);
  expect(await market.api.subscriptions.retrieve(begun.id)).toMatchObject({
    latest_invoice: begun.latest_invoice,
  });
  expect((await market.api.invoices.list({ subscription: begun.id })).data).toHaveLength(1);
  const changed = await market.api.subscriptions.update(begun.id, {
    items,
    proration_behavior: 'always_invoice',
    proration_date,
  });
  expect(await invoiceOf(changed)).toMatchObject({ total: preview.total });
});

test('a preview without a change is the next period', async () => {
  const begun = await market.subscribe();
  const preview = await market.api.invoices.createPreview({ subscription: begun.id });
  expect(preview).toMatchObject({ total: 2000, billing_reason: 'upcoming' });
  expect(preview.lines.data[0]?.period.start).toBe(itemOf(begun).current_period_end);
});

test('a change that is refused leaves all as it was', async () => {
  const begun = await market.subscribe();
  const { id } = await market.api.billingPortal.sessions.create({
    customer: String(begun.customer),
  });
  await market.simulator.portal.setCard(id, cards.failsLater);
  const items = [{ id: itemOf(begun).id, price: market.prices.year }];
  await expect(
    market.api.subscriptions.update(begun.id, { items, payment_behavior: 'error_if_incomplete' }),
  ).rejects.toMatchObject({ statusCode: 402 });
  const after = await market.api.subscriptions.retrieve(begun.id);
  expect(itemOf(after).price.id).toBe(market.prices.month);
  // And without that word it is changed, and past due.
  const changed = await market.api.subscriptions.update(begun.id, { items });
  expect(changed).toMatchObject({ status: 'past_due' });
  expect(itemOf(changed).price.id).toBe(market.prices.year);
});

test('a downgrade leaves credit, which pays the next invoice', async () => {
  const begun = await market.subscribe(cards.pays, {
    line_items: [{ price: market.prices.month, quantity: 10 }],
  });
  const changed = await market.api.subscriptions.update(begun.id, {
    items: [{ id: itemOf(begun).id, quantity: 1 }],
    proration_behavior: 'always_invoice',
  });
  expect(await invoiceOf(changed)).toMatchObject({ status: 'paid', total: -18_000, amount_due: 0 });
  const customer = await market.api.customers.retrieve(String(begun.customer));
  expect(customer).toMatchObject({ balance: -18_000 });
  await market.advance(31.1);
  const renewed = await market.api.subscriptions.retrieve(begun.id);
  expect(await invoiceOf(renewed)).toMatchObject({ status: 'paid', total: 2000, amount_paid: 0 });
  expect(await market.api.customers.retrieve(String(begun.customer))).toMatchObject({
    balance: -16_000,
  });
});

test('items are added and taken away', async () => {
  const begun = await market.subscribe();
  const both = await market.api.subscriptions.update(begun.id, {
    items: [{ price: market.prices.metered }],
  });
  expect(both.items.data.map((item) => item.price.id)).toEqual([
    market.prices.month,
    market.prices.metered,
  ]);
  expect(both.items.data[1]).not.toHaveProperty('quantity');
  const one = await market.api.subscriptions.update(begun.id, {
    items: [{ id: both.items.data[1]?.id ?? '', deleted: true }],
  });
  expect(one.items.data).toHaveLength(1);
  await expect(
    market.api.subscriptions.update(begun.id, { items: [{ id: itemOf(one).id, deleted: true }] }),
  ).rejects.toMatchObject({ statusCode: 400 });
});

test('what was used is billed when the period is over', async () => {
  const begun = await market.subscribe(cards.pays, {
    line_items: [{ price: market.prices.metered }],
  });
  expect(begun.status).toBe('active');
  const payload = { stripe_customer_id: String(begun.customer), value: '40' };
  await market.api.billing.meterEvents.create({ event_name: 'requests', payload });
  await market.advance(1);
  await market.api.billing.meterEvents.create({ event_name: 'requests', payload, identifier: 'a' });
  await expect(
    market.api.billing.meterEvents.create({ event_name: 'requests', payload, identifier: 'a' }),
  ).rejects.toMatchObject({ statusCode: 400, param: 'identifier' });
  const summaries = await market.api.billing.meters.listEventSummaries(market.meter, {
    customer: String(begun.customer),
    start_time: begun.created,
    end_time: begun.created + 2 * day,
  });
  expect(summaries.data).toMatchObject([{ aggregated_value: 80 }]);
  await market.advance(31);
  const renewed = await market.api.subscriptions.retrieve(begun.id);
  expect(await invoiceOf(renewed)).toMatchObject({ total: 240, status: 'paid' });
});

test('coupons take off what they say, for as long as they say', async () => {
  const once = await market.api.coupons.create({ percent_off: 50, duration: 'once' });
  const months = await market.api.coupons.create({
    amount_off: 300,
    currency: 'usd',
    duration: 'repeating',
    duration_in_months: 2,
  });
  const first = await market.subscribe(cards.pays, { discounts: [{ coupon: once.id }] });
  const second = await market.subscribe(cards.pays, { discounts: [{ coupon: months.id }] });
  expect(await invoiceOf(first)).toMatchObject({
    subtotal: 2000,
    total: 1000,
    total_discount_amounts: [{ amount: 1000 }],
  });
  expect(await invoiceOf(second)).toMatchObject({ total: 1700 });
  await market.advance(31.1);
  const totals = async () => {
    const invoices = await Promise.all(
      [first, second].map(async ({ id }) => invoiceOf(await market.api.subscriptions.retrieve(id))),
    );
    return invoices.map(({ total }) => total);
  };
  expect(await totals()).toEqual([2000, 1700]);
  await market.advance(31);
  expect(await totals()).toEqual([2000, 2000]);
});
