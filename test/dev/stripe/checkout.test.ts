/** What people do at Checkout, without its pages. */

import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { cards } from '../../../dev/stripe/cards.ts';
import { day, openMarket } from './market.ts';
import type { Market } from './market.ts';

let market: Market;
beforeEach(async () => {
  market = await openMarket();
});
afterEach(() => market.close());

const types = () => market.simulator.objects.events().map((event) => event.type);

test('a card that pays: one subscription, and the way back with the session', async () => {
  const customer = await market.customer();
  const session = await market.session({
    customer,
    client_reference_id: 'acc_1',
    metadata: { a: '1' },
    subscription_data: { metadata: { b: '2' } },
  });
  expect(session).toMatchObject({
    status: 'open',
    payment_status: 'unpaid',
    amount_total: 2000,
    url: `${market.simulator.url}/c/pay/${session.id}`,
  });
  const outcome = await market.simulator.checkout.pay(session.id, { card: cards.pays });
  expect(outcome).toMatchObject({
    kind: 'completed',
    redirect: `https://app.example.com/success?session_id=${session.id}`,
  });
  const paid = await market.api.checkout.sessions.retrieve(session.id, {
    expand: ['subscription.default_payment_method', 'line_items'],
  });
  expect(paid).toMatchObject({
    status: 'complete',
    payment_status: 'paid',
    url: null,
    customer,
    client_reference_id: 'acc_1',
    customer_details: { email: 'ann@example.com' },
    // A session's metadata is not the subscription's.
    subscription: {
      status: 'active',
      metadata: { b: '2' },
      default_payment_method: { card: { last4: '4242' } },
    },
    line_items: { data: [{ quantity: 1, amount_total: 2000 }] },
  });
  expect(types().slice(-1)).toEqual(['checkout.session.completed']);
  await expect(
    market.simulator.checkout.pay(session.id, { card: cards.pays }),
  ).rejects.toMatchObject({ status: 400 });
});

test('a card that is declined, and then one that pays: still one subscription', async () => {
  const session = await market.session({ customer: await market.customer() });
  for (const card of [cards.declined, cards.insufficientFunds, cards.failsLater]) {
    expect(await market.simulator.checkout.pay(session.id, { card })).toMatchObject({
      kind: 'declined',
      code: 'card_declined',
    });
  }
  expect(await market.simulator.checkout.pay(session.id, { card: '4242' })).toMatchObject({
    kind: 'declined',
    code: 'incorrect_number',
  });
  expect(types()).toContain('payment_intent.payment_failed');
  await market.simulator.checkout.pay(session.id, { card: cards.pays });
  expect(market.simulator.objects.subscriptions()).toMatchObject([{ status: 'active' }]);
});

test('a session that is left after a declined card leaves nothing that blocks', async () => {
  const customer = await market.customer();
  const session = await market.session({ customer });
  await market.simulator.checkout.pay(session.id, { card: cards.declined });
  expect(await market.simulator.checkout.leave(session.id)).toEqual({
    redirect: 'https://app.example.com/canceled',
  });
  const second = await market.session({ customer });
  await market.simulator.checkout.pay(second.id, { card: cards.pays });
  await market.advance(1);
  const { data } = await market.api.subscriptions.list({ customer, status: 'all' });
  expect(data.map(({ status }) => status)).toEqual(['active', 'incomplete_expired']);
});

test.each([
  [true, 'completed', 'active'],
  [false, 'declined', 'incomplete'],
] as const)('a card whose bank asks, answered with %s', async (ok, kind, status) => {
  const session = await market.session({ customer: await market.customer() });
  const { checkout } = market.simulator;
  expect(await checkout.pay(session.id, { card: cards.authenticates })).toEqual({
    kind: 'requires_action',
  });
  expect(checkout.view(session.id).authenticating).toBe(true);
  expect(market.simulator.objects.subscriptions()).toMatchObject([{ status: 'incomplete' }]);
  expect((await checkout.authenticate(session.id, ok)).kind).toBe(kind);
  expect(market.simulator.objects.subscriptions()).toMatchObject([{ status }]);
  await expect(checkout.authenticate(session.id, ok)).rejects.toMatchObject({ status: 400 });
});

