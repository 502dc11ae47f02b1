/** Closing an account: decided, taken back, carried out when its end has come, and opened again. */

import { describe, expect, test } from 'vitest';
import { createClosingWorker } from '../../src/directory/closing_worker.ts';
import type { DirectoryWorld } from './world.ts';
import { makeUser, openDirectory, problemOf, rolesOf } from './world.ts';

const day = 86_400_000;

async function engines(world: DirectoryWorld) {
  const { directory } = world;
  const [ada, ben] = [await makeUser(directory, 'Ada'), await makeUser(directory, 'Ben')];
  const { id } = await directory.createAccount({ name: 'Engines', owner: ada });
  await directory.addMember(id, ben, ['owner']);
  return { ada, ben, account: id, endsAt: world.clock() + 10 * day };
}

const typesOf = async ({ settle }: DirectoryWorld) =>
  (await settle()).filter(({ type }) => /^account\.(clos|reop)/.test(type));

describe('T75 the decision', () => {
  test('is an owner’s, of the moment when it is written', async () => {
    const world = await openDirectory();
    const { directory } = world;
    const { ada, ben, account, endsAt } = await engines(world);
    const cleo = await makeUser(directory, 'Cleo');
    await directory.addMember(account, cleo, ['admin']);
    for (const by of [cleo, 'usr_nobody', '']) {
      expect(await problemOf(directory.closing.ask({ account, by, endsAt }))).toBe('not_owner');
      expect(await problemOf(directory.closing.ask({ account, by }))).toBe('not_owner');
      expect(await problemOf(directory.closing.withdraw(account, by))).toBe('not_owner');
    }
    await directory.setRoles(account, ben, ['member']);
    expect(await problemOf(directory.closing.ask({ account, by: ben }))).toBe('not_owner');
    expect((await directory.account(account))?.closing).toBe(undefined);
    expect(await problemOf(directory.closing.ask({ account: 'acc_none', by: ada }))).toBe(
      'account_unknown',
    );
  });

  test.each([
    [{ feedback: 'too expensive' }, 'feedback_invalid'],
    [{ feedback: '__proto__' }, 'feedback_invalid'],
    [{ reason: 'x'.repeat(1001) }, 'reason_invalid'],
    [{ reason: '\uFDFA'.repeat(5000) }, 'reason_invalid'],
  ])('refuses %j', async (said, code) => {
    const world = await openDirectory();
    const { account, ada, endsAt } = await engines(world);
    const wish = { account, by: ada, endsAt, ...said };
    expect(await problemOf(world.directory.closing.ask(wish))).toBe(code);
  });

  test('T72 keeps the words with their line breaks, and nothing that hides or turns them', async () => {
    const world = await openDirectory();
    const { account, ada } = await engines(world);
    const reason = ' One\r\ntwo\u202E\u0000 three\u0007 é ';
    const { closed } = await world.directory.closing.ask({ account, by: ada, reason });
    expect(closed).toMatchObject({ reason: 'One\ntwo three é', by: ada });
  });
});

test('of two owners the first decides, the second may close at once, with the reason of the first', async () => {
  const world = await openDirectory();
  const { directory } = world;
  const { ada, ben, account, endsAt } = await engines(world);
  const first = { account, by: ada, endsAt, feedback: 'unused', reason: 'No time.' };
  await Promise.all([
    directory.closing.ask(first),
    directory.closing.ask(first),
    directory.closing.ask(first),
  ]);
  await directory.closing.ask({ account, by: ben, endsAt: endsAt + day, feedback: 'other' });
  const { closing } = (await directory.account(account))!;
  expect(closing).toMatchObject({ by: ada, endsAt, feedback: 'unused', reason: 'No time.' });
  // Until the end all is as it was.
  expect(await rolesOf(directory, ben, account)).toContain('owner');
  const closed = await directory.closing.ask({ account, by: ben });
  expect(closed.status).toBe('closed');
  expect(closed.closing).toBe(undefined);
  expect(closed.closed).toMatchObject({ by: ben, feedback: 'unused', reason: 'No time.' });
  expect(await typesOf(world)).toMatchObject([
    { type: 'account.closing', data: { at: endsAt, actor: ada, feedback: 'unused' } },
    { type: 'account.closed', data: { actor: ben, feedback: 'unused', reason: 'No time.' } },
  ]);
});

