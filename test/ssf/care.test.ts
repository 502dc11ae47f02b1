/** What streams get without asking: signs of life, and word of what was lost or changed by us. */

import { afterEach, beforeEach, expect, test } from 'vitest';
import { createSecrets } from '../../src/base/secrets.ts';
import { createDispatcher } from '../../src/events/dispatcher.ts';
import { createDeliveries } from '../../src/events/engine.ts';
import { announcing } from '../../src/events/outbox.ts';
import { mostWaiting } from '../../src/events/stream_care.ts';
import { streamReceivers } from '../../src/events/stream_receivers.ts';
import { createStreamServices } from '../../src/events/stream_services.ts';
import type { DeliveryDocument } from '../../src/storage/documents.ts';
import type { Store } from '../../src/storage/store.ts';
import { openEmpty } from '../kit/places.ts';
import { recordingLog, testSecret } from '../kit/server.ts';

const issuer = 'https://id.example.com';
const minute = 60_000;
let now: number;
let kept: Store;
let stop: (() => Promise<void>)[];

beforeEach(async () => {
  now = Date.UTC(2027, 0, 1);
  kept = await openEmpty(() => now);
  stop = [];
});

afterEach(async () => {
  for (const one of stop) await one();
  await kept.close();
});

/** A process, with nothing that moves but what the test does. */
function aProcess(owner = 'one', secrets = [testSecret]) {
  const log = recordingLog();
  const clock = () => now;
  let wake: Parameters<typeof announcing>[1] = () => undefined;
  const store = announcing(kept, (events) => wake(events));
  const shared = {
    store,
    clock,
    log,
    owner,
    issuer,
    secrets: createSecrets(secrets),
    sign: (_alg: string, _header: object, claims: object) =>
      Promise.resolve(JSON.stringify(claims)),
    mayHaveStreams: () => true,
    cacheMs: 0,
  };
  const receivers = streamReceivers(shared);
  const sent: string[] = [];
  const deliveries = createDeliveries({
    ...shared,
    sources: [receivers],
    fetch: (_url, { body }) => {
      sent.push(body);
      return Promise.resolve(new Response(null, { status: 202 }));
    },
  });
  const services = createStreamServices({
    ...shared,
    receivers,
    release: (receiver) => deliveries.release(receiver),
    allowPrivate: [],
    heartbeatSeconds: 300,
  });
  const handlers = [deliveries.handler, services.handler];
  const dispatcher = createDispatcher({ ...shared, handlers });
  wake = (events) => dispatcher.wake(events);
  stop.push(
    () => dispatcher.stop(),
    () => deliveries.stop(),
    () => services.care.stop(),
  );
  return {
    ...services,
    store,
    log,
    sent,
    deliveries,
    async round() {
      await services.care.round();
      await dispatcher.drain();
      await deliveries.drain();
    },
    drain: () => dispatcher.drain(),
  };
}

type Process = ReturnType<typeof aProcess>;

const push = { delivery: { method: 'push', url: 'https://a.example.com/' } } as const;

async function fetched(process: Process, id: string): Promise<object[]> {
  const { sets } = await process.polls.fetch(await process.streams.read('crm', id), 100);
  return Object.values(sets).map((set) => (JSON.parse(set) as { events: object }).events);
}

const verification = 'https://schemas.openid.net/secevent/ssf/event-type/verification';
const streamUpdated = 'https://schemas.openid.net/secevent/ssf/event-type/stream-updated';

test('T66 a stream gets a sign of life every heartbeat, without a state', async () => {
  const process = aProcess();
  const { id } = await process.streams.create('crm', {});
  await process.round();
  expect(await fetched(process, id)).toEqual([]);
  now += 5 * minute;
  await process.round();
  expect(await fetched(process, id)).toEqual([{ [verification]: {} }]);
});

test('T66 one that was not fetched is not followed by more of them', async () => {
  const process = aProcess();
  const { id } = await process.streams.create('crm', {});
  for (let round = 0; round < 10; round += 1) {
    now += 5 * minute;
    await process.round();
  }
  expect(await fetched(process, id)).toHaveLength(1);
});

test('T66 it is pushed as well, and only while the stream is enabled', async () => {
  const process = aProcess();
  const { id } = await process.streams.create('crm', push);
  now += 5 * minute;
  await process.round();
  expect(process.sent).toHaveLength(1);
  await process.streams.setStatus('crm', id, 'paused');
  now += 5 * minute;
  await process.round();
  expect(process.sent).toHaveLength(1);
});

