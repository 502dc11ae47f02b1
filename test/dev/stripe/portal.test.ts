/** What people do in the portal, without its pages. */

import type { Stripe } from 'stripe';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { cards } from '../../../dev/stripe/cards.ts';
import { openMarket } from './market.ts';
import type { Market } from './market.ts';

type Flow = Stripe.BillingPortal.SessionCreateParams.FlowData;
type Update = Stripe.BillingPortal.ConfigurationCreateParams.Features.SubscriptionUpdate;

let market: Market;
let begun: Stripe.Subscription;
beforeEach(async () => {
  market = await openMarket();
  begun = await market.subscribe();
});
afterEach(() => market.close());

async function visit(flow_data?: Flow, configuration?: string): Promise<string> {
  const session = await market.api.billingPortal.sessions.create({
    customer: String(begun.customer),
    return_url: 'https://app.example.com/account',
    ...(flow_data === undefined ? {} : { flow_data }),
    ...(configuration === undefined ? {} : { configuration }),
  });
  expect(session.url).toBe(`${market.simulator.url}/p/session/${session.id}`);
  return session.id;
}

async function configure(more: Partial<Update> = {}): Promise<string> {
  const { month, year } = market.prices;
  const configuration = await market.api.billingPortal.configurations.create({
    features: {
      payment_method_update: { enabled: true },
      invoice_history: { enabled: true },
      subscription_update: {
        enabled: true,
        default_allowed_updates: ['price', 'quantity'],
        products: [{ product: market.product, prices: [month, year] }],
        proration_behavior: 'always_invoice',
        ...more,
      },
    },
  });
  return configuration.id;
}

const read = () => market.api.subscriptions.retrieve(begun.id);
const item = () => begun.items.data[0]?.id ?? '';

function confirm(change: { price?: string; quantity?: number }): Flow {
  return {
    type: 'subscription_update_confirm',
    subscription_update_confirm: { subscription: begun.id, items: [{ id: item(), ...change }] },
    after_completion: {
      type: 'redirect',
      redirect: { return_url: 'https://app.example.com/done' },
    },
  };
}

test('a cancellation is scheduled by cancel_at, and the flag stays false', async () => {
  const { portal } = market.simulator;
  const id = await visit({
    type: 'subscription_cancel',
    subscription_cancel: { subscription: begun.id },
    after_completion: {
      type: 'hosted_confirmation',
      hosted_confirmation: { custom_message: 'Bye.' },
    },
  });
  expect(await portal.cancel(id, { reason: 'unused', comment: 'No time.' })).toEqual({
    redirect: null,
    message: 'Bye.',
    requiresAction: false,
  });
  const ending = await read();
  expect(ending).toMatchObject({
    status: 'active',
    cancel_at: begun.items.data[0]?.current_period_end,
    cancel_at_period_end: false,
    cancellation_details: {
      reason: 'cancellation_requested',
      feedback: 'unused',
      comment: 'No time.',
    },
  });
  await expect(portal.cancel(id)).rejects.toMatchObject({ status: 400 });
  await expect(
    visit({ type: 'subscription_cancel', subscription_cancel: { subscription: begun.id } }),
  ).rejects.toMatchObject({ statusCode: 400 });
  await portal.resume(await visit());
  expect(await read()).toMatchObject({
    cancel_at: null,
    canceled_at: null,
    cancellation_details: { reason: null },
  });
  await portal.cancel(await visit(), { atPeriodEnd: false });
  expect((await read()).status).toBe('canceled');
});

test('a change by link is confirmed, charged, and leads back', async () => {
  const configuration = await configure();
  const id = await visit(confirm({ price: market.prices.year, quantity: 2 }), configuration);
  const view = market.simulator.portal.view(id);
  expect(view.plans.map(({ price }) => price.id)).toEqual([
    market.prices.month,
    market.prices.year,
  ]);
  const change = { price: market.prices.year, quantity: 2 };
  const preview = market.simulator.portal.previewPlan(id, change);
  expect(await market.simulator.portal.updatePlan(id)).toMatchObject({
    redirect: 'https://app.example.com/done',
  });
  const changed = await read();
  expect(changed.items.data).toMatchObject([{ price: { id: market.prices.year }, quantity: 2 }]);
  const invoice = await market.api.invoices.retrieve(String(changed.latest_invoice));
  expect(invoice.status).toBe('paid');
  expect(Math.abs(invoice.total - preview.total)).toBeLessThan(5);
});

