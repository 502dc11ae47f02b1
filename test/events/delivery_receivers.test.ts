/** O-3: what receivers do, over real connections, and O-4: what a dead one costs the others. */

import { once } from 'node:events';
import { createServer } from 'node:http';
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { rounds } from '../kit/places.ts';
import { createFetch } from '../../src/base/fetch.ts';
import { selfSigned } from '../base/certificate.ts';
import { disableReceiver, enableReceiver } from '../../src/events/receiver_store.ts';
import type { DeliveryDocument } from '../../src/storage/documents.ts';
import { aProcess, aReceiver, aRunningProcess, deliveriesOf, Network } from './delivery_world.ts';
import { anEvent, happen, openWorld } from './world.ts';
import type { World } from './world.ts';

/** More than an answer takes on the busiest machine; for those that never come, little. */
const patienceMs = 10_000;
const shortMs = 400;

async function listen(answer: RequestListener, tls?: { key: string; cert: string }) {
  const server = tls === undefined ? createServer(answer) : createTlsServer(tls, answer);
  // What a client breaks off is no failure of the test.
  server.on('clientError', (_error, socket) => socket.destroy());
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    server.close();
    server.closeAllConnections();
  });
  const { port } = server.address() as AddressInfo;
  return `${tls === undefined ? 'http' : 'https'}://127.0.0.1:${port}/`;
}

/** One event on its way to one receiver, once. */
async function deliver(
  url: string,
  { judge = aReceiver('one').judge, timeoutMs = patienceMs } = {},
): Promise<{ world: World; delivery: DeliveryDocument; again(): Promise<void> }> {
  const world = await openWorld();
  const fetch = createFetch({ allowPrivate: ['127.0.0.0/8'], timeoutMs });
  onTestFinished(() => fetch.close());
  const receiver = aReceiver('one', { url, judge });
  const process = aProcess(world, [receiver], fetch, { timeoutMs, freshMs: 10_000 });
  const event = anEvent(world, 'user.disabled');
  await happen(process, 'usr_1', event);
  await process.dispatcher.drain();
  const again = () => process.deliveries.drain();
  await again();
  const [found] = await world.store.find('delivery', 'notice', event.id);
  return { world, delivery: found!.document, again };
}

const status =
  (code: number, headers: Record<string, string> = {}): RequestListener =>
  (_request, response) => {
    response.writeHead(code, headers).end('said the receiver');
  };

