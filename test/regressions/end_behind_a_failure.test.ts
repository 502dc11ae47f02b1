/** What ends access must not wait for an older event of the same document whose attempt is under way and fails. */

import { expect, test, vi } from 'vitest';
import { aReceiver, aRunningProcess, Network } from '../events/delivery_world.ts';
import { anEvent, happen, openWorld } from '../events/world.ts';

test('what ends access goes as soon as an attempt before it has failed', async () => {
  const world = await openWorld();
  const network = new Network();
  const { store } = aRunningProcess(world, [aReceiver('one')], network.fetch);
  const answered = Promise.withResolvers<number>();
  network.answer = ({ type }) => (type === 'member.changed' ? answered.promise : 204);
  await happen({ store }, 'usr_1', anEvent(world, 'member.changed'));
  await vi.waitFor(() => expect(network.sent).toHaveLength(1));
  const end = anEvent(world, 'user.disabled');
  await happen({ store }, 'usr_1', end);
  await vi.waitFor(async () => {
    expect(await store.find('delivery', 'notice', end.id, { limit: 1 })).toHaveLength(1);
  });
  // The clock stands: nothing that waits for a time is due.
  answered.resolve(500);
  await vi.waitFor(() => expect(network.ids()).toEqual([end.id]), { timeout: 3000 });
});