test('a card that is refused changes no plan', async () => {
  const configuration = await configure();
  await market.simulator.portal.setCard(await visit(), cards.failsLater);
  const id = await visit(confirm({ price: market.prices.year }), configuration);
  await expect(market.simulator.portal.updatePlan(id)).rejects.toMatchObject({ status: 402 });
  expect((await read()).items.data).toMatchObject([{ price: { id: market.prices.month } }]);
});

test('a smaller plan begins with the next period, where that is set', async () => {
  const configuration = await configure({
    schedule_at_period_end: { conditions: [{ type: 'decreasing_item_amount' }] },
  });
  await market.simulator.portal.updatePlan(await visit(confirm({ quantity: 5 }), configuration));
  await market.simulator.portal.updatePlan(await visit(confirm({ quantity: 2 }), configuration));
  expect((await read()).items.data).toMatchObject([{ quantity: 5 }]);
  await market.advance(32);
  expect((await read()).items.data).toMatchObject([{ quantity: 2 }]);
});

test.each([
  ['ends it', 'end_trial', 'active'],
  ['keeps it', 'continue_trial', 'trialing'],
] as const)('a change during a trial %s', async (_, trial_update_behavior, status) => {
  begun = await market.subscribe(cards.pays, { subscription_data: { trial_period_days: 10 } });
  const configuration = await configure({ trial_update_behavior });
  await market.simulator.portal.updatePlan(
    await visit(confirm({ price: market.prices.year }), configuration),
  );
  expect(await read()).toMatchObject({
    status,
    items: { data: [{ price: { id: market.prices.year } }] },
  });
});

describe('a flow is refused', () => {
  test('that the configuration does not have', async () => {
    await expect(visit(confirm({ quantity: 2 }))).rejects.toMatchObject({ statusCode: 400 });
    await expect(
      visit({ type: 'subscription_pause', subscription_pause: { subscription: begun.id } }),
    ).rejects.toMatchObject({ statusCode: 400 });
  });

  test('that would change nothing, or to what may not be chosen', async () => {
    const configuration = await configure();
    const { month, free } = market.prices;
    await expect(visit(confirm({ price: month }), configuration)).rejects.toMatchObject({
      statusCode: 400,
    });
    await expect(visit(confirm({ price: free }), configuration)).rejects.toMatchObject({
      statusCode: 400,
    });
  });

  test('for a subscription of somebody else, or one that is over', async () => {
    const other = await market.subscribe();
    const cancel = (subscription: string) =>
      visit({ type: 'subscription_cancel', subscription_cancel: { subscription } });
    await expect(cancel(other.id)).rejects.toMatchObject({ code: 'resource_missing' });
    await market.api.subscriptions.cancel(begun.id);
    await expect(cancel(begun.id)).rejects.toMatchObject({ statusCode: 400 });
  });

  test('with a word that Stripe does not know', async () => {
    const flow = JSON.parse('{"type":"subscription_cancel","subscription":"sub_1"}');
    await expect(visit(flow)).rejects.toMatchObject({
      code: 'parameter_unknown',
      param: 'flow_data[subscription]',
    });
  });
});

