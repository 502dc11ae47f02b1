import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { createDispatcher } from '../../src/events/dispatcher.ts';
import type { Dispatcher, DispatcherOptions } from '../../src/events/dispatcher.ts';
import type { Handler } from '../../src/events/handlers.ts';
import { announcing } from '../../src/events/outbox.ts';
import type { NewEvent, PendingEvent, Store } from '../../src/storage/store.ts';
import { rounds } from '../kit/places.ts';
import { anEvent, happen, openWorld } from './world.ts';
import type { World } from './world.ts';

interface Process {
  dispatcher: Dispatcher;
  /** The store as this process's rooms see it. */
  store: Store;
}

function startProcess(
  world: World,
  handlers: Handler[],
  options: Partial<DispatcherOptions> = {},
): Process {
  const { clock, log } = world;
  const dispatcher = createDispatcher({
    store: world.store,
    clock,
    log,
    handlers,
    owner: 'one',
    pollMs: 20,
    ...options,
  });
  dispatcher.start();
  onTestFinished(() => dispatcher.stop());
  return { dispatcher, store: announcing(world.store, (events) => dispatcher.wake(events)) };
}

/** Writes down what it is handed. */
function recorder(name = 'recorder', types: Handler['types'] = 'all') {
  const seen: PendingEvent[] = [];
  const handle = async (event: PendingEvent) => void seen.push(event);
  return { seen, ids: () => seen.map((event) => event.id), handler: { name, types, handle } };
}

function failing(matches: (event: PendingEvent) => boolean, name = 'failing'): Handler {
  return {
    name,
    types: 'all',
    async handle(event) {
      if (matches(event)) throw new Error('the receiver is down');
    },
  };
}

const outbox = async (world: World) => (await world.store.pending(1000)).map((event) => event.id);
const leftoverAge = 10_000;

/** Waits for a condition, on a busy machine too. */
function eventually(condition: () => unknown): Promise<unknown> {
  return vi.waitFor(condition, { timeout: 10_000, interval: 5 });
}

describe('events of the own process', () => {
  test('are handled at once after the commit, without waiting for a poll', async () => {
    const world = await openWorld();
    const { seen, handler } = recorder();
    const { store } = startProcess(world, [handler], { pollMs: 3_600_000 });
    const event = anEvent(world, 'user.disabled', { user: 'usr_1' });
    const version = await happen({ store }, 'usr_1', event);
    await eventually(() => expect(seen).toHaveLength(1));
    expect(seen[0]).toEqual({ ...event, kind: 'meta', document: 'usr_1', version });
    await eventually(async () => expect(await outbox(world)).toEqual([]));
  });

  test('go to the handlers that want their type, and are forgotten when nobody does', async () => {
    const world = await openWorld();
    const [some, all] = [recorder('some', ['user.disabled']), recorder('all')];
    const { store } = startProcess(world, [some.handler, all.handler]);
    const events = ['user.disabled', 'user.deleted'].map((type) => anEvent(world, type));
    await happen({ store }, 'a', ...events);
    await eventually(async () => expect(await outbox(world)).toEqual([]));
    expect(some.ids()).toEqual(events.slice(0, 1).map((event) => event.id));
    expect(all.ids()).toEqual(events.map((event) => event.id));
  });

  test('nobody hears of a write that failed', async () => {
    const world = await openWorld();
    const { seen, handler } = recorder();
    const { store, dispatcher } = startProcess(world, [handler]);
    await happen({ store }, 'a');
    const events = [anEvent(world, 'user.disabled')];
    const write = store.write('meta', 'a', { value: 1 }, { expect: 'absent', events });
    await expect(write).rejects.toThrow('has changed');
    await dispatcher.drain();
    expect(seen).toEqual([]);
  });

  test('what a sweep announces is handled too', async () => {
    const world = await openWorld();
    const { seen, handler } = recorder();
    const { store } = startProcess(world, [handler], { pollMs: 3_600_000 });
    const session = { payload: {}, user: 'usr_1', generation: 0, expiresAt: world.now };
    await store.write('session', 's', session, { expect: 'absent' });
    world.now += leftoverAge;
    await store.sweep(world.now);
    await eventually(() => expect(seen.map(({ type }) => type)).toEqual(['session.ended']));
  });
});

