/** What Stripe said a moment ago does not stay when it cannot be asked once more after it was written. */

import { expect, test } from 'vitest';
import { openBillingWorld } from '../billing/world.ts';
import { problemOf } from '../directory/world.ts';
import { aSubscription } from '../kit/scripted_stripe.ts';

test('changed and changed back, with the change written in between, and Stripe away right then', async () => {
  const world = await openBillingWorld();
  const sell = (more: Record<string, unknown>) => {
    const subscriptions = [aSubscription('sub_1', 'cus_office', more)];
    world.stripe.customers.set('cus_office', { subscriptions, entitlements: [] });
  };
  const planNow = async () => (await world.account()).document.subscriptions?.api?.plan;
  sell({});
  await world.sync.customer('cus_office');
  sell({ price: 'price_business' });
  const held = world.stripe.hold('/v1/subscriptions');
  // A browser that is back from the portal: nobody tries again for it.
  const returning = problemOf(world.sync.customer('cus_office'));
  await held.asked;
  sell({});
  // The event of it finds that all is as we know it.
  await world.process().sync.customer('cus_office');
  const confirming = world.stripe.hold('/v1/subscriptions');
  held.release();
  await confirming.asked;
  expect(await planNow()).toBe('business');
  world.stripe.down = 503;
  confirming.release();
  expect(await returning).toBe('stripe_unavailable');
  world.stripe.down = undefined;
  world.now += 60_000;
  await world.worker.drain();
  expect(await planNow()).toBe('team');
});
