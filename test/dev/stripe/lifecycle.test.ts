/** The life of a subscription in the simulator, as Stripe's library sees it. */

import type { Stripe } from 'stripe';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { cards } from '../../../dev/stripe/cards.ts';
import { day, openMarket } from './market.ts';
import type { Market } from './market.ts';

let market: Market;
beforeEach(async () => {
  market = await openMarket();
});
afterEach(() => market.close());

const read = (subscription: { id: string }) =>
  market.api.subscriptions.retrieve(subscription.id, { expand: ['latest_invoice'] });

async function invoicesOf({ id }: { id: string }): Promise<Stripe.Invoice[]> {
  return (await market.api.invoices.list({ subscription: id })).data;
}

function itemOf(subscription: Stripe.Subscription): Stripe.SubscriptionItem {
  const [item] = subscription.items.data;
  if (item === undefined) throw new Error('no item');
  return item;
}

/** A card for what comes, by the portal. */
async function giveCard({ customer }: Stripe.Subscription, card: string): Promise<void> {
  const { id } = await market.api.billingPortal.sessions.create({ customer: String(customer) });
  await market.simulator.portal.setCard(id, card);
}

describe('a trial', () => {
  const trial = { subscription_data: { trial_period_days: 14 } };

  test('is announced three days before its end, and becomes a paid subscription', async () => {
    const begun = await market.subscribe(cards.pays, trial);
    expect(begun.status).toBe('trialing');
    expect(begun.trial_end).toBe(begun.created + 14 * day);
    expect(itemOf(begun).current_period_end).toBe(begun.trial_end);
    await market.advance(10.9);
    expect(market.told(begun.id)).not.toContain('customer.subscription.trial_will_end');
    await market.advance(0.2);
    expect(market.told(begun.id)).toContain('customer.subscription.trial_will_end');
    await market.advance(2.91);
    // As at Stripe: active at once, and the invoice is a draft for an hour.
    const active = await read(begun);
    expect(active.status).toBe('active');
    expect(active.latest_invoice).toMatchObject({ status: 'draft', amount_due: 2000 });
    await market.advance(1 / 24);
    expect((await read(begun)).latest_invoice).toMatchObject({
      status: 'paid',
      billing_reason: 'subscription_cycle',
    });
  });

  test.each([
    ['cancel', 'canceled'],
    ['pause', 'paused'],
    ['create_invoice', 'active'],
  ] as const)('without a card and with %s is %s afterwards', async (behavior, status) => {
    const begun = await market.api.subscriptions.create({
      customer: await market.customer(),
      items: [{ price: market.prices.month }],
      trial_period_days: 14,
      trial_settings: { end_behavior: { missing_payment_method: behavior } },
    });
    await market.advance(14);
    const after = await read(begun);
    expect(after.status).toBe(status);
    const why = after.status_details?.paused.subscription.type;
    expect(why).toBe(status === 'paused' ? 'trial_end_without_payment_method' : undefined);
    await market.advance(0.1);
    expect((await read(begun)).status).toBe(behavior === 'create_invoice' ? 'past_due' : status);
  });

  test('that ends early is announced in the same moment, and paid', async () => {
    const begun = await market.subscribe(cards.pays, trial);
    const after = await market.api.subscriptions.update(begun.id, { trial_end: 'now' });
    expect(after.status).toBe('active');
    expect(itemOf(after).current_period_end).toBeGreaterThan(after.created + 27 * day);
    expect(market.told(begun.id)).toContain('customer.subscription.trial_will_end');
    expect((await read(begun)).latest_invoice).toMatchObject({ status: 'paid', amount_paid: 2000 });
  });
});

