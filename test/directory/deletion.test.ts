/** People who leave: what they ask for, how they take it back, and what the purge leaves of them. */

import { describe, expect, test } from 'vitest';
import { createAuditHandler } from '../../src/events/audit.ts';
import { createDispatcher } from '../../src/events/dispatcher.ts';
import { newEvent } from '../../src/events/types.ts';
import type { Directory } from '../../src/directory/directory.ts';
import type { Store } from '../../src/storage/store.ts';
import { openWorld } from '../events/world.ts';
import type { World } from '../events/world.ts';
import { faulty, Stopped } from '../kit/faults.ts';
import { rounds } from '../kit/places.ts';
import { directoryOver, identity, openDirectory, problemOf } from './world.ts';

const day = 24 * 60 * 60 * 1000;
const ada = identity('ada', { name: 'Ada', email: 'ada@example.com', emailVerified: true });

async function someone(directory: Directory): Promise<{ user: string; account: string }> {
  const { user } = await directory.signIn(ada);
  const [own] = await directory.usableAccounts(user.id);
  return { user: user.id, account: own?.id ?? '' };
}

/** What a process does with the outbox, with the trail that the purge goes by. */
async function handleAll({ clock, log }: World, store: Store, directory: Directory): Promise<void> {
  const handlers = [...directory.handlers, createAuditHandler({ store })];
  await createDispatcher({ store, clock, log, handlers, owner: 'process' }).drain();
}

describe('an account whose other owners may not sign in', () => {
  test('is handed over before its last owner who can is deleted', async () => {
    const { directory } = await openDirectory();
    const { user, account } = await someone(directory);
    await directory.createUser({ id: 'ben' });
    await directory.addMember(account, 'ben', ['owner']);
    await directory.setUserStatus('ben', 'disabled');
    const { handOver } = await directory.deletionPlan(user);
    expect(handOver.map(({ id }) => id)).toEqual([account]);
    expect(await problemOf(directory.askDeletion(user, 14))).toBe('last_owner');
    await directory.setUserStatus('ben', 'active');
    expect((await directory.deletionPlan(user)).handOver).toEqual([]);
  });
});

describe('asking', () => {
  test('is noted with its day, once, and works on as before', async () => {
    const { directory, settle, now } = await openDirectory();
    const { user, account } = await someone(directory);
    expect(await directory.askDeletion(user, 14)).toBe(now + 14 * day);
    expect(await directory.askDeletion(user, 30)).toBe(now + 14 * day);
    const told = (await settle()).filter(({ type }) => type === 'user.deletion_asked');
    expect(told.map(({ data }) => data)).toEqual([{ user, at: now + 14 * day }]);
    expect((await directory.signIn(ada)).user.id).toBe(user);
    expect((await directory.user(user))?.document.deletion).toBeDefined();
    expect(await directory.membership(user, account)).toBeDefined();
  });

  test('can be taken back until it is done', async () => {
    const world = await openDirectory();
    const { directory, settle } = world;
    const { user } = await someone(directory);
    expect(await directory.withdrawDeletion(user)).toBe(false);
    await directory.askDeletion(user, 14);
    expect(await directory.withdrawDeletion(user)).toBe(true);
    world.now += 15 * day;
    await directory.leave();
    expect((await directory.user(user))?.document.status).toBe('active');
    const types = (await settle()).map(({ type }) => type);
    expect(types.filter((type) => type.startsWith('user.deletion'))).toEqual([
      'user.deletion_asked',
      'user.deletion_withdrawn',
    ]);
  });

  test('without days it is done at once, and too late to take back', async () => {
    const { directory } = await openDirectory();
    const { user } = await someone(directory);
    await directory.askDeletion(user, 0);
    expect((await directory.user(user))?.document.status).toBe('deleted');
    expect(await directory.withdrawDeletion(user)).toBe(false);
    expect(await problemOf(directory.askDeletion(user, 0))).toBe('user_unknown');
  });

  test('not before an account that others use is handed over', async () => {
    const { directory } = await openDirectory();
    const { user, account } = await someone(directory);
    const shared = await directory.createAccount({ name: 'Engines', owner: user });
    const { id: ben } = await directory.createUser({ name: 'Ben' });
    await directory.addMember(shared.id, ben, ['member']);
    expect(await directory.deletionPlan(user)).toEqual({
      closing: [{ id: account, name: 'Ada' }],
      handOver: [{ id: shared.id, name: 'Engines' }],
    });
    expect(await problemOf(directory.askDeletion(user, 14))).toBe('last_owner');
    expect(await problemOf(directory.deleteUser(user))).toBe('last_owner');
    await directory.setRoles(shared.id, ben, ['owner']);
    await directory.deleteUser(user);
    expect((await directory.account(shared.id))?.owners).toEqual([ben]);
    expect((await directory.account(account))?.status).toBe('closed');
  });
});

