/**
 * Where the documents of a test live: an empty place of its own, in the store that this run is about
 * (`TOLLGATE_TEST_STORE`). The same stories run on each.
 */

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Clock } from '../../src/base/clock.ts';
import type { Log } from '../../src/base/log.ts';
import type { Config } from '../../src/config.ts';
import type { Store } from '../../src/storage/store.ts';
import { openStores } from '../../src/stores.ts';
import { mongodbUrl, testDatabase } from './mongodb/start.ts';
import { redisPlace, sharedRedis } from './redis.ts';
import { storeNames } from './store_names.ts';
import type { StoreName } from './store_names.ts';

export function presentStore(): StoreName {
  const given = process.env.TOLLGATE_TEST_STORE ?? 'sqlite';
  const name = storeNames.find((one) => one === given);
  if (name === undefined) throw new Error(`TOLLGATE_TEST_STORE: there is no ${given}`);
  return name;
}

/**
 * So many rounds; a fifth of them where each step goes over a wire to a small server, unless
 * `TOLLGATE_TEST_FULL=1` asks for all.
 */
export const rounds = (count: number): number =>
  presentStore() === 'sqlite' || process.env.TOLLGATE_TEST_FULL === '1'
    ? count
    : Math.ceil(count / 5);

/**
 * Which writes of a story are stopped at: every one; behind a wire every other one, on Node the odd ones and on Deno the
 * even ones, unless `TOLLGATE_TEST_FULL=1` asks for all.
 */
export function writesToStopAt(): { first: number; step: number } {
  if (rounds(5) === 5) return { first: 1, step: 1 };
  return { first: 'deno' in process.versions ? 2 : 1, step: 2 };
}

/** As the configuration names it. */
export type Address = Pick<Config, 'store' | 'hot'>;

export interface Place {
  address: Address;
  /** Each call is a connection of its own to the same documents. */
  open(clock: Clock, log?: Log): Promise<Store>;
  /** When all connections are closed. */
  discard(): Promise<void>;
}

const silent: Log = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
};

/** @param one the store that this run is about when not given */
export async function makePlace(one: StoreName = presentStore()): Promise<Place> {
  const kept = one.endsWith('mongodb') ? await databasePlace() : await filePlace();
  const hot = one.startsWith('redis') ? redisPlace(await sharedRedis()) : undefined;
  const address: Address = {
    store: kept.address,
    ...(hot === undefined ? {} : { hot: hot.address }),
  };
  return {
    address,
    open: (clock, log = silent) => openStores(address, { clock, log }),
    async discard() {
      await Promise.all([kept.discard(), hot?.discard()]);
    },
  };
}

/**
 * A store for tests that need one connection: what is in it goes when it is closed. Where the run is about
 * SQLite it is in memory.
 */
export async function openEmpty(clock: Clock, log: Log = silent): Promise<Store> {
  if (presentStore() === 'sqlite') {
    return openStores({ store: 'sqlite::memory:', hot: undefined }, { clock, log });
  }
  const place = await makePlace();
  const store = await place.open(clock, log);
  const close = store.close.bind(store);
  store.close = async () => {
    await close();
    await place.discard();
  };
  return store;
}

interface Part {
  address: string;
  discard(): Promise<void>;
}

/** A file of SQLite. */
export async function filePlace(): Promise<Part> {
  const folder = await mkdtemp(join(tmpdir(), 'tollgate-store-'));
  return {
    address: `sqlite:${join(folder, 'tollgate.db')}`,
    discard: () => rm(folder, { recursive: true, force: true }),
  };
}

async function databasePlace(): Promise<Part> {
  const url = await mongodbUrl();
  if (url === undefined) throw new Error('There is no MongoDB.');
  const { address, drop } = testDatabase(url);
  return { address, discard: drop };
}