test('a renewal makes an invoice, charges it after an hour, and moves the period of the item', async () => {
  const begun = await market.subscribe();
  const end = itemOf(begun).current_period_end;
  await market.simulator.advance((end - begun.created - 6 * day) * 1000);
  expect(market.told(begun.id)).toContain('invoice.upcoming');
  await market.advance(6);
  const renewed = await read(begun);
  expect(itemOf(renewed).current_period_start).toBe(end);
  expect(renewed.latest_invoice).toMatchObject({ status: 'draft', auto_advance: true });
  await market.advance(1 / 24);
  const [latest, first] = await invoicesOf(begun);
  expect(latest).toMatchObject({
    status: 'paid',
    billing_reason: 'subscription_cycle',
    parent: { subscription_details: { subscription: begun.id } },
  });
  expect(first).toMatchObject({ status: 'paid', billing_reason: 'subscription_create' });
  expect(market.told(begun.id).slice(-6)).toEqual([
    'invoice.created',
    'customer.subscription.updated',
    'invoice.finalized',
    'invoice.updated',
    'invoice.paid',
    'invoice.payment_succeeded',
  ]);
});

test('an event says what a renewal has changed', async () => {
  const begun = await market.subscribe();
  await market.advance(32);
  const { data } = await market.api.events.list({ type: 'customer.subscription.updated' });
  const [event] = data;
  expect(event?.data.previous_attributes).toMatchObject({
    latest_invoice: begun.latest_invoice,
    items: { data: [{ current_period_end: itemOf(begun).current_period_end }] },
  });
  expect(event?.data.previous_attributes).not.toHaveProperty('status');
});

describe('a payment that fails', () => {
  async function failing(): Promise<Stripe.Subscription> {
    const begun = await market.subscribe();
    await giveCard(begun, cards.failsLater);
    await market.advance(31.1);
    return read(begun);
  }

  test('makes it past due, and is tried again by the schedule', async () => {
    const due = await failing();
    expect(due.status).toBe('past_due');
    expect(due.latest_invoice).toMatchObject({ status: 'open', attempt_count: 1 });
    const customer = await market.api.customers.retrieve(String(due.customer));
    expect(customer).toMatchObject({ delinquent: true });
    await market.advance(3);
    expect((await read(due)).latest_invoice).toMatchObject({ attempt_count: 2 });
    await market.advance(5);
    expect((await read(due)).latest_invoice).toMatchObject({ attempt_count: 3 });
    expect(market.told(due.id).filter((type) => type === 'invoice.payment_failed')).toHaveLength(3);
  });

  test('recovers with the next attempt once there is a good card', async () => {
    const due = await failing();
    await giveCard(due, cards.pays);
    await market.advance(3);
    const after = await read(due);
    expect(after.status).toBe('active');
    expect(after.latest_invoice).toMatchObject({ status: 'paid', attempt_count: 2 });
    const customer = await market.api.customers.retrieve(String(due.customer));
    expect(customer).toMatchObject({ delinquent: false });
  });

  test('is refused again by hand, which is no attempt of the schedule, and then paid', async () => {
    const due = await failing();
    const invoice = String((due.latest_invoice as Stripe.Invoice).id);
    await expect(market.api.invoices.pay(invoice)).rejects.toMatchObject({
      type: 'StripeCardError',
      code: 'card_declined',
      statusCode: 402,
    });
    expect((await read(due)).latest_invoice).toMatchObject({ attempt_count: 1 });
    await giveCard(due, cards.pays);
    expect((await market.api.invoices.pay(invoice)).status).toBe('paid');
    expect((await read(due)).status).toBe('active');
  });

  test.each([
    ['canceled', 'canceled', 'payment_failed'],
    ['unpaid', 'unpaid', null],
    ['past_due', 'past_due', null],
  ] as const)('ends, where that is set, as %s', async (finally_, status, reason) => {
    market.simulator.settings.dunning.finally = finally_;
    const due = await failing();
    await market.advance(16);
    const after = await read(due);
    expect(after.status).toBe(status);
    expect(after.cancellation_details?.reason).toBe(reason);
    const deleted = market.told(due.id).includes('customer.subscription.deleted');
    expect(deleted).toBe(status === 'canceled');
  });

  test('that made it unpaid is made good by paying the latest invoice', async () => {
    market.simulator.settings.dunning.finally = 'unpaid';
    const due = await failing();
    await market.advance(16);
    await giveCard(due, cards.pays);
    await market.api.invoices.pay(String((due.latest_invoice as Stripe.Invoice).id));
    expect((await read(due)).status).toBe('active');
  });

  test('for want of the bank’s question asks for the customer', async () => {
    const begun = await market.subscribe();
    await giveCard(begun, cards.alwaysAuthenticates);
    await market.advance(31.1);
    expect((await read(begun)).status).toBe('past_due');
    expect(market.told(begun.id)).toContain('invoice.payment_action_required');
    const { id } = await market.api.billingPortal.sessions.create({
      customer: String(begun.customer),
    });
    expect(await market.simulator.portal.payInvoice(id)).toMatchObject({ requiresAction: true });
    await market.simulator.portal.authenticate(id, true);
    expect((await read(begun)).status).toBe('active');
  });
});

