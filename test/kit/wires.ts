/** A place whose servers are behind proxies: one wire to each, that a test cuts or lets hang. */

import type { Clock } from '../../src/base/clock.ts';
import type { Log } from '../../src/base/log.ts';
import { openMongodb } from '../../src/storage/mongodb.ts';
import { openRedis } from '../../src/storage/redis.ts';
import { split } from '../../src/storage/split.ts';
import type { Store } from '../../src/storage/store.ts';
import { openStores } from '../../src/stores.ts';
import { recordingLog } from './server.ts';
import { throughProxy } from './mongodb/network.ts';
import { makePlace } from './places.ts';
import type { Address, Place } from './places.ts';
import type { StoreName } from './store_names.ts';
import { startProxy } from './proxy.ts';
import type { Proxy } from './proxy.ts';
import { redisFraming } from './redis/framing.ts';

const longestWait = 2000;

export interface Wire {
  to: 'MongoDB' | 'Redis';
  proxy: Proxy;
}

/** The servers of the store that this run is about. */
export function serversOf(name: StoreName): Wire['to'][] {
  const names = { mongodb: 'MongoDB', redis: 'Redis', sqlite: undefined } as const;
  return name.split('+').flatMap((part) => names[part as keyof typeof names] ?? []);
}

export interface WiredPlace extends Place {
  wires: Wire[];
}

/** For the stores that have wires. */
export async function makeWiredPlace(): Promise<WiredPlace> {
  const place = await makePlace();
  const wires: Wire[] = [];
  let { store, hot } = place.address;
  if (store.startsWith('mongodb')) {
    const { proxy, address } = await throughProxy(store, { socketTimeoutMS: '1000' });
    wires.push({ to: 'MongoDB', proxy });
    store = address;
  }
  if (hot !== undefined) {
    const url = new URL(hot);
    const proxy = await startProxy({ host: url.hostname, port: Number(url.port) }, redisFraming);
    wires.push({ to: 'Redis', proxy });
    url.host = `127.0.0.1:${proxy.port}`;
    hot = url.href;
  }
  const address = { store, hot };
  return {
    address,
    wires,
    open: (clock, log = recordingLog()) => open(address, clock, log),
    async discard() {
      for (const { proxy } of wires) await proxy.close();
      await place.discard();
    },
  };
}

/** As `openStores` does, but less patient: it would wait for a database to fail over. */
async function open({ store, hot }: Address, clock: Clock, log: Log): Promise<Store> {
  if (!store.startsWith('mongodb')) return openStores({ store, hot }, { clock, log });
  const kept = await openMongodb({ address: store, clock, log, longestWait });
  return hot === undefined
    ? kept
    : split({ hot: await openRedis({ address: hot, clock, log }), kept });
}