describe('the order', () => {
  test('O-6 events of one document come by version, one after the other', async () => {
    const world = await openWorld();
    const order: string[] = [];
    let running = 0;
    const slow: Handler = {
      name: 'slow',
      types: 'all',
      async handle(event) {
        running += 1;
        expect(running).toBe(1);
        await new Promise((resolve) => setImmediate(resolve));
        order.push(event.id);
        running -= 1;
      },
    };
    const { store, dispatcher } = startProcess(world, [slow]);
    const events = Array.from({ length: 250 }, () => anEvent(world, 'step'));
    for (const event of events) await happen({ store }, 'one', event);
    await dispatcher.drain();
    expect(order).toEqual(events.map((event) => event.id));
  });

  test('O-6 an earlier event of another process is handled before a later one of one’s own', async () => {
    const world = await openWorld();
    const { ids, handler } = recorder();
    const { store } = startProcess(world, [handler]);
    const [theirs, ours] = [anEvent(world, 'member.added'), anEvent(world, 'member.removed')];
    await happen(world, 'usr_1', theirs);
    await happen({ store }, 'usr_1', ours);
    await eventually(() => expect(ids()).toEqual([theirs.id, ours.id]));
  });

  test('O-6 holds while an event fails: what comes after it in the document waits', async () => {
    const world = await openWorld();
    let isDown = true;
    const { ids, handler } = recorder();
    const first = anEvent(world, 'first');
    const flaky = failing((event) => isDown && event.id === first.id);
    const handle = async (event: PendingEvent) => {
      await flaky.handle(event);
      await handler.handle(event);
    };
    const { store, dispatcher } = startProcess(world, [{ ...flaky, handle }]);
    const [second, other] = [anEvent(world, 'second'), anEvent(world, 'other')];
    await happen({ store }, 'a', first);
    await happen({ store }, 'a', second);
    await happen({ store }, 'b', other);
    await dispatcher.drain();
    expect(ids()).toEqual([other.id]);
    isDown = false;
    await dispatcher.drain();
    expect(ids()).toEqual([other.id, first.id, second.id]);
  });
});

describe('a handler that fails', () => {
  test('is called again, later each time, and logged with the event', async () => {
    const world = await openWorld();
    const event = anEvent(world, 'user.disabled');
    let attempts = 0;
    const counting = failing(() => {
      attempts += 1;
      return attempts < 4;
    });
    const { store } = startProcess(world, [counting], { random: () => 0.5 });
    await happen({ store }, 'a', event);
    const delays = [200, 400, 800];
    for (const [index, delay] of delays.entries()) {
      await eventually(() => expect(world.lines).toHaveLength(index + 1));
      world.now += delay;
      await eventually(() => expect(attempts).toBe(index + 2));
    }
    await eventually(async () => expect(await outbox(world)).toEqual([]));
    expect(world.lines.map(({ level, fields }) => [level, fields.event, fields.attempt])).toEqual([
      ['warn', event.id, 1],
      ['warn', event.id, 2],
      ['warn', event.id, 3],
    ]);
  });

  test('keeps no other handler from the event, and those are not called again', async () => {
    const world = await openWorld();
    let isDown = true;
    const { ids, handler } = recorder();
    const { store, dispatcher } = startProcess(world, [failing(() => isDown), handler]);
    const event = anEvent(world, 'user.disabled');
    await happen({ store }, 'a', event);
    await dispatcher.drain();
    await dispatcher.drain();
    expect(ids()).toEqual([event.id]);
    expect(await outbox(world)).toEqual([event.id]);
    isDown = false;
    await dispatcher.drain();
    expect(ids()).toEqual([event.id]);
    expect(await outbox(world)).toEqual([]);
  });

  test('O-4 for ever, with more events than a page holds, does not stop the rest', async () => {
    const world = await openWorld();
    const { seen, handler } = recorder('recorder', ['good']);
    const poison = failing((event) => event.type === 'bad');
    for (let start = 0; start < 1200; start += 200) {
      await Promise.all(
        Array.from({ length: 200 }, (_, index) =>
          happen(world, `bad ${start + index}`, anEvent(world, 'bad')),
        ),
      );
    }
    const good = Array.from({ length: 20 }, (_, index) => index);
    await Promise.all(good.map((index) => happen(world, `good ${index}`, anEvent(world, 'good'))));
    world.now += leftoverAge;
    startProcess(world, [poison, handler]);
    await eventually(() => expect(seen).toHaveLength(20));
    await eventually(async () => {
      const left = await world.store.pending(1000, { after: await lastBad(world) });
      expect(left).toEqual([]);
    });
  });

  test('O-4 that never ends loses its place to others after a while', async () => {
    const world = await openWorld();
    const { ids, handler } = recorder();
    const hanging: Handler = {
      name: 'hanging',
      types: ['hang'],
      handle: () => new Promise(() => undefined),
    };
    const options = { concurrency: 2, handlerTimeoutMs: 20, stopMs: 100 };
    const { store } = startProcess(world, [hanging, handler], options);
    for (let index = 0; index < 6; index += 1) {
      await happen({ store }, `hang ${index}`, anEvent(world, 'hang'));
    }
    const event = anEvent(world, 'good');
    await happen({ store }, 'good', event);
    await eventually(() => expect(ids()).toContain(event.id));
    expect(world.lines[0]?.fields.error).toMatchObject({ message: 'no end within 20 ms' });
  });

  test('before it could promise anything is only another failure', async () => {
    const world = await openWorld();
    const rude: Handler = {
      name: 'rude',
      types: 'all',
      handle: () => {
        throw new Error('at once');
      },
    };
    const { dispatcher } = startProcess(world, [rude]);
    const event = anEvent(world, 'any');
    await happen(world, 'a', event);
    await dispatcher.drain();
    expect(await outbox(world)).toEqual([event.id]);
  });
});

