import { afterEach, describe, expect, test } from 'vitest';
import { openMongodb } from '../../src/storage/mongodb.ts';
import type { EventPlace, Store } from '../../src/storage/store.ts';
import { account, event, grant, identityOf, session, user } from '../conformance/samples.ts';
import { startOfTime } from '../conformance/suite.ts';
import { throughProxy } from '../kit/mongodb/network.ts';
import { mongodbUrl, testDatabase } from '../kit/mongodb/start.ts';
import type { Cut, Proxy } from '../kit/proxy.ts';

const url = await mongodbUrl();
const leftovers: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const leave of leftovers.splice(0).toReversed()) await leave();
});

const clock = () => startOfTime;

async function behindProxy(
  more: Record<string, string> = {},
  longestWait?: number,
): Promise<{ store: Store; proxy: Proxy }> {
  const database = testDatabase(url ?? '');
  const { proxy, address } = await throughProxy(database.address, more);
  const store = await openMongodb({
    address,
    clock,
    ...(longestWait === undefined ? {} : { longestWait }),
  });
  leftovers.push(
    database.drop,
    () => proxy.close(),
    () => store.close(),
  );
  return { store, proxy };
}

/** Everything that the port has, one after another. Each step ends as it would on a calm day. */
async function story(store: Store): Promise<void> {
  const events = [event('1'), event('2')];
  expect(await store.write('user', 'u1', user(['a']), { expect: 'absent', events })).toBe(1);
  expect(await store.write('user', 'u1', user(['a', 'b']), { expect: 1 })).toBe(2);
  expect(
    await store.write('user', 'u2', user(['c']), { expect: 'any', events: [event('3')] }),
  ).toBe(1);
  expect(await store.write('user', 'u2', user(['c', 'd']), { expect: 'any' })).toBe(2);
  await expect(store.write('user', 'u3', user(['a']), { expect: 'absent' })).rejects.toMatchObject({
    name: 'Duplicate',
    field: 'identity',
  });
  await expect(store.write('user', 'u1', user(), { expect: 1 })).rejects.toMatchObject({
    name: 'Conflict',
  });
  expect(await store.write('user', 'u2', null, { expect: 2, events: [event('4')] })).toBe(3);
  expect(await store.write('user', 'u2', user(['c']), { expect: 'absent' })).toBe(4);

  const expired = session({ user: 'u1', expiresAt: startOfTime - 1 });
  await store.write('session', 's1', expired, { expect: 'absent' });
  expect(await store.find('user', 'identity', identityOf('b'))).toHaveLength(1);
  expect(await store.due('session', startOfTime, 10)).toHaveLength(1);
  await store.sweep(startOfTime);
  expect(await store.get('session', 's1')).toBeUndefined();

  const waiting = await store.pending(10);
  expect(waiting.filter(({ type }) => type === 'session.ended')).toHaveLength(1);
  expect(waiting.map(({ id }) => id)).toEqual(
    expect.arrayContaining(['evt_1', 'evt_2', 'evt_3', 'evt_4']),
  );
  expect(waiting).toHaveLength(5);
  const places: EventPlace[] = waiting;
  await store.settle(places);
  expect(await store.pending(10)).toEqual([]);
  expect(await store.bump('k', 1, 60)).toBeGreaterThanOrEqual(1);
}

async function storyWithCut(cut: Cut): Promise<boolean> {
  const { store, proxy } = await behindProxy();
  proxy.cutAt(cut);
  await story(store);
  return proxy.wasCut;
}

