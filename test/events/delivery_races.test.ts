/** O-1, O-2, O-6, O-7, O-11: several processes, dying ones, wrong clocks, a store that fails. */

import fc from 'fast-check';
import { describe, expect, test, vi } from 'vitest';
import { rounds } from '../kit/places.ts';
import type { NewEvent } from '../../src/storage/store.ts';
import { faulty } from '../kit/faults.ts';
import { aProcess, aReceiver, aRunningProcess, deliveriesOf, Network } from './delivery_world.ts';
import type { Process } from './delivery_world.ts';
import { anEvent, happen, openWorld } from './world.ts';
import type { World } from './world.ts';

const eventually = (condition: () => unknown) =>
  vi.waitFor(condition, { timeout: 40_000, interval: 20 });

const longestMs = 60_000;

const later = (milliseconds: number) =>
  new Promise<void>((resolve) => setTimeout(resolve, milliseconds));

async function manyEvents(
  { store }: Pick<World, 'store'>,
  world: World,
  documents: number,
  each: number,
) {
  const events: NewEvent[] = [];
  for (let round = 0; round < each; round += 1) {
    for (let index = 0; index < documents; index += 1) {
      const event = anEvent(world, 'member.changed');
      events.push(event);
      await happen({ store }, `d${index}`, event);
    }
  }
  return events;
}

/** By lane, the versions in the order in which they arrived. */
function orders(network: Network): Map<string, number[]> {
  const found = new Map<string, number[]>();
  for (const { lane, version } of network.arrived) {
    found.set(lane, [...(found.get(lane) ?? []), version]);
  }
  return found;
}

const ascending = (numbers: readonly number[]) => numbers.toSorted((a, b) => a - b);

describe('several processes', { timeout: longestMs }, () => {
  test('O-2 send each delivery once, and one at a time for each receiver and document', async () => {
    const world = await openWorld();
    const network = new Network();
    network.answer = () => later(1).then(() => 204);
    const receivers = ['one', 'two', 'three'].map((name) => aReceiver(name));
    const processes = ['a', 'b', 'c'].map((owner) =>
      aRunningProcess(world, receivers, network.fetch, { owner, cacheMs: 20 }),
    );
    const writing = processes.map(({ store }) => manyEvents({ store }, world, 5, 8));
    const events = (await Promise.all(writing)).flat();
    await eventually(() => {
      // Two that claimed in one lane gave their claims back, and each comes again a moment later.
      world.now += 20;
      expect(network.arrived.length).toBe(events.length * 3);
    });
    const expected = events.flatMap(({ id }) => [id, id, id]).toSorted();
    expect(network.sent.map(({ id }) => id).toSorted()).toEqual(expected);
    expect(network.most.lane).toBe(1);
    for (const versions of orders(network).values()) expect(versions).toEqual(ascending(versions));
  });

  test('O-2 the caps hold for each host and for all', async () => {
    const world = await openWorld();
    const network = new Network();
    network.answer = () => later(2).then(() => 204);
    const receivers = Array.from({ length: 12 }, (_, index) => aReceiver(`r${index}`));
    const concurrency = { all: 10, perHost: 3, perReceiver: 3 };
    const { store } = aRunningProcess(world, receivers, network.fetch, { concurrency });
    await manyEvents({ store }, world, 20, 1);
    await eventually(() => expect(network.arrived.length).toBe(240));
    expect(network.most.all).toBeLessThanOrEqual(10);
    expect(network.most.host).toBeLessThanOrEqual(3);
  });

  test('O-2 a claim that another process took meanwhile is noticed, and nothing is overwritten', async () => {
    const world = await openWorld();
    const network = new Network();
    const answer = Promise.withResolvers<number>();
    network.answer = () => answer.promise;
    const one = aRunningProcess(world, [aReceiver('one')], network.fetch, { pollMs: 3_600_000 });
    await happen({ store: one.store }, 'd', anEvent(world, 'member.changed'));
    await eventually(() => expect(network.sent).toHaveLength(1));
    // It is frozen, as far as others can tell.
    world.now += 60_000;
    network.answer = () => 204;
    const two = aProcess(world, [aReceiver('one')], network.fetch, { owner: 'two', observeMs: 0 });
    await two.deliveries.drain();
    expect(network.sent).toHaveLength(2);
    const [before] = await world.store.find('delivery', 'notice', network.sent[0]!.id);
    answer.resolve(500);
    await eventually(() =>
      expect(world.lines.map(({ message }) => message)).toContain(
        'a delivery was taken by another process meanwhile',
      ),
    );
    const [after] = await world.store.find('delivery', 'notice', network.sent[0]!.id);
    expect(after).toEqual(before);
    expect(after?.document.state).toBe('delivered');
  });

  test('O-7 a process whose clock is ahead takes nothing that another one is sending', async () => {
    const world = await openWorld();
    const network = new Network();
    const answer = Promise.withResolvers<number>();
    network.answer = () => answer.promise;
    const one = aRunningProcess(world, [aReceiver('one')], network.fetch);
    await happen({ store: one.store }, 'd', anEvent(world, 'member.changed'));
    await eventually(() => expect(network.sent).toHaveLength(1));
    const ahead = { ...world, store: world.store, clock: () => world.now + 3_600_000 };
    const two = aProcess(ahead, [aReceiver('one')], network.fetch, { owner: 'two' });
    await two.deliveries.drain();
    await two.deliveries.drain();
    expect(network.sent).toHaveLength(1);
    answer.resolve(204);
    await eventually(() => expect(network.arrived).toHaveLength(1));
  });

  test('O-7 what a process with another clock left is sent by the others', async () => {
    for (const skew of [-3_600_000, 3_600_000]) {
      const world = await openWorld();
      const network = new Network();
      network.answer = () => new Promise<number>(() => undefined);
      const odd = { ...world, store: world.store, clock: () => world.now + skew };
      const dead = aRunningProcess(odd, [aReceiver('one')], network.fetch, {
        owner: 'dead',
        stopMs: 1,
      });
      const events = await manyEvents(dead, world, 2, 2);
      await eventually(() => expect(network.sent).toHaveLength(2));
      await eventually(async () => expect(await world.store.pending(10)).toEqual([]));
      await dead.deliveries.stop();
      network.answer = () => 204;
      world.now += Math.max(0, skew) + 60_000;
      const other = aProcess(world, [aReceiver('one')], network.fetch, {
        owner: 'b',
        observeMs: 0,
      });
      await other.deliveries.drain();
      expect(network.ids().toSorted()).toEqual(events.map(({ id }) => id).toSorted());
    }
  });
});