async function lastBad(world: World): Promise<PendingEvent | undefined> {
  const first = await world.store.pending(1000);
  const rest = await world.store.pending(1000, { after: first.at(-1) });
  return [...first, ...rest].findLast((event) => event.type === 'bad');
}

describe('many processes', () => {
  test('O-1 what a process left behind when it died is handled by another one', async () => {
    const world = await openWorld();
    const { ids, handler } = recorder();
    const event = anEvent(world, 'session.ended');
    await happen(world, 's', event);
    startProcess(world, [handler], { owner: 'survivor' });
    world.now += leftoverAge;
    await eventually(() => expect(ids()).toEqual([event.id]));
    await eventually(async () => expect(await outbox(world)).toEqual([]));
  });

  test('leave young events to the process that wrote them', async () => {
    const world = await openWorld();
    const { ids, handler } = recorder();
    startProcess(world, [handler]);
    const [old, young] = [anEvent(world, 'old'), anEvent(world, 'young')];
    await happen(world, 'a', old);
    world.now += leftoverAge;
    await happen(world, 'b', { ...young, at: world.now });
    await eventually(() => expect(ids()).toEqual([old.id]));
    expect(await outbox(world)).toContain(young.id);
  });

  test('O-7 an event from a clock far ahead is not left for ever', async () => {
    const world = await openWorld();
    const { ids, handler } = recorder();
    const event = { ...anEvent(world, 'future'), at: world.now + 3_600_000 };
    await happen(world, 'a', event);
    startProcess(world, [handler]);
    await eventually(() => expect(ids()).toEqual([event.id]));
  });

  test('O-2 one of them looks for what is left, until it dies', async () => {
    const world = await openWorld();
    const [one, two] = [recorder(), recorder()];
    const first = startProcess(world, [one.handler], { owner: 'one' });
    await eventually(async () => {
      expect((await world.store.get('lease', 'dispatcher'))?.document.owner).toBe('one');
    });
    startProcess(world, [two.handler], { owner: 'two' });
    for (let index = 0; index < 30; index += 1)
      await happen(world, `a${index}`, anEvent(world, 'a'));
    world.now += leftoverAge;
    await eventually(() => expect(one.seen).toHaveLength(30));
    expect(two.seen).toHaveLength(0);

    await first.dispatcher.stop();
    const event = anEvent(world, 'b');
    await happen(world, 'b', event);
    world.now += leftoverAge;
    await eventually(() => expect(two.ids()).toEqual([event.id]));
  });

  test('each handle their own at the same time; none is lost', async () => {
    const world = await openWorld();
    const shared = recorder();
    const events: NewEvent[] = [];
    const writes: Promise<number>[] = [];
    for (const owner of ['one', 'two', 'three']) {
      const { store } = startProcess(world, [shared.handler], { owner });
      for (let index = 0; index < 30; index += 1) {
        const event = anEvent(world, 'any');
        events.push(event);
        writes.push(happen({ store }, `d${index % 7}`, event));
      }
    }
    await Promise.all(writes);
    await eventually(async () => expect(await outbox(world)).toEqual([]));
    expect(new Set(shared.ids())).toEqual(new Set(events.map((event) => event.id)));
  });
});

