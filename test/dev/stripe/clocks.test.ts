/** Time in the simulator: everybody's, that of test clocks, and between two starts. */

import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { cards } from '../../../dev/stripe/cards.ts';
import { startStripe } from '../../../dev/stripe/simulator.ts';
import { clientOf, day, openMarket } from './market.ts';
import type { Market } from './market.ts';

let market: Market;
let place: string;
beforeEach(async () => {
  market = await openMarket();
  place = await mkdtemp(join(tmpdir(), 'tollgate-stripe-'));
});
afterEach(async () => {
  await market.close();
  await rm(place, { recursive: true });
});

test('two people’s time moves on together, and what falls due is done in its order', async () => {
  const monthly = await market.subscribe();
  const trial = await market.subscribe(cards.pays, {
    subscription_data: { trial_period_days: 10 },
  });
  await market.advance(90);
  const events = market.simulator.objects.events();
  const times = events.map(({ created }) => created);
  expect(times).toEqual(times.toSorted((a, b) => a - b));
  const paid = (id: string) => market.told(id).filter((type) => type === 'invoice.paid').length;
  // The first and two renewals; and the one of the trial that cost nothing, the first and two renewals.
  expect([paid(monthly.id), paid(trial.id)]).toEqual([3, 4]);
  expect(market.simulator.now()).toBeGreaterThan(Date.now() + 89 * day * 1000);
});

test('a year later, each month of it was charged, on the day that it began', async () => {
  let now = Date.UTC(2026, 0, 31, 12);
  const calendar = await openMarket({ clock: () => now });
  try {
    const { id } = await calendar.subscribe();
    // Not moved on, but gone by: what fell due is done when anybody asks.
    now = Date.UTC(2027, 0, 31, 14);
    const invoices = await calendar.api.invoices.list({ subscription: id, limit: 100 });
    const days = invoices.data.map(({ created }) =>
      new Date(created * 1000).toISOString().slice(5, 10),
    );
    expect(days.toReversed()).toEqual([
      '01-31',
      '02-28',
      '03-31',
      '04-30',
      '05-31',
      '06-30',
      '07-31',
      '08-31',
      '09-30',
      '10-31',
      '11-30',
      '12-31',
      '01-31',
    ]);
    expect(new Set(invoices.data.map(({ status }) => status))).toEqual(new Set(['paid']));
  } finally {
    await calendar.close();
  }
});

test('a test clock moves its own customers, and nobody else', async () => {
  const { api } = market;
  const other = await market.subscribe();
  const clock = await api.testHelpers.testClocks.create({ frozen_time: 1_800_000_000 });
  const { id: customer } = await api.customers.create({ test_clock: clock.id });
  const method = await api.paymentMethods.attach('pm_card_visa', { customer });
  const begun = await api.subscriptions.create({
    customer,
    items: [{ price: market.prices.month }],
    default_payment_method: method.id,
  });
  expect(begun).toMatchObject({ created: 1_800_000_000, status: 'active', test_clock: clock.id });
  const advance = (days: number) =>
    api.testHelpers.testClocks.advance(clock.id, { frozen_time: 1_800_000_000 + days * day });
  expect(await advance(40)).toMatchObject({
    status: 'advancing',
    status_details: { advancing: { target_frozen_time: 1_800_000_000 + 40 * day } },
  });
  expect(await api.testHelpers.testClocks.retrieve(clock.id)).toMatchObject({
    status: 'ready',
    frozen_time: 1_800_000_000 + 40 * day,
  });
  expect((await api.invoices.list({ subscription: begun.id })).data).toHaveLength(2);
  expect((await api.invoices.list({ subscription: other.id })).data).toHaveLength(1);
  // Everybody else's time does not move this one.
  await market.advance(100);
  expect((await api.invoices.list({ subscription: begun.id })).data).toHaveLength(2);
  await expect(advance(39)).rejects.toMatchObject({ param: 'frozen_time' });
  await expect(advance(200)).rejects.toMatchObject({ param: 'frozen_time' });
  expect((await api.customers.list()).data.map(({ id }) => id)).not.toContain(customer);
  expect((await api.customers.list({ test_clock: clock.id })).data).toHaveLength(1);
  await api.testHelpers.testClocks.del(clock.id);
  expect(await api.customers.retrieve(customer)).toMatchObject({ deleted: true });
  expect((await api.subscriptions.retrieve(begun.id)).status).toBe('canceled');
});

test('what it knows outlives a restart', async () => {
  const file = join(place, 'stripe.json');
  const first = await openMarket({ file });
  const begun = await first.subscribe();
  const half = await first.session({ customer: String(begun.customer) });
  const options = { idempotencyKey: 'k' };
  await first.advance(20);
  const product = await first.api.products.create({ name: 'Kept' }, options);
  await first.close();
  expect(await readdir(place)).toEqual(['stripe.json']);

  const second = await startStripe({ port: 0, file });
  try {
    const api = clientOf(second);
    expect(second.accountId).toBe(first.simulator.accountId);
    expect(second.now()).toBeGreaterThan(Date.now() + 19 * day * 1000);
    expect(await api.subscriptions.retrieve(begun.id)).toMatchObject({ status: 'active' });
    expect((await api.products.create({ name: 'Kept' }, options)).id).toBe(product.id);
    await api.prices.update(first.prices.month, { nickname: 'Monthly' });
    const { items } = await api.subscriptions.retrieve(begun.id);
    expect(items.data[0]?.price.nickname).toBe('Monthly');
    // The session of before is open, or has expired, by the time that has gone by.
    expect(await api.checkout.sessions.retrieve(half.id)).toMatchObject({ status: 'expired' });
    await second.advance(12 * day * 1000);
    expect((await api.invoices.list({ subscription: begun.id })).data).toHaveLength(2);
  } finally {
    await second.close();
  }
});

test('a file that is no state of it is not written over', async () => {
  const file = join(place, 'broken.json');
  await writeFile(file, '{"customers":[');
  await expect(startStripe({ port: 0, file })).rejects.toThrow();
});
