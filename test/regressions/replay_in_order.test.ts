/** What is sent again to a stream keeps its order, as it did at first: the last word on somebody must be the last. */

import { expect, test } from 'vitest';
import { aProcess, aReceiver, Network } from '../events/delivery_world.ts';
import { anEvent, happen, openWorld } from '../events/world.ts';

test('events that a stream missed are sent in the order in which they happened', async () => {
  const world = await openWorld();
  const network = new Network();
  const nobody = aProcess(world, [], network.fetch);
  const types = ['user.disabled', 'user.enabled', 'user.disabled'];
  for (const type of types) await happen(nobody, 'usr_1', anEvent(world, type));
  await nobody.dispatcher.drain();
  const receiver = aReceiver('one', { id: 'stream:one', inOrder: true });
  const { deliveries } = aProcess(world, [receiver], network.fetch, { owner: 'two' });
  const ids = (await world.store.find('notice', 'all', 'all', { limit: 10 })).map(({ id }) => id);
  expect(await deliveries.replay({ ids })).toMatchObject({ deliveries: 3 });
  await deliveries.drain();
  expect(network.arrived.map(({ type }) => type)).toEqual(types);
});