describe('taking it back', () => {
  test('by the other owner, once', async () => {
    const world = await openDirectory();
    const { directory } = world;
    const { ada, ben, account, endsAt } = await engines(world);
    expect(await directory.closing.withdraw(account, ben)).toBe(false);
    await directory.closing.ask({ account, by: ada, endsAt });
    const both = [
      directory.closing.withdraw(account, ben),
      directory.closing.withdraw(account, ada),
    ];
    expect((await Promise.all(both)).toSorted()).toEqual([false, true]);
    expect((await directory.account(account))?.closing).toBe(undefined);
    const types = (await typesOf(world)).map(({ type }) => type);
    expect(types).toEqual(['account.closing', 'account.closing_withdrawn']);
  });

  test('not once its end has come, whether it was carried out or not', async () => {
    const world = await openDirectory();
    const { directory } = world;
    const { ada, account, endsAt } = await engines(world);
    await directory.closing.ask({ account, by: ada, endsAt });
    world.now = endsAt;
    expect(await problemOf(directory.closing.withdraw(account, ada))).toBe('account_closed');
    expect(await directory.closing.finish(account)).toBe(true);
    expect(await problemOf(directory.closing.withdraw(account, ada))).toBe('account_closed');
  });
});

describe('when the end has come', () => {
  test('two workers close it once, and not before', async () => {
    const world = await openDirectory();
    const { directory, clock, store, log } = world;
    const { ada, account, endsAt } = await engines(world);
    await directory.closing.ask({ account, by: ada, endsAt, feedback: 'unused' });
    const { closing } = directory;
    const workers = ['one', 'two'].map((owner) =>
      createClosingWorker({ store, clock, log, owner, closing }),
    );
    const look = () => Promise.all(workers.map((worker) => worker.look()));
    world.now = endsAt - 1;
    await look();
    expect((await directory.account(account))?.status).toBe('active');
    world.now = endsAt;
    await look();
    await look();
    expect(await directory.account(account)).toMatchObject({
      status: 'closed',
      closed: { at: endsAt, by: ada, feedback: 'unused' },
    });
    const closed = (await typesOf(world)).filter(({ type }) => type === 'account.closed');
    expect(closed).toMatchObject([{ data: { actor: ada, feedback: 'unused' } }]);
    expect(await store.due('account', clock(), 10)).toEqual([]);
  });

  test('what cannot be looked at before keeps it open for an hour at the most, and nothing else', async () => {
    const world = await openDirectory();
    const { directory, clock, store, log } = world;
    const { ada, account, endsAt } = await engines(world);
    const other = await directory.createAccount({ name: 'Other', owner: ada });
    for (const id of [account, other.id]) {
      await directory.closing.ask({ account: id, by: ada, endsAt });
    }
    const before = (id: string) =>
      id === account ? Promise.reject(new Error('away')) : Promise.resolve();
    const { closing } = directory;
    const worker = createClosingWorker({ store, clock, log, owner: 'one', closing, before });
    world.now = endsAt + 1000;
    await worker.look();
    expect((await directory.account(other.id))?.status).toBe('closed');
    expect((await directory.account(account))?.status).toBe('active');
    world.now = endsAt + 3_600_000;
    await worker.look();
    expect((await directory.account(account))?.status).toBe('closed');
  });

  test('the end follows what is paid for, and is told', async () => {
    const world = await openDirectory();
    const { directory } = world;
    const { ada, account, endsAt } = await engines(world);
    const later = endsAt + 5 * day;
    await directory.closing.follow(account, () => later);
    expect((await directory.account(account))?.closing).toBe(undefined);
    await directory.closing.ask({ account, by: ada, endsAt, reason: 'Moved.' });
    await directory.closing.follow(account, () => undefined);
    await directory.closing.follow(account, () => later);
    await directory.closing.follow(account, () => later);
    expect((await directory.account(account))?.closing?.endsAt).toBe(later);
    expect((await typesOf(world)).map(({ data }) => data)).toEqual([
      { account, at: endsAt, reason: 'Moved.', actor: ada },
      { account, at: later, reason: 'Moved.', actor: ada },
    ]);
  });
});

