/** O-5: what was left by a process that was away is sent, with a memory that does not grow with it. */

import { expect, test, vi } from 'vitest';
import { rounds } from '../kit/places.ts';
import type { Store } from '../../src/storage/store.ts';
import { aProcess, aReceiver, aRunningProcess, deliveriesOf, Network } from './delivery_world.ts';
import { anEvent, happen, openWorld } from './world.ts';
import type { World } from './world.ts';

/** Counts how much is in memory between two questions: pages of a store are bounded, whatever is in it. */
function watched(store: Store): { store: Store; largest: () => number } {
  let largest = 0;
  const look = <T extends readonly unknown[]>(found: T): T => {
    largest = Math.max(largest, found.length);
    return found;
  };
  return {
    largest: () => largest,
    store: {
      ...store,
      get: (kind, id) => store.get(kind, id),
      write: (kind, id, document, options) => store.write(kind, id, document, options),
      find: async (kind, index, value, options) =>
        look(await store.find(kind, index, value, options)),
      due: async (kind, before, limit) => look(await store.due(kind, before, limit)),
      pending: async (limit, options) => look(await store.pending(limit, options)),
      settle: (events) => store.settle(events),
    },
  };
}

async function leave(world: World, count: number, receivers: ReturnType<typeof aReceiver>[]) {
  const dead = aProcess(world, receivers, new Network().fetch, { owner: 'dead' });
  const documents = 500;
  for (let start = 0; start < count; start += documents) {
    await Promise.all(
      Array.from({ length: Math.min(documents, count - start) }, (_, index) =>
        happen(world, `d${index}`, anEvent(world, 'member.changed')),
      ),
    );
  }
  await dead.dispatcher.drain();
}

test('O-5 a backlog of thousands for a few receivers is sent page by page, in order', async () => {
  const world = await openWorld();
  const receivers = ['one', 'two', 'three', 'four', 'five'].map((name) => aReceiver(name));
  const count = rounds(1000);
  await leave(world, count, receivers);
  const network = new Network();
  const { store, largest } = watched(world.store);
  const alive = aProcess({ ...world, store }, receivers, network.fetch, { owner: 'alive' });
  world.now += 60_000;
  await alive.deliveries.drain();
  expect(network.arrived.length).toBe(5 * count);
  expect(new Set(network.arrived.map(({ host, id }) => `${host} ${id}`)).size).toBe(5 * count);
  expect(network.most.lane).toBe(1);
  expect(largest()).toBeLessThanOrEqual(1000);
  for (const { id } of receivers) {
    expect(await deliveriesOf(store, id.replace('webhook:', ''))).toEqual([]);
  }
  const seen = new Map<string, number>();
  for (const { lane, version } of network.arrived) {
    expect(version).toBeGreaterThan(seen.get(lane) ?? 0);
    seen.set(lane, version);
  }
}, 60_000);

test('what was delivered is forgotten after a day, and what was given up after a month', async () => {
  const world = await openWorld();
  const network = new Network();
  network.answer = ({ id }) => (id.endsWith('0') ? 400 : 204);
  const { deliveries, dispatcher, store } = aProcess(world, [aReceiver('one')], network.fetch);
  for (let index = 0; index < 30; index += 1) {
    await happen({ store }, `d${index}`, anEvent(world, 'member.changed'));
  }
  await dispatcher.drain();
  await deliveries.drain();
  const day = 24 * 3_600_000;
  const left = async () => (await store.due('delivery', world.now + 400 * day, 1000)).length;
  expect(await left()).toBe(30);
  world.now += day + 1;
  await deliveries.drain();
  expect(await left()).toBe(3);
  expect(await deliveriesOf(store, 'one', 'dead')).toHaveLength(3);
  // Its notice stays as long, so that it can be sent again.
  world.now += 20 * day;
  await store.sweep(world.now);
  network.answer = () => 204;
  expect(await deliveries.replay({ receiver: 'webhook:one', state: 'dead' })).toMatchObject({
    deliveries: 3,
    expired: 0,
  });
  await deliveries.drain();
  expect(network.arrived).toHaveLength(30);
});

test('a notice can be sent again, to one receiver or to all, also to one that was not there then', async () => {
  const world = await openWorld();
  const network = new Network();
  const [one, two] = [aReceiver('one'), aReceiver('two')];
  const before = aProcess(world, [one], network.fetch);
  const event = anEvent(world, 'member.changed');
  await happen(before, 'd', event);
  await before.dispatcher.drain();
  await before.deliveries.drain();
  const { deliveries } = aProcess(world, [one, two], network.fetch, { owner: 'two' });
  expect(await deliveries.replay({ ids: [event.id], receiver: 'webhook:two' })).toMatchObject({
    deliveries: 1,
  });
  await deliveries.drain();
  expect(network.arrived.map(({ host }) => host)).toEqual(['one', 'two']);
  expect(await deliveries.replay({ ids: [event.id, 'evt_unknown'] })).toEqual({
    deliveries: 2,
    unknown: ['evt_unknown'],
    expired: 0,
    more: false,
  });
  await deliveries.drain();
  expect(network.arrived).toHaveLength(4);
});

test('what is held for a paused stream goes in order when it ends', async () => {
  const world = await openWorld();
  const network = new Network();
  const receiver = { ...aReceiver('one'), paused: true };
  const { deliveries, dispatcher, store } = aProcess(world, [receiver], network.fetch);
  const events = Array.from({ length: 3 }, () => anEvent(world, 'member.changed'));
  for (const event of events) await happen({ store }, 'd', event);
  await dispatcher.drain();
  world.now += 3_600_000;
  await deliveries.drain({ ignoreTimes: true });
  expect(network.sent).toEqual([]);
  const [status] = await deliveries.status();
  expect(status).toMatchObject({ state: 'held', waiting: '3', dead: '0' });
  receiver.paused = false;
  await deliveries.release(receiver.id);
  await deliveries.drain();
  expect(network.ids()).toEqual(events.map(({ id }) => id));
  // What nobody fetches does not stay for ever.
  receiver.paused = true;
  await happen({ store }, 'd', anEvent(world, 'member.changed'));
  await dispatcher.drain();
  world.now += 7 * 24 * 3_600_000;
  await deliveries.drain();
  expect(await deliveries.status()).toMatchObject([{ waiting: '0', dead: '1' }]);
});

test('a running process sends what was held as soon as it is told so', async () => {
  const world = await openWorld();
  const network = new Network();
  const receiver = { ...aReceiver('one'), paused: true };
  const options = { pollMs: 3_600_000 };
  const { deliveries, store } = aRunningProcess(world, [receiver], network.fetch, options);
  const events = Array.from({ length: 3 }, () => anEvent(world, 'member.changed'));
  for (const event of events) await happen({ store }, 'd', event);
  await vi.waitFor(async () => expect(await deliveriesOf(store, 'one')).toHaveLength(3), 10_000);
  receiver.paused = false;
  await deliveries.release(receiver.id);
  const ids = events.map(({ id }) => id);
  await vi.waitFor(() => expect(network.ids()).toEqual(ids), 10_000);
});
