/** What the groups of the store suite share. */

import { afterEach } from 'vitest';
import type { Clock } from '../../src/base/clock.ts';
import type { Store } from '../../src/storage/store.ts';

/** Where one test's documents live: empty when it is made. */
export interface StorePlace {
  /** Each call is a connection of its own to the same documents. */
  open(clock: Clock): Promise<Store>;
  /** How a child process opens the same documents (`places.ts`), where it can. */
  location?: string;
  discard(): Promise<void>;
}

/** What not every store can do. Said outright, so that nothing is skipped by accident. */
export interface Capabilities {
  /** Documents outlive the connection, and several connections see the same ones. */
  persistent: boolean;
  /** Writes asked for in one tick are made in that order. */
  ordered: boolean;
  /** Counters live by the given clock; otherwise by the server's own. */
  clocked: boolean;
}

export interface Suite extends Capabilities {
  /** The time of the test: move it at will. */
  time: { now: number };
  place(): Promise<StorePlace>;
  /** An empty store. */
  open(): Promise<Store>;
  /** Another connection. */
  connect(place: StorePlace): Promise<Store>;
}

/** A round hour in 2030: far from every real clock, so that using one is noticed. */
export const startOfTime = 1_900_000_800_000;

export function createSuite(place: () => Promise<StorePlace>, capabilities: Capabilities): Suite {
  const places: StorePlace[] = [];
  const stores: Store[] = [];
  const time = { now: startOfTime };

  afterEach(async () => {
    time.now = startOfTime;
    await Promise.all(stores.splice(0).map((store) => store.close()));
    await Promise.all(places.splice(0).map((used) => used.discard()));
  });

  const suite: Suite = {
    ...capabilities,
    time,
    place: async () => {
      const fresh = await place();
      places.push(fresh);
      return fresh;
    },
    open: async () => suite.connect(await suite.place()),
    connect: async (used) => {
      const store = await used.open(() => time.now);
      stores.push(store);
      return store;
    },
  };
  return suite;
}