describe('the order', () => {
  test('O-6 holds while a delivery fails: what comes after it waits, other lanes do not', async () => {
    const world = await openWorld();
    const network = new Network();
    const { store, dispatcher, deliveries } = aProcess(world, [aReceiver('one')], network.fetch);
    const [first, second, other] = [1, 2, 3].map(() => anEvent(world, 'member.changed'));
    let isDown = true;
    network.answer = ({ id }) => (isDown && id === first!.id ? 500 : 204);
    await happen({ store }, 'a', first!);
    await happen({ store }, 'a', second!);
    await happen({ store }, 'b', other!);
    await dispatcher.drain();
    await deliveries.drain();
    expect(network.ids()).toEqual([other!.id]);
    isDown = false;
    await deliveries.drain();
    expect(network.ids()).toEqual([other!.id]);
    world.now += 2000;
    await deliveries.drain();
    expect(network.ids()).toEqual([other!.id, first!.id, second!.id]);
  });

  test('O-6 a terminal event overtakes older informational ones, and they still arrive', async () => {
    const world = await openWorld();
    const network = new Network();
    const { store, dispatcher, deliveries } = aProcess(world, [aReceiver('one')], network.fetch);
    const [info, more] = [anEvent(world, 'member.changed'), anEvent(world, 'member.changed')];
    const end = anEvent(world, 'user.disabled');
    network.answer = ({ type }) => (type === 'member.changed' ? 500 : 204);
    for (const event of [info, more]) await happen({ store }, 'usr_1', event);
    await dispatcher.drain();
    await deliveries.drain();
    expect(network.arrived).toEqual([]);
    await happen({ store }, 'usr_1', end);
    await dispatcher.drain();
    await deliveries.drain();
    expect(network.ids()).toEqual([end.id]);
    network.answer = () => 204;
    world.now += 3_600_000;
    await deliveries.drain();
    expect(network.ids()).toEqual([end.id, info.id, more.id]);
    expect(network.most.lane).toBe(1);
  });

  test('O-6 whatever receivers answer, each lane arrives in order and nothing is lost', async () => {
    const outcomes = fc.array(
      fc.constantFrom<number | 'broken'>(200, 202, 404, 429, 500, 503, 'broken'),
      { minLength: 10, maxLength: 40 },
    );
    await fc.assert(
      fc.asyncProperty(outcomes, fc.integer({ min: 1, max: 4 }), async (answers, documents) => {
        const world = await openWorld();
        const network = new Network();
        let at = 0;
        network.answer = () => {
          const answer = answers[at] ?? 204;
          at += 1;
          return answer === 'broken' ? new Error('broken') : answer;
        };
        const receivers = [aReceiver('one'), aReceiver('two')];
        const processes = ['a', 'b'].map((owner) =>
          aProcess(world, receivers, network.fetch, { owner, random: Math.random }),
        );
        const events = await manyEvents(world, world, documents, 3);
        await processes[0]!.dispatcher.drain();
        const givenUp = async () =>
          (
            await Promise.all(['one', 'two'].map((name) => deliveriesOf(world.store, name, 'dead')))
          ).flat();
        for (let step = 0; step < 200; step += 1) {
          await Promise.all(processes.map(async ({ deliveries }) => deliveries.drain()));
          if (network.arrived.length + (await givenUp()).length >= events.length * 2) break;
          world.now += 20_000 * (1 + step);
        }
        // Of 40 answers, so many may be bad ones for the same delivery that it is given up.
        const dead = await givenUp();
        for (const { document } of dead) expect(document.attempts).toBe(14);
        const all = [...network.ids(), ...dead.map(({ document }) => document.notice)];
        expect(all.toSorted()).toEqual(events.flatMap(({ id }) => [id, id]).toSorted());
        for (const versions of orders(network).values()) {
          expect(versions).toEqual(ascending(versions));
        }
        expect(network.most.lane).toBe(1);
      }),
      { numRuns: rounds(25) },
    );
  }, 60_000);
});

