/** A customer of whom hundreds of events come while Stripe is slow with that one keeps nobody else waiting. */

import { expect, test } from 'vitest';
import { newAccount, openBillingWorld } from '../billing/world.ts';
import { aSubscription } from '../kit/scripted_stripe.ts';

test('an event behind six hundred of a customer who is being read', async () => {
  const world = await openBillingWorld();
  await newAccount(world, 'ben');
  for (const name of ['office', 'ben']) {
    const subscriptions = [aSubscription(`sub_${name}`, `cus_${name}`)];
    world.stripe.customers.set(`cus_${name}`, { subscriptions, entitlements: [] });
  }
  const arrive = (id: string, name: string) => {
    const about = { type: 'invoice.paid', customer: `cus_${name}`, object: 'in_1', at: 1 };
    return world.inbox.add({ id, ...about });
  };
  const planOf = async (name: string) =>
    (await world.account(`acc_${name}`)).document.subscriptions?.api?.plan;
  const slow = world.stripe.hold('/v1/subscriptions');
  await arrive('evt_first', 'office');
  await slow.asked;
  await Promise.all(Array.from({ length: 600 }, (_, at) => arrive(`evt_${at}`, 'office')));
  world.now += 1;
  await arrive('evt_ben', 'ben');
  await expect.poll(() => planOf('ben'), { timeout: 10_000 }).toBe('team');
  slow.release();
  await world.worker.drain();
  // Those that stepped back come again.
  world.now += 60_000;
  await world.worker.drain();
  expect(await planOf('office')).toBe('team');
  expect((await world.inbox.waiting()).count).toBe(0);
});