describe('a trial', () => {
  const trial = { subscription_data: { trial_period_days: 14 } };

  test('with a card: nothing is due today', async () => {
    const session = await market.session({ customer: await market.customer(), ...trial });
    const view = market.simulator.checkout.view(session.id);
    expect(view).toMatchObject({ dueToday: 0, needsPaymentMethod: true });
    expect(view.trialEnd).toBe(session.created + 14 * day);
    await expect(market.simulator.checkout.pay(session.id, { card: '' })).rejects.toMatchObject({
      status: 400,
    });
    expect(await market.simulator.checkout.pay(session.id, { card: cards.declined })).toMatchObject(
      { kind: 'declined' },
    );
    await market.simulator.checkout.pay(session.id, { card: cards.failsLater });
    expect(await market.api.checkout.sessions.retrieve(session.id)).toMatchObject({
      payment_status: 'no_payment_required',
    });
  });

  test('with a card whose bank asks: it is asked once, and later charges pass', async () => {
    const session = await market.session({ customer: await market.customer(), ...trial });
    await market.simulator.checkout.pay(session.id, { card: cards.authenticates });
    const outcome = await market.simulator.checkout.authenticate(session.id, true);
    expect(outcome.kind).toBe('completed');
    await market.advance(14.1);
    expect(market.simulator.objects.subscriptions()).toMatchObject([{ status: 'active' }]);
  });

  test('without a card, where that is set', async () => {
    const session = await market.session({
      customer: await market.customer(),
      payment_method_collection: 'if_required',
      ...trial,
    });
    expect(market.simulator.checkout.view(session.id).needsPaymentMethod).toBe(false);
    await market.simulator.checkout.pay(session.id, { card: '' });
    expect(market.simulator.objects.subscriptions()).toMatchObject([
      { status: 'trialing', default_payment_method: null },
    ]);
  });
});

describe('a bank debit', () => {
  async function debited() {
    const session = await market.session({ customer: await market.customer() });
    await market.simulator.checkout.pay(session.id, { card: cards.bankDebit });
    return session.id;
  }
  const read = async (id: string) => {
    const session = await market.api.checkout.sessions.retrieve(id, { expand: ['subscription'] });
    return { session, subscription: session.subscription };
  };

  test('completes the session, unpaid, until the bank has paid', async () => {
    const id = await debited();
    expect(await read(id)).toMatchObject({
      session: { status: 'complete', payment_status: 'unpaid' },
      subscription: { status: 'incomplete' },
    });
    await market.advance(3);
    await market.simulator.checkout.settle(id, 'succeeded');
    expect(await read(id)).toMatchObject({
      session: { payment_status: 'paid' },
      subscription: { status: 'active' },
    });
    expect(types().slice(-1)).toEqual(['checkout.session.async_payment_succeeded']);
    await expect(market.simulator.checkout.settle(id, 'failed')).rejects.toMatchObject({
      status: 400,
    });
    // The next one takes days too, and nobody settles it by hand.
    await market.advance(30);
    const { subscription } = await read(id);
    expect(subscription).toMatchObject({ status: 'active' });
    const before = market.simulator.objects.invoices().at(-1);
    expect(before?.status).toBe('open');
    await market.advance(6);
    expect(market.simulator.objects.invoices().at(-1)?.status).toBe('paid');
  });

  test('fails days later', async () => {
    const id = await debited();
    await market.simulator.checkout.settle(id, 'failed');
    expect(await read(id)).toMatchObject({
      session: { payment_status: 'unpaid' },
      subscription: { status: 'incomplete' },
    });
    expect(types()).toContain('checkout.session.async_payment_failed');
    await market.advance(1);
    expect((await read(id)).subscription).toMatchObject({ status: 'incomplete_expired' });
  });

  test('makes the subscription active at once, where that is set, and past due when it fails', async () => {
    market.simulator.settings.whileProcessing = 'active';
    const id = await debited();
    expect(await read(id)).toMatchObject({
      session: { payment_status: 'unpaid' },
      subscription: { status: 'active' },
    });
    await market.simulator.checkout.settle(id, 'failed');
    expect((await read(id)).subscription).toMatchObject({ status: 'past_due' });
  });
});

test('a session expires by itself, and by a call', async () => {
  const expires_at = Math.floor(market.simulator.now() / 1000) + 31 * 60;
  const session = await market.session({ expires_at });
  await market.advance(32 / (24 * 60));
  expect(await market.api.checkout.sessions.retrieve(session.id)).toMatchObject({
    status: 'expired',
    url: null,
  });
  expect(types().slice(-1)).toEqual(['checkout.session.expired']);
  await expect(
    market.simulator.checkout.pay(session.id, { card: cards.pays }),
  ).rejects.toMatchObject({ status: 400 });
  const other = await market.session();
  expect((await market.api.checkout.sessions.expire(other.id)).status).toBe('expired');
  await expect(market.api.checkout.sessions.expire(other.id)).rejects.toMatchObject({
    statusCode: 400,
  });
});

