import { expect, test } from 'vitest';
import { createAuditHandler } from '../../src/events/audit.ts';
import { createDispatcher } from '../../src/events/dispatcher.ts';
import { newEvent } from '../../src/events/types.ts';
import type { PendingEvent } from '../../src/storage/store.ts';
import { anEvent, happen, openWorld } from './world.ts';
import type { World } from './world.ts';

function audited(world: World) {
  const { store, clock, log } = world;
  const handlers = [createAuditHandler({ store })];
  return createDispatcher({ store, clock, log, owner: 'one', handlers });
}

test('T78 every event leaves one record with its id, who and where', async () => {
  const world = await openWorld();
  const removed = newEvent(world.clock, 'member.removed', { user: 'usr_1', account: 'acc_1' });
  await happen(world, 'a', removed, anEvent(world, 'something.new', { user: 'usr_2' }));
  await audited(world).drain();

  const [record] = await world.store.find('audit', 'user', 'usr_1');
  expect(record).toMatchObject({
    id: removed.id,
    version: 1,
    document: { type: 'member.removed', at: world.now, user: 'usr_1', account: 'acc_1' },
  });
  expect(await world.store.find('audit', 'account', 'acc_1')).toHaveLength(1);
  expect(await world.store.find('audit', 'user', 'usr_2')).toHaveLength(1);
});

test('an event that comes twice, at two processes, leaves one record', async () => {
  const world = await openWorld();
  const event = anEvent(world, 'user.disabled', { user: 'usr_1' });
  const pending: PendingEvent = { ...event, kind: 'user', document: 'usr_1', version: 2 };
  const handler = createAuditHandler({ store: world.store });
  await Promise.all(Array.from({ length: 10 }, () => handler.handle(pending)));
  expect((await world.store.get('audit', event.id))?.version).toBe(1);
});

test('T78 names, addresses, sentences and unknown fields stay out', async () => {
  const world = await openWorld();
  await happen(
    world,
    'a',
    newEvent(world.clock, 'account.created', {
      account: 'acc_1',
      name: 'Ada Lovelace',
      owner: 'usr_1',
    }),
    newEvent(world.clock, 'account.closed', { account: 'acc_1', reason: 'Ada asked by phone' }),
    anEvent(world, 'user.told', { user: 'usr_1', email: 'ada@example.com', token: 'tgr.1.abc' }),
    anEvent(world, 'session.ended', {
      session: 's',
      user: 'usr_1',
      clients: [{ client: 'app', sid: 'sid_1', token: 'eyJhbGciOi' }],
    }),
  );
  await audited(world).drain();
  const records = await world.store.find('audit', 'user', 'usr_1');
  const closed = await world.store.find('audit', 'account', 'acc_1');
  const text = JSON.stringify([records, closed]);
  expect(records).toHaveLength(3);
  expect(text).not.toMatch(/Ada|example\.com|tgr\.|eyJ/);
  expect(text).toContain('"clients":[{"client":"app","sid":"sid_1"}]');
});