describe('when the time has come', () => {
  test('they are deleted, their own account is closed, and others are as they were', async () => {
    const world = await openDirectory();
    const { directory, settle } = world;
    const { user, account } = await someone(directory);
    const { id: ben } = await directory.createUser({ name: 'Ben' });
    await directory.askDeletion(user, 14);
    world.now += 14 * day - 1;
    await directory.leave();
    expect((await directory.user(user))?.document.status).toBe('active');
    world.now += 1;
    await directory.leave();
    expect((await directory.user(user))?.document.status).toBe('deleted');
    expect(await directory.account(account)).toMatchObject({ status: 'closed', owners: [] });
    expect((await directory.account(account))?.name).not.toContain('Ada');
    expect((await directory.user(ben))?.document.status).toBe('active');
    const types = (await settle()).map(({ type }) => type);
    expect(types.filter((type) => /deleted|closed/.test(type))).toEqual([
      'user.deleted',
      'account.closed',
    ]);
  });

  test('who became the last owner of an account that others use waits for a day', async () => {
    const world = await openDirectory();
    const { directory } = world;
    const { user, account } = await someone(directory);
    const { id: ben } = await directory.createUser({ name: 'Ben' });
    await directory.askDeletion(user, 1);
    await directory.addMember(account, ben, ['member']);
    world.now += day;
    await directory.leave();
    const { status, deletion } = (await directory.user(user))?.document ?? {};
    expect([status, deletion?.dueAt]).toEqual(['active', world.now + day]);
    expect(world.lines.filter(({ level }) => level === 'warn')).toHaveLength(1);
    await directory.removeMember(account, ben);
    world.now += day;
    await directory.leave();
    expect((await directory.user(user))?.document.status).toBe('deleted');
  });

  test('T48 taken back in the moment in which they are deleted: it is one or the other', async () => {
    for (let round = 0; round < rounds(10); round += 1) {
      const world = await openDirectory();
      const { directory, settle } = world;
      const { user, account } = await someone(directory);
      await directory.askDeletion(user, 1);
      world.now += day;
      const [, withdrawn] = await Promise.all(
        round % 2 === 0
          ? [directory.leave(), directory.withdrawDeletion(user), directory.leave()]
          : [directory.leave().then(() => undefined), directory.withdrawDeletion(user)],
      );
      const types = (await settle()).map(({ type }) => type);
      const status = (await directory.user(user))?.document.status;
      expect(status).toBe(withdrawn ? 'active' : 'deleted');
      expect(types.filter((type) => type === 'user.deleted')).toHaveLength(withdrawn ? 0 : 1);
      expect((await directory.account(account))?.status).toBe(withdrawn ? 'active' : 'closed');
    }
  });

  test('two processes at once delete once', async () => {
    const world = await openDirectory();
    const { directory, settle } = world;
    const { user } = await someone(directory);
    await directory.askDeletion(user, 1);
    world.now += day;
    const other = directoryOver(world, world.store);
    await Promise.all([directory.leave(), other.leave()]);
    const types = (await settle()).map(({ type }) => type);
    expect(types.filter((type) => type === 'user.deleted')).toHaveLength(1);
    expect(types.filter((type) => type === 'account.closed')).toHaveLength(1);
  });
});

