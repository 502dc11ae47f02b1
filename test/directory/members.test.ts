import { describe, expect, test, vi } from 'vitest';
import type { Directory } from '../../src/directory/directory.ts';
import { announcing } from '../../src/events/outbox.ts';
import { directoryOver, makeUser, openDirectory, problemOf, rolesOf } from './world.ts';
import type { DirectoryWorld } from './world.ts';

interface Office extends DirectoryWorld {
  account: string;
  ada: string;
  ben: string;
}

/** An account that Ada owns, and Ben, who does not belong to it. */
async function openOffice(): Promise<Office> {
  const world = await openDirectory();
  const { directory } = world;
  const ada = await makeUser(directory, 'Ada');
  const ben = await makeUser(directory, 'Ben');
  const { id } = await directory.createAccount({ name: 'Engines', owner: ada });
  return Object.assign(world, { account: id, ada, ben });
}

async function memberEvents({ settle }: Office): Promise<[string, unknown][]> {
  const events = (await settle()).filter(({ type }) => type.startsWith('member.'));
  return events.map(({ type, data }) => [type, data.roles ?? data.user]);
}

const twenty = Array.from({ length: 20 }, (_, index) => index);

describe('letting somebody in', () => {
  test('lets them act for the account with their roles', async () => {
    const office = await openOffice();
    const { directory, account, ben } = office;
    expect(await directory.addMember(account, ben, ['admin', 'support'])).toBe(true);
    expect(await rolesOf(directory, ben, account)).toEqual(['admin', 'support']);
    expect(await memberEvents(office)).toEqual([['member.added', ['admin', 'support']]]);
  });

  test.each([['member'], ['owner'], ['owner', 'admin']])(
    'twenty times at once (%s %s) lets them in once',
    async (...roles) => {
      const office = await openOffice();
      const { directory, account, ben, store } = office;
      const came = await Promise.all(twenty.map(() => directory.addMember(account, ben, roles)));
      expect(came.filter(Boolean)).toHaveLength(1);
      expect((await store.get('user', ben))?.document.memberships).toHaveLength(1);
      expect(await memberEvents(office)).toEqual([['member.added', roles]]);
      expect(await rolesOf(directory, ben, account)).toEqual(roles);
    },
  );

  test('twenty people at once lets in all of them', async () => {
    const { directory, account } = await openOffice();
    const people = await Promise.all(twenty.map((index) => makeUser(directory, `P${index}`)));
    await Promise.all(people.map((user) => directory.addMember(account, user, ['owner'])));
    const roles = await Promise.all(people.map((user) => rolesOf(directory, user, account)));
    expect(roles).toEqual(people.map(() => ['owner']));
  });

  test('who is in already keeps the roles they have', async () => {
    const office = await openOffice();
    const { directory, account, ada } = office;
    expect(await directory.addMember(account, ada, ['member'])).toBe(false);
    expect(await rolesOf(directory, ada, account)).toEqual(['owner']);
  });

  test('needs an account, a user, and roles that are words', async () => {
    const { directory, account, ben } = await openOffice();
    expect(await problemOf(directory.addMember('acc_none', ben, ['member']))).toBe(
      'account_unknown',
    );
    expect(await problemOf(directory.addMember(account, 'usr_none', ['member']))).toBe(
      'user_unknown',
    );
    for (const roles of [[], ['a b'], [''], ['x'.repeat(65)], twenty.map(String), 'owner', [7]]) {
      const attempt = directory.addMember(account, ben, roles as string[]);
      expect(await problemOf(attempt)).toBe('role_invalid');
    }
    expect(await rolesOf(directory, ben, account)).toBeUndefined();
  });
});

