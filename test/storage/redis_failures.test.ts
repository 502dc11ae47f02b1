import { afterEach, describe, expect, test } from 'vitest';
import { Conflict } from '../../src/storage/store.ts';
import type { Store } from '../../src/storage/store.ts';
import { event, grant, placeOf, session } from '../conformance/samples.ts';
import { startProxy } from '../kit/proxy.ts';
import type { Proxy } from '../kit/proxy.ts';
import { redisIsThere, startRedis } from '../kit/redis.ts';
import type { RedisProcess } from '../kit/redis.ts';
import { redisFraming } from '../kit/redis/framing.ts';
import { redisPlaces, rememberingLog } from './redis_place.ts';
import type { Place } from './redis_place.ts';

const endings: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const end of endings.splice(0).toReversed()) await end();
});
// Registered later, so it ends before: what is in a server goes before the server does.
const { place } = redisPlaces();

async function ownServer(settings: Record<string, string> = {}): Promise<RedisProcess> {
  const server = await startRedis({ settings });
  endings.push(server.stop);
  return server;
}

async function proxied(here: Place, port: number): Promise<{ proxy: Proxy; store: Store }> {
  const proxy = await startProxy({ port }, redisFraming);
  endings.push(proxy.close);
  const address = here.address.replace(`:${port}`, `:${proxy.port}`);
  return { proxy, store: await here.open({ address }) };
}

const portOf = (address: string) => Number(new URL(address).port);

/** Some of everything that takes several steps. What was acknowledged is in the answer. */
async function story(store: Store): Promise<void> {
  const acked = { expect: 'absent', writeId: 'w1', events: [event('1')] } as const;
  expect(await store.write('session', 's', session({ user: 'a' }), acked)).toBe(1);
  const changed = { expect: 1, writeId: 'w2', events: [event('2')] } as const;
  expect(await store.write('session', 's', session({ user: 'b' }), changed)).toBe(2);
  await store.write('grant', 'g', grant({ expiresAt: 10 }), { expect: 'absent', writeId: 'w3' });
  await store.write('grant', 'g', grant({ expiresAt: 90 }), { expect: 1, writeId: 'w4' });
  expect(await store.due('grant', 50, 10)).toEqual([]);
  await store.settle([placeOf('session', 's', '1')]);
  await store.write('grant', 'g', null, { expect: 2, writeId: 'w5' });
}

async function expectToldStory(store: Store): Promise<void> {
  expect(await store.get('session', 's')).toMatchObject({ version: 2, document: { user: 'b' } });
  expect(await store.find('session', 'user', 'a')).toEqual([]);
  expect(await store.find('session', 'user', 'b')).toHaveLength(1);
  expect(await store.find('grant', 'user', 'usr_1')).toEqual([]);
  expect((await store.pending(10)).map(({ id }) => id)).toEqual(['evt_2']);
  expect(await store.due('grant', Number.MAX_SAFE_INTEGER, 10)).toEqual([]);
  expect(await store.due('session', Number.MAX_SAFE_INTEGER, 10)).toHaveLength(1);
}

