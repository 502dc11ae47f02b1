import { expect, test } from 'vitest';
import { createSecrets } from '../../src/base/secrets.ts';
import {
  addWebhook,
  disableReceiver,
  enableReceiver,
  endRotation,
  listWebhooks,
  removeWebhook,
  rotateSecret,
} from '../../src/events/receiver_store.ts';
import { storedWebhooks } from '../../src/events/webhook_receivers.ts';
import { openWorld } from './world.ts';

const secrets = createSecrets(['a secret of tests with thirty-two bytes or more']);
const crm = { id: 'webhook:crm', url: 'https://crm.example.com/', types: ['session.ended'] };

async function openStore() {
  const world = await openWorld();
  return { ...world, store: world.store, secrets };
}

test('a webhook is added once, with a secret that is kept sealed', async () => {
  const deps = await openStore();
  const secret = await addWebhook(deps, crm);
  expect(secret).toMatch(/^whsec_[A-Za-z0-9+/]{43}=$/);
  const stored = await deps.store.get('receiver', crm.id);
  expect(JSON.stringify(stored)).not.toContain(secret);
  expect(await listWebhooks(deps)).toEqual([{ ...crm, secrets: [secret], createdAt: deps.now }]);
  await expect(addWebhook(deps, crm)).rejects.toMatchObject({ code: 'receiver_exists' });
});

test('of many who add the same one at once, one does', async () => {
  const deps = await openStore();
  const added = await Promise.allSettled(Array.from({ length: 8 }, () => addWebhook(deps, crm)));
  expect(added.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
});

test('O-8 while a secret is changed there are two, and the newest is first', async () => {
  const deps = await openStore();
  const first = await addWebhook(deps, crm);
  const second = await rotateSecret(deps, crm.id);
  expect((await listWebhooks(deps))[0]?.secrets).toEqual([second, first]);
  const third = await rotateSecret(deps, crm.id);
  expect((await listWebhooks(deps))[0]?.secrets).toEqual([third, second]);
  await endRotation(deps, crm.id);
  expect((await listWebhooks(deps))[0]?.secrets).toEqual([third]);
});

test('what there is not cannot be changed', async () => {
  const deps = await openStore();
  for (const change of [removeWebhook, rotateSecret, endRotation]) {
    await expect(change(deps, crm.id)).rejects.toMatchObject({ code: 'receiver_unknown' });
  }
});

test('any receiver is switched off and on, and a removed one leaves nothing', async () => {
  const deps = await openStore();
  await disableReceiver(deps, 'client:web');
  expect((await deps.store.get('receiver', 'client:web'))?.document.disabled?.reason).toBe(
    'operator',
  );
  expect(await enableReceiver(deps, 'client:web')).toBe(true);
  expect((await deps.store.get('receiver', 'client:web'))?.document.disabled).toBeUndefined();
  expect(await enableReceiver(deps, 'client:web')).toBe(false);
  await addWebhook(deps, crm);
  await removeWebhook(deps, crm.id);
  expect(await deps.store.get('receiver', crm.id)).toBeUndefined();
});

test('a running process takes up what commands change, and tells of a secret that it cannot read', async () => {
  const deps = await openStore();
  const source = storedWebhooks({ ...deps, cacheMs: 0 });
  expect(await source.all()).toEqual([]);
  await addWebhook(deps, crm);
  const [receiver] = await source.all();
  expect(receiver).toMatchObject({ id: crm.id, url: crm.url });
  expect(await source.all()).toBe(await source.all());
  await removeWebhook(deps, crm.id);
  expect(await source.all()).toEqual([]);
  await addWebhook(deps, crm);
  const others = createSecrets(['another secret of tests with thirty-two bytes']);
  const blind = storedWebhooks({ ...deps, secrets: others, cacheMs: 0 });
  expect(await blind.all()).toMatchObject([{ id: crm.id, paused: true }]);
  expect(deps.lines.map(({ message }) => message)).toEqual([
    'the secret of a receiver cannot be read: its events are held',
  ]);
});
