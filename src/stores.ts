/** Opens what the configuration names as its stores. Drivers are imported on demand: a process loads those that it uses. */

import type { Clock } from './base/clock.ts';
import { Problem } from './base/errors.ts';
import { randomToken } from './base/ids.ts';
import type { Log } from './base/log.ts';
import type { Config } from './config.ts';
import { split } from './storage/split.ts';
import { Conflict } from './storage/store.ts';
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
  let opened: Store | undefined;
  try {
    const { openRedis } = await import('./storage/redis.ts');
    opened = await openRedis({ address: hot, ...deps });
    await requireSameInstallation(opened, kept);
    return split({ hot: opened, kept });
  } catch (error) {
    await Promise.all([opened?.close(), kept.close()]);
    throw error;
  }
}

/**
 * Two installations with the same prefix in one Redis would take each other's events and leases. Who comes first
 * leaves its name there.
 */
async function requireSameInstallation(hot: Store, kept: Store): Promise<void> {
  const name = String(await installationOf(kept, randomToken()));
  if ((await installationOf(hot, name)) === name) return;
  throw new Problem(
    'store_foreign',
    500,
    'What is in Redis belongs to another installation, whose `store` is another one. ' +
      'Give this one a prefix of its own behind the address of `hot`: ?prefix=name.',
  );
}

/** @returns the name that it has, or had first */
async function installationOf(store: Store, otherwise: string): Promise<unknown> {
  const present = await store.get('meta', 'installation');
  if (present !== undefined) return present.document.value;
  try {
    await store.write('meta', 'installation', { value: otherwise }, { expect: 'absent' });
    return otherwise;
  } catch (error) {
    if (!(error instanceof Conflict)) throw error;
    return (await store.get('meta', 'installation'))?.document.value;
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