describe('opening it again', () => {
  test('gives everybody what they had, once', async () => {
    const world = await openDirectory();
    const { directory } = world;
    const { ada, ben, account } = await engines(world);
    const cleo = await makeUser(directory, 'Cleo');
    await directory.addMember(account, cleo, ['admin']);
    await directory.closing.ask({ account, by: ada, feedback: 'unused' });
    await Promise.all([directory.closing.reopen(account), directory.closing.reopen(account)]);
    expect(await directory.account(account)).toMatchObject({
      status: 'active',
      owners: [ada, ben],
    });
    expect((await directory.account(account))?.closed).toBe(undefined);
    expect(await rolesOf(directory, ada, account)).toContain('owner');
    expect(await rolesOf(directory, cleo, account)).toEqual(['admin']);
    const opened = (await typesOf(world)).filter(({ type }) => type === 'account.reopened');
    expect(opened).toHaveLength(1);
  });

  test('wants somebody who can act for it', async () => {
    const world = await openDirectory();
    const { directory } = world;
    const { ada, ben, account } = await engines(world);
    const cleo = await makeUser(directory, 'Cleo');
    await directory.closing.ask({ account });
    await directory.setUserStatus(ada, 'deleted');
    await directory.setUserStatus(ben, 'disabled');
    expect(await problemOf(directory.closing.reopen(account))).toBe('owner_missing');
    expect(await problemOf(directory.closing.reopen(account, ben))).toBe('user_unknown');
    expect(await problemOf(directory.closing.reopen('acc_none'))).toBe('account_unknown');
    const { owners } = await directory.closing.reopen(account, cleo);
    expect(owners).toEqual([ben, cleo]);
    expect(await rolesOf(directory, cleo, account)).toEqual(['owner']);
  });

  test('a crash behind the write leaves the membership to the event', async () => {
    const world = await openDirectory();
    const { directory, store } = world;
    const { account } = await engines(world);
    const cleo = await makeUser(directory, 'Cleo');
    await directory.closing.ask({ account });
    const { document, version } = (await store.get('account', account))!;
    const { closed: _closed, ...rest } = document;
    const event = { id: 'evt_1', type: 'account.reopened', at: world.clock(), data: { account } };
    const open = { ...rest, status: 'active' as const, owners: [cleo] };
    await store.write('account', account, open, { expect: version, events: [event] });
    expect(await rolesOf(directory, cleo, account)).toBe(undefined);
    await world.settle();
    expect(await rolesOf(directory, cleo, account)).toEqual(['owner']);
  });

  test('a domain that is proven for another account by now is not its own any more', async () => {
    const world = await openDirectory();
    const { directory, store } = world;
    const { ada, account } = await engines(world);
    const other = await directory.createAccount({ name: 'Other', owner: ada });
    const prove = async (id: string) => {
      const { document, version } = (await store.get('account', id))!;
      const domain = { domain: 'engines.example', token: 't', mode: 'ask', provenAt: 1 } as const;
      const domains = [{ ...domain, roles: ['member'], addedAt: 1 }];
      await store.write('account', id, { ...document, domains }, { expect: version });
    };
    await prove(account);
    await expect(prove(other.id)).rejects.toThrow('domain');
    await directory.closing.ask({ account });
    await prove(other.id);
    const { status, domains } = await directory.closing.reopen(account);
    expect([status, domains?.[0]?.provenAt]).toEqual(['active', undefined]);
  });
});
