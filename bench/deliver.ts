/**
 * `node bench/deliver.ts [--events 20000] [--receivers 5] [--live 2000] [--store sqlite:FILE]`: how fast a backlog of
 * deliveries drains, in how much memory, and how long it takes from a commit to the first attempt. Receivers are on
 * loopback, in this process, so the numbers are those of both ends.
 */

import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { createFetch } from '../src/base/fetch.ts';
import { createLog } from '../src/base/log.ts';
import { createDispatcher } from '../src/events/dispatcher.ts';
import { createDeliveries } from '../src/events/engine.ts';
import { announcing } from '../src/events/outbox.ts';
import type { Receiver } from '../src/events/receivers.ts';
import { newEvent } from '../src/events/types.ts';
import type { PendingEvent, Store } from '../src/storage/store.ts';
import { openStores } from '../src/stores.ts';

const { values } = parseArgs({
  options: {
    events: { type: 'string', default: '20000' },
    receivers: { type: 'string', default: '5' },
    live: { type: 'string', default: '2000' },
    store: { type: 'string' },
  },
});
const events = Number(values.events);
const receiverCount = Number(values.receivers);
const live = Number(values.live);
const clock = Date.now;
const log = createLog({ level: 'warn', clock, write: (line) => void process.stderr.write(line) });

let arrived = 0;
const servers = await Promise.all(
  Array.from({ length: Math.min(receiverCount, 250) }, async (_, index) => {
    const server = createServer((request, response) => {
      arrived += 1;
      request.resume().on('end', () => response.writeHead(204).end());
    });
    // Hosts of their own, as far as the caps are concerned.
    server.listen(0, `127.0.0.${index + 1}`);
    await once(server, 'listening');
    return server;
  }),
);
const addresses = servers.map((server) => server.address() as AddressInfo);

const receivers = Array.from({ length: receiverCount }, (_, index): Receiver => ({
  id: `webhook:r${index}`,
  url: `http://127.0.0.${(index % 250) + 1}:${addresses[index % 250]?.port}/`,
  wants: () => [{}],
  encode: (id, notice) =>
    Promise.resolve({ body: JSON.stringify({ id, ...notice }), headers: { 'webhook-id': id } }),
  judge: (status) => (status < 300 ? 'delivered' : 'later'),
}));

const lags: number[] = [];

function engine(store: Store, owner: string) {
  const fetch = createFetch({ allowPrivate: ['127.0.0.0/8'], timeoutMs: 10_000 });
  const deliveries = createDeliveries({
    store,
    clock,
    log,
    fetch,
    owner,
    sources: [{ all: () => Promise.resolve(receivers) }],
    meter: {
      attempt: () => undefined,
      lag: (_receiver, milliseconds) => void lags.push(milliseconds),
      dead: () => undefined,
      load: () => undefined,
    },
  });
  const handlers = [deliveries.handler];
  const dispatcher = createDispatcher({ store, clock, log, handlers, owner });
  return { deliveries, dispatcher, fetch };
}

/** What follows from events that a process wrote and then died, up to the deliveries. */
async function leaveBacklog(store: Store): Promise<void> {
  const { deliveries } = engine(store, 'dead');
  const atOnce = 100;
  for (let start = 0; start < events; start += atOnce) {
    const some = Array.from({ length: Math.min(atOnce, events - start) }, (_, index) => {
      const event = newEvent(clock, 'user.disabled', { user: `usr_${start + index}` });
      const place = { kind: 'user' as const, document: `usr_${start + index}`, version: 1 };
      return deliveries.handler.handle({ ...event, ...place } satisfies PendingEvent);
    });
    await Promise.all(some);
  }
}

const folder = await mkdtemp(join(tmpdir(), 'tollgate-bench-'));
const address = values.store ?? `sqlite:${join(folder, 'tollgate.db')}`;
const store = await openStores({ store: address, hot: undefined }, { clock, log });
try {
  await leaveBacklog(store);
  const total = events * receiverCount;
  const { deliveries, dispatcher, fetch } = engine(store, 'alive');
  const told = announcing(store, (written) => dispatcher.wake(written));
  const memory: number[] = [];
  const watch = setInterval(() => memory.push(process.memoryUsage().rss / 2 ** 20), 250);
  console.log(`${total} deliveries wait, ${Math.round(process.memoryUsage().rss / 2 ** 20)} MB`);
  const startedAt = performance.now();
  const cpuBefore = process.cpuUsage();
  dispatcher.start();
  deliveries.start();
  let shownAt = startedAt;
  while (arrived < total) {
    await delay(100);
    if (performance.now() - shownAt < 5000) continue;
    shownAt = performance.now();
    const seconds = Math.round((shownAt - startedAt) / 1000);
    console.log(`  ${seconds} s: ${arrived}, ${Math.round(memory.at(-1) ?? 0)} MB`);
  }
  const seconds = (performance.now() - startedAt) / 1000;
  const cpu = process.cpuUsage(cpuBefore);
  const perDelivery = (cpu.user + cpu.system) / total;
  const half = memory.slice(memory.length / 2);
  console.log(
    `drained in ${seconds.toFixed(1)} s, ${Math.round(total / seconds)} a second, ` +
      `${Math.round(perDelivery)} µs of CPU each; memory at most ${Math.round(Math.max(...memory))} MB, ` +
      `in the second half ${Math.round(Math.min(...half))} to ${Math.round(Math.max(...half))} MB`,
  );
  clearInterval(watch);

  lags.length = 0;
  await delay(3000);
  for (let index = 0; index < live; index += 1) {
    const event = newEvent(clock, 'user.disabled', { user: `live_${index}` });
    await told.write('meta', `live_${index}`, { value: 0 }, { expect: 'any', events: [event] });
    await delay(5);
  }
  while (lags.length < live * receiverCount) await delay(50);
  lags.sort((a, b) => a - b);
  const at = (part: number) => lags[Math.floor((lags.length - 1) * part)];
  console.log(
    `from the event to the first attempt: p50 ${at(0.5)} ms, p99 ${at(0.99)} ms, most ${lags.at(-1)} ms`,
  );
  await dispatcher.stop();
  await deliveries.stop();
  await fetch.close();
} finally {
  await store.close();
  await rm(folder, { recursive: true, force: true });
  for (const server of servers) {
    server.closeAllConnections();
    server.close();
  }
}
