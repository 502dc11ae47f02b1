/** Receivers that a test writes, an engine for each process, and a network between them that it plays. */

import { onTestFinished } from 'vitest';
import type { DeliveryFetch } from '../../src/events/attempt.ts';
import { createDispatcher } from '../../src/events/dispatcher.ts';
import type { Dispatcher } from '../../src/events/dispatcher.ts';
import { createDeliveries } from '../../src/events/engine.ts';
import type { Deliveries, DeliveriesOptions } from '../../src/events/engine.ts';
import { announcing } from '../../src/events/outbox.ts';
import type { Receiver } from '../../src/events/receivers.ts';
import type { DeliveryDocument } from '../../src/storage/documents.ts';
import type { Store, Stored } from '../../src/storage/store.ts';
import type { World } from './world.ts';

/** Wants everything, and says which event it is. */
export function aReceiver(name: string, changes: Partial<Receiver> = {}): Receiver {
  return {
    id: `webhook:${name}`,
    url: `https://${name}.example.com/events`,
    wants: () => [{}],
    encode: (id, notice, { lane }) =>
      Promise.resolve({
        body: JSON.stringify({ id, type: notice.type, lane, version: notice.cause.version }),
        headers: { 'content-type': 'application/json', 'webhook-id': id },
      }),
    judge(status) {
      if (status >= 200 && status < 300) return 'delivered';
      if (status === 400) return 'refused';
      return status === 410 ? 'gone' : 'later';
    },
    ...changes,
  };
}

export interface Sent {
  host: string;
  id: string;
  type: string;
  lane: string;
  version: number;
}

export type Answer = number | Error | Response;

/** Answers what the test says, and keeps account. */
export class Network {
  /** In the order of sending; what was answered by 2xx is in `arrived` as well. */
  readonly sent: Sent[] = [];
  readonly arrived: Sent[] = [];
  /** The most at the same time, in all, for each host and for each lane. */
  most = { all: 0, host: 0, lane: 0 };
  answer: (sent: Sent) => Answer | Promise<Answer> = () => 204;
  readonly #now = new Map<string, number>();

  readonly fetch: DeliveryFetch = async (url, { body, signal }) => {
    const said = JSON.parse(body) as Omit<Sent, 'host'>;
    const sent: Sent = { ...said, host: new URL(url).hostname.split('.')[0] ?? '' };
    this.sent.push(sent);
    const keys = ['all', `host ${sent.host}`, `lane ${sent.lane}`] as const;
    for (const key of keys) this.#count(key, 1);
    try {
      await new Promise((resolve) => setImmediate(resolve));
      const aborted = new Promise<never>((_, reject) => {
        const end = () => reject(signal.reason as Error);
        // On a busy machine its time may be over before it was sent, and nobody says so again.
        if (signal.aborted) end();
        else signal.addEventListener('abort', end, { once: true });
      });
      const answer = await Promise.race([this.answer(sent), aborted]);
      if (answer instanceof Error) throw answer;
      const response = answer instanceof Response ? answer : new Response(null, { status: answer });
      if (response.status < 300) this.arrived.push(sent);
      return response;
    } finally {
      for (const key of keys) this.#count(key, -1);
    }
  };

  ids(): string[] {
    return this.arrived.map(({ id }) => id);
  }

  #count(key: string, by: number): void {
    const count = (this.#now.get(key) ?? 0) + by;
    this.#now.set(key, count);
    const what = key.split(' ')[0] as keyof Network['most'];
    this.most[what] = Math.max(this.most[what], count);
  }
}

export interface Process {
  deliveries: Deliveries;
  dispatcher: Dispatcher;
  /** As this process's rooms see it. */
  store: Store;
}

/** A process that nothing moves but the test: `drain` does what its workers would. */
export function aProcess(
  world: World,
  receivers: readonly Receiver[],
  fetch: DeliveryFetch,
  options: Partial<DeliveriesOptions> = {},
): Process {
  const { clock, log } = world;
  const shared = { store: world.store, clock, log, owner: 'one', random: () => 0.5 };
  const deliveries = createDeliveries({
    ...shared,
    fetch,
    sources: [{ all: () => Promise.resolve(receivers) }],
    cacheMs: 0,
    ...options,
  });
  const { store, owner } = { ...shared, ...options };
  const handlers = [deliveries.handler];
  const dispatcher = createDispatcher({ ...shared, store, owner, handlers, pollMs: 20 });
  onTestFinished(async () => {
    await dispatcher.stop();
    await deliveries.stop();
  });
  return { deliveries, dispatcher, store: announcing(store, (events) => dispatcher.wake(events)) };
}

/** One whose workers run. */
export function aRunningProcess(...parameters: Parameters<typeof aProcess>): Process {
  const [world, receivers, fetch, options = {}] = parameters;
  const running = aProcess(world, receivers, fetch, { pollMs: 20, ...options });
  running.dispatcher.start();
  running.deliveries.start();
  return running;
}

/** All deliveries of a receiver that wait or were given up. */
export async function deliveriesOf(
  store: Store,
  receiver: string,
  state: DeliveryDocument['state'] = 'waiting',
): Promise<Stored<DeliveryDocument>[]> {
  return store.find('delivery', 'receiver', `webhook:${receiver} ${state}`, { limit: 1000 });
}
