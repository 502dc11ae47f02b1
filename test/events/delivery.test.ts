import { describe, expect, test, vi } from 'vitest';
import { aProcess, aReceiver, aRunningProcess, deliveriesOf, Network } from './delivery_world.ts';
import { anEvent, happen, openWorld } from './world.ts';

const eventually = (condition: () => unknown) =>
  vi.waitFor(condition, { timeout: 10_000, interval: 5 });

describe('from an event to its receivers', () => {
  test('each that wants it is told at once, without waiting for a poll', async () => {
    const world = await openWorld();
    const network = new Network();
    const deaf = aReceiver('deaf', { wants: () => [] });
    const receivers = [aReceiver('one'), aReceiver('two'), deaf];
    const options = { pollMs: 3_600_000 };
    const { store } = aRunningProcess(world, receivers, network.fetch, options);
    const event = anEvent(world, 'user.disabled', { user: 'usr_1' });
    const version = await happen({ store }, 'usr_1', event);
    await eventually(() => expect(network.arrived).toHaveLength(2));
    expect(network.arrived.map(({ host }) => host).toSorted()).toEqual(['one', 'two']);
    expect(network.arrived[0]).toMatchObject({ id: event.id, type: 'user.disabled', version });
    await eventually(async () => {
      const found = await store.find('delivery', 'notice', event.id);
      expect(found.map(({ version: writes, document }) => [writes, document.state])).toEqual([
        [2, 'delivered'],
        [2, 'delivered'],
      ]);
    });
  });

  test('a notice is kept also where nobody wants it', async () => {
    const world = await openWorld();
    const { store, dispatcher } = aProcess(world, [], new Network().fetch);
    const event = anEvent(world, 'user.enabled', { user: 'usr_1' });
    const version = await happen({ store }, 'usr_1', event);
    await dispatcher.drain();
    expect((await store.get('notice', event.id))?.document).toMatchObject({
      type: 'user.enabled',
      at: event.at,
      data: { user: 'usr_1' },
      cause: { kind: 'meta', id: 'usr_1', version },
    });
  });

  test('a second fan-out, however late, makes nothing twice', async () => {
    const world = await openWorld();
    const network = new Network();
    const { deliveries } = aRunningProcess(world, [aReceiver('one')], network.fetch);
    const event = anEvent(world, 'user.disabled');
    const pending = { ...event, kind: 'user' as const, document: 'usr_1', version: 2 };
    await Promise.all(Array.from({ length: 10 }, () => deliveries.handler.handle(pending)));
    await eventually(() => expect(network.arrived).toHaveLength(1));
    await deliveries.drain();
    world.now += 3_600_000;
    await deliveries.handler.handle(pending);
    await deliveries.drain({ ignoreTimes: true });
    expect(network.sent).toHaveLength(1);
  });

  test('an app with two sessions gets a delivery for each', async () => {
    const world = await openWorld();
    const network = new Network();
    const wants = () => ['a', 'b'].map((sid) => ({ logout: { sid } }));
    const { store, dispatcher, deliveries } = aProcess(
      world,
      [aReceiver('app', { wants })],
      network.fetch,
    );
    await happen({ store }, 'session', anEvent(world, 'session.ended'));
    await dispatcher.drain();
    const found = await deliveriesOf(store, 'app');
    expect(found.map(({ document }) => document.logout?.sid)).toEqual(['a', 'b']);
    await deliveries.drain();
    expect(network.arrived).toHaveLength(2);
    expect(network.most.lane).toBe(1);
  });
});

describe('the schedule', () => {
  test('is kept until it is used up; then it is a dead letter, which may be sent again', async () => {
    const world = await openWorld();
    const network = new Network();
    network.answer = () => 500;
    const { store, dispatcher, deliveries } = aProcess(world, [aReceiver('one')], network.fetch);
    const event = anEvent(world, 'user.disabled');
    await happen({ store }, 'usr_1', event);
    await dispatcher.drain();
    const times: number[] = [];
    for (let attempt = 1; attempt <= 14; attempt += 1) {
      await deliveries.drain();
      expect(network.sent).toHaveLength(attempt);
      times.push(world.now);
      const [waiting] = await deliveriesOf(store, 'one');
      world.now = waiting?.document.dueAt ?? 0;
    }
    const seconds = times.slice(1).map((time, index) => (time - (times[index] ?? 0)) / 1000);
    expect(seconds).toEqual([
      1, 3, 10, 30, 60, 120, 300, 900, 3600, 10_800, 36_000, 86_400, 86_400,
    ]);
    const [dead] = await deliveriesOf(store, 'one', 'dead');
    expect(dead?.document).toMatchObject({ attempts: 14, last: { status: 500 } });

    network.answer = () => 200;
    expect(await deliveries.replay({ state: 'dead' })).toMatchObject({ deliveries: 1 });
    world.now = times.at(-1) ?? 0;
    await deliveries.drain();
    expect(network.ids()).toEqual([event.id]);
  });
});
