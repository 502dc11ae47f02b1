/** Who may do what to whom, judged by what is written when it is done. */

import { describe, expect, test } from 'vitest';
import type { Directory } from '../../src/directory/directory.ts';
import { announcing } from '../../src/events/outbox.ts';
import type { Store } from '../../src/storage/store.ts';
import { openSqlite } from '../../src/storage/sqlite.ts';
import { directoryOver, makeUser, openDirectory, problemOf, rolesOf } from './world.ts';
import type { DirectoryWorld } from './world.ts';

interface Office extends DirectoryWorld {
  account: string;
  ada: string;
  ben: string;
  cleo: string;
  dora: string;
}

/** Ada owns it, Ben is an admin, Cleo and Dora are members. By default an admin may do all but pay. */
async function openOffice(): Promise<Office> {
  const world = await openDirectory();
  const { directory } = world;
  const [ada = '', ben = '', cleo = '', dora = ''] = await Promise.all(
    ['Ada', 'Ben', 'Cleo', 'Dora'].map((name) => makeUser(directory, name)),
  );
  const { id: account } = await directory.createAccount({ name: 'Engines', owner: ada });
  await directory.addMember(account, ben, ['admin']);
  await directory.addMember(account, cleo, ['member']);
  await directory.addMember(account, dora, ['member']);
  return Object.assign(world, { account, ada, ben, cleo, dora });
}

describe('T75 nobody does more than their role may', () => {
  const refused: [string, (directory: Directory, office: Office) => Promise<unknown>][] = [
    ['a member removes', (d, { account, cleo, dora }) => d.removeMember(account, dora, cleo)],
    [
      'a member gives roles',
      (d, { account, cleo, dora }) => d.setRoles(account, dora, ['member'], cleo),
    ],
    [
      'a member lets in',
      async (d, { account, cleo }) =>
        d.addMember(account, await makeUser(d, 'Eve'), ['member'], cleo),
    ],
    ['a member renames', (d, { account, cleo }) => d.renameAccount(account, 'Mine', cleo)],
    [
      'a member raises themself',
      (d, { account, cleo }) => d.setRoles(account, cleo, ['admin'], cleo),
    ],
    ['an admin raises themself', (d, { account, ben }) => d.setRoles(account, ben, ['owner'], ben)],
    [
      'an admin takes another role',
      (d, { account, ben }) => d.setRoles(account, ben, ['auditor'], ben),
    ],
    [
      'an admin makes an owner',
      (d, { account, ben, cleo }) => d.setRoles(account, cleo, ['owner'], ben),
    ],
    [
      'an admin gives a role that only apps know',
      (d, { account, ben, cleo }) => d.setRoles(account, cleo, ['auditor'], ben),
    ],
    ['an admin removes an owner', (d, { account, ben, ada }) => d.removeMember(account, ada, ben)],
    [
      'an admin changes an owner',
      (d, { account, ben, ada }) => d.setRoles(account, ada, ['member'], ben),
    ],
    [
      'an admin lets an owner in',
      async (d, { account, ben }) => d.addMember(account, await makeUser(d, 'Eve'), ['owner'], ben),
    ],
    [
      'an admin hands over',
      (d, { account, ben, cleo }) => d.handOver(account, { from: ben, to: cleo }, ben),
    ],
    [
      'somebody else removes',
      async (d, { account, cleo }) => d.removeMember(account, cleo, await makeUser(d, 'Eve')),
    ],
    ['nobody removes', (d, { account, cleo }) => d.removeMember(account, cleo, 'usr_nobody')],
  ];
  test.each(refused)('%s: refused, and nothing is written', async (_name, act) => {
    const office = await openOffice();
    const { directory, account, ada, ben, cleo, dora } = office;
    const look = async () => [
      (await directory.account(account))?.name,
      ...(await Promise.all([ada, ben, cleo, dora].map((one) => rolesOf(directory, one, account)))),
    ];
    const before = await look();
    expect(await problemOf(act(directory, office))).toBe('not_allowed');
    expect(await look()).toEqual(before);
  });

  test('an admin lets in, changes and removes members, and is named in the events', async () => {
    const office = await openOffice();
    const { directory, account, ben, cleo, dora } = office;
    const eve = await makeUser(directory, 'Eve');
    expect(await directory.addMember(account, eve, ['member'], ben)).toBe(true);
    expect(await directory.setRoles(account, cleo, ['admin'], ben)).toEqual(['admin']);
    expect(await directory.removeMember(account, dora, ben)).toBe(true);
    await directory.renameAccount(account, ' Engines  & more ', ben);
    const events = (await office.settle()).filter(({ data }) => data.actor !== undefined);
    expect(events.map(({ type, data }) => [type, data.user, data.actor]).toSorted()).toEqual(
      [
        ['account.renamed', undefined, ben],
        ['member.added', eve, ben],
        ['member.changed', cleo, ben],
        ['member.removed', dora, ben],
      ].toSorted(),
    );
    expect((await directory.account(account))?.name).toBe('Engines & more');
  });

  test('the same name again is no change', async () => {
    const office = await openOffice();
    const { directory, account, ben } = office;
    await directory.renameAccount(account, 'Engines', ben);
    expect((await office.settle()).some(({ type }) => type === 'account.renamed')).toBe(false);
    expect(await problemOf(directory.renameAccount(account, ' ', ben))).toBe('name_invalid');
  });
});