test('a new card is the customer’s and the subscription’s, and pays what is open', async () => {
  const { portal } = market.simulator;
  await portal.setCard(await visit(), cards.failsLater);
  await market.advance(31.1);
  await expect(portal.payInvoice(await visit())).rejects.toMatchObject({ status: 402 });
  await expect(portal.setCard(await visit(), cards.declined)).rejects.toMatchObject({
    status: 402,
  });
  const id = await visit({ type: 'payment_method_update' });
  await portal.setCard(id, cards.pays);
  const view = portal.view(id);
  expect(view.defaultPaymentMethod).toBe(
    view.subscriptions[0]?.subscription.default_payment_method,
  );
  expect(view.invoices[0]).toMatchObject({ status: 'open', customer: begun.customer });
  await portal.payInvoice(id);
  expect((await read()).status).toBe('active');
  await expect(portal.payInvoice(id)).rejects.toMatchObject({ status: 400 });
});

test('an invoice is paid on its own page, by whoever has the link', async () => {
  await market.simulator.portal.setCard(await visit(), cards.failsLater);
  await market.advance(31.1);
  const { latest_invoice: id } = await read();
  const { hosted_invoice_url: url } = await market.api.invoices.retrieve(String(id));
  expect(url).toBe(`${market.simulator.url}/p/invoice/${String(id)}`);
  const { hostedInvoice } = market.simulator;
  await expect(hostedInvoice.pay(String(id))).rejects.toMatchObject({ status: 402 });
  await hostedInvoice.pay(String(id), { card: cards.pays });
  expect(hostedInvoice.view(String(id)).status).toBe('paid');
});

test('a pause, where that is set, and its end', async () => {
  const configuration = await market.api.billingPortal.configurations.create({
    features: { subscription_pause: { enabled: true } },
  });
  const pause: Flow = {
    type: 'subscription_pause',
    subscription_pause: { subscription: begun.id },
  };
  await market.simulator.portal.pause(await visit(pause, configuration.id));
  expect((await read()).status).toBe('paused');
  await market.simulator.portal.resume(await visit());
  expect((await read()).status).toBe('active');
});

test('a link is good for an hour', async () => {
  const id = await visit();
  expect(market.simulator.portal.view(id).customer.id).toBe(begun.customer);
  expect(await market.simulator.portal.leave(id)).toEqual({
    redirect: 'https://app.example.com/account',
  });
  await market.advance(1);
  expect(() => market.simulator.portal.view(id)).toThrow(/expired/);
  await expect(market.simulator.portal.cancel(id)).rejects.toMatchObject({ status: 400 });
});

test('a customer’s name and address are changed', async () => {
  await market.simulator.portal.updateCustomer(await visit(), {
    name: 'Ann',
    email: 'a@example.org',
  });
  const customer = await market.api.customers.retrieve(String(begun.customer));
  expect(customer).toMatchObject({ name: 'Ann', email: 'a@example.org' });
});

test('a refund and a dispute are told, and leave the subscription as it is', async () => {
  const part = await market.simulator.refund(begun.id, 500);
  const charge = await market.api.charges.retrieve(String(part.charge), { expand: ['refunds'] });
  expect(charge).toMatchObject({
    amount_refunded: 500,
    refunded: false,
    refunds: { data: [{ id: part.id }] },
  });
  await market.api.refunds.create({ charge: charge.id });
  await expect(market.api.refunds.create({ charge: charge.id })).rejects.toMatchObject({
    code: 'charge_already_refunded',
  });
  const dispute = await market.simulator.dispute(begun.id, { reason: 'fraudulent' });
  expect(await market.api.disputes.retrieve(dispute.id)).toMatchObject({
    charge: charge.id,
    reason: 'fraudulent',
  });
  // From the charge back to the subscription, as whoever hears of a dispute has to go.
  const { data } = await market.api.invoicePayments.list({
    payment: { type: 'payment_intent', payment_intent: String(charge.payment_intent) },
    expand: ['data.invoice'],
  });
  expect(data).toMatchObject([
    { invoice: { parent: { subscription_details: { subscription: begun.id } } } },
  ]);
  expect((await read()).status).toBe('active');
  const types = market.simulator.objects.events().map((event) => event.type);
  expect(types.filter((type) => type.startsWith('charge.'))).toEqual([
    'charge.succeeded',
    'charge.refunded',
    'charge.refunded',
    'charge.dispute.created',
  ]);
});
