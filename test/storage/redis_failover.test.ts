/** Masters that die. What an asynchronous replica did not have is lost: that is counted in `bench/redis_failover.ts`. */

import { afterEach, describe, expect, test } from 'vitest';
import { openRedis } from '../../src/storage/redis.ts';
import type { Store } from '../../src/storage/store.ts';
import { event, grant, session } from '../conformance/samples.ts';
import {
  cli,
  connectTo,
  redisIsThere,
  startRedis,
  startRedisCluster,
  startSentinel,
  until,
} from '../kit/redis.ts';

const endings: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const end of endings.splice(0).toReversed()) await end();
}, 60_000);

async function open(address: string): Promise<Store> {
  const store = await openRedis({ address, clock: Date.now });
  endings.push(() => store.close());
  return store;
}

const write = (store: Store, id: string) =>
  store.write('grant', id, grant(), { expect: 'any', events: [event(id)] });

/** Until a write is taken again. Whatever fails meanwhile says that trying again makes sense. */
async function writesGoOn(store: Store, id: string): Promise<void> {
  await until('writes go on', async () => {
    try {
      await write(store, id);
      return true;
    } catch (error) {
      expect(error).toMatchObject({ status: 503, retryAfterSeconds: 1 });
      return false;
    }
  });
}

describe.runIf(redisIsThere())('a failover', { timeout: 120_000 }, () => {
  test('behind Sentinels: writes go on at the new master', async () => {
    const { address, servers, stop } = await startSentinel();
    endings.push(stop);
    const store = await open(address);
    await write(store, 'before');
    await cli(servers[0]?.port ?? 0, 'wait', '1', '1000');
    await servers[0]?.kill();
    await writesGoOn(store, 'after');
    expect(await cli(servers[1]?.port ?? 0, 'info', 'replication')).toContain('role:master');
    expect(await store.get('grant', 'before')).toBeDefined();
    expect((await store.pending(10)).map(({ document }) => document).toSorted()).toEqual([
      'after',
      'before',
    ]);
    // The old one comes back and is told that it is a replica now.
    await servers[0]?.restart();
    await until('the old master follows the new one', async () =>
      (await cli(servers[0]?.port ?? 0, 'info', 'replication')).includes('role:slave'),
    );
    await writesGoOn(store, 'later');
    const second = await open(address);
    expect(await second.find('grant', 'user', 'usr_1')).toHaveLength(3);
  });

  test('that an operator asks the Sentinels for is gone through', async () => {
    const { address, stop } = await startSentinel();
    endings.push(stop);
    const store = await open(address);
    await write(store, 'before');
    const [, port = ''] = /:(\d+)[,/]/.exec(address) ?? [];
    await cli(Number(port), 'sentinel', 'failover', 'main');
    for (let number = 0; number < 50; number += 1) await writesGoOn(store, `during-${number}`);
    expect(await store.get('grant', 'before')).toBeDefined();
  });

  test('in a cluster: writes of all documents go on', async () => {
    const cluster = await startRedisCluster();
    endings.push(cluster.stop);
    const careful = await open(`${cluster.address}?wait=1`);
    const store = await open(cluster.address);
    const ids = Array.from({ length: 30 }, (_, number) => `g${number}`);
    for (const id of ids) await write(careful, id);
    await cluster.nodes[0]?.kill();
    for (const id of ids) await writesGoOn(store, id);
    for (const id of ids) expect((await store.get('grant', id))?.version).toBeGreaterThanOrEqual(2);
    expect(await store.find('grant', 'user', 'usr_1')).toHaveLength(30);
    expect(await store.pending(100)).toHaveLength(30);
    // Its slots have one copy now: who wants two waits until it is back.
    await cluster.nodes[0]?.restart();
    for (const id of ids) await writesGoOn(careful, id);
    expect(await (await open(cluster.address)).pending(100)).toHaveLength(30);
  });

  test('of slots that move in a cluster takes nothing away', async () => {
    const cluster = await startRedisCluster();
    endings.push(cluster.stop);
    const store = await open(`${cluster.address}?wait=1`);
    const ids = Array.from({ length: 30 }, (_, number) => `g${number}`);
    for (const id of ids) await write(store, id);
    const [replica] = cluster.nodes.slice(3);
    await cli(replica?.port ?? 0, 'cluster', 'failover');
    // A busy machine may take longer over it than the store is patient: whoever is refused asks again.
    for (const id of ids) await writesGoOn(store, id);
    for (const id of ids) expect((await store.get('grant', id))?.version).toBeGreaterThan(1);
    expect(await store.find('grant', 'user', 'usr_1')).toHaveLength(30);
    for (const { port } of cluster.nodes) await cli(port, 'config', 'set', 'requirepass', 'word');
    const wrong = open(cluster.address.replace('//', '//:secret@'));
    await expect(wrong).rejects.toMatchObject({ code: 'store_forbidden', status: 500 });
    await expect(wrong).rejects.not.toThrow('secret');
    await expect(open(cluster.address)).rejects.toMatchObject({ code: 'store_forbidden' });
    const right = await open(cluster.address.replace('//', '//:word@'));
    expect(await right.get('grant', 'g0')).toBeDefined();
  });
});

