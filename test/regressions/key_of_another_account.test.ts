/** A key of another Stripe account, set by mistake, does not end what all customers have. */

import { expect, test } from 'vitest';
import { newAccount, openBillingWorld } from '../billing/world.ts';
import { problemOf } from '../directory/world.ts';
import { aSubscription } from '../kit/scripted_stripe.ts';

test('customers whom Stripe does not know keep what they have, and the operator is told', async () => {
  const world = await openBillingWorld();
  const { customers } = world.stripe;
  const sell = (name: string) => {
    const subscriptions = [aSubscription(`sub_${name}`, `cus_${name}`)];
    customers.set(`cus_${name}`, { subscriptions, entitlements: [] });
  };
  sell('office');
  for (let at = 0; at < 30; at += 1) {
    await newAccount(world, `many${at}`);
    sell(`many${at}`);
  }
  await world.reconcile();
  const statusOf = async (account: string) =>
    (await world.account(account)).document.subscriptions?.api?.status;
  expect(await statusOf('acc_many7')).toBe('active');
  customers.clear();
  expect(await problemOf(world.reconcile())).toBe('customers_unknown');
  const { failed } = await world.reconcile({ account: 'acc_office' });
  expect(failed).toEqual([{ account: 'acc_office', problem: 'customer_unknown' }]);
  for (const account of ['acc_office', 'acc_many0', 'acc_many7', 'acc_many29']) {
    expect(await statusOf(account)).toBe('active');
  }
});