describe('O-3 a receiver', () => {
  test.each([200, 202, 204])('that answers %i has it', async (code) => {
    const { delivery } = await deliver(await listen(status(code)));
    expect(delivery).toMatchObject({ state: 'delivered', attempts: 1, last: { status: code } });
    expect(delivery.claim).toBeUndefined();
  });

  test.each([301, 302, 307, 401, 404, 500, 502, 503])(
    'that answers %i is asked again',
    async (code) => {
      const location = 'http://127.0.0.1:1/elsewhere';
      const judge = () => (code < 400 ? ('delivered' as const) : ('later' as const));
      const url = await listen(status(code, { location }));
      const { world, delivery } = await deliver(url, { judge });
      expect(delivery).toMatchObject({ state: 'waiting', attempts: 1, last: { status: code } });
      expect(delivery.dueAt).toBe(world.now + 1000);
    },
  );

  test('that refuses for good is not asked again', async () => {
    const { world, delivery } = await deliver(await listen(status(400)));
    expect(delivery).toMatchObject({ state: 'dead', last: { status: 400 } });
    expect(JSON.stringify(world.lines)).not.toContain('said the receiver');
  });

  test('that answers 410 is disabled, until its address is another one or an operator says so', async () => {
    const { world, delivery } = await deliver(await listen(status(410)));
    expect(delivery.state).toBe('dead');
    const state = await world.store.get('receiver', 'webhook:one');
    expect(state?.document.disabled).toMatchObject({ reason: 'gone' });
    const network = new Network();
    const late = anEvent(world, 'user.enabled');
    const same = aProcess(
      world,
      [aReceiver('one', { url: state!.document.disabled!.url })],
      network.fetch,
    );
    await happen(same, 'usr_1', late);
    await same.dispatcher.drain();
    await same.deliveries.drain();
    expect(network.sent).toEqual([]);
    const moved = aProcess(world, [aReceiver('one')], network.fetch);
    await happen(moved, 'usr_1', anEvent(world, 'user.disabled'));
    await moved.dispatcher.drain();
    await moved.deliveries.drain();
    expect(network.arrived).toHaveLength(1);
    expect((await world.store.get('receiver', 'webhook:one'))?.document.disabled).toBeUndefined();
  });

  test('that is enabled gets what is sent from that moment on, whatever a process still believes', async () => {
    const world = await openWorld();
    const network = new Network();
    await disableReceiver(world, 'webhook:one');
    const process = aProcess(world, [aReceiver('one')], network.fetch, { cacheMs: 3_600_000 });
    const missed = anEvent(world, 'user.disabled');
    await happen(process, 'usr_1', missed);
    await process.dispatcher.drain();
    expect(await world.store.find('delivery', 'notice', missed.id)).toEqual([]);
    await enableReceiver(world, 'webhook:one');
    expect(await process.deliveries.replay({ ids: [missed.id] })).toMatchObject({ deliveries: 1 });
    const event = anEvent(world, 'user.enabled');
    await happen(process, 'usr_1', event);
    await process.dispatcher.drain();
    await process.deliveries.drain();
    expect(network.ids()).toEqual([missed.id, event.id]);
  });

  test.each([
    ['seconds', '7', 7000],
    ['a date', new Date(Date.UTC(2026, 0, 1, 0, 1)).toUTCString(), 60_000],
    ['more than is reasonable', '999999', 3_600_000],
  ])('that says when (%s) is asked then, and not before', async (_name, retryAfter, waitMs) => {
    for (const code of [429, 503]) {
      let code2 = code;
      const url = await listen((request, response) =>
        status(code2, { 'retry-after': retryAfter })(request, response),
      );
      const { world, delivery, again } = await deliver(url);
      expect(delivery.dueAt).toBe(world.now + waitMs * 1.05);
      code2 = 204;
      world.now += waitMs - 1;
      await again();
      expect(await deliveriesOf(world.store, 'one')).toHaveLength(1);
      world.now += waitMs;
      await again();
      expect(await deliveriesOf(world.store, 'one')).toHaveLength(0);
    }
  });

  test.each<[string, (request: IncomingMessage, response: ServerResponse) => void]>([
    ['hangs', () => undefined],
    ['closes the connection', (request) => void request.socket.destroy()],
    ['sends half an answer', (request) => void request.socket.end('HTTP/1.1 20')],
    ['drips its headers', (request) => drip(() => request.socket.write('X'))],
  ])('that %s is asked again', async (_name, answer) => {
    const { delivery } = await deliver(await listen(answer), { timeoutMs: shortMs });
    expect(delivery).toMatchObject({ state: 'waiting', attempts: 1 });
    expect(delivery.last?.problem).toMatch(/^outgoing_(failed|timeout)$/);
  });

  test('that drips its body has been told all the same', async () => {
    const url = await listen((_request, response) => {
      response.writeHead(200);
      drip(() => response.write('.'));
    });
    expect((await deliver(url)).delivery.state).toBe('delivered');
  });

  test('that sends a gigabyte is not listened to', async () => {
    let written = 0;
    const url = await listen((_request, response) => {
      response.writeHead(200);
      const chunk = Buffer.alloc(64 * 1024);
      const go = () => {
        while (written < 1024 ** 3 && !response.destroyed) {
          written += chunk.length;
          if (!response.write(chunk)) return void response.once('drain', go);
        }
      };
      go();
    });
    expect((await deliver(url)).delivery.state).toBe('delivered');
    expect(written).toBeLessThan(64 * 1024 * 1024);
  });

  test('with a certificate that nobody vouches for is told nothing', async () => {
    let requests = 0;
    const url = await listen(() => (requests += 1), selfSigned(['127.0.0.1']));
    const { delivery } = await deliver(url);
    expect(delivery).toMatchObject({ state: 'waiting', last: { problem: 'outgoing_failed' } });
    expect(requests).toBe(0);
  });

  test('within our own network is not reached', async () => {
    const { delivery } = await deliver('https://10.0.0.1/');
    expect(delivery).toMatchObject({ state: 'waiting', last: { problem: 'outgoing_refused' } });
  });
});

function drip(write: () => unknown): void {
  const timer = setInterval(write, 20);
  onTestFinished(() => clearInterval(timer));
}

const eventually = (condition: () => unknown) =>
  vi.waitFor(condition, { timeout: 40_000, interval: 20 });

