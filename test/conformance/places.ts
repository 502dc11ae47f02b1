/** Opens a store by its location, so that a child process can be told which one. */

import type { Clock } from '../../src/base/clock.ts';
import { openMongodb } from '../../src/storage/mongodb.ts';
import { openRedis } from '../../src/storage/redis.ts';
import { split } from '../../src/storage/split.ts';
import { openSqlite } from '../../src/storage/sqlite.ts';
import type { Store } from '../../src/storage/store.ts';

/** @param location such as `sqlite:/tmp/x.db`, or a connection string */
export async function openAt(location: string, clock: Clock): Promise<Store> {
  // `redis://localhost sqlite:/tmp/x.db`: hot kinds there, kept ones in what follows.
  if (location.startsWith('redis')) {
    const [address = '', kept = ''] = location.split(/ (.*)/s);
    return split({ hot: await openRedis({ address, clock }), kept: await openAt(kept, clock) });
  }
  const [driver, ...rest] = location.split(':');
  if (driver === 'sqlite') return openSqlite({ path: rest.join(':'), clock });
  if (driver === 'mongodb') return openMongodb({ address: location, clock });
  throw new Error(`no driver for ${location}`);
}