describe.runIf(redisIsThere())(
  'a cluster whose nodes lost different things',
  { timeout: 120_000 },
  () => {
    test('gets back what its documents say, a little at each sweep', async () => {
      const cluster = await startRedisCluster();
      endings.push(cluster.stop);
      const store = await open(cluster.address);
      await write(store, 'g');
      await store.write('session', 's', session({ user: 'u' }), { expect: 'absent' });
      const bare = connectTo(cluster.address);
      endings.push(async () => bare.disconnect());
      for (const lost of [
        'pending',
        'due:grant',
        'index:grant:user:usr_1',
        'index:session:user:u',
      ]) {
        expect(await bare.del(`tollgate:${lost}`)).toBe(1);
      }
      expect(await store.pending(10)).toEqual([]);
      await store.sweep(0);
      expect((await store.pending(10)).map(({ id }) => id)).toEqual(['evt_g']);
      expect(await store.find('grant', 'user', 'usr_1')).toHaveLength(1);
      expect(await store.find('session', 'user', 'u')).toHaveLength(1);
      expect(await store.due('grant', Number.MAX_SAFE_INTEGER, 10)).toHaveLength(1);
    });
  },
);

describe.runIf(redisIsThere())('waiting for replicas', () => {
  test('a write with events is acknowledged when they have it', async () => {
    const master = await startRedis({ settings: { 'repl-diskless-sync-delay': '0' } });
    endings.push(master.stop);
    const store = await open(`${master.address}?wait=1`);
    const alone = store.write('grant', 'g', grant(), {
      expect: 'absent',
      events: [event('1')],
      writeId: 'w',
    });
    const missing = { acknowledged: 0, wanted: 1 };
    await expect(alone).rejects.toMatchObject({
      code: 'store_not_replicated',
      status: 503,
      details: missing,
    });
    // Without events nobody waits.
    expect(await store.write('grant', 'g', grant(), { expect: 1, writeId: 'w2' })).toBe(2);

    const replica = await startRedis({ settings: { replicaof: `127.0.0.1 ${master.port}` } });
    endings.push(replica.stop);
    await until('the replica follows', async () =>
      (await cli(replica.port, 'info', 'replication')).includes('master_link_status:up'),
    );
    const second = { expect: 2, events: [event('2')], writeId: 'w3' } as const;
    expect(await store.write('grant', 'g', grant(), second)).toBe(3);
    expect(await cli(replica.port, 'hget', 'tollgate:grant:g', 'version')).toBe('3\n');

    replica.pause();
    const third = { expect: 3, events: [event('3')], writeId: 'w4' } as const;
    await expect(store.write('grant', 'g', grant(), third)).rejects.toMatchObject({
      code: 'store_not_replicated',
    });
    // Asked again over another connection, which has written nothing before.
    const other = await open(`${master.address}?wait=1`);
    await expect(other.write('grant', 'g', grant(), third)).rejects.toMatchObject({
      code: 'store_not_replicated',
    });
    replica.resume();
    // It was written: asking again with its id asks the replicas again.
    await until('the replica has it', async () =>
      store.write('grant', 'g', grant(), third).then(
        (version) => version === 4,
        () => false,
      ),
    );
    expect((await store.pending(10)).map(({ id }) => id)).toEqual(['evt_1', 'evt_2', 'evt_3']);
  });
});