describe('a store that fails', () => {
  test('O-1 stopped at any write, everything that was committed arrives, and nothing else', async () => {
    for (const mode of ['before', 'after'] as const) {
      for (let k = 1; k < 100; k += 1) {
        const world = await openWorld();
        const network = new Network();
        const store = faulty(world.store);
        const events = [1, 2, 3].map(() => anEvent(world, 'member.changed'));
        const mortal = { ...world, store };
        let answers = 0;
        network.answer = () => ((answers += 1) % 3 === 0 ? 503 : 204);
        const receivers = [aReceiver('one'), aReceiver('two')];
        const committed: string[] = [];
        store.revive({ stopAfterWrites: k, mode });
        const before = aRunningProcess(mortal, receivers, network.fetch, { stopMs: 50 });
        for (const [index, event] of events.entries()) {
          const written = await happen(before, `d${index % 2}`, event).catch(() => undefined);
          if (written !== undefined) committed.push(event.id);
        }
        await before.dispatcher.drain().catch(() => undefined);
        await before.deliveries.drain({ ignoreTimes: true }).catch(() => undefined);
        const wasReached = store.stopped;
        await before.dispatcher.stop();
        await before.deliveries.stop();
        store.revive();

        const after = aProcess(mortal, receivers, network.fetch, { owner: 'two', observeMs: 0 });
        network.answer = () => 204;
        world.now += 3_600_000;
        await after.dispatcher.drain();
        await after.deliveries.drain();
        world.now += 3_600_000;
        await after.deliveries.drain();
        expect(await deliveriesOf(world.store, 'one')).toEqual([]);
        for (const host of ['one', 'two']) {
          const arrived = network.arrived.filter((sent) => sent.host === host).map(({ id }) => id);
          for (const id of committed) expect(arrived).toContain(id);
          // What was not committed may have been: its answer was lost.
          for (const id of arrived) expect((await world.store.get('notice', id))?.id).toBe(id);
        }
        if (!wasReached) break;
      }
    }
  }, 60_000);

  test('O-11 is loud, and no event is forgotten', async () => {
    const world = await openWorld();
    const network = new Network();
    let isFull = false;
    const full: World['store'] = {
      ...world.store,
      write: (kind, id, document, options) =>
        isFull && (kind === 'notice' || kind === 'delivery')
          ? Promise.reject(new Error('no space left'))
          : world.store.write(kind, id, document, options),
      get: (kind, id) => world.store.get(kind, id),
      find: (kind, index, value, options) => world.store.find(kind, index, value, options),
      list: (kind, options) => world.store.list(kind, options),
      due: (kind, before, limit) => world.store.due(kind, before, limit),
      pending: (limit, options) => world.store.pending(limit, options),
      settle: (events) => world.store.settle(events),
    };
    const { store, dispatcher, deliveries }: Process = aProcess(
      { ...world, store: full },
      [aReceiver('one')],
      network.fetch,
    );
    isFull = true;
    const event = anEvent(world, 'user.disabled');
    await happen({ store }, 'usr_1', event);
    await dispatcher.drain();
    await deliveries.drain();
    expect(network.sent).toEqual([]);
    expect((await world.store.pending(10)).map(({ id }) => id)).toEqual([event.id]);
    expect(world.lines.map(({ fields }) => String(fields.error))).toContain('Error: no space left');
    isFull = false;
    await dispatcher.drain();
    await deliveries.drain();
    expect(network.ids()).toEqual([event.id]);
  });
});