describe.skipIf(url === undefined)('a connection that is cut', () => {
  test.for(['before', 'after'] as const)(
    '%s the n-th request reached the server, for every n: nothing is lost and nothing done twice',
    { timeout: 120_000 },
    async (mode) => {
      const together = 6;
      for (let first = 1; ; first += together) {
        const cuts = Array.from({ length: together }, (_, index) => ({ at: first + index, mode }));
        const reached = await Promise.all(cuts.map((cut) => storyWithCut(cut)));
        for (const leave of leftovers.splice(0).toReversed()) await leave();
        if (reached.includes(false)) {
          // A story has more requests than steps.
          expect(first).toBeGreaterThan(30);
          return;
        }
      }
    },
  );

  test('a write that is repeated until it is heard is one write', async () => {
    const { store, proxy } = await behindProxy();
    for (let version = 0; version < 5; version += 1) {
      proxy.cutAt({ at: 1, mode: 'after' });
      const expectation = version === 0 ? ('absent' as const) : version;
      const events = [event(`${version}`)];
      const options = { expect: expectation, events };
      expect(await store.write('account', 'a', account(), options)).toBe(version + 1);
      expect(proxy.wasCut).toBe(true);
    }
    const waiting = await store.pending(10);
    expect(waiting.map(({ version }) => version)).toEqual([1, 2, 3, 4, 5]);
  });
});

describe.skipIf(url === undefined)('a server that says nothing', () => {
  const impatient = { socketTimeoutMS: '500' };
  const unavailable = {
    name: 'Problem',
    code: 'store_unavailable',
    status: 503,
    retryAfterSeconds: 1,
  };

  test('is not waited for without end; afterwards all goes on', async () => {
    const { store, proxy } = await behindProxy(impatient, 600);
    await store.write('grant', 'g1', grant(), { expect: 'absent' });
    proxy.hang();
    await expect(store.get('grant', 'g1')).rejects.toMatchObject(unavailable);
    await expect(
      store.write('grant', 'g1', grant(), { expect: 1, writeId: 'w' }),
    ).rejects.toMatchObject(unavailable);
    await expect(store.ping()).rejects.toMatchObject(unavailable);
    proxy.restore();
    expect(await store.write('grant', 'g1', grant(), { expect: 1, writeId: 'w' })).toBe(2);
    await store.ping();
  });

  test('for a moment is waited for', async () => {
    const { store, proxy } = await behindProxy(impatient);
    await store.write('grant', 'g1', grant(), { expect: 'absent' });
    proxy.hang();
    const reading = store.get('grant', 'g1');
    const writing = store.write('grant', 'g1', grant(), { expect: 1 });
    setTimeout(() => proxy.restore(), 700);
    expect((await reading)?.id).toBe('g1');
    expect(await writing).toBe(2);
  });

  test('does not keep the store from closing', async () => {
    const { store, proxy } = await behindProxy(impatient, 600);
    proxy.hang();
    const [writing] = await Promise.allSettled([
      store.write('grant', 'g1', grant(), { expect: 'absent' }),
      store.close(),
    ]);
    expect(writing).toMatchObject({ status: 'rejected', reason: unavailable });
    await expect(store.get('grant', 'g1')).rejects.toMatchObject({ code: 'store_closed' });
  });
});

describe.skipIf(url === undefined)('what it costs', () => {
  test('a document is read by one request and written by one', async () => {
    const { store, proxy } = await behindProxy();
    const requests = async (ask: () => Promise<unknown>): Promise<number> => {
      proxy.cutAt(undefined);
      await ask();
      return proxy.requests;
    };
    const events = [event('1')];
    const counted = {
      create: await requests(() =>
        store.write('user', 'u', user(['a'], ['b']), { expect: 'absent', events }),
      ),
      change: await requests(() => store.write('user', 'u', user(['a']), { expect: 1 })),
      overwrite: await requests(() => store.write('user', 'u', user(['a']), { expect: 'any' })),
      get: await requests(() => store.get('user', 'u')),
      find: await requests(() => store.find('user', 'identity', identityOf('a'))),
      due: await requests(() => store.due('session', 1, 10)),
      settle: await requests(() => store.settle([{ id: 'evt_1', kind: 'user', document: 'u' }])),
      bump: await requests(() => store.bump('k', 1, 60)),
      ping: await requests(() => store.ping()),
      delete: await requests(() => store.write('user', 'u', null, { expect: 3 })),
      createAgain: await requests(() => store.write('user', 'u', user(), { expect: 'absent' })),
    };
    expect(counted).toEqual({
      create: 1,
      change: 1,
      overwrite: 2,
      get: 1,
      find: 1,
      due: 1,
      settle: 1,
      bump: 1,
      ping: 1,
      delete: 1,
      createAgain: 3,
    });
  });
});
