/** A receiver that seldom hears anything is not switched off for what failed long ago. */

import { expect, test } from 'vitest';
import { aProcess, aReceiver, Network } from '../events/delivery_world.ts';
import { anEvent, happen, openWorld } from '../events/world.ts';

test('one failure, days after another event was given up, disables nothing', async () => {
  const world = await openWorld();
  const network = new Network();
  const { store, dispatcher, deliveries } = aProcess(world, [aReceiver('one')], network.fetch);
  network.answer = () => 500;
  await happen({ store }, 'a', anEvent(world, 'member.changed'));
  await dispatcher.drain();
  for (let hour = 0; hour < 5 * 24; hour += 1) {
    await deliveries.drain();
    world.now += 3_600_000;
  }
  expect(await deliveries.status()).toMatchObject([{ waiting: '0', dead: '1' }]);
  world.now += 3 * 24 * 3_600_000;
  const later = anEvent(world, 'member.changed');
  await happen({ store }, 'b', later);
  await dispatcher.drain();
  await deliveries.drain();
  network.answer = () => 204;
  world.now += 10_000;
  await deliveries.drain();
  expect(network.ids()).toEqual([later.id]);
});
