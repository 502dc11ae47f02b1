/**
 * S7: paid by a method that takes days, a subscription is withheld until the money is there. Its features are, too: those
 * who have a free plan meanwhile had them in their tokens.
 */

import { afterAll, beforeAll, expect, test } from 'vitest';
import { readCustomer } from '../../src/billing/customer_state.ts';
import { startSignupWorld } from '../kit/signup_world.ts';
import type { SignupWorld } from '../kit/signup_world.ts';
import { subscriber } from '../kit/subscribers.ts';

let world: SignupWorld;

beforeAll(async () => {
  world = await startSignupWorld();
});
afterAll(() => world?.close());

async function givesFeature(product: string, key: string): Promise<void> {
  const { api } = world;
  const feature = await api.entitlements.features.create({ name: key, lookup_key: key });
  await api.products.createFeature(product, { entitlement_feature: feature.id });
}

test('features come with the money, and those of another subscription stay', async () => {
  const { customer, subscription } = await subscriber(world);
  const { api } = world;
  const { items, default_payment_method: card } = await api.subscriptions.retrieve(subscription);
  await givesFeature(String(items.data[0]?.price.product), 'export');
  const other = await api.products.create({ name: 'Reports' });
  await givesFeature(other.id, 'charts');
  const recurring = { interval: 'month' as const };
  const terms = { product: other.id, currency: 'eur', unit_amount: 100, recurring };
  const { id: price } = await api.prices.create(terms);
  await api.subscriptions.create({
    customer,
    items: [{ price }],
    ...(typeof card === 'string' && { default_payment_method: card }),
  });

  const { stripe, catalog } = world.server.billing!;
  const read = (withheld: boolean) =>
    readCustomer(
      {
        config: () => ({ products: [] }),
        stripe,
        catalog,
        withheld: ({ id }) => Promise.resolve(withheld && id === subscription),
      },
      customer,
    );
  expect((await read(false)).entitlements).toEqual(['charts', 'export']);
  expect((await read(true)).entitlements).toEqual(['charts']);
});
