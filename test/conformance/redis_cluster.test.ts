/** The suite on a Redis Cluster of six nodes: every script has one key, and every key may be elsewhere. */

import { afterAll, beforeAll, describe } from 'vitest';
import { filePlace } from '../kit/places.ts';
import { redisIsThere, redisPlace, startRedisCluster } from '../kit/redis.ts';
import type { RedisCluster } from '../kit/redis.ts';
import { openAt } from './places.ts';
import { storeSuite } from './store.ts';

describe.runIf(redisIsThere())('with a cluster', () => {
  let cluster: RedisCluster | undefined;
  beforeAll(async () => {
    cluster = await startRedisCluster();
  }, 60_000);
  afterAll(() => cluster?.stop());

  storeSuite(
    'Redis Cluster with SQLite',
    async () => {
      const hot = redisPlace(cluster?.address ?? '');
      const kept = await filePlace();
      const location = JSON.stringify({ store: kept.address, hot: hot.address });
      return {
        location,
        open: (clock) => openAt(location, clock),
        discard: async () => {
          await Promise.all([hot.discard(), kept.discard()]);
        },
      };
    },
    { persistent: true, ordered: false, clocked: false },
  );
});