describe('the end', () => {
  test('now: the period is over, with the reason in words of the customer', async () => {
    const begun = await market.subscribe();
    const ended = await market.api.subscriptions.cancel(begun.id, {
      cancellation_details: { feedback: 'too_expensive', comment: 'Too dear.' },
    });
    expect(ended).toMatchObject({
      status: 'canceled',
      cancellation_details: {
        reason: 'cancellation_requested',
        feedback: 'too_expensive',
        comment: 'Too dear.',
      },
    });
    expect(ended.ended_at).not.toBeNull();
    await expect(market.api.subscriptions.cancel(begun.id)).rejects.toMatchObject({
      code: 'resource_missing',
    });
    await expect(
      market.api.subscriptions.update(begun.id, { cancel_at_period_end: true }),
    ).rejects.toMatchObject({ statusCode: 400 });
    const noted = await market.api.subscriptions.update(begun.id, { metadata: { note: 'x' } });
    expect(noted.metadata).toEqual({ note: 'x' });
    // It is in lists by its status only.
    const customer = String(begun.customer);
    expect((await market.api.subscriptions.list({ customer })).data).toEqual([]);
    expect((await market.api.subscriptions.list({ customer, status: 'all' })).data).toHaveLength(1);
  });

  test('at the period’s end: it goes on until then, and may be taken back', async () => {
    const begun = await market.subscribe();
    const end = itemOf(begun).current_period_end;
    const ending = await market.api.subscriptions.update(begun.id, { cancel_at_period_end: true });
    expect(ending).toMatchObject({ status: 'active', cancel_at: end, cancel_at_period_end: true });
    const kept = await market.api.subscriptions.update(begun.id, { cancel_at_period_end: false });
    expect(kept).toMatchObject({ cancel_at: null, canceled_at: null, cancel_at_period_end: false });
    await market.api.subscriptions.update(begun.id, { cancel_at: 'min_period_end' });
    expect(await read(begun)).toMatchObject({ cancel_at: end, cancel_at_period_end: false });
    await market.advance(32);
    expect(await read(begun)).toMatchObject({ status: 'canceled', ended_at: end });
    expect(await invoicesOf(begun)).toHaveLength(1);
  });

  test('with the customer: all that it has ends', async () => {
    const begun = await market.subscribe();
    await market.api.customers.del(String(begun.customer));
    expect((await read(begun)).status).toBe('canceled');
    expect(await market.api.customers.retrieve(String(begun.customer))).toEqual({
      id: begun.customer,
      object: 'customer',
      deleted: true,
    });
    await expect(market.session({ customer: String(begun.customer) })).rejects.toMatchObject({
      code: 'resource_missing',
      param: 'customer',
    });
  });
});

