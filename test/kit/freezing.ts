/**
 * Two processes at one store, one of which can be frozen at any of its steps, as `SIGSTOP`, a paused container or
 * a machine that moves does it: it knows nothing of it, and goes on with what it was about to do.
 */

import { once } from 'node:events';
import { createServer as createHttpServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createBrowser } from '../../dev/walk.ts';
import type { Browser } from '../../dev/walk.ts';
import { startUpstreamOidc } from '../../dev/upstream/oidc.ts';
import { createServer } from '../../src/server.ts';
import type { Server } from '../../src/server.ts';
import type { Store } from '../../src/storage/store.ts';
import { makePlace } from './places.ts';
import { recordingLog, testConfig } from './server.ts';
import { skewDate } from './skew.ts';
import { seed, upstreamClient, worldConfig } from './world.ts';

export interface FreezingStore extends Store {
  /**
   * The process stops before its k-th call from now on, and all that it does after it waits too.
   * @returns resolves when it has come so far
   */
  freezeBefore(call: number): Promise<void>;
  thaw(): void;
  /** Since `freezeBefore`: whether a document was written before the process stopped. */
  readonly wrote: boolean;
}

export function freezing(store: Store): FreezingStore {
  let untilFrozen = 0;
  let wrote = false;
  let gate: PromiseWithResolvers<void> | undefined;
  let reached: PromiseWithResolvers<void> | undefined;

  async function step<T>(call: () => Promise<T>, writes = false): Promise<T> {
    if (untilFrozen > 0) {
      untilFrozen -= 1;
      if (untilFrozen === 0) {
        gate = Promise.withResolvers<void>();
        reached?.resolve();
      } else if (writes) wrote = true;
    }
    await gate?.promise;
    return call();
  }

  return {
    get: (kind, id) => step(() => store.get(kind, id)),
    find: (kind, index, value, options) => step(() => store.find(kind, index, value, options)),
    list: (kind, options) => step(() => store.list(kind, options)),
    due: (kind, before, limit) => step(() => store.due(kind, before, limit)),
    write: (kind, id, document, options) =>
      step(() => store.write(kind, id, document, options), true),
    pending: (limit, options) => step(() => store.pending(limit, options)),
    settle: (events) => step(() => store.settle(events)),
    bump: (key, by, ttlSeconds) => step(() => store.bump(key, by, ttlSeconds)),
    sweep: (now, limit) => step(() => store.sweep(now, limit)),
    ping: () => step(() => store.ping()),
    close: () => store.close(),

    get wrote() {
      return wrote;
    },
    freezeBefore(call) {
      untilFrozen = call;
      wrote = false;
      reached = Promise.withResolvers<void>();
      return reached.promise;
    },
    thaw() {
      untilFrozen = 0;
      gate?.resolve();
      gate = undefined;
    },
  };
}

export interface Pair {
  issuer: string;
  /** The clock of everybody is ahead by so many milliseconds. */
  ahead: number;
  /** Which of the two answers what comes from now on. */
  goTo(which: 'sleeper' | 'waker'): void;
  /** The store as the one that is frozen has it. */
  sleeping: FreezingStore;
  /** The other's. */
  store: Store;
  sleeper: Server;
  waker: Server;
  browser(): Browser;
  close(): Promise<void>;
}

/** Their workers do not run: `dispatcher.drain` does what they would. */
export async function startPair(): Promise<Pair> {
  const time = { ahead: 0 };
  const restoreDate = skewDate(() => time.ahead);
  const clock = () => Date.now();
  const present: { server?: Server } = {};
  const http = createHttpServer((request, response) => present.server?.callback(request, response));
  http.listen(0, '127.0.0.1');
  await once(http, 'listening');
  const issuer = `http://127.0.0.1:${(http.address() as AddressInfo).port}`;
  const upstream = await startUpstreamOidc({
    port: 0,
    clients: [{ ...upstreamClient, redirectUris: [`${issuer}/integrations/oauth2/callback`] }],
  });
  const config = testConfig(issuer, worldConfig(upstream));
  const place = await makePlace();
  const log = recordingLog();
  const store = await place.open(clock, log);
  const sleeping = freezing(await place.open(clock, log));
  const waker = await createServer({ config, store, clock, log });
  await seed(waker.directory, upstream.issuer);
  await waker.dispatcher.drain();
  const sleeper = await createServer({ config, store: sleeping, clock, log });
  present.server = waker;
  return {
    issuer,
    get ahead() {
      return time.ahead;
    },
    set ahead(value) {
      time.ahead = value;
    },
    goTo(which) {
      present.server = which === 'sleeper' ? sleeper : waker;
    },
    sleeping,
    store,
    sleeper,
    waker,
    browser: () => createBrowser({ stopAt: (url) => url.hostname.endsWith('.example.com') }),
    async close() {
      sleeping.thaw();
      http.close();
      http.closeAllConnections();
      await Promise.all([sleeper.stop(), waker.stop()]);
      await Promise.all([sleeping.close(), store.close(), upstream.close()]);
      await place.discard();
      restoreDate();
    },
  };
}