describe('removing somebody', () => {
  test('ends at once what they may do, and nothing else', async () => {
    const office = await openOffice();
    const { directory, account, ada, ben } = office;
    const other = await directory.createAccount({ name: 'Bens', owner: ben });
    await directory.addMember(account, ben, ['admin']);
    expect(await directory.removeMember(account, ben)).toBe(true);
    expect(await rolesOf(directory, ben, account)).toBeUndefined();
    expect(await rolesOf(directory, ben, other.id)).toEqual(['owner']);
    expect(await rolesOf(directory, ada, account)).toEqual(['owner']);
  });

  test.each([[['member']], [['owner']], [['owner', 'admin']]])(
    'T48 twenty times at once (%j) is one removal with one event',
    async (roles) => {
      const office = await openOffice();
      const { directory, account, ben, store } = office;
      await directory.addMember(account, ben, roles);
      const gone = await Promise.all(twenty.map(() => directory.removeMember(account, ben)));
      expect(gone.filter(Boolean)).toHaveLength(1);
      expect(await rolesOf(directory, ben, account)).toBeUndefined();
      expect((await store.get('user', ben))?.document).not.toHaveProperty('memberships');
      expect((await directory.account(account))?.owners).not.toContain(ben);
      const removed = (await memberEvents(office)).filter(([type]) => type === 'member.removed');
      expect(removed).toEqual([['member.removed', ben]]);
    },
  );

  test('the last owner cannot go', async () => {
    const { directory, account, ada } = await openOffice();
    const attempt = directory.removeMember(account, ada);
    await expect(attempt).rejects.toMatchObject({ code: 'last_owner', status: 409 });
    expect(await rolesOf(directory, ada, account)).toEqual(['owner']);
  });

  test('an owner leaves nobody behind but owners who can sign in', async () => {
    const { directory, account, ada, ben } = await openOffice();
    await directory.addMember(account, ben, ['owner']);
    await directory.setUserStatus(ben, 'disabled');
    expect(await problemOf(directory.removeMember(account, ada, ada))).toBe('last_owner');
    expect(await problemOf(directory.setRoles(account, ada, ['member'], ada))).toBe('last_owner');
    expect(await rolesOf(directory, ada, account)).toEqual(['owner']);
    // An owner removes who is disabled, and operators know what they do.
    expect(await directory.removeMember(account, ben, ada)).toBe(true);
    await directory.addMember(account, ben, ['owner']);
    expect(await directory.removeMember(account, ada)).toBe(true);
  });

  test('two owners who remove each other at the same moment leave one owner', async () => {
    for (let round = 0; round < 10; round += 1) {
      const { directory, account, ada, ben } = await openOffice();
      await directory.addMember(account, ben, ['owner']);
      const outcomes = await Promise.all([
        problemOf(directory.removeMember(account, ada)),
        problemOf(directory.removeMember(account, ben)),
      ]);
      expect(new Set(outcomes)).toEqual(new Set(['last_owner', undefined]));
      const [owner = '', ...others] = (await directory.account(account))?.owners ?? [];
      expect(others).toEqual([]);
      expect(await rolesOf(directory, owner, account)).toEqual(['owner']);
      const usable = await Promise.all([ada, ben].map((user) => directory.usableAccounts(user)));
      expect(usable.flat()).toHaveLength(1);
    }
  });

  test('T74 of another account’s member changes nothing', async () => {
    const office = await openOffice();
    const { directory, account, ben } = office;
    const other = await directory.createAccount({ name: 'Bens', owner: ben });
    expect(await directory.removeMember(account, ben)).toBe(false);
    expect(await problemOf(directory.setRoles(account, ben, ['admin']))).toBe('member_unknown');
    expect(await problemOf(directory.removeMember('acc_none', ben))).toBe('account_unknown');
    expect(await rolesOf(directory, ben, other.id)).toEqual(['owner']);
    expect(await memberEvents(office)).toEqual([]);
  });

  test('who was removed can be let in again', async () => {
    const office = await openOffice();
    const { directory, account, ben, settle } = office;
    for (const roles of [['member'], ['owner'], ['admin']]) {
      await directory.addMember(account, ben, roles);
      await directory.removeMember(account, ben);
      expect(await rolesOf(directory, ben, account)).toBeUndefined();
    }
    await directory.addMember(account, ben, ['support']);
    await settle();
    expect(await rolesOf(directory, ben, account)).toEqual(['support']);
  });
});

