/** What is measured of events and deliveries. */

import { expect, test } from 'vitest';
import { createMetrics } from '../../src/base/metrics.ts';
import { measuredDeliveries, measuredHandler, watchReceivers } from '../../src/events/measured.ts';
import type { PendingEvent } from '../../src/storage/store.ts';
import { recordingLog } from '../kit/server.ts';

const event: PendingEvent = {
  id: 'evt_1',
  type: 'user.disabled',
  at: 0,
  data: {},
  kind: 'user',
  document: 'usr_1',
  version: 1,
};

test('handlers, by how they end', async () => {
  const metrics = createMetrics();
  let failing = true;
  const handle = () => (failing ? Promise.reject(new Error('not now')) : Promise.resolve());
  const handler = measuredHandler({ name: 'audit', types: 'all', handle }, metrics);
  await expect(handler.handle(event)).rejects.toThrow('not now');
  failing = false;
  await handler.handle(event);
  const text = await metrics.text();
  for (const outcome of ['done', 'failed']) {
    expect(text).toContain(`tollgate_events_handled_total{handler="audit",outcome="${outcome}"} 1`);
  }
});

test('deliveries, by receiver; streams go by one name', async () => {
  const metrics = createMetrics();
  const meter = measuredDeliveries(metrics);
  meter.attempt('webhook:crm', 'later', 120);
  meter.attempt('stream:4711', 'delivered', 5);
  meter.attempt('stream:4712', 'delivered', 5);
  meter.lag('webhook:crm', 80);
  meter.dead('client:web');
  meter.load(3, 2);
  const text = await metrics.text();
  for (const line of [
    'tollgate_delivery_attempts_total{receiver="webhook:crm",outcome="later"} 1',
    'tollgate_delivery_attempts_total{receiver="stream",outcome="delivered"} 2',
    'tollgate_delivery_attempt_seconds_sum{receiver="webhook:crm"} 0.12',
    'tollgate_delivery_lag_seconds_bucket{le="0.1",receiver="webhook:crm"} 1',
    'tollgate_deliveries_dead_total{receiver="client:web"} 1',
    'tollgate_delivery_lanes_waiting 3',
    'tollgate_delivery_requests 2',
  ]) {
    expect(text).toContain(`${line}\n`);
  }
  expect(text).not.toContain('471');
});

test('how receivers fare, and nothing of those that are gone', async () => {
  const metrics = createMetrics();
  let fares = [
    { receiver: 'webhook:crm', state: 'failing', oldestWaiting: 40_000 },
    { receiver: 'stream:1', state: 'held' },
    { receiver: 'stream:2', state: 'held', oldestWaiting: 90_000 },
  ];
  const watch = watchReceivers({
    status: () => Promise.resolve(fares),
    measures: metrics,
    clock: () => 100_000,
    log: recordingLog(),
    everyMs: 5,
  });
  watch.start();
  const says = (line: string) => expect.poll(() => metrics.text()).toContain(`${line}\n`);
  await says('tollgate_delivery_oldest_seconds{receiver="webhook:crm"} 60');
  await says('tollgate_delivery_oldest_seconds{receiver="stream"} 10');
  await says('tollgate_receiver_state{receiver="webhook:crm",state="failing"} 1');
  await says('tollgate_receiver_state{receiver="webhook:crm",state="ok"} 0');
  await says('tollgate_receiver_state{receiver="stream",state="held"} 2');
  fares = [{ receiver: 'webhook:crm', state: 'ok' }];
  await says('tollgate_delivery_oldest_seconds{receiver="webhook:crm"} 0');
  await expect.poll(() => metrics.text()).not.toContain('receiver="stream"');
  await watch.stop();
});
