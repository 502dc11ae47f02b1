import { describe, expect, test } from 'vitest';
import { createDirectory } from '../../src/directory/directory.ts';
import type { Identity } from '../../src/directory/users.ts';
import { announcing } from '../../src/events/outbox.ts';
import { identity, openDirectory, problemOf } from './world.ts';

const ada = identity('ada', { name: 'Ada', email: 'ada@example.com', emailVerified: true });

describe('somebody new, where anybody may come', () => {
  test('becomes a user with a personal account of which they are the owner', async () => {
    const { directory, settle } = await openDirectory();
    const { user, created } = await directory.signIn(ada);
    expect(created).toBe(true);
    expect(user.document).toMatchObject({ status: 'active', name: 'Ada', emailVerified: true });
    const accounts = await directory.usableAccounts(user.id);
    expect(accounts).toMatchObject([{ name: 'Ada', roles: ['owner'] }]);
    expect((await settle()).map(({ type, data }) => [type, data])).toEqual([
      ['user.registered', { user: user.id, account: accounts[0]?.id }],
      ['user.signed_in', { user: user.id, provider: 'google' }],
      ['account.created', { account: accounts[0]?.id, name: 'Ada', owner: user.id }],
    ]);
  });

  test('without a name has an account with a plain one', async () => {
    const { directory } = await openDirectory();
    const { user } = await directory.signIn(identity('nameless'));
    expect(await directory.usableAccounts(user.id)).toMatchObject([{ name: 'Personal account' }]);
    expect(user.document).not.toHaveProperty('name');
  });

  test('twenty first sign-ins at the same moment make one user and one account', async () => {
    const { directory, settle } = await openDirectory();
    const all = await Promise.all(Array.from({ length: 20 }, () => directory.signIn(ada)));
    const ids = new Set(all.map(({ user }) => user.id));
    expect(ids.size).toBe(1);
    expect(all.filter(({ created }) => created)).toHaveLength(1);
    const [id = ''] = ids;
    expect(await directory.usableAccounts(id)).toHaveLength(1);
    const types = (await settle()).map(({ type }) => type);
    expect(types.filter((type) => type === 'user.registered')).toHaveLength(1);
    expect(types.filter((type) => type === 'account.created')).toHaveLength(1);
    expect(types.filter((type) => type === 'user.signed_in')).toHaveLength(20);
  });

  test('everybody of these twenty has a usable account when they are let in', async () => {
    const { directory } = await openDirectory();
    const usable = await Promise.all(
      Array.from({ length: 20 }, async () => {
        const { user } = await directory.signIn(ada);
        return (await directory.usableAccounts(user.id)).length;
      }),
    );
    expect(new Set(usable)).toEqual(new Set([1]));
  });
});

describe('somebody new, where not anybody may come', () => {
  test.each(['checkout', 'invitation'] as const)(
    'is told so (%s), and leaves no trace',
    async (registration) => {
      const { directory, settle, store } = await openDirectory(registration);
      await expect(directory.signIn(ada)).rejects.toMatchObject({
        code: 'not_registered',
        status: 403,
        details: { registration },
      });
      expect(await settle()).toEqual([]);
      expect(await store.find('user', 'identity', '', { prefix: true })).toEqual([]);
    },
  );

  test('is let in when an operator made the user', async () => {
    const { directory } = await openDirectory('invitation');
    const { provider, issuer, subject } = ada;
    const made = await directory.createUser({ identities: [{ provider, issuer, subject }] });
    const { user, created } = await directory.signIn(ada);
    expect([user.id, created]).toEqual([made.id, false]);
    expect(user.document.name).toBe('Ada');
  });
});

describe('somebody known', () => {
  test('is the same user, whatever else has changed about them', async () => {
    const { directory } = await openDirectory();
    const first = await directory.signIn(ada);
    const second = await directory.signIn(
      identity('ada', {
        name: 'Ada L.',
        email: 'countess@example.com',
        picture: 'https://img.example/a',
      }),
    );
    expect(second.created).toBe(false);
    expect(second.user.id).toBe(first.user.id);
    expect(second.user.document).toMatchObject({
      name: 'Ada L.',
      email: 'countess@example.com',
      picture: 'https://img.example/a',
      identities: [{ subject: 'ada', email: 'countess@example.com' }],
    });
  });

  test('T41 an address is verified only for as long as the upstream says so of it', async () => {
    const { directory } = await openDirectory();
    await directory.signIn(ada);
    const { user } = await directory.signIn(identity('ada', { email: 'other@example.com' }));
    expect(user.document).not.toHaveProperty('emailVerified');
  });

  test('keeps what the upstream no longer mentions, or says badly', async () => {
    const { directory } = await openDirectory();
    await directory.signIn(ada);
    const { user } = await directory.signIn(
      identity('ada', { name: 'A\u0000da', picture: 'javascript:alert(1)', locale: '<script>' }),
    );
    expect(user.document).toMatchObject({
      name: 'Ada',
      email: 'ada@example.com',
      emailVerified: true,
    });
    expect(user.document).not.toHaveProperty('picture');
    expect(user.document).not.toHaveProperty('locale');
  });

  test('leaves one event with each sign-in', async () => {
    const { directory, settle } = await openDirectory();
    await directory.signIn(ada);
    await Promise.all(Array.from({ length: 20 }, () => directory.signIn(ada)));
    const types = (await settle()).map(({ type }) => type);
    expect(types.filter((type) => type === 'user.signed_in')).toHaveLength(21);
  });

  test.each(['disabled', 'deleted'] as const)('is not let in once %s', async (status) => {
    const { directory, settle } = await openDirectory();
    const { user } = await directory.signIn(ada);
    const [account] = await directory.usableAccounts(user.id);
    await directory.closeAccount(account?.id ?? '');
    await directory.setUserStatus(user.id, status);
    const before = (await settle()).length;
    await expect(directory.signIn(ada)).rejects.toMatchObject({
      code: 'user_disabled',
      status: 403,
    });
    expect(await settle()).toHaveLength(before);
  });

  test('is not let in by a sign-in that began before they were disabled', async () => {
    const { directory, store, clock, log } = await openDirectory();
    const { user } = await directory.signIn(ada);
    let isFirst = true;
    const slow = createDirectory({
      clock,
      log,
      registration: 'open',
      store: {
        ...announcing(store, () => undefined),
        async write(kind, id, document, options) {
          if (isFirst) await directory.setUserStatus(user.id, 'disabled');
          isFirst = false;
          return store.write(kind, id, document, options);
        },
      },
    });
    expect(await problemOf(slow.signIn(ada))).toBe('user_disabled');
  });
});

