/** What a Redis says when it takes no more connections, and what one before 7.0 says of what happens in scripts. */

import { Redis } from 'ioredis';
import { afterEach, describe, expect, test } from 'vitest';
import { openRedis } from '../../src/storage/redis.ts';
import { explain, isPassing } from '../../src/storage/redis/failure.ts';
import { redisIsThere, startRedis } from '../kit/redis.ts';

const endings: (() => unknown)[] = [];
afterEach(async () => {
  for (const end of endings.splice(0).toReversed()) await end();
});

describe.runIf(redisIsThere())('a Redis that takes no more connections', () => {
  test('is one that cannot be reached, and used again when it does', async () => {
    const server = await startRedis();
    endings.push(() => server.stop());
    const store = await openRedis({ address: server.address, clock: Date.now });
    endings.push(() => store.close());
    const other = new Redis(server.address);
    endings.push(() => other.disconnect());
    await other.config('SET', 'maxclients', '1');
    await other.call('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes');
    await expect(store.get('session', 's1')).rejects.toMatchObject({
      code: 'store_unavailable',
      status: 503,
    });
    await other.config('SET', 'maxclients', '100');
    await expect.poll(() => store.get('session', 's1').catch(() => 'not yet')).toBeUndefined();
  });
});

const replied = (message: string) => Object.assign(new Error(message), { name: 'ReplyError' });

describe('a Redis before 7.0', () => {
  const inScript = (text: string) =>
    replied(`ERR Error running script (call to f_0123456789): @user_script:12: -${text}`);

  test('says inside of a sentence of its own what a script came to', () => {
    const readOnly = inScript("READONLY You can't write against a read only replica.");
    expect(isPassing(readOnly)).toBe(true);
    expect(explain(readOnly)).toMatchObject({ code: 'store_read_only', status: 503 });
    const full = inScript("OOM command not allowed when used memory > 'maxmemory'.");
    expect(explain(full)).toMatchObject({ code: 'store_full', status: 503 });
  });
});
