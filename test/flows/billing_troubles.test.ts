/** What can go wrong between Stripe and an account, on the simulator: lost events, a Stripe that is down, deleted customers. */

import { describe, expect, test } from 'vitest';
import { createServer } from '../../src/server.ts';
import { openShop, serveShop } from '../kit/stripe_shop.ts';
import type { StripeShop } from '../kit/stripe_shop.ts';

const patiently = { timeout: 15_000 };
const buyTeam = (shop: StripeShop, customer: string) =>
  shop.buy(customer, shop.prices['team month'] ?? '', 3);

describe.each(['snapshot', 'thin'] as const)('%s events', (kind) => {
  test('a customer is deleted: what it had is over, and the log has an alarm', async () => {
    const shop = await openShop();
    const { customer, account, projection, log } = await serveShop(shop, kind);
    await buyTeam(shop, customer);
    await expect.poll(projection, patiently).toMatchObject({ status: 'active' });
    await shop.api.customers.del(customer);
    await expect.poll(projection, patiently).toMatchObject({ status: 'canceled' });
    expect(await account()).toMatchObject({ customer, customerGoneAt: expect.any(Number) });
    const alarms = log.lines.filter(({ message }) => message.includes('deleted the customer'));
    expect(alarms).toHaveLength(1);
  });

  test('a feature of the product is an entitlement', async () => {
    const shop = await openShop();
    const { customer, account, projection } = await serveShop(shop, kind);
    const { api, prices } = shop;
    await buyTeam(shop, customer);
    await expect.poll(projection, patiently).toMatchObject({ status: 'active' });
    const feature = await api.entitlements.features.create({
      name: 'Export',
      lookup_key: 'export',
    });
    const { product } = await api.prices.retrieve(prices['team month'] ?? '');
    if (typeof product !== 'string') throw new Error('no product');
    await api.products.createFeature(product, { entitlement_feature: feature.id });
    const entitlements = async () => (await account()).entitlements;
    await expect.poll(entitlements, patiently).toEqual(['export']);
  });

  test('a dispute ends what was paid, where that is configured', async () => {
    const shop = await openShop();
    shop.config.disputes = 'end';
    const { customer, projection } = await serveShop(shop, kind);
    const subscription = await buyTeam(shop, customer);
    await expect.poll(projection, patiently).toMatchObject({ status: 'active' });
    await shop.simulator.dispute(subscription);
    await expect.poll(projection, patiently).toMatchObject({ status: 'canceled' });
    const ended = shop.simulator.calls.filter(({ method }) => method === 'DELETE');
    expect(ended).toHaveLength(1);
    expect(ended[0]?.idempotencyKey).toContain('dispute');
  });
});

test('S10 Stripe is down when its event comes: what is known stays, and then is made true', async () => {
  const shop = await openShop();
  const { customer, projection, log } = await serveShop(shop);
  const { simulator, api } = shop;
  const subscription = await buyTeam(shop, customer);
  await expect.poll(projection, patiently).toMatchObject({ status: 'active', quantity: 3 });
  simulator.fail({ kind: 'status', status: 500, path: '/v1/subscriptions', times: 1000 });
  const [item] = (await api.subscriptions.retrieve(subscription)).items.data;
  await api.subscriptions.update(subscription, { items: [{ id: item?.id ?? '', quantity: 9 }] });
  const waits = () => log.lines.some(({ message }) => message.includes('wait for another attempt'));
  await expect.poll(waits, patiently).toBe(true);
  expect(await projection()).toMatchObject({ status: 'active', quantity: 3 });
  simulator.clearFaults();
  await expect.poll(projection, patiently).toMatchObject({ quantity: 9 });
});

test('events that were lost are read from Stripe’s list at the next start', async () => {
  const shop = await openShop();
  const { customer, projection, store, ...running } = await serveShop(shop);
  // The list has been read once, so that there is something to go on from.
  const isRead = () => shop.simulator.calls.some(({ path }) => path === '/v1/events');
  await expect.poll(isRead, patiently).toBe(true);
  await running.server.stop();
  shop.simulator.webhooks.pause();
  await buyTeam(shop, customer);
  shop.simulator.webhooks.drop();
  expect(await projection()).toBeUndefined();
  const next = await createServer({
    config: running.config,
    store,
    clock: Date.now,
    log: running.log,
  });
  next.start();
  try {
    await expect.poll(projection, patiently).toMatchObject({ status: 'active', plan: 'team' });
  } finally {
    await next.stop();
  }
});
