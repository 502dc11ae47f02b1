/** The world of `world.ts` on a store whose writes fail on demand, with a server that can be started anew. */

import { once } from 'node:events';
import { createServer as createHttpServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createBrowser } from '../../dev/walk.ts';
import type { Browser } from '../../dev/walk.ts';
import { startUpstreamOidc } from '../../dev/upstream/oidc.ts';
import { createServer } from '../../src/server.ts';
import type { Server } from '../../src/server.ts';
import type { Clock } from '../../src/base/clock.ts';
import { announcing } from '../../src/events/outbox.ts';
import type { PendingEvent, Store } from '../../src/storage/store.ts';
import { faulty } from './faults.ts';
import type { FaultyStore } from './faults.ts';
import { openEmpty } from './places.ts';
import { recordingLog, testConfig } from './server.ts';
import type { ConfigChanges } from './server.ts';
import { seed, upstreamClient, worldConfig } from './world.ts';

export interface MortalWorld {
  issuer: string;
  store: FaultyStore;
  /** The issuer of the upstream provider. */
  upstream: string;
  /** All events that were ever written, by id, in their order. */
  events: ReadonlyMap<string, PendingEvent>;
  /** Of the present process. Its workers do not run: `dispatcher.drain` does what they would. */
  server(): Server;
  /** Another process at the same store. */
  restart(): Promise<void>;
  browser(): Browser;
  /** What was answered, oldest first. */
  answers: Answered[];
  close(): Promise<void>;
}

export interface Answered {
  path: string;
  status: number;
  retryAfter: string | undefined;
}

export async function startMortalWorld(
  config: ConfigChanges = {},
  clock: Clock = Date.now,
  open: (clock: Clock) => Promise<Store> = openEmpty,
): Promise<MortalWorld> {
  const running: { server?: Server } = {};
  const answers: Answered[] = [];
  const http = createHttpServer((request, response) => {
    response.once('finish', () => {
      const [path = ''] = (request.url ?? '').split('?');
      const retryAfter = response.getHeader('Retry-After')?.toString();
      answers.push({ path, status: response.statusCode, retryAfter });
    });
    running.server?.callback(request, response);
  });
  http.listen(0, '127.0.0.1');
  await once(http, 'listening');
  const issuer = `http://127.0.0.1:${(http.address() as AddressInfo).port}`;
  const upstream = await startUpstreamOidc({
    port: 0,
    clients: [{ ...upstreamClient, redirectUris: [`${issuer}/integrations/oauth2/callback`] }],
  });
  const limits = { perAddressPerMinute: 1_000_000 };
  const complete = testConfig(issuer, worldConfig(upstream, { limits, ...config }));
  const events = new Map<string, PendingEvent>();
  const base = announcing(await open(clock), (written = []) => {
    for (const event of written) events.set(event.id, event);
  });
  const store = faulty(base);

  async function restart(): Promise<void> {
    const before = running.server;
    running.server = await createServer({ config: complete, store, clock, log: recordingLog() });
    await before?.stop();
  }

  const server = () => {
    if (running.server === undefined) throw new Error('no process runs');
    return running.server;
  };
  await restart();
  await seed(server().directory, upstream.issuer);
  await server().dispatcher.drain();
  return {
    issuer,
    store,
    upstream: upstream.issuer,
    events,
    server,
    restart,
    browser: () => createBrowser({ stopAt: (url) => url.hostname.endsWith('.example.com') }),
    answers,
    async close() {
      http.close();
      http.closeAllConnections();
      await running.server?.stop();
      await base.close();
      await upstream.close();
    },
  };
}