describe.runIf(redisIsThere())('a Redis that fails', () => {
  test('scripts are sent again when the server forgot them', async () => {
    const here = await place();
    const store = await here.open();
    await store.write('grant', 'g', grant(), { expect: 'absent' });
    await here.bare.script('FLUSH');
    expect(await store.write('grant', 'g', grant(), { expect: 1 })).toBe(2);
    await here.bare.script('FLUSH');
    const many = Array.from({ length: 20 }, (_, number) => store.bump('k', number, 60));
    expect(await Promise.all(many)).toHaveLength(20);
  });

  test.for(['before', 'after'] as const)(
    'a connection that is cut at any command, %s the server got it, loses nothing',
    { timeout: 120_000 },
    async (mode) => {
      // The server knows the scripts then, and all that follow take as many commands.
      await story(await (await place()).open());
      const first = await place();
      const { proxy, store } = await proxied(first, portOf(first.address));
      proxy.cutAt({ at: Number.MAX_SAFE_INTEGER, mode });
      await story(store);
      await store.close();
      const { requests } = proxy;
      expect(requests).toBeGreaterThan(15);
      for (let at = 1; at <= requests; at += 1) {
        const here = await place();
        const cut = await proxied(here, portOf(here.address));
        cut.proxy.cutAt({ at, mode });
        await story(cut.store);
        await cut.store.close();
        expect(cut.proxy.wasCut).toBe(true);
        await expectToldStory(await here.open());
      }
    },
  );

  test('one that says nothing is given up in time, and the write is not lost to its repetition', async () => {
    const here = await place();
    const { proxy, store } = await proxied(here, portOf(here.address));
    await store.write('grant', 'g', grant(), { expect: 'absent' });
    proxy.hang();
    const started = performance.now();
    const hanging = [
      store.get('grant', 'g'),
      store.write('grant', 'g', grant(), { expect: 1, writeId: 'w' }),
      store.ping(),
    ];
    for (const { status, reason } of (await Promise.allSettled(
      hanging,
    )) as PromiseRejectedResult[]) {
      expect(status).toBe('rejected');
      expect(reason).toMatchObject({
        code: 'store_unavailable',
        status: 503,
        retryAfterSeconds: 1,
      });
    }
    expect(performance.now() - started).toBeLessThan(10_000);
    proxy.restore();
    expect(await store.write('grant', 'g', grant(), { expect: 1, writeId: 'w' })).toBe(2);
  });

  test('one that is gone is told of, and found again', async () => {
    const server = await ownServer({ appendonly: 'yes', appendfsync: 'always' });
    const here = await place(server.address);
    const log = rememberingLog();
    const store = await here.open({ log });
    await store.write('grant', 'g', grant(), { expect: 'absent' });
    await server.kill();
    await expect(store.get('grant', 'g')).rejects.toMatchObject({ code: 'store_unavailable' });
    await expect(store.ping()).rejects.toMatchObject({ code: 'store_unavailable' });
    await server.restart();
    expect(await store.write('grant', 'g', grant(), { expect: 1 })).toBe(2);
    const told = log.lines.filter((line) => /connection to Redis failed|again/.test(line));
    // Each trouble once, however often it was tried.
    expect(new Set(told).size).toBe(told.length);
    expect(told.at(-1)).toContain('again');
  });

  test('what was acknowledged survives kill -9 where each write is synced', async () => {
    const server = await ownServer({ appendonly: 'yes', appendfsync: 'always' });
    const here = await place(server.address);
    const store = await here.open();
    const acknowledged: string[] = [];
    let stopped = false;
    const lane = async (name: string) => {
      for (let number = 0; !stopped; number += 1) {
        const id = `${name}-${number}`;
        await store.write('grant', id, grant(), { expect: 'absent', events: [event(id)] });
        acknowledged.push(id);
      }
    };
    const lanes = ['a', 'b', 'c', 'd'].map((name) => lane(name).catch(() => {}));
    while (acknowledged.length < 200) await store.ping();
    await server.kill();
    stopped = true;
    await Promise.all(lanes);
    await server.restart();
    for (const id of acknowledged) expect(await store.get('grant', id)).toBeDefined();
    const waiting = new Set((await store.pending(1000)).map(({ document }) => document));
    expect(acknowledged.filter((id) => !waiting.has(id))).toEqual([]);
    const found = await store.find('grant', 'user', 'usr_1', { limit: 1000 });
    expect(new Set(found.map(({ id }) => id))).toEqual(waiting);
  });

  test('memory that is full is a Problem, and nothing is half done', async () => {
    const server = await ownServer();
    const here = await place(server.address);
    const store = await here.open();
    await store.write('session', 's', session({ user: 'u' }), { expect: 'absent' });
    await here.bare.config('SET', 'maxmemory', '1mb');
    const full = { code: 'store_full', status: 503 };
    const writing = store.write('session', 's', session(), { expect: 1, events: [event('1')] });
    await expect(writing).rejects.toMatchObject(full);
    await expect(store.bump('k', 1, 60)).rejects.toMatchObject(full);
    expect(await store.get('session', 's')).toMatchObject({ version: 1 });
    await here.bare.config('SET', 'maxmemory', '0');
    expect(await store.find('session', 'user', 'u')).toHaveLength(1);
    expect(await store.pending(10)).toEqual([]);
  });

  test('a master that became a replica is told apart from one that is gone', async () => {
    const [one, two] = [await ownServer(), await ownServer()];
    const here = await place(one.address);
    const store = await here.open();
    await store.write('grant', 'g', grant(), { expect: 'absent' });
    await here.bare.replicaof('127.0.0.1', two.port);
    const writing = store.write('grant', 'g', grant(), { expect: 1 });
    await expect(writing).rejects.toMatchObject({ code: 'store_read_only', status: 503 });
    await here.bare.replicaof('NO', 'ONE');
    const made = store.write('grant', 'g2', grant(), { expect: 'absent' });
    await expect(made).resolves.toBe(1);
  });

  test('a document of a newer version is left alone', async () => {
    const here = await place();
    const store = await here.open();
    await store.write('grant', 'g', grant(), { expect: 'absent' });
    await here.bare.hset(`${here.prefix}:grant:g`, 'format', '2');
    const newer = { code: 'store_newer', status: 503, details: { format: 2 } };
    await expect(store.get('grant', 'g')).rejects.toMatchObject(newer);
    await expect(store.find('grant', 'user', 'usr_1')).rejects.toMatchObject(newer);
    await expect(store.write('grant', 'g', grant(), { expect: 1 })).rejects.toMatchObject(newer);
  });

  test('after closing nothing is taken any more', async () => {
    const store = await (await place()).open();
    await store.close();
    await store.close();
    const closed = { code: 'store_closed', status: 503 };
    await expect(store.get('grant', 'g')).rejects.toMatchObject(closed);
    const writing = store.write('grant', 'g', grant(), { expect: 'absent' });
    await expect(writing).rejects.toMatchObject(closed);
    await expect(writing).rejects.not.toBeInstanceOf(Conflict);
    await expect(store.ping()).rejects.toMatchObject(closed);
  });
});
