/** The day on which something was last used: written beside everything else, and never in its way. */

import { expect, test } from 'vitest';
import { createLastUse, unusedSince } from '../../src/directory/last_use.ts';
import type { Store } from '../../src/storage/store.ts';
import { openDirectory } from './world.ts';
import type { DirectoryWorld } from './world.ts';

const day = 24 * 60 * 60 * 1000;

async function office(world: DirectoryWorld) {
  const { directory } = world;
  const { id: user } = await directory.createUser({ id: 'ben', name: 'Ben' });
  const { id: ada } = await directory.createUser({ id: 'ada', name: 'Ada' });
  const { id } = await directory.createAccount({ id: 'acc', name: 'Office', owner: ada });
  await directory.addMember(id, user, ['member']);
  const used = async () => {
    const found = await directory.membership(user, id);
    if (found === undefined) throw new Error('no member');
    return found;
  };
  return { user, account: id, used };
}

/** Of what was written and read, by kind. */
function counting(store: Store) {
  const calls: string[] = [];
  const counted: Store = {
    ...store,
    get(kind, id) {
      calls.push(`get ${kind}`);
      return store.get(kind, id);
    },
    write(kind, id, document, options) {
      calls.push(`write ${kind} ${options.events?.length ?? 0}`);
      return store.write(kind, id, document, options);
    },
  };
  return { counted, calls };
}

const settled = () =>
  new Promise((resolve) => {
    setTimeout(resolve, 30);
  });

test('is one write a day for each, without an event, however many tokens there are', async () => {
  const world = await openDirectory();
  const { user, account, used } = await office(world);
  const { counted, calls } = counting(world.store);
  const lastUse = createLastUse({ ...world, store: counted });
  const before = await used();
  for (let token = 0; token < 50; token += 1) lastUse.note(user, before);
  await expect.poll(async () => (await used()).account.usedAt).toBe(world.now);
  await expect.poll(async () => (await used()).user.memberships?.[0]?.usedAt).toBe(world.now);
  expect(calls.filter((call) => call.startsWith('write')).toSorted()).toEqual([
    'write account 0',
    'write user 0',
  ]);
  calls.splice(0);
  // As it is read from now on: no call at all.
  for (let token = 0; token < 50; token += 1) lastUse.note(user, await used());
  await settled();
  expect(calls).toEqual([]);
  world.now += day;
  lastUse.note(user, await used());
  await expect.poll(async () => (await used()).account.usedAt).toBe(world.now);
  await lastUse.stop();
  const found = await world.directory.account(account);
  expect(unusedSince(found ?? { createdAt: 0 })).toBe(world.now);
});

test('brings nobody back who was removed or deleted, and opens no account', async () => {
  const world = await openDirectory();
  const { directory, store } = world;
  const { user, account, used } = await office(world);
  const before = await used();
  await directory.removeMember(account, user);
  await directory.closeAccount(account);
  const versions = async () => [
    (await store.get('user', user))?.version,
    (await store.get('account', account))?.version,
  ];
  const were = await versions();
  const lastUse = createLastUse(world);
  lastUse.note(user, before);
  await settled();
  await lastUse.stop();
  expect(await versions()).toEqual(were);
  expect(await directory.membership(user, account)).toBeUndefined();
});

test('what fails is left for the next token, and is in nobody’s way', async () => {
  const world = await openDirectory();
  const { user, used } = await office(world);
  const broken: Store = { ...world.store, get: () => Promise.reject(new Error('gone')) };
  const lastUse = createLastUse({ ...world, store: broken });
  lastUse.note(user, await used());
  await settled();
  await lastUse.stop();
  lastUse.note(user, await used());
  expect((await used()).account.usedAt).toBeUndefined();
  expect(world.lines.filter(({ level }) => level !== 'debug')).toEqual([]);
});