describe('what was true when the page was drawn', () => {
  test('is not what counts: a removed admin does nothing any more', async () => {
    const { directory, account, ben, cleo } = await openOffice();
    await directory.removeMember(account, ben);
    expect(await problemOf(directory.removeMember(account, cleo, ben))).toBe('not_allowed');
    expect(await rolesOf(directory, cleo, account)).toEqual(['member']);
  });

  test('a member who became an owner in the moment of their removal stays', async () => {
    const office = await openOffice();
    const { account, ben, cleo, store } = office;
    // An admin's removal has judged a member; before it is written, an owner makes them an owner.
    let isFirst = true;
    const slow: Store = {
      ...announcing(store, () => undefined),
      async write(kind, id, document, options) {
        if (id === cleo && isFirst) {
          isFirst = false;
          await office.directory.setRoles(account, cleo, ['owner'], office.ada);
        }
        return store.write(kind, id, document, options);
      },
    };
    const removing = directoryOver(office, slow).removeMember(account, cleo, ben);
    expect(await problemOf(removing)).toBe('not_allowed');
    expect(await rolesOf(office.directory, cleo, account)).toContain('owner');
  });

  test('two owners remove each other: one is left', async () => {
    const { directory, account, ada, ben } = await openOffice();
    await directory.setRoles(account, ben, ['owner']);
    await Promise.all([
      problemOf(directory.removeMember(account, ada, ben)),
      problemOf(directory.removeMember(account, ben, ada)),
    ]);
    const owners = (await directory.account(account))?.owners ?? [];
    expect(owners).toHaveLength(1);
    expect(await rolesOf(directory, owners[0] ?? '', account)).toContain('owner');
  });

  test('two owners leave at once: the last one cannot', async () => {
    const { directory, account, ada, ben } = await openOffice();
    await directory.setRoles(account, ben, ['owner']);
    const problems = await Promise.all(
      [ada, ben].map((one) => problemOf(directory.removeMember(account, one, one))),
    );
    expect(problems.toSorted()).toEqual(['last_owner', undefined]);
    const owners = (await directory.account(account))?.owners ?? [];
    expect(owners).toHaveLength(1);
    expect(await rolesOf(directory, owners[0] ?? '', account)).toContain('owner');
  });

  test('two admins change the same member at once: one of both is what holds', async () => {
    const office = await openOffice();
    const { directory, account, ben, cleo, dora } = office;
    await directory.setRoles(account, dora, ['admin']);
    await Promise.all(
      [
        directory.setRoles(account, cleo, ['admin'], ben),
        directory.removeMember(account, cleo, dora),
      ].map(problemOf),
    );
    expect(await rolesOf(directory, cleo, account)).toBeUndefined();
  });
});

describe('handing over', () => {
  test('makes another owner, and what was chosen of who did it', async () => {
    const office = await openOffice();
    const { directory, account, ada, ben } = office;
    await directory.handOver(account, { from: ada, to: ben, roles: ['admin'] }, ada);
    expect((await directory.account(account))?.owners).toEqual([ben]);
    expect(await rolesOf(directory, ada, account)).toEqual(['admin']);
    expect(await rolesOf(directory, ben, account)).toEqual(['owner', 'admin']);
  });

  test.each([['disabled'], ['deleted']] as const)('never to who is %s', async (status) => {
    const { directory, account, ada, ben } = await openOffice();
    await directory.setUserStatus(ben, status);
    const handing = directory.handOver(account, { from: ada, to: ben, roles: ['member'] }, ada);
    expect(await problemOf(handing)).toBe('member_unknown');
    expect((await directory.account(account))?.owners).toEqual([ada]);
  });

  test('never to a stranger, nor to oneself', async () => {
    const { directory, account, ada } = await openOffice();
    const eve = await makeUser(directory, 'Eve');
    for (const to of [eve, ada]) {
      const handing = directory.handOver(account, { from: ada, to, roles: ['member'] }, ada);
      expect(await problemOf(handing)).toBe('member_unknown');
    }
    expect((await directory.account(account))?.owners).toEqual([ada]);
  });
});