describe('O-4 a receiver that is dead', () => {
  test('among many costs the others nothing, and few attempts itself', async () => {
    const count = rounds(1000);
    const world = await openWorld();
    const network = new Network();
    network.answer = ({ host }) => (host === 'r0' ? new Promise<number>(() => undefined) : 204);
    const receivers = Array.from({ length: count }, (_, index) => aReceiver(`r${index}`));
    const options = { cacheMs: 50, timeoutMs: 100 };
    const { store } = aRunningProcess(world, receivers, network.fetch, options);
    for (let index = 0; index < 6; index += 1) {
      await happen({ store }, `d${index}`, anEvent(world, 'member.changed'));
    }
    await eventually(() => expect(network.arrived.length).toBe(6 * (count - 1)));
    await eventually(async () => {
      const state = await store.get('receiver', 'webhook:r0');
      expect(state?.document.failing?.openUntil).toBeGreaterThan(world.now);
    });
    const attempts = network.sent.filter(({ host }) => host === 'r0').length;
    expect(attempts).toBeLessThanOrEqual(10);
    // What waits for it is not among what is due.
    await eventually(async () => expect(await store.due('delivery', world.now, 10)).toEqual([]));
    expect(await deliveriesOf(store, 'r0')).toHaveLength(6);
  }, 60_000);

  test('is tried by one delivery at a time, later each time, and gets all when it is back', async () => {
    const world = await openWorld();
    const network = new Network();
    network.answer = () => new Error('refused');
    const { store, dispatcher, deliveries } = aProcess(world, [aReceiver('one')], network.fetch);
    for (let index = 0; index < 250; index += 1) {
      await happen({ store }, `d${index}`, anEvent(world, 'member.changed'));
    }
    await dispatcher.drain();
    await deliveries.drain();
    const first = network.sent.length;
    expect(first).toBeLessThan(10);
    const waits: number[] = [];
    for (let probes = 1; probes <= 6; probes += 1) {
      const state = await store.get('receiver', 'webhook:one');
      const { openUntil = 0 } = state?.document.failing ?? {};
      waits.push(openUntil - world.now);
      world.now = openUntil;
      await deliveries.drain();
      expect(network.sent).toHaveLength(first + probes);
    }
    expect(waits).toEqual([5000, 10_000, 15_000, 20_000, 30_000, 60_000]);
    network.answer = () => 204;
    world.now += 120_000;
    await deliveries.drain();
    expect(network.arrived).toHaveLength(250);
    const state = await store.get('receiver', 'webhook:one');
    expect(state?.document.failing).toBeUndefined();
  });

  test('for five days is disabled, with a line in the log', async () => {
    const world = await openWorld();
    const network = new Network();
    network.answer = () => 500;
    const { store, dispatcher, deliveries } = aProcess(world, [aReceiver('one')], network.fetch);
    for (let step = 0; step < 130; step += 1) {
      await happen({ store }, `d${step % 7}`, anEvent(world, 'member.changed'));
      await dispatcher.drain();
      await deliveries.drain();
      world.now += 3_600_000;
    }
    const state = await store.get('receiver', 'webhook:one');
    expect(state?.document.disabled).toMatchObject({ reason: 'failing' });
    const line = world.lines.find(({ message }) => message === 'a receiver is disabled');
    expect(line).toMatchObject({ level: 'error', fields: { receiver: 'webhook:one' } });
    const before = network.sent.length;
    world.now += 24 * 3_600_000;
    await deliveries.drain();
    expect(network.sent).toHaveLength(before);
    expect(await deliveriesOf(store, 'one')).toEqual([]);
  });

  test('for one event alone keeps no other event from it', async () => {
    const world = await openWorld();
    const network = new Network();
    const poison = anEvent(world, 'member.changed');
    network.answer = ({ id }) => (id === poison.id ? 500 : 204);
    const { store, dispatcher, deliveries } = aProcess(world, [aReceiver('one')], network.fetch);
    await happen({ store }, 'poison', poison);
    await dispatcher.drain();
    for (let attempts = 0; attempts < 8; attempts += 1) {
      await deliveries.drain();
      world.now += 300_000;
    }
    const others = Array.from({ length: 5 }, () => anEvent(world, 'member.changed'));
    for (const [index, event] of others.entries()) await happen({ store }, `d${index}`, event);
    await dispatcher.drain();
    await deliveries.drain();
    expect(network.ids().toSorted()).toEqual(others.map(({ id }) => id).toSorted());
  });
});