describe('the purge', () => {
  test('waits until who is to hear of the deletion is told, then leaves nobody', async () => {
    const world = await openDirectory();
    const { directory, store } = world;
    const { user, account } = await someone(directory);
    await directory.deleteUser(user);
    world.now += day;
    await directory.leave();
    expect(await directory.user(user)).toBeDefined();
    await handleAll(world, store, directory);
    world.now += day;
    await directory.leave();
    expect(await directory.user(user)).toBeUndefined();
    const trail = await store.find('audit', 'account', account);
    expect(JSON.stringify(trail)).not.toContain(user);
    const names = trail.flatMap(({ document }) => document.user ?? []);
    expect(new Set(names).size).toBe(1);
    expect(names[0]).toMatch(/^gone_/);
    // The same person is somebody new from now on.
    const again = await directory.signIn(ada);
    expect(again.created).toBe(true);
    expect(again.user.id).not.toBe(user);
  });

  test('comes to those who were deleted before there was one, once they are deleted again', async () => {
    const world = await openDirectory();
    const { directory, store } = world;
    const { user } = await someone(directory);
    const present = await store.get('user', user);
    const { identities, createdAt } = present!.document;
    const before = { status: 'deleted' as const, identities, createdAt };
    await store.write('user', user, before, { expect: present!.version });
    await handleAll(world, store, directory);
    await directory.deleteUser(user);
    const { purgeAt } = (await directory.user(user))!.document;
    expect(purgeAt).toBe(world.now + day);
    await directory.deleteUser(user);
    world.now += day;
    await directory.leave();
    expect(await directory.user(user)).toBeUndefined();
    expect((await directory.signIn(ada)).created).toBe(true);
  });

  test('until then the upstream does not bring them back', async () => {
    const { directory } = await openDirectory();
    const { user } = await someone(directory);
    await directory.deleteUser(user);
    expect(await problemOf(directory.signIn(ada))).toBe('user_disabled');
  });

  test('leaves the invitations of others, without the person', async () => {
    const world = await openDirectory();
    const { directory, store, clock } = world;
    const { user } = await someone(directory);
    const { id: ben } = await directory.createUser({ name: 'Ben' });
    const shared = await directory.createAccount({ name: 'Engines', owner: ben });
    const basics = {
      account: shared.id,
      roles: ['member'],
      createdAt: clock(),
      expiresAt: clock() + 30 * day,
    };
    const put = (id: string, more: object) =>
      store.write(
        'invitation',
        id,
        { ...basics, way: 'link', state: 'open', ...more },
        { expect: 'absent' },
      );
    await put('inv_by', { by: user });
    await put('inv_to', { way: 'email', email: 'Ada@Example.com', by: ben });
    await put('inv_candidate', { state: 'accepted', candidate: user, by: ben });
    await put('inv_other', { way: 'email', email: 'eve@example.com', by: ben });
    await directory.deleteUser(user);
    await handleAll(world, store, directory);
    world.now += day;
    await directory.leave();
    const left = await store.list('invitation');
    expect(left.map(({ id }) => id)).toEqual(['inv_by', 'inv_other']);
    expect(left[0]?.document.by).toMatch(/^gone_/);
    expect(left[1]?.document.by).toBe(ben);
  });

  test('waits until all that they did elsewhere is told, so that the trail gets no other name of theirs', async () => {
    const world = await openDirectory();
    const { directory, store } = world;
    const { user } = await someone(directory);
    const { id: ben } = await directory.createUser({ name: 'Ben' });
    const shared = await directory.createAccount({ name: 'Engines', owner: ben });
    await directory.addMember(shared.id, user, ['owner']);
    await handleAll(world, store, directory);
    // What is told of these waits: everything was stopped just then, for a day.
    await directory.renameAccount(shared.id, 'Motors', user);
    await directory.invitations.invite({ account: shared.id, by: user, roles: ['member'] });
    await directory.deleteUser(user);
    await store.settle(await store.pending(10, { of: { kind: 'user', id: user } }));
    world.now += day;
    await directory.leave();
    await handleAll(world, store, directory);
    world.now += day;
    await directory.leave();
    expect(await directory.user(user)).toBeUndefined();
    expect(JSON.stringify(await everything(store))).not.toContain(user);
  });

  test('forgets the invitations to all addresses that are known to be theirs', async () => {
    const world = await openDirectory();
    const { directory, store } = world;
    const { user } = await someone(directory);
    const github = { provider: 'github', issuer: 'https://github.com', subject: 'a' };
    const other = { email: 'ada@work.example', emailVerified: true };
    await directory.linkIdentity(user, { ...github, ...other });
    await directory.signIn({ ...github, ...other });
    const { id: ben } = await directory.createUser({ name: 'Ben' });
    const shared = await directory.createAccount({ name: 'Engines', owner: ben });
    const asked = { account: shared.id, by: ben, roles: ['member'] };
    await directory.invitations.invite({ ...asked, email: 'Ada@Work.example' });
    await directory.invitations.invite({ ...asked, email: 'ada@example.com' });
    await directory.deleteUser(user);
    await handleAll(world, store, directory);
    world.now += day;
    await directory.leave();
    expect(await directory.user(user)).toBeUndefined();
    expect(await store.list('invitation')).toEqual([]);
  });

  test('a sign-up that can still be paid is waited for', async () => {
    const world = await openDirectory();
    const { directory, store, clock } = world;
    const { user } = await someone(directory);
    const signup = { user, account: 'acc_new', isNew: true, product: 'api', plan: 'team' };
    const state = { attempt: 1, attemptAt: clock(), createdAt: clock() };
    const id = `api:new:${user}`;
    const paying = { ...signup, ...state, state: 'paying' as const };
    await store.write('signup', id, paying, { expect: 'absent' });
    await directory.deleteUser(user);
    await handleAll(world, store, directory);
    world.now += day;
    await directory.leave();
    expect(await directory.user(user)).toBeDefined();
    await store.write('signup', id, { ...paying, state: 'expired' }, { expect: 1 });
    world.now += day;
    await directory.leave();
    expect(await directory.user(user)).toBeUndefined();
    expect(await store.get('signup', id)).toBeUndefined();
  });

  test.each(['before', 'after'] as const)(
    'goes on to the same end, stopped %s any of its writes',
    async (mode) => {
      for (let count = 1; ; count += 1) {
        const world = await openWorld();
        const { store } = world;
        const directory = directoryOver(world, store);
        const { user, account } = await someone(directory);
        const { id: ben } = await directory.createUser({ name: 'Ben' });
        const shared = await directory.createAccount({ name: 'Engines', owner: ben });
        await directory.addMember(shared.id, user, ['owner']);
        await handleAll(world, store, directory);
        await directory.askDeletion(user, 1);
        world.now += day;

        const dying = faulty(store, { stopAfterWrites: count, mode });
        const process = directoryOver(world, dying);
        await process.leave().catch((error: unknown) => {
          if (!(error instanceof Stopped)) throw error;
        });
        for (let round = 0; round < 3; round += 1) {
          await handleAll(world, store, directory);
          world.now += day;
          if (round === 0 && !dying.stopped) break;
          await directory.leave();
        }
        if (!dying.stopped) {
          // The deletion is through: now each write of the purge.
          await purgeStoppedAtEachWrite(mode);
          return;
        }
        expect(await directory.user(user), `${mode} write ${count}`).toBeUndefined();
        expect((await directory.account(account))?.status).toBe('closed');
        expect((await directory.account(shared.id))?.owners).toEqual([ben]);
        expect(JSON.stringify(await everything(store))).not.toContain(user);
      }
    },
  );

  async function purgeStoppedAtEachWrite(mode: 'before' | 'after'): Promise<void> {
    for (let count = 1; ; count += 1) {
      const world = await openWorld();
      const { store } = world;
      const directory = directoryOver(world, store);
      const { user } = await someone(directory);
      const { id: ben } = await directory.createUser({ name: 'Ben' });
      await directory.addMember(
        (await directory.createAccount({ name: 'Engines', owner: ben })).id,
        user,
        ['member'],
      );
      await directory.deleteUser(user);
      await handleAll(world, store, directory);
      world.now += day;
      const dying = faulty(store, { stopAfterWrites: count, mode });
      await directoryOver(world, dying)
        .leave()
        .catch((error: unknown) => {
          if (!(error instanceof Stopped)) throw error;
        });
      world.now += day;
      await directory.leave();
      expect(await directory.user(user), `${mode} write ${count}`).toBeUndefined();
      const left = await everything(store);
      expect(JSON.stringify(left)).not.toContain(user);
      const pseudonyms = new Set(JSON.stringify(left).match(/gone_[\w-]+/g));
      expect(pseudonyms.size, `${mode} write ${count}`).toBe(1);
      if (!dying.stopped) return;
    }
  }
});