describe('an incomplete subscription', () => {
  const incomplete = async () =>
    market.api.subscriptions.create({
      customer: await market.customer(),
      items: [{ price: market.prices.month }],
      payment_behavior: 'default_incomplete',
      expand: ['latest_invoice.confirmation_secret'],
    });

  test('waits for its payment, and expires after 23 hours', async () => {
    const begun = await incomplete();
    expect(begun.status).toBe('incomplete');
    expect(begun.latest_invoice).toMatchObject({
      status: 'open',
      confirmation_secret: { type: 'payment_intent' },
    });
    await market.advance(23 / 24);
    expect(await read(begun)).toMatchObject({
      status: 'incomplete_expired',
      latest_invoice: { status: 'void' },
    });
  });

  test('is canceled as expired', async () => {
    const begun = await incomplete();
    expect((await market.api.subscriptions.cancel(begun.id)).status).toBe('incomplete_expired');
  });

  test('is not made where its payment must not fail', async () => {
    const customer = await market.customer();
    const items = [{ price: market.prices.month }];
    await expect(market.api.subscriptions.create({ customer, items })).rejects.toMatchObject({
      code: 'resource_missing',
    });
    const method = await market.api.paymentMethods.attach('pm_card_chargeCustomerFail', {
      customer,
    });
    await expect(
      market.api.subscriptions.create({
        customer,
        items,
        default_payment_method: method.id,
        payment_behavior: 'error_if_incomplete',
      }),
    ).rejects.toMatchObject({ statusCode: 402, code: 'card_declined' });
    expect((await market.api.subscriptions.list({ customer, status: 'all' })).data).toEqual([]);
  });
});

test('a free plan needs no card', async () => {
  const begun = await market.api.subscriptions.create({
    customer: await market.customer(),
    items: [{ price: market.prices.free }],
  });
  expect(begun.status).toBe('active');
  await market.advance(40);
  expect(await read(begun)).toMatchObject({ status: 'active', latest_invoice: { status: 'paid' } });
});

describe('a pause', () => {
  test('stops invoices and credits the rest; its end begins a new period', async () => {
    const begun = await market.subscribe();
    const paused = await market.api.subscriptions.pause(begun.id);
    expect(paused).toMatchObject({
      status: 'paused',
      status_details: { paused: { subscription: { type: 'pause_requested' } } },
    });
    expect(market.told(begun.id)).toContain('customer.subscription.paused');
    await market.advance(40);
    expect(await invoicesOf(begun)).toHaveLength(1);
    const resumed = await market.api.subscriptions.resume(begun.id, {
      expand: ['latest_invoice'],
    });
    expect(resumed.status).toBe('active');
    expect(resumed.status_details).toBeUndefined();
    expect(itemOf(resumed).current_period_start).toBe(resumed.billing_cycle_anchor);
    // Paused at once after it had begun: nearly all comes back.
    expect((resumed.latest_invoice as Stripe.Invoice).total).toBeLessThan(10);
    await expect(market.api.subscriptions.resume(begun.id)).rejects.toMatchObject({
      statusCode: 400,
    });
  });

  test('that is to end with a payment goes on until there is one', async () => {
    const begun = await market.subscribe();
    await market.api.subscriptions.pause(begun.id, {
      bill_for: { unused_time_from: { type: 'none' } },
    });
    await giveCard(begun, cards.failsLater);
    await market.api.subscriptions.resume(begun.id, {
      payment_behavior: 'resume_on_payment_success',
    });
    expect((await read(begun)).status).toBe('paused');
    await giveCard(begun, cards.pays);
    const { latest_invoice: invoice } = await read(begun);
    await market.api.invoices.pay(String((invoice as Stripe.Invoice).id));
    expect((await read(begun)).status).toBe('active');
  });

  test('of the collection only leaves it active, and its invoices uncollected', async () => {
    const begun = await market.subscribe();
    const resumes = begun.created + 40 * day;
    await market.api.subscriptions.update(begun.id, {
      pause_collection: { behavior: 'void', resumes_at: resumes },
    });
    await market.advance(32);
    expect(await read(begun)).toMatchObject({
      status: 'active',
      latest_invoice: { status: 'void' },
      pause_collection: { behavior: 'void' },
    });
    await market.advance(10);
    expect((await read(begun)).pause_collection).toBeNull();
  });
});
