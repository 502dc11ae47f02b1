/** The account that somebody wants to use with an app; and what it takes to know whether there is only one. */

import { describe, expect, test } from 'vitest';
import type { Store } from '../../src/storage/store.ts';
import { directoryOver, makeUser, openDirectory } from './world.ts';

async function openPerson() {
  const world = await openDirectory();
  const { directory } = world;
  const user = await makeUser(directory, 'Ada');
  const accounts = ['acc_one', 'acc_two'];
  for (const id of accounts) await directory.createAccount({ id, name: id, owner: user });
  const now = async () => (await directory.user(user))!;
  const remember = (client: string, account: string | undefined) =>
    directory.rememberAccount({ user, client, account });
  return { ...world, world, user, now, remember };
}

describe('the account for an app', () => {
  test('is written when it changes, and at no other time', async () => {
    const { now, remember, settle } = await openPerson();
    const { version } = await now();
    await remember('app', undefined);
    await remember('app', 'acc_one');
    await remember('app', 'acc_one');
    await remember('other', 'acc_two');
    expect((await now()).document.chosen).toEqual({ app: 'acc_one', other: 'acc_two' });
    expect((await now()).version).toBe(version + 2);
    await remember('app', undefined);
    await remember('other', undefined);
    expect((await now()).document).not.toHaveProperty('chosen');
    // It is nobody's business.
    expect((await settle()).filter(({ data }) => 'client' in data)).toEqual([]);
  });

  test('T74 is one of theirs, of somebody who may sign in', async () => {
    const { now, remember, directory, user } = await openPerson();
    const grace = await makeUser(directory, 'Grace');
    await directory.createAccount({ id: 'acc_hers', name: 'Hers', owner: grace });
    for (const account of ['acc_hers', 'acc_nobody', '', '__proto__']) {
      await remember('app', account);
    }
    expect((await now()).document).not.toHaveProperty('chosen');
    await directory.setUserStatus(user, 'disabled');
    await remember('app', 'acc_one');
    expect((await now()).document).not.toHaveProperty('chosen');
    await directory.rememberAccount({ user: 'usr_nobody', client: 'app', account: 'acc_one' });
  });

  test('of fifty apps; of more, the one that was chosen for longest ago is forgotten', async () => {
    const { now, remember, directory, user } = await openPerson();
    for (let index = 0; index < 50; index += 1) await remember(`app.${index}`, 'acc_one');
    await remember('app.0', 'acc_two');
    await remember('one more', 'acc_two');
    const chosen = (await now()).document.chosen ?? {};
    expect(Object.keys(chosen)).toHaveLength(50);
    expect(chosen).not.toHaveProperty(['app.1']);
    expect(chosen).toMatchObject({ 'app.0': 'acc_two', 'app.2': 'acc_one', 'one more': 'acc_two' });
    // What they have left goes with the next choice.
    await directory.addMember('acc_two', await ownerOf('Grace'), ['owner']);
    await directory.removeMember('acc_two', user);
    await remember('last', 'acc_one');
    expect(Object.values((await now()).document.chosen ?? {})).not.toContain('acc_two');

    function ownerOf(name: string) {
      return makeUser(directory, name);
    }
  });

  test('names that mean something to JavaScript are names', async () => {
    const { now, remember } = await openPerson();
    await remember('__proto__', 'acc_one');
    await remember('constructor', 'acc_two');
    const { chosen = {} } = (await now()).document;
    expect(Object.entries(chosen)).toEqual([
      ['__proto__', 'acc_one'],
      ['constructor', 'acc_two'],
    ]);
  });

  test('choices in two tabs at once are both kept', async () => {
    const { now, remember } = await openPerson();
    const apps = Array.from({ length: 8 }, (_, index) => `app${index}`);
    await Promise.all(apps.map((client) => remember(client, 'acc_one')));
    expect(Object.keys((await now()).document.chosen ?? {}).toSorted()).toEqual(apps);
  });
});

describe('somebody in 500 accounts', () => {
  test('costs little where nobody asks for the list, and each is read once where somebody does', async () => {
    const { directory, world, store } = await openPerson();
    const user = await makeUser(directory, 'Busy');
    const { document, version } = (await directory.user(user))!;
    const memberships = [];
    for (let index = 0; index < 500; index += 1) {
      const account = `acc_many${index}`;
      const status = index < 30 ? ('closed' as const) : ('active' as const);
      const written = { name: `Company ${index}`, status, owners: [user], createdAt: 0 };
      await store.write('account', account, written, { expect: 'absent' });
      memberships.push({ account, roles: ['member'], since: 0 });
    }
    await store.write('user', user, { ...document, memberships }, { expect: version });

    let [reads, atOnce, most] = [0, 0, 0];
    const counting: Store = {
      ...bound(store),
      async get(kind, id) {
        reads += 1;
        atOnce += 1;
        most = Math.max(most, atOnce);
        const found = await store.get(kind, id);
        atOnce -= 1;
        return found;
      },
    };
    const counted = directoryOver(world, counting);
    const costOf = async (act: () => Promise<unknown>) => {
      [reads, most] = [0, 0];
      await act();
      return [reads, most] as const;
    };
    // The user, and of the accounts so many as are closed before there are two.
    expect((await costOf(() => counted.onlyAccount(user)))[0]).toBeLessThanOrEqual(1 + 2 + 40);
    expect(await counted.onlyAccount(user)).toBeUndefined();
    expect((await costOf(() => counted.membership(user, 'acc_many400')))[0]).toBe(2);
    const [all, together] = await costOf(() => counted.usableAccounts(user));
    expect(all).toBe(501);
    expect(together).toBeLessThanOrEqual(20);
    expect(await counted.usableAccounts(user)).toHaveLength(470);
  });

  test('the only one is found among closed ones', async () => {
    const { directory, user } = await openPerson();
    expect(await directory.onlyAccount(user)).toBeUndefined();
    await directory.closeAccount('acc_two');
    expect(await directory.onlyAccount(user)).toBe('acc_one');
    await directory.closeAccount('acc_one');
    expect(await directory.onlyAccount(user)).toBeUndefined();
    expect(await directory.onlyAccount('usr_nobody')).toBeUndefined();
  });
});

/** Its methods, whatever they are called on. */
function bound(store: Store): Store {
  return new Proxy(store, {
    get: (target, name) => {
      const value: unknown = Reflect.get(target, name, target);
      return typeof value === 'function' ? (value.bind(target) as unknown) : value;
    },
  });
}