/** All that is kept. */
async function everything(store: Store): Promise<unknown[]> {
  const kinds = ['user', 'account', 'consent', 'audit', 'invitation', 'mail', 'signup'] as const;
  const found: unknown[] = [];
  for (const kind of kinds) found.push(...(await store.list(kind)));
  return found;
}

describe('an account that has lost its only owner', () => {
  /** Ben belonged to it, and became a member in the moment in which Ada was deleted. */
  async function orphaned() {
    const world = await openDirectory();
    const { directory, store } = world;
    const { user, account } = await someone(directory);
    const { id: ben } = await directory.createUser({ name: 'Ben' });
    await directory.addMember(account, ben, ['member']);
    const present = await store.get('user', user);
    const gone = { ...present!.document, status: 'deleted' as const, purgeAt: world.clock() + day };
    const events = [newEvent(world.clock, 'user.deleted', { user })];
    await store.write('user', user, gone, { expect: present!.version, events });
    await handleAll(world, store, directory);
    expect(await directory.account(account)).toMatchObject({ status: 'active', owners: [user] });
    return { ...world, world, user, account, ben };
  }

  test.each(['before', 'after'])('has its new one alone, named %s the purge', async (when) => {
    const { world, directory, store, user, account, ben } = await orphaned();
    const purge = async () => {
      await handleAll(world, store, directory);
      world.now += day;
      await directory.leave();
      expect(await directory.user(user)).toBeUndefined();
    };
    if (when === 'after') await purge();
    await directory.setRoles(account, ben, ['owner']);
    if (when === 'before') await purge();
    expect((await directory.account(account))?.owners).toEqual([ben]);
    expect(await problemOf(directory.removeMember(account, ben))).toBe('last_owner');
    // It goes with them: nobody else is there to pay for it.
    expect((await directory.deletionPlan(ben)).closing.map(({ id }) => id)).toContain(account);
  });
});
