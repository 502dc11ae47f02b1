/** A stream may be paused for a week. What was held has its attempts when it goes, however old it is by then. */

import { expect, test } from 'vitest';
import { aProcess, aReceiver, deliveriesOf, Network } from '../events/delivery_world.ts';
import { anEvent, happen, openWorld } from '../events/world.ts';

test('what was held for days is tried again when its first attempt fails', async () => {
  const world = await openWorld();
  const network = new Network();
  const receiver = { ...aReceiver('one'), paused: true };
  const { store, dispatcher, deliveries } = aProcess(world, [receiver], network.fetch);
  const event = anEvent(world, 'user.disabled');
  await happen({ store }, 'usr_1', event);
  await dispatcher.drain();
  world.now += 5 * 24 * 3_600_000;
  receiver.paused = false;
  network.answer = () => 503;
  await deliveries.release(receiver.id);
  await deliveries.drain();
  world.now += 10_000;
  await deliveries.drain();
  expect(await deliveriesOf(store, 'one', 'dead')).toEqual([]);
  network.answer = () => 204;
  world.now += 60_000;
  await deliveries.drain();
  expect(network.ids()).toEqual([event.id]);
});
