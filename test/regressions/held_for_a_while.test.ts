/**
 * A stream whose header cannot be read (the server's secret is wrong for a while) is held like one that is paused, but
 * nobody says when that is over. What was held must go all the same.
 */

import { expect, test } from 'vitest';
import { aProcess, aReceiver, Network } from '../events/delivery_world.ts';
import { anEvent, happen, openWorld } from '../events/world.ts';

test('what was held is sent without anybody saying that its receiver takes it again', async () => {
  const world = await openWorld();
  const network = new Network();
  const receiver = { ...aReceiver('one'), paused: true };
  const { store, dispatcher, deliveries } = aProcess(world, [receiver], network.fetch);
  await happen({ store }, 'usr_1', anEvent(world, 'user.disabled'));
  await dispatcher.drain();
  world.now += 30 * 60 * 1000;
  await deliveries.drain();
  expect(network.sent).toEqual([]);
  receiver.paused = false;
  world.now += 2 * 3_600_000;
  // Only what is due is looked at, as by a process that was just started.
  const { deliveries: others } = aProcess(world, [receiver], network.fetch, { owner: 'two' });
  const due = await world.store.due('delivery', world.now, 10);
  expect(due).toHaveLength(1);
  await others.drain();
  expect(network.arrived).toHaveLength(1);
});
