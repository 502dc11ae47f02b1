/** What came while Stripe was away for long is done within minutes of its return. */

import { expect, test } from 'vitest';
import { newAccount, openBillingWorld } from '../billing/world.ts';
import { aSubscription } from '../kit/scripted_stripe.ts';

const minute = 60_000;

test('four customers, half a day, and ten minutes', async () => {
  const world = await openBillingWorld();
  const names = Array.from({ length: 4 }, (_, at) => `n${at}`);
  for (const name of names) {
    await newAccount(world, name);
    const subscriptions = [aSubscription(`sub_${name}`, `cus_${name}`)];
    world.stripe.customers.set(`cus_${name}`, { subscriptions, entitlements: [] });
  }
  world.stripe.down = 503;
  const about = { type: 'invoice.paid', object: 'in_1', at: 1 };
  for (const name of names) {
    await world.inbox.add({ id: `evt_${name}`, customer: `cus_${name}`, ...about });
  }
  const looks = 12 * 12;
  for (let at = 0; at < looks; at += 1) {
    await world.worker.drain();
    world.now += 5 * minute;
  }
  world.stripe.down = undefined;
  for (let at = 0; at < 10; at += 1) {
    world.now += minute;
    await world.worker.drain();
  }
  expect((await world.inbox.waiting()).count).toBe(0);
});
