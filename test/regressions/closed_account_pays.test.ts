/** A closed account went on paying, and nobody could end it: its people may not open the portal. */

import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { cards } from '../../dev/stripe/cards.ts';
import { follow, sessionOf, startSignupWorld } from '../kit/signup_world.ts';
import type { SignupWorld } from '../kit/signup_world.ts';
import { subscriber } from '../kit/subscribers.ts';

let world: SignupWorld;

beforeAll(async () => {
  world = await startSignupWorld();
});
afterEach(() => world.stripe.clearFaults());
afterAll(() => world?.close());

const statusOf = async (subscription: string) =>
  (await world.api.subscriptions.retrieve(subscription)).status;

test('its subscription ends', async () => {
  const { account, subscription } = await subscriber(world);
  await world.server.directory.closeAccount(account);
  await world.server.dispatcher.drain();
  expect(await statusOf(subscription)).toBe('canceled');
});

test('also when Stripe was away then', async () => {
  const { account, subscription } = await subscriber(world);
  world.stripe.fail({ kind: 'status', status: 503, times: 100 });
  await world.server.directory.closeAccount(account);
  await world.server.dispatcher.drain();
  world.stripe.clearFaults();
  expect(await statusOf(subscription)).toBe('active');
  await world.server.billing!.reconcile();
  expect(await statusOf(subscription)).toBe('canceled');
});

test('a payment page that is open can be paid no more', async () => {
  const { account, browser, customer, subscription } = await subscriber(world);
  await world.api.subscriptions.cancel(subscription);
  await world.server.billing!.sync.customer(customer);
  const team = { product: 'api', plan: 'team', period: 'month', account };
  const session = sessionOf((await follow(browser, world.issuer, team)).url);
  await world.server.directory.closeAccount(account);
  await world.server.dispatcher.drain();
  await expect(world.stripe.checkout.pay(session, { card: cards.pays })).rejects.toThrow();
});
