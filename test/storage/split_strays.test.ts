/** What was in the one store before a hot store was added beside it: it ends, its events are handled once, and nothing waits behind it. */

import { afterEach, expect, test } from 'vitest';
import { createDispatcher } from '../../src/events/dispatcher.ts';
import { openSqlite } from '../../src/storage/sqlite.ts';
import { split } from '../../src/storage/split.ts';
import type { Store } from '../../src/storage/store.ts';
import { recordingLog } from '../kit/server.ts';

const start = 1_800_000_000_000;
let now = start;
const clock = () => now;
const opened: Store[] = [];
const open = async () => {
  const store = await openSqlite({ path: ':memory:', clock });
  opened.push(store);
  return store;
};

afterEach(async () => {
  now = start;
  await Promise.all(opened.splice(0).map((store) => store.close()));
});

test('sessions of before expire, are announced once, and hold up no event of what is kept', async () => {
  const kept = await open();
  for (let index = 0; index < 600; index += 1) {
    const session = { payload: {}, user: 'usr_ada', generation: 1, expiresAt: start + 1 };
    await kept.write('session', `s${index}`, session, { expect: 'absent' });
  }
  // The operator adds Redis here.
  const store = split({ hot: await open(), kept });
  const read = kept.pending.bind(kept);
  let reads = 0;
  kept.pending = (limit, options) => {
    if (options?.of === undefined) reads += 1;
    return reads > 50 ? Promise.reject(new Error('it reads for ever')) : read(limit, options);
  };
  now += 10_000;
  await store.sweep(now);
  const told: string[] = [];
  const dispatcher = createDispatcher({
    store,
    clock,
    log: recordingLog(),
    owner: 'one',
    handlers: [{ name: 'test', types: 'all', handle: async ({ id }) => void told.push(id) }],
  });
  const event = {
    id: `evt_${'z'.repeat(20)}`,
    type: 'user.disabled',
    at: now,
    data: { user: 'u' },
  };
  await store.write('meta', 'last', { value: 1 }, { expect: 'absent', events: [event] });
  await dispatcher.drain();
  expect(told).toContain(event.id);
  expect(new Set(told).size).toBe(601);
  expect(told).toHaveLength(601);
  expect(await store.pending(10)).toEqual([]);
});
