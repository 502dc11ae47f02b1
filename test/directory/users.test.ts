import { describe, expect, test } from 'vitest';
import { identity, makeUser, openDirectory, problemOf, rolesOf } from './world.ts';

describe('users whom an operator brings along', () => {
  test('keep their ids, and each of them once', async () => {
    const { directory, settle } = await openDirectory('invitation');
    const attempts = Array.from({ length: 10 }, () =>
      problemOf(directory.createUser({ id: 'auth0|7', name: 'Ada' })),
    );
    const outcomes = await Promise.all(attempts);
    expect(outcomes.filter((code) => code === undefined)).toHaveLength(1);
    expect(new Set(outcomes)).toEqual(new Set([undefined, 'user_exists']));
    expect((await settle()).map(({ type, data }) => [type, data])).toEqual([
      ['user.registered', { user: 'auth0|7' }],
    ]);
  });

  test('cannot have an identity that is somebody else’s', async () => {
    const { directory } = await openDirectory('invitation');
    const identities = [identity('ada')];
    await directory.createUser({ identities });
    expect(await problemOf(directory.createUser({ identities }))).toBe('identity_taken');
  });
});

describe('the status of a user', () => {
  test('disabled: may act for nothing, until enabled again', async () => {
    const { directory, settle } = await openDirectory();
    const ada = await makeUser(directory, 'Ada');
    const { id } = await directory.createAccount({ name: 'Engines', owner: ada });
    await directory.setUserStatus(ada, 'disabled');
    expect(await directory.membership(ada, id)).toBeUndefined();
    expect(await directory.usableAccounts(ada)).toEqual([]);
    expect((await directory.user(ada))?.document.status).toBe('disabled');
    await directory.setUserStatus(ada, 'active');
    expect(await rolesOf(directory, ada, id)).toEqual(['owner']);
    const types = (await settle())
      .map(({ type }) => type)
      .filter((type) => type.startsWith('user.'));
    expect(types).toEqual(['user.registered', 'user.disabled', 'user.enabled']);
  });

  test('T48 twenty operators who disable somebody at once leave one event', async () => {
    const { directory, settle } = await openDirectory();
    const ada = await makeUser(directory, 'Ada');
    await Promise.all(Array.from({ length: 20 }, () => directory.setUserStatus(ada, 'disabled')));
    const disabled = (await settle()).filter(({ type }) => type === 'user.disabled');
    expect(disabled).toHaveLength(1);
  });

  test('deleted: what was known of the person goes, and they never come back', async () => {
    const { directory, settle } = await openDirectory();
    const { user } = await directory.signIn(
      identity('ada', { name: 'Ada', email: 'a@example.com' }),
    );
    const [own] = await directory.usableAccounts(user.id);
    await directory.closeAccount(own?.id ?? '');
    await directory.setUserStatus(user.id, 'deleted');
    await settle();
    const document = (await directory.user(user.id))?.document;
    expect(JSON.stringify(document)).not.toMatch(/Ada|example\.com/);
    expect(document).not.toHaveProperty('memberships');
    expect(await problemOf(directory.setUserStatus(user.id, 'active'))).toBe('user_deleted');
    expect(await problemOf(directory.signIn(identity('ada')))).toBe('user_disabled');
  });

  test('deleted: not while they are the only owner of an account', async () => {
    const { directory } = await openDirectory();
    const [ada, ben] = [await makeUser(directory, 'Ada'), await makeUser(directory, 'Ben')];
    const { id } = await directory.createAccount({ name: 'Engines', owner: ada });
    expect(await problemOf(directory.setUserStatus(ada, 'deleted'))).toBe('last_owner');
    expect(await rolesOf(directory, ada, id)).toEqual(['owner']);
    await directory.addMember(id, ben, ['owner']);
    await directory.setUserStatus(ada, 'deleted');
    expect((await directory.account(id))?.owners).toEqual([ben]);
  });

  test('needs a user', async () => {
    const { directory } = await openDirectory();
    expect(await problemOf(directory.setUserStatus('usr_none', 'disabled'))).toBe('user_unknown');
    expect(await directory.user('usr_none')).toBeUndefined();
  });
});