test('one process at a time cares for streams, and another one when it is gone', async () => {
  const [one, two] = [aProcess('one'), aProcess('two')];
  const { id } = await one.streams.create('crm', {});
  now += 5 * minute;
  await Promise.all([one.round(), two.round()]);
  expect(await fetched(one, id)).toHaveLength(1);
  const sets = await one.polls.fetch(await one.streams.read('crm', id), 100);
  await one.polls.acknowledge(await one.streams.read('crm', id), Object.keys(sets.sets));
  now += 5 * minute;
  await two.round();
  expect(await fetched(two, id)).toHaveLength(1);
});

test('T65 what nobody fetched for a week is dropped, and the stream says so', async () => {
  const process = aProcess();
  const { id } = await process.streams.create('crm', {});
  await process.streams.verify('crm', id, 'lost');
  await process.drain();
  now += 7 * 24 * 60 * minute + minute;
  await process.deliveries.drain();
  await process.round();
  const { document } = await process.streams.read('crm', id);
  expect(document).toMatchObject({
    status: 'enabled',
    statusReason: expect.stringMatching(/dropped/),
  });
  const [updated] = await fetched(process, id);
  expect(updated).toMatchObject({
    [streamUpdated]: { status: 'enabled', reason: expect.stringMatching(/dropped/) },
  });
  // It is told of once.
  now += minute;
  await process.round();
  expect((await process.streams.read('crm', id)).document.lostAt).toBe(now - minute);
});

test('what waits for a stream is bounded: the oldest goes', { timeout: 120_000 }, async () => {
  const process = aProcess();
  const { id } = await process.streams.create('crm', {});
  const document: Omit<DeliveryDocument, 'createdAt'> = {
    notice: 'evt_0',
    receiver: `stream:${id}`,
    lane: `stream:${id}/user/usr_ada`,
    type: 'user.disabled',
    state: 'waiting',
    attempts: 0,
  };
  const surplus = 3;
  for (let start = 0; start < mostWaiting + surplus; start += 500) {
    const some = Math.min(500, mostWaiting + surplus - start);
    await Promise.all(
      Array.from({ length: some }, (_, index) => {
        const createdAt = now + start + index;
        // Ids in another order than the times.
        const name = `d${(mostWaiting + surplus - start - index).toString().padStart(6, '0')}`;
        return kept.write('delivery', name, { ...document, createdAt }, { expect: 'absent' });
      }),
    );
  }
  const oldest = await kept.get(
    'delivery',
    `d${(mostWaiting + surplus).toString().padStart(6, '0')}`,
  );
  await process.care.round();
  expect(await kept.get('delivery', oldest?.id ?? '')).toMatchObject({
    document: { state: 'dropped', createdAt: now, last: { problem: 'too_many' } },
  });
  expect((await process.streams.read('crm', id)).document.statusReason).toMatch(/dropped/);
});

test('T65 a stream whose address is dead for days is disabled, and may be enabled again', async () => {
  const process = aProcess();
  const { id } = await process.streams.create('crm', push);
  const receiver = `stream:${id}`;
  const disabled = { at: now, reason: 'failing', url: push.delivery.url };
  await kept.write('receiver', receiver, { disabled, createdAt: now }, { expect: 'absent' });
  await process.round();
  expect((await process.streams.read('crm', id)).document).toMatchObject({
    status: 'disabled',
    statusReason: expect.stringMatching(/has not taken/),
  });
  await process.streams.setStatus('crm', id, 'enabled');
  expect((await kept.get('receiver', receiver))?.document.disabled).toBeUndefined();
  now += minute;
  await process.streams.verify('crm', id, 'back');
  await process.round();
  expect(process.sent.some((body) => body.includes('back'))).toBe(true);
});

test('the authorization header is sealed with the newest secret, so that the old one can go', async () => {
  const old = 'an old secret of tests with thirty-two bytes or more';
  const before = aProcess('one', [old]);
  const authorization = 'Bearer kept';
  const { id } = await before.streams.create('crm', {
    delivery: { ...push.delivery, authorization },
  });
  const both = aProcess('two', [testSecret, old]);
  await both.round();
  const after = aProcess('three', [testSecret]);
  const stream = await after.streams.read('crm', id);
  expect(stream.document.authorization).toMatch(createSecrets([testSecret]).version);
  // One that cannot be read holds what it is told, instead of sending it without.
  const stranger = aProcess('four', ['a secret that never sealed anything, of tests']);
  await stranger.streams.verify('crm', id, 'held');
  await stranger.round();
  expect(stranger.sent).toEqual([]);
  expect(await kept.find('delivery', 'receiver', `stream:${id} waiting`)).toHaveLength(1);
});
