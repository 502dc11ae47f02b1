/** Events that were missed are found by Stripe's own dates, also where the clock here is ahead of them. */

import { expect, test } from 'vitest';
import { openBillingWorld } from '../billing/world.ts';
import { snapshotEvent } from '../kit/stripe_events.ts';

const minute = 60_000;

test.each([0, 20, 300])('a clock that is %i minutes ahead: each event once', async (ahead) => {
  const world = await openBillingWorld();
  const happen = () => {
    world.now += 5 * minute;
    const created = Math.floor((world.now - ahead * minute) / 1000);
    const about = { id: 'sub_office', customer: 'cus_office' };
    world.stripe.events.unshift(snapshotEvent('customer.subscription.updated', about, { created }));
  };
  await world.catchUp.run();
  let found = 0;
  for (let hour = 0; hour < 3; hour += 1) {
    for (let at = 0; at < 12; at += 1) happen();
    found += (await world.catchUp.run()) ?? 0;
  }
  expect(found).toBe(36);
});
