import { describe, expect, test } from 'vitest';
import { makeUser, openDirectory, problemOf, rolesOf } from './world.ts';

describe('making an account', () => {
  test('gives it an owner who may act for it', async () => {
    const { directory, settle } = await openDirectory();
    const ada = await makeUser(directory, 'Ada');
    const account = await directory.createAccount({ name: 'Engines Ltd', owner: ada });
    expect(account).toMatchObject({ name: 'Engines Ltd', status: 'active', owners: [ada] });
    expect(await directory.account(account.id)).toEqual(account);
    expect(await rolesOf(directory, ada, account.id)).toEqual(['owner']);
    const created = (await settle()).filter(({ type }) => type === 'account.created');
    expect(created).toMatchObject([{ data: { account: account.id, owner: ada } }]);
  });

  test('keeps an id that people moved in with, once', async () => {
    const { directory } = await openDirectory();
    const ada = await makeUser(directory, 'Ada');
    const input = { id: '4711', name: 'Engines', owner: ada };
    expect(await directory.createAccount(input)).toMatchObject({ id: '4711' });
    expect(await problemOf(directory.createAccount(input))).toBe('account_exists');
  });

  test('needs an active user as its owner', async () => {
    const { directory } = await openDirectory();
    const ada = await makeUser(directory, 'Ada');
    await directory.setUserStatus(ada, 'disabled');
    for (const owner of [ada, 'usr_nobody']) {
      expect(await problemOf(directory.createAccount({ name: 'x', owner }))).toBe('user_unknown');
    }
  });
});

describe('T72 T75 names and ids', () => {
  test('are normalised, trimmed and bounded', async () => {
    const { directory } = await openDirectory();
    const owner = await makeUser(directory, 'Ada');
    const { name } = await directory.createAccount({ name: '  \uFF21cme   Inc. ', owner });
    expect(name).toBe('Acme Inc.');
  });

  test.each(['', '   ', 'a\nb', 'a\u0000', '\u202Eevil', 'x'.repeat(121), '\uFDFA'.repeat(30), 7])(
    '%j is no name',
    async (name) => {
      const { directory } = await openDirectory();
      const owner = await makeUser(directory, 'Ada');
      const input = { name: name as string, owner };
      expect(await problemOf(directory.createAccount(input))).toBe('name_invalid');
      expect(await problemOf(directory.createUser({ name: name as string }))).toBe('name_invalid');
    },
  );

  test.each(['a@b@c', 'a@b,c@d', 'a\uFF20b.example', 'a\n@b', 'nobody'])(
    '%j is no address',
    async (email) => {
      const { directory } = await openDirectory();
      expect(await problemOf(directory.createUser({ email }))).toBe('email_invalid');
    },
  );

  test.each(['', 'a b', 'é', 'x'.repeat(256), 5])('%j is no id', async (id) => {
    const { directory } = await openDirectory();
    expect(await problemOf(directory.createUser({ id: id as string }))).toBe('id_invalid');
  });

  test('fields that nobody asked for have no effect', async () => {
    const { directory } = await openDirectory();
    const input = {
      name: 'Ada',
      emailVerified: true,
      status: 'deleted',
      memberships: [{ account: 'acc_victim', roles: ['owner'], since: 0 }],
      ...(JSON.parse('{"__proto__":{"email":"x@example.com"}}') as object),
    };
    const { document } = await directory.createUser(input);
    expect(Object.keys(document).toSorted()).toEqual(['createdAt', 'identities', 'name', 'status']);
    expect(document.status).toBe('active');
  });
});

describe('closing an account', () => {
  test('ends what everybody may do in it, once', async () => {
    const { directory, settle } = await openDirectory();
    const [ada, ben] = [await makeUser(directory, 'Ada'), await makeUser(directory, 'Ben')];
    const { id } = await directory.createAccount({ name: 'Engines', owner: ada });
    await directory.addMember(id, ben, ['member']);
    await Promise.all(Array.from({ length: 5 }, () => directory.closeAccount(id, 'moved away')));
    for (const user of [ada, ben]) {
      expect(await directory.membership(user, id)).toBeUndefined();
      expect(await directory.usableAccounts(user)).toEqual([]);
    }
    expect(await directory.account(id)).toMatchObject({
      status: 'closed',
      closed: { reason: 'moved away' },
    });
    const closed = (await settle()).filter(({ type }) => type === 'account.closed');
    expect(closed).toHaveLength(1);
  });

  test('lets nobody in any more', async () => {
    const { directory } = await openDirectory();
    const [ada, ben] = [await makeUser(directory, 'Ada'), await makeUser(directory, 'Ben')];
    const { id } = await directory.createAccount({ name: 'Engines', owner: ada });
    await directory.closeAccount(id);
    expect(await problemOf(directory.addMember(id, ben, ['member']))).toBe('account_closed');
    expect(await problemOf(directory.setRoles(id, ada, ['admin']))).toBe('account_closed');
  });

  test('needs an account', async () => {
    const { directory } = await openDirectory();
    expect(await problemOf(directory.closeAccount('acc_none'))).toBe('account_unknown');
  });
});

test('accounts are listed by name, with the roles in each', async () => {
  const { directory } = await openDirectory();
  const ada = await makeUser(directory, 'Ada');
  const ben = await makeUser(directory, 'Ben');
  for (let index = 0; index < 30; index += 1) {
    const name = `Account ${String((index * 7) % 30).padStart(2, '0')}`;
    const { id } = await directory.createAccount({ name, owner: ada });
    if (index % 2 === 0) await directory.addMember(id, ben, ['admin', 'billing']);
  }
  const adas = await directory.usableAccounts(ada);
  const names = adas.map(({ name }) => name);
  expect(names).toEqual(names.toSorted());
  expect(names).toHaveLength(30);
  const bens = await directory.usableAccounts(ben);
  expect(bens).toHaveLength(15);
  expect(bens[0]).toMatchObject({ roles: ['admin', 'billing'], document: { status: 'active' } });
});