describe('stopping', () => {
  test('waits for what is under way, and gives back the lease', async () => {
    const world = await openWorld();
    const gate = Promise.withResolvers<void>();
    const handler: Handler = { name: 'slow', types: 'all', handle: () => gate.promise };
    const { store, dispatcher } = startProcess(world, [handler]);
    await eventually(async () => expect(await store.get('lease', 'dispatcher')).toBeDefined());
    await happen({ store }, 'a', anEvent(world, 'any'));
    let hasStopped = false;
    const stopping = dispatcher.stop().then(() => (hasStopped = true));
    await new Promise((resolve) => setImmediate(resolve));
    expect(hasStopped).toBe(false);
    gate.resolve();
    await stopping;
    expect(await outbox(world)).toEqual([]);
    expect(await store.get('lease', 'dispatcher')).toBeUndefined();
  });

  test('is bounded: what hangs stays in the outbox for the next process', async () => {
    const world = await openWorld();
    const hanging: Handler = {
      name: 'hanging',
      types: 'all',
      handle: () => new Promise(() => undefined),
    };
    const { store, dispatcher } = startProcess(world, [hanging], { stopMs: 30 });
    const event = anEvent(world, 'any');
    await happen({ store }, 'a', event);
    await dispatcher.stop();
    expect(await outbox(world)).toEqual([event.id]);

    const { ids, handler } = recorder();
    const next = startProcess(world, [handler], { owner: 'next' });
    await next.dispatcher.drain();
    expect(ids()).toEqual([event.id]);
  });

  test('a stopped dispatcher does nothing more', async () => {
    const world = await openWorld();
    const { seen, handler } = recorder();
    const { store, dispatcher } = startProcess(world, [handler]);
    await dispatcher.stop();
    await happen({ store }, 'a', anEvent(world, 'any'));
    await dispatcher.drain();
    expect(seen).toEqual([]);
  });
});

describe('draining', () => {
  test('also handles what follows from what it handles', async () => {
    const world = await openWorld();
    const follow: Handler = {
      name: 'follow',
      types: ['first'],
      handle: async () => void (await happen(world, 'second', anEvent(world, 'second'))),
    };
    const { seen, handler } = recorder();
    const { dispatcher } = startProcess(world, [follow, handler], { pollMs: 3_600_000 });
    await happen(world, 'first', anEvent(world, 'first'));
    await dispatcher.drain();
    expect(seen.map(({ type }) => type)).toEqual(['first', 'second']);
    expect(await outbox(world)).toEqual([]);
  });

  test('O-5 a backlog is read in pages, and little of it is held at a time', async () => {
    const world = await openWorld();
    const total = rounds(6000);
    for (let start = 0; start < total; start += 500) {
      await Promise.all(
        Array.from({ length: Math.min(500, total - start) }, (_, index) =>
          happen(world, `d${start + index}`, anEvent(world, 'any')),
        ),
      );
    }
    const read = new Set<string>();
    const [pages, unhandled]: [number[], number[]] = [[], []];
    let handled = 0;
    const store: Store = {
      ...announcing(world.store, () => undefined),
      async pending(limit, options) {
        const page = await world.store.pending(limit, options);
        if (options?.of !== undefined) return page;
        for (const { id } of page) read.add(id);
        pages.push(page.length);
        unhandled.push(read.size - handled);
        return page;
      },
    };
    const handler: Handler = {
      name: 'count',
      types: 'all',
      handle: async () => void (handled += 1),
    };
    const { clock, log } = world;
    await createDispatcher({ store, clock, log, handlers: [handler], owner: 'one' }).drain();
    expect(handled).toBe(total);
    expect(Math.max(...pages)).toBeLessThanOrEqual(500);
    expect(Math.max(...unhandled)).toBeLessThanOrEqual(520);
    expect(pages.length).toBeLessThan(40);
    expect(await outbox(world)).toEqual([]);
  });
});
