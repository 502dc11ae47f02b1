/** An event that was given up is worked on when somebody sends it again from Stripe's dashboard. */

import { expect, test } from 'vitest';
import { openBillingWorld } from '../billing/world.ts';
import { aSubscription } from '../kit/scripted_stripe.ts';

const hour = 3_600_000;
const event = { id: 'evt_1', type: 'invoice.paid', customer: 'cus_office', object: 'in_1', at: 1 };

test('a key that was wrong for days, then a right one', async () => {
  const world = await openBillingWorld();
  const stateNow = async () => (await world.store.get('inbox', event.id))?.document.state;
  world.stripe.down = 401;
  await world.inbox.add(event);
  for (let at = 0; at < 80; at += 1) {
    await world.worker.drain();
    world.now += hour;
  }
  expect(await stateNow()).toBe('dead');
  const subscriptions = [aSubscription('sub_1', 'cus_office')];
  world.stripe.customers.set('cus_office', { subscriptions, entitlements: [] });
  world.stripe.down = undefined;
  expect(await world.inbox.add(event)).toBe(true);
  await world.worker.drain();
  expect((await world.account()).document.subscriptions?.api?.plan).toBe('team');
  expect(await stateNow()).toBe('done');
  expect(await world.inbox.add(event)).toBe(false);
});
