/** Stores in a Redis for one test, and a look behind them. */

import { Redis } from 'ioredis';
import { afterEach } from 'vitest';
import type { Log } from '../../src/base/log.ts';
import { openRedis } from '../../src/storage/redis.ts';
import type { RedisStoreOptions } from '../../src/storage/redis.ts';
import type { Kind } from '../../src/storage/kinds.ts';
import type { Store } from '../../src/storage/store.ts';
import { startOfTime } from '../conformance/suite.ts';
import { redisPlace, sharedRedis } from '../kit/redis.ts';
import { parseIndexMember } from '../../src/storage/redis/keys.ts';

export interface Place {
  time: { now: number };
  address: string;
  prefix: string;
  /** Each a connection of its own. */
  open(options?: Partial<RedisStoreOptions>): Promise<Store>;
  /** The server itself. */
  bare: Redis;
  /** The hash of a document. */
  hash(kind: Kind, id: string): Promise<Record<string, string>>;
  /** Members of one of the sorted sets, by the end of its key. */
  members(set: string): Promise<string[]>;
}

/** Call it once in a file: what it opens is closed after each test. */
export function redisPlaces(): { place(address?: string): Promise<Place> } {
  const endings: (() => unknown)[] = [];
  afterEach(async () => {
    for (const end of endings.splice(0).toReversed()) await end();
  });
  return {
    async place(given) {
      const base = given ?? (await sharedRedis());
      const { address, prefix, discard } = redisPlace(base);
      const bare = new Redis(base);
      // Tests that kill the server know.
      bare.on('error', () => {});
      endings.push(discard, () => bare.disconnect());
      const time = { now: startOfTime };
      return {
        time,
        address,
        prefix,
        bare,
        async open(options = {}) {
          const store = await openRedis({ address, clock: () => time.now, ...options });
          endings.push(() => store.close());
          return store;
        },
        hash: (kind, id) => bare.hgetall(`${prefix}:${kind}:${id}`),
        members: (set) => bare.zrange(`${prefix}:${set}`, '0', '-1'),
      };
    },
  };
}

/** The ids of documents that a set has, as often as it has them. */
export const idsIn = (members: readonly string[]): string[] =>
  members.map((member) => parseIndexMember(member).id);

export function rememberingLog(): Log & { lines: string[] } {
  const lines: string[] = [];
  const note = (message: string, fields?: unknown) =>
    void lines.push(`${message} ${JSON.stringify(fields)}`);
  return { lines, debug: note, info: note, warn: note, error: note };
}

export const minute = 60 * 1000;
export const hour = 60 * minute;
export const day = 24 * hour;