describe('changing roles', () => {
  test.each([
    [['member'], ['admin'], ['admin']],
    [['member'], ['owner'], ['owner']],
    [['admin'], ['owner', 'admin'], ['owner', 'admin']],
    [['owner'], ['member'], ['member']],
    [['owner'], ['admin', 'support'], ['admin', 'support']],
    [['owner'], ['owner', 'support'], ['owner', 'support']],
    [['owner', 'support'], ['owner'], ['owner']],
  ])('from %j to %j gives %j, with one event', async (before, wanted, after) => {
    const office = await openOffice();
    const { directory, account, ben } = office;
    await directory.addMember(account, ben, before);
    expect(await directory.setRoles(account, ben, wanted)).toEqual(after);
    expect(await directory.setRoles(account, ben, wanted)).toEqual(after);
    expect(await rolesOf(directory, ben, account)).toEqual(after);
    expect((await directory.account(account))?.owners.includes(ben)).toBe(after.includes('owner'));
    expect((await memberEvents(office)).slice(1)).toEqual([['member.changed', wanted]]);
  });

  test('the last owner stays one', async () => {
    const { directory, account, ada, ben } = await openOffice();
    expect(await problemOf(directory.setRoles(account, ada, ['admin']))).toBe('last_owner');
    await directory.addMember(account, ben, ['owner']);
    const outcomes = await Promise.all([
      problemOf(directory.setRoles(account, ada, ['admin'])),
      problemOf(directory.setRoles(account, ben, ['admin'])),
    ]);
    expect(new Set(outcomes)).toEqual(new Set(['last_owner', undefined]));
    expect((await directory.account(account))?.owners).toHaveLength(1);
  });

  test('and removing at the same moment: whoever is out stays out', async () => {
    for (let round = 0; round < 10; round += 1) {
      const { directory, account, ben, settle } = await openOffice();
      await directory.addMember(account, ben, round % 2 === 0 ? ['owner'] : ['member']);
      await Promise.all([
        problemOf(directory.setRoles(account, ben, round % 3 === 0 ? ['owner'] : ['admin'])),
        problemOf(directory.removeMember(account, ben)),
      ]);
      await settle();
      expect(await rolesOf(directory, ben, account)).toBeUndefined();
      expect((await directory.account(account))?.owners).not.toContain(ben);
    }
  });

  test('T48 a removal that meets a change of roles half way holds, and is told', async () => {
    const { directory, account, ben, store, clock, log, settle } = await openOffice();
    await directory.addMember(account, ben, ['member']);
    await directory.setRoles(account, ben, ['owner']);
    const changed = Promise.withResolvers<void>();
    const onAccount = (before: () => Promise<unknown>): Directory =>
      directoryOver(
        { clock, log },
        {
          ...announcing(store, () => undefined),
          async write(kind, id, document, options) {
            if (kind === 'account') await before();
            return store.write(kind, id, document, options);
          },
        },
      );
    let removal: Promise<boolean> | undefined;
    const remover = onAccount(() => changed.promise);
    const demoter = onAccount(async () => {
      const version = (await store.get('user', ben))?.version ?? 0;
      removal = remover.removeMember(account, ben);
      await vi.waitUntil(async () => ((await store.get('user', ben))?.version ?? 0) > version);
    });
    await demoter.setRoles(account, ben, ['admin']);
    changed.resolve();
    expect(await removal).toBe(true);
    expect(await rolesOf(directory, ben, account)).toBeUndefined();
    expect((await directory.account(account))?.owners).not.toContain(ben);
    const removed = (await settle()).filter(({ type }) => type === 'member.removed');
    expect(removed).toHaveLength(1);
  });
});
