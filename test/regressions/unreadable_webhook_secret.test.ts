/** The server's secret may be wrong for a while. What a webhook was to hear meanwhile is held, as for a stream. */

import { expect, test } from 'vitest';
import { createSecrets } from '../../src/base/secrets.ts';
import { addWebhook } from '../../src/events/receiver_store.ts';
import { storedWebhooks } from '../../src/events/webhook_receivers.ts';
import { aProcess, Network } from '../events/delivery_world.ts';
import { anEvent, happen, openWorld } from '../events/world.ts';

test('a webhook whose secret cannot be read loses nothing', async () => {
  const world = await openWorld();
  const network = new Network();
  const [right, wrong] = ['right', 'wrong'].map((word) => createSecrets([word.repeat(8)]));
  const add = { id: 'webhook:crm', url: 'https://crm.example.com/events' };
  await addWebhook({ ...world, secrets: right! }, add);
  const of = async (secrets: typeof right) =>
    storedWebhooks({ ...world, secrets: secrets!, cacheMs: 0 }).all();
  const mistaken = aProcess(world, await of(wrong), network.fetch);
  await happen(mistaken, 'usr_1', anEvent(world, 'user.disabled', { user: 'usr_1' }));
  await mistaken.dispatcher.drain();
  await mistaken.deliveries.drain({ ignoreTimes: true });
  expect(network.sent).toEqual([]);
  network.answer = () => 204;
  const { deliveries } = aProcess(world, await of(right), network.fetch, { owner: 'two' });
  world.now += 3_600_000;
  await deliveries.drain();
  expect(network.arrived).toHaveLength(1);
});