test('without a customer one is made, with the address that was given', async () => {
  const session = await market.session({ customer_email: 'bob@example.com' });
  await market.simulator.checkout.pay(session.id, {
    card: cards.pays,
    billing: { name: 'Bob', country: 'DE' },
  });
  const { customer } = await market.api.checkout.sessions.retrieve(session.id, {
    expand: ['customer'],
  });
  expect(customer).toMatchObject({
    email: 'bob@example.com',
    name: 'Bob',
    address: { country: 'DE' },
  });
});

test('a promotion code is entered, and a quantity adjusted, where that is allowed', async () => {
  const coupon = await market.api.coupons.create({ percent_off: 10, duration: 'forever' });
  await market.api.promotionCodes.create({
    promotion: { type: 'coupon', coupon: coupon.id },
    code: 'FALL',
    max_redemptions: 1,
  });
  const session = await market.session({
    allow_promotion_codes: true,
    line_items: [
      {
        price: market.prices.month,
        quantity: 2,
        adjustable_quantity: { enabled: true, minimum: 1, maximum: 5 },
      },
    ],
  });
  const { checkout } = market.simulator;
  await expect(checkout.applyCode(session.id, 'SPRING')).rejects.toMatchObject({ status: 400 });
  expect((await checkout.applyCode(session.id, 'fall')).dueToday).toBe(3600);
  const line = checkout.view(session.id).lines[0]?.item.id ?? '';
  await expect(checkout.setQuantity(session.id, line, 6)).rejects.toMatchObject({ status: 400 });
  expect((await checkout.setQuantity(session.id, line, 3)).dueToday).toBe(5400);
  await checkout.pay(session.id, { card: cards.pays });
  expect(market.simulator.objects.subscriptions()).toMatchObject([
    { items: { data: [{ quantity: 3 }] } },
  ]);
  const second = await market.session({ allow_promotion_codes: true });
  await expect(checkout.applyCode(second.id, 'FALL')).rejects.toMatchObject({ status: 400 });
  const third = await market.session();
  await expect(checkout.applyCode(third.id, 'FALL')).rejects.toMatchObject({ status: 400 });
});

test.each([
  ['payment_method_types', { payment_method_types: ['card'] }, 'parameter_unknown'],
  ['payment_link', { payment_link: 'plink_1' }, 'parameter_unknown'],
  ['subscription_data[coupon]', { subscription_data: { coupon: 'x' } }, 'parameter_unknown'],
  ['mode', { mode: undefined }, 'parameter_missing'],
  ['mode', { mode: 'both' }, undefined],
  [
    'line_items[0][price]',
    { line_items: [{ price: 'price_no', quantity: 1 }] },
    'resource_missing',
  ],
  [
    'line_items[0][quantity]',
    { line_items: [{ price: 'P', quantity: 'many' }] },
    'parameter_invalid_integer',
  ],
  ['line_items[0][quantity]', { line_items: [{ price: 'P' }] }, 'parameter_missing'],
  ['success_url', { success_url: undefined }, 'parameter_missing'],
  ['success_url', { success_url: 'javascript:alert(1)' }, 'url_invalid'],
  ['customer', { customer: 'cus_no' }, 'resource_missing'],
  ['customer', { customer: '' }, 'parameter_invalid_empty'],
  ['expires_at', { expires_at: 1 }, undefined],
] as const)('refuses a wrong %s', async (param, wrong, code) => {
  const price = market.prices.month;
  const right = {
    mode: 'subscription',
    line_items: [{ price, quantity: 1 }],
    success_url: 'https://app.example.com/',
  };
  const given = JSON.parse(JSON.stringify({ ...right, ...wrong }).replaceAll('"P"', `"${price}"`));
  await expect(market.api.checkout.sessions.create(given)).rejects.toMatchObject({
    type: 'StripeInvalidRequestError',
    statusCode: 400,
    param,
    code,
  });
});

test('a price that is archived cannot be bought', async () => {
  await market.api.prices.update(market.prices.month, { active: false });
  await expect(market.session()).rejects.toMatchObject({ param: 'line_items[0][price]' });
});
