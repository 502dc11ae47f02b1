/** What takes longer than a claim is done when it is done, although another process has begun it meanwhile. */

import { expect, test } from 'vitest';
import { openBillingWorld } from '../billing/world.ts';
import { aSubscription } from '../kit/scripted_stripe.ts';

test('two processes and a Stripe that takes a minute', async () => {
  const world = await openBillingWorld();
  const other = world.process();
  const subscriptions = [aSubscription('sub_1', 'cus_office')];
  world.stripe.customers.set('cus_office', { subscriptions, entitlements: [] });
  const entry = async () => (await world.store.get('inbox', 'evt_1'))?.document;
  const first = world.stripe.hold('/v1/subscriptions');
  const about = { type: 'invoice.paid', customer: 'cus_office', object: 'in_1', at: 1 };
  await world.inbox.add({ id: 'evt_1', ...about });
  await first.asked;
  world.now += 31_000;
  const second = world.stripe.hold('/v1/subscriptions');
  const taken = other.worker.drain();
  await second.asked;
  expect((await entry())?.claim?.owner).toBe('process 2');
  const worked = world.worker.drain();
  first.release();
  await worked;
  expect((await entry())?.state).toBe('done');
  second.release();
  await taken;
  expect((await entry())?.state).toBe('done');
  expect(await world.changes('api')).toHaveLength(1);
});
