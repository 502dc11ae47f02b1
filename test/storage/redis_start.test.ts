import { afterEach, describe, expect, test } from 'vitest';
import type { Problem } from '../../src/base/errors.ts';
import { openRedis } from '../../src/storage/redis.ts';
import type { Store } from '../../src/storage/store.ts';
import { event, grant } from '../conformance/samples.ts';
import { freePort } from '../kit/redis/process.ts';
import { connectTo, redisIsThere, sharedRedis, startRedis } from '../kit/redis.ts';
import type { RedisProcess } from '../kit/redis.ts';
import { rememberingLog } from './redis_place.ts';

const endings: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const end of endings.splice(0).toReversed()) await end();
});

async function server(settings: Record<string, string> = {}): Promise<RedisProcess> {
  const started = await startRedis({ settings });
  endings.push(started.stop);
  return started;
}

async function open(address: string, log = rememberingLog()): Promise<Store> {
  const store = await openRedis({ address, clock: Date.now, log });
  endings.push(() => store.close());
  return store;
}

/** All that anybody is told. */
async function refusal(address: string): Promise<{ problem: Problem; told: string }> {
  const log = rememberingLog();
  try {
    await open(address, log);
  } catch (error) {
    const problem = error as Problem;
    const cause = String(problem.cause);
    const told = [problem.message, cause, JSON.stringify(problem.details), ...log.lines].join('\n');
    return { problem, told };
  }
  throw new Error('it was opened');
}

const withPassword = (address: string, userinfo: string) =>
  address.replace('redis://', `redis://${userinfo}@`);

describe.runIf(redisIsThere())('opening a Redis', () => {
  test('that is not there fails in time, and names it', async () => {
    const port = await freePort();
    const { problem } = await refusal(`redis://:secret@127.0.0.1:${port}/2`);
    expect(problem).toMatchObject({ code: 'store_unavailable', status: 500 });
    expect(problem.message).toContain(`redis://127.0.0.1:${port}/2 cannot be used`);
  });

  test('with a wrong password or none says so at once, and repeats none', async () => {
    const { address } = await server({ requirepass: 'right-secret' });
    for (const userinfo of [':wrong-secret', 'nobody:wrong-secret']) {
      const { problem, told } = await refusal(withPassword(address, userinfo));
      expect(problem).toMatchObject({ code: 'store_forbidden', status: 500 });
      expect(told).toContain('refuses the user name or the password');
      expect(told).not.toContain('secret');
    }
    const { problem } = await refusal(address);
    expect(problem).toMatchObject({ code: 'store_forbidden' });
    expect(problem.message).toContain('asks for a password');
    const store = await open(withPassword(address, ':right-secret'));
    await store.ping();
  });

  test('as a user with the permissions that are documented works, all of it', async () => {
    const rules = `~tollgate:* +hmget +hget +set +get +zadd +zrem +zrangebylex +zrevrangebylex +zrandmember +scan
      +evalsha +eval +info +time +select +wait +hset +hdel +hsetnx +hincrby +hexists +hkeys +pexpire +persist
      +incrby +pttl`;
    const { address } = await server({ user: `toll on >word ${rules.replaceAll(/\s+/g, ' ')}` });
    const store = await open(withPassword(address, 'toll:word'));
    await store.write('grant', 'g', grant({ expiresAt: 1 }), {
      expect: 'absent',
      events: [event('1')],
    });
    await store.write('grant', 'g', grant({ expiresAt: 9, user: 'u' }), { expect: 1 });
    expect(await store.find('grant', 'user', 'u', { descending: true })).toHaveLength(1);
    expect(await store.due('grant', 5, 10)).toEqual([]);
    await store.settle(await store.pending(10));
    await store.bump('k', 1, 60);
    expect(await store.sweep(10)).toBe(1);
    await store.ping();
  });

  test('as a user who may not do what is needed says so', async () => {
    const { address } = await server({ user: 'toll on >word ~* +get +set' });
    const { problem, told } = await refusal(withPassword(address, 'toll:word'));
    expect(problem).toMatchObject({ code: 'store_forbidden' });
    expect(told).toContain('info');
  });

  test.for(['allkeys-lru', 'volatile-ttl'])('that evicts (%s) is refused', async (policy) => {
    const { address } = await server({ 'maxmemory-policy': policy });
    const { problem } = await refusal(address);
    expect(problem).toMatchObject({ code: 'store_evicts', status: 500 });
    expect(problem.message).toContain('Set maxmemory-policy noeviction');
  });

  test('that is a replica is refused', async () => {
    const { port } = await server();
    const { address } = await server({ replicaof: `127.0.0.1 ${port}` });
    expect((await refusal(address)).problem).toMatchObject({
      code: 'store_read_only',
      status: 500,
    });
  });

  test('without an append-only file warns of what is lost', async () => {
    const log = rememberingLog();
    await open((await server({ appendonly: 'no' })).address, log);
    expect(log.lines.join()).toContain('no append-only file');
    const quiet = rememberingLog();
    await open((await server({ appendonly: 'yes' })).address, quiet);
    expect(quiet.lines).toEqual([]);
  });

  test('with what a newer version made is refused', async () => {
    const address = `${await sharedRedis()}?prefix=newer`;
    const bare = connectTo(await sharedRedis());
    endings.push(async () => {
      await bare.del('newer:schema');
      bare.disconnect();
    });
    await bare.set('newer:schema', '2');
    const { problem } = await refusal(address);
    expect(problem).toMatchObject({ code: 'store_newer', details: { schema: 2, known: 1 } });
  });

  test('in another database, or under another prefix, sees nothing of the first', async () => {
    const { address } = await server();
    const stores = [
      await open(address),
      await open(`${address}/1`),
      await open(`${address}?prefix=other`),
    ];
    for (const store of stores) {
      expect(await store.write('grant', 'g', grant(), { expect: 'absent' })).toBe(1);
    }
    expect(await open(address).then((store) => store.get('grant', 'g'))).toBeDefined();
  });
});
