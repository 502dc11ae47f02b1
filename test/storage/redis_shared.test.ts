/** Two installations that mean the same place in one Redis: the second one is told, and takes nothing of the first. */

import { afterEach, describe, expect, test } from 'vitest';
import type { Store } from '../../src/storage/store.ts';
import { openStores } from '../../src/stores.ts';
import { filePlace } from '../kit/places.ts';
import { redisIsThere, redisPlace, sharedRedis } from '../kit/redis.ts';
import { recordingLog } from '../kit/server.ts';

const endings: (() => unknown)[] = [];
afterEach(async () => {
  for (const end of endings.splice(0).toReversed()) await end();
});

async function place() {
  const file = await filePlace();
  endings.push(() => file.discard());
  return file.address;
}

async function open(store: string, hot: string): Promise<Store> {
  const opened = await openStores({ store, hot }, { clock: Date.now, log: recordingLog() });
  endings.push(() => opened.close());
  return opened;
}

describe.runIf(redisIsThere())('a place in Redis', () => {
  test('belongs to one installation, with any number of processes', async () => {
    const hot = redisPlace(await sharedRedis());
    endings.push(() => hot.discard());
    const [one, other] = [await place(), await place()];
    await Promise.all([open(one, hot.address), open(one, hot.address), open(one, hot.address)]);
    await open(one, hot.address);
    await expect(open(other, hot.address)).rejects.toMatchObject({
      code: 'store_foreign',
      message: expect.stringContaining('?prefix=') as string,
    });
    const beside = redisPlace(await sharedRedis());
    endings.push(() => beside.discard());
    await open(other, beside.address);
  });
});