describe('the list of members', () => {
  test('comes in pages, without who is deleted or half removed', async () => {
    const { directory, account, ada, ben, cleo, dora } = await openOffice();
    await directory.setUserStatus(dora, 'deleted');
    await directory.setUserStatus(cleo, 'disabled');
    const first = await directory.membersOf(account, { limit: 2 });
    const second = await directory.membersOf(account, { limit: 2, after: first.next });
    expect(second.next).toBeUndefined();
    const rows = [...first.rows, ...second.rows];
    expect(rows.map(({ user }) => user)).toEqual([ada, ben, cleo].toSorted());
    expect(rows.find(({ user }) => user === ada)).toMatchObject({
      isOwner: true,
      roles: ['owner'],
    });
    expect(rows.find(({ user }) => user === cleo)).toMatchObject({ status: 'disabled' });
    expect(await problemOf(directory.membersOf('acc_none'))).toBe('account_unknown');
  });

  test('T74 of another account nobody is found', async () => {
    const { directory, account } = await openOffice();
    const eve = await makeUser(directory, 'Eve');
    const { id } = await directory.createAccount({ name: 'Other', owner: eve });
    expect(await directory.memberOf(account, eve)).toBeUndefined();
    expect((await directory.membersOf(id)).rows.map(({ user }) => user)).toEqual([eve]);
  });

  test('is searched without case and accents', async () => {
    const { directory, account } = await openOffice();
    const zoe = await makeUser(directory, 'Zoë Ångström');
    await directory.addMember(account, zoe, ['member']);
    const found = await directory.membersOf(account, { search: ' ANGSTROM ' });
    expect(found).toMatchObject({ rows: [{ user: zoe }] });
    expect(await directory.membersOf(account, { search: 'nobody' })).toEqual({ rows: [] });
  });

  test('of 10,000 reads as much as its page, and a search a bounded number of times', async () => {
    const { store, counted, directory, account } = await openCrowd(10_050);
    const page = await directory.membersOf(account, { limit: 50 });
    expect(page.rows).toHaveLength(50);
    expect(counted).toMatchObject({ calls: 2, documents: 51 + 1 });
    Object.assign(counted, { calls: 0, documents: 0 });
    const found = await directory.membersOf(account, { search: 'p10049' });
    expect(counted.calls).toBeLessThanOrEqual(11);
    expect(found.rows).toEqual([]);
    const on = await directory.membersOf(account, { search: 'p10049', after: found.next });
    expect(on.rows.map(({ name }) => name)).toEqual(['P10049']);
    expect(on.next).toBeUndefined();
    await store.close();
  });
});

/** An account of so many, over a store that counts what is read. Of one store: it is about numbers of calls. */
async function openCrowd(count: number) {
  const store = await openSqlite({ path: ':memory:', clock: Date.now });
  const account = 'acc_crowd';
  const owner = 'usr_00000';
  const document = { name: 'Crowd', status: 'active' as const, owners: [owner], createdAt: 1 };
  await store.write('account', account, document, { expect: 'absent' });
  const since = 1;
  for (let start = 0; start < count; start += 500) {
    const some = Array.from({ length: Math.min(500, count - start) }, (_, i) => start + i);
    await Promise.all(
      some.map((number) => {
        const id = `usr_${String(number).padStart(5, '0')}`;
        const memberships = [{ account, roles: ['member'], since }];
        const person = {
          name: `P${number}`,
          status: 'active' as const,
          identities: [],
          createdAt: 1,
        };
        return store.write('user', id, { ...person, memberships }, { expect: 'absent' });
      }),
    );
  }
  const counted = { calls: 0, documents: 0 };
  const counting: Store = {
    ...announcing(store, () => undefined),
    async get(kind, id) {
      counted.calls += 1;
      counted.documents += 1;
      return store.get(kind, id);
    },
    async find(kind, index, value, options) {
      const found = await store.find(kind, index, value, options);
      counted.calls += 1;
      counted.documents += found.length;
      return found;
    },
  };
  const world = await openDirectory();
  return { store, counted, directory: directoryOver(world, counting), account };
}