describe('F1 F2 F3 an e-mail address never says who somebody is', () => {
  const unverified = [false, undefined, 'true', 1] as unknown[];

  test.each([true, ...unverified])(
    'F1 the address of somebody else, verified: %j, is another user',
    async (word) => {
      const { directory } = await openDirectory();
      const victim = await directory.signIn(ada);
      const attacker = await directory.signIn({
        ...identity('mallory', { email: 'ada@example.com' }),
        issuer: 'https://evil.example',
        emailVerified: word as boolean,
      });
      expect(attacker.created).toBe(true);
      expect(attacker.user.id).not.toBe(victim.user.id);
      expect(attacker.user.document.emailVerified).toBe(word === true ? true : undefined);
      expect(await directory.usableAccounts(attacker.user.id)).toHaveLength(1);
    },
  );

  test('F2 the same subject at two issuers is two users', async () => {
    const { directory } = await openDirectory();
    const one = await directory.signIn(identity('42'));
    const two = await directory.signIn({ ...identity('42'), issuer: 'https://github.com' });
    expect(one.user.id).not.toBe(two.user.id);
  });

  test('F2 issuer and subject cannot be cut differently', async () => {
    const { directory } = await openDirectory();
    const one = await directory.signIn({ ...identity('bc'), issuer: 'https://a' });
    const two = await directory.signIn({ ...identity('c'), issuer: 'https://ab' });
    expect(one.user.id).not.toBe(two.user.id);
  });

  test('F2 subjects are compared byte by byte', async () => {
    const { directory } = await openDirectory();
    const subjects = ['ada', 'Ada', 'ada ', '\uFF41da'];
    const all = await Promise.all(subjects.map((subject) => directory.signIn(identity(subject))));
    expect(new Set(all.map(({ user }) => user.id)).size).toBe(subjects.length);
  });

  test('F3 who registers with a victim’s address first gains nothing when the victim comes', async () => {
    const { directory } = await openDirectory();
    const squatter = await directory.signIn(identity('mallory', { email: 'ada@example.com' }));
    const victim = await directory.signIn(ada);
    expect(victim.created).toBe(true);
    const theirs = (await directory.usableAccounts(victim.user.id)).map(({ id }) => id);
    const others = (await directory.usableAccounts(squatter.user.id)).map(({ id }) => id);
    expect(theirs.filter((id) => others.includes(id))).toEqual([]);
  });

  test.each([
    { subject: '' },
    { subject: 'a'.repeat(256) },
    { subject: 'a\nb' },
    { issuer: '' },
    { issuer: 42 },
    { provider: '' },
  ])('an identity that is none is refused: %j', async (part) => {
    const { directory } = await openDirectory();
    const bad = { ...ada, ...part } as Identity;
    expect(await problemOf(directory.signIn(bad))).toBe('identity_invalid');
  });

  test('T75 what an identity brings along beside its fields is never copied', async () => {
    const { directory } = await openDirectory();
    const rich = {
      ...ada,
      status: 'deleted',
      memberships: [{ account: 'acc_victim', roles: ['owner'], since: 0 }],
      identities: [],
      roles: ['admin'],
      ...(JSON.parse('{"__proto__":{"status":"deleted"}}') as object),
    };
    const { user } = await directory.signIn(rich);
    expect(Object.keys(user.document).toSorted()).toEqual([
      'createdAt',
      'email',
      'emailVerified',
      'identities',
      'memberships',
      'name',
      'signedInAt',
      'status',
    ]);
    expect(user.document.status).toBe('active');
    expect(user.document.memberships).toHaveLength(1);
    expect(Object.keys(user.document.identities[0] ?? {}).toSorted()).toEqual([
      'email',
      'emailVerified',
      'issuer',
      'linkedAt',
      'provider',
      'subject',
      'usedAt',
    ]);
  });
});
