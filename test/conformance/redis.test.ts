import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe } from 'vitest';
import { redisIsThere, redisPlace, sharedRedis, startRedisCluster } from '../kit/redis.ts';
import type { RedisCluster } from '../kit/redis.ts';
import { openAt } from './places.ts';
import { storeSuite } from './store.ts';
import type { StorePlace } from './suite.ts';

/** Where kept kinds are: a location for `openAt`, and what is done with it after. */
type KeptPlace = () => Promise<{ location: string; discard(): Promise<void> }>;

async function sqlitePlace() {
  const directory = await mkdtemp(join(tmpdir(), 'tollgate-store-'));
  return {
    location: `sqlite:${join(directory, 'tollgate.db')}`,
    discard: () => rm(directory, { recursive: true, force: true }),
  };
}

/** An empty place in a Redis for hot kinds, and one for the kept ones. */
function splitPlace(address: () => Promise<string>, keptPlace: KeptPlace) {
  return async (): Promise<StorePlace> => {
    const hot = redisPlace(await address());
    const kept = await keptPlace();
    const location = `${hot.address} ${kept.location}`;
    return {
      location,
      open: (clock) => openAt(location, clock),
      discard: async () => {
        await Promise.all([hot.discard(), kept.discard()]);
      },
    };
  };
}

const capabilities = { persistent: true, ordered: false, clocked: false };

describe.runIf(redisIsThere())('with a Redis', () => {
  storeSuite('Redis with SQLite', splitPlace(sharedRedis, sqlitePlace), capabilities);

  describe('a cluster', () => {
    let cluster: RedisCluster | undefined;
    beforeAll(async () => {
      cluster = await startRedisCluster();
    }, 60_000);
    afterAll(() => cluster?.stop());

    const address = async () => cluster?.address ?? '';
    storeSuite('Redis Cluster with SQLite', splitPlace(address, sqlitePlace), capabilities);
  });
});
