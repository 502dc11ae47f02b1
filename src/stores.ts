/** Opens what the configuration names as its stores. Drivers are imported on demand: a process loads those that it uses. */

import type { Clock } from './base/clock.ts';
import type { Log } from './base/log.ts';
import type { Config } from './config.ts';
import { split } from './storage/split.ts';
import type { Store } from './storage/store.ts';

export interface StoreDependencies {
  clock: Clock;
  log: Log;
}

/** @throws {Problem} when one cannot be used; its message is for the operator */
export async function openStores(
  { store, hot }: Pick<Config, 'store' | 'hot'>,
  deps: StoreDependencies,
): Promise<Store> {
  const kept = await openKept(store, deps);
  if (hot === undefined) return kept;
  try {
    const { openRedis } = await import('./storage/redis.ts');
    return split({ hot: await openRedis({ address: hot, ...deps }), kept });
  } catch (error) {
    await kept.close();
    throw error;
  }
}

/** Of the two schemes that the configuration lets through. */
async function openKept(address: string, deps: StoreDependencies): Promise<Store> {
  if (address.startsWith('mongodb')) {
    const { openMongodb } = await import('./storage/mongodb.ts');
    return openMongodb({ address, ...deps });
  }
  const { openSqlite } = await import('./storage/sqlite.ts');
  return openSqlite({ path: address.replace(/^sqlite:/, ''), ...deps });
}
