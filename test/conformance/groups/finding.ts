import { describe, expect, test } from 'vitest';
import type { Documents, Kind } from '../../../src/storage/kinds.ts';
import { Duplicate } from '../../../src/storage/store.ts';
import type { FindOptions, ListOptions, Store } from '../../../src/storage/store.ts';
import { account, audit, event, grant, identityOf, session, user } from '../samples.ts';
import type { Suite } from '../suite.ts';

async function ids<K extends Kind>(
  store: Store,
  kind: K,
  index: string,
  value: string,
  options?: FindOptions,
): Promise<string[]> {
  const found = await store.find(kind, index, value, options);
  return found.map(({ id }) => id);
}

export function finding(suite: Suite): void {
  describe('indexes', () => {
    test('documents are found by what they hold, in the order of their ids', async () => {
      const store = await suite.open();
      for (const id of ['g3', 'g1', 'g2']) {
        await store.write('grant', id, grant({ session: 's' }), { expect: 'absent' });
      }
      await store.write('grant', 'g0', grant({ session: 'other' }), { expect: 'absent' });
      await store.write('session', 'g4', session({ user: 's' }), { expect: 'absent' });
      expect(await ids(store, 'grant', 'session', 's')).toEqual(['g1', 'g2', 'g3']);
      expect(await ids(store, 'grant', 'session', 'S')).toEqual([]);
      expect(await ids(store, 'grant', 'session', '')).toEqual([]);
      expect(await ids(store, 'grant', 'user', 's')).toEqual([]);
      const [first] = await store.find('grant', 'session', 'other');
      expect(first).toEqual({ id: 'g0', version: 1, document: grant({ session: 'other' }) });
    });

    test('each element of a list is an entry; the document is found once', async () => {
      const store = await suite.open();
      await store.write('user', 'u1', user([], ['acc_1', 'acc_2', 'acc_1']), { expect: 'absent' });
      await store.write('user', 'u2', user([], ['acc_2']), { expect: 'absent' });
      expect(await ids(store, 'user', 'account', 'acc_1')).toEqual(['u1']);
      expect(await ids(store, 'user', 'account', 'acc_2')).toEqual(['u1', 'u2']);
    });

    test('entries follow the document when it changes', async () => {
      const store = await suite.open();
      await store.write('user', 'u1', user([], ['a', 'b', 'c']), { expect: 'absent' });
      await store.write('user', 'u1', user([], ['b', 'd']), { expect: 1 });
      const found = async () =>
        (
          await Promise.all(
            ['a', 'b', 'c', 'd'].map((value) => ids(store, 'user', 'account', value)),
          )
        )
          .map((list) => list.length)
          .join('');
      expect(await found()).toBe('0101');
      await store.write('user', 'u1', user(), { expect: 2 });
      expect(await found()).toBe('0000');
      await store.write('user', 'u1', user([], ['c']), { expect: 3 });
      expect(await found()).toBe('0010');
    });

    test('what an optional field left is no longer found', async () => {
      const store = await suite.open();
      await store.write('session', 's1', session({ user: 'u1' }), { expect: 'absent' });
      expect(await ids(store, 'session', 'user', 'u1')).toEqual(['s1']);
      await store.write('session', 's1', session(), { expect: 1 });
      expect(await ids(store, 'session', 'user', 'u1')).toEqual([]);
    });

    test('what was deleted is no longer found', async () => {
      const store = await suite.open();
      await store.write('grant', 'g1', grant(), { expect: 'absent' });
      await store.write('grant', 'g1', null, { expect: 1 });
      expect(await ids(store, 'grant', 'user', 'usr_1')).toEqual([]);
      await store.write('grant', 'g1', grant({ user: 'usr_2' }), { expect: 'absent' });
      expect(await ids(store, 'grant', 'user', 'usr_1')).toEqual([]);
      expect(await ids(store, 'grant', 'user', 'usr_2')).toEqual(['g1']);
    });

    test('an index that the kind does not have is a defect, not an empty answer', async () => {
      const store = await suite.open();
      await expect(store.find('meta', 'user', 'u1')).rejects.toThrow('no index');
    });
  });

  paging(suite);
  listing(suite);
  prefixes(suite);
  uniqueness(suite);
}

function listing(suite: Suite): void {
  describe('a list', () => {
    const listed = async (store: Store, options?: ListOptions): Promise<string[]> =>
      (await store.list('account', options)).map(({ id }) => id);

    test('is of all documents of the kind, as they are now, in the order of their ids', async () => {
      const store = await suite.open();
      expect(await store.list('account')).toEqual([]);
      for (const id of ['b', 'c', 'B', 'a']) {
        await store.write('account', id, account({ name: id }), { expect: 'absent' });
      }
      await store.write('user', 'aa', user(), { expect: 'absent' });
      await store.write('account', 'b', account({ name: 'new' }), { expect: 1 });
      const all = await store.list('account');
      expect(all.map(({ id, version }) => [id, version])).toEqual([
        ['B', 1],
        ['a', 1],
        ['b', 2],
        ['c', 1],
      ]);
      expect(all[2]?.document).toEqual(account({ name: 'new' }));
    });

    test('goes on behind an id, whether it is there or not', async () => {
      const store = await suite.open();
      for (const id of ['a', 'c', 'e']) {
        await store.write('account', id, account(), { expect: 'absent' });
      }
      expect(await listed(store, { limit: 2 })).toEqual(['a', 'c']);
      expect(await listed(store, { limit: 2, after: 'c' })).toEqual(['e']);
      expect(await listed(store, { after: 'b' })).toEqual(['c', 'e']);
      expect(await listed(store, { after: 'e' })).toEqual([]);
      expect(await listed(store, { limit: 0 })).toEqual([]);
    });

    test('has full pages until the last one, whatever was deleted', async () => {
      const store = await suite.open();
      for (const id of ['a', 'b', 'c', 'd', 'e']) {
        await store.write('account', id, account(), { expect: 'absent' });
      }
      for (const id of ['a', 'c']) {
        await store.write('account', id, null, { expect: 1, events: [event(id)] });
      }
      expect(await listed(store, { limit: 2 })).toEqual(['b', 'd']);
      expect(await listed(store, { limit: 2, after: 'd' })).toEqual(['e']);
    });

    test('of a hot kind is a defect: no store has one', async () => {
      const store = await suite.open();
      await expect(store.list('session')).rejects.toThrow('session is hot');
      await expect(store.list('grant')).rejects.toThrow('grant is hot');
    });
  });
}

function paging(suite: Suite): void {
  const subjects = [
    { kind: 'audit', make: (user: string) => audit({ user }) },
    { kind: 'grant', make: (user: string) => grant({ user }) },
  ] as const;
  describe.for(subjects)('paging: $kind', ({ kind, make }) => {
    const pages = async (store: Store, options: FindOptions): Promise<string[][]> => {
      const all: string[][] = [];
      let after: string | undefined;
      do {
        const page = await ids(store, kind, 'user', 'u', {
          ...options,
          ...(after === undefined ? {} : { after }),
        });
        all.push(page);
        after = page.at(-1);
      } while (after !== undefined);
      return all;
    };

    test('goes on behind the last id, in both directions', async () => {
      const store = await suite.open();
      const names = ['a', 'b', 'c', 'd', 'e'];
      for (const id of names) await store.write(kind, id, make('u'), { expect: 'absent' });
      await store.write(kind, 'bb', make('other'), { expect: 'absent' });
      expect(await pages(store, { limit: 2 })).toEqual([['a', 'b'], ['c', 'd'], ['e'], []]);
      expect(await pages(store, { limit: 2, descending: true })).toEqual([
        ['e', 'd'],
        ['c', 'b'],
        ['a'],
        [],
      ]);
      expect(await ids(store, kind, 'user', 'u', { after: 'bb' })).toEqual(['c', 'd', 'e']);
      const before = { after: 'bb', descending: true };
      expect(await ids(store, kind, 'user', 'u', before)).toEqual(['b', 'a']);
    });

    test('gives 100 when not told, and 1000 at the most', async () => {
      const store = await suite.open();
      const names = Array.from(
        { length: 1010 },
        (_, number) => `r${String(number).padStart(4, '0')}`,
      );
      await Promise.all(names.map((id) => store.write(kind, id, make('u'), { expect: 'absent' })));
      expect(await ids(store, kind, 'user', 'u')).toEqual(names.slice(0, 100));
      expect(await ids(store, kind, 'user', 'u', { limit: 5000 })).toEqual(names.slice(0, 1000));
    });
  });
}

function prefixes(suite: Suite): void {
  describe('prefixes', () => {
    test('find every value that begins so', async () => {
      const store = await suite.open();
      const accounts: Record<string, string> = {
        u5: 'ab',
        u4: 'abc',
        u3: 'ab🙂',
        u2: 'ac',
        u1: 'b',
      };
      for (const [id, value] of Object.entries(accounts)) {
        await store.write('user', id, user([], [value]), { expect: 'absent' });
      }
      const found = (value: string, options: FindOptions = {}) =>
        ids(store, 'user', 'account', value, { prefix: true, ...options });
      expect(await found('ab')).toEqual(['u3', 'u4', 'u5']);
      expect(await found('a')).toEqual(['u2', 'u3', 'u4', 'u5']);
      expect(await found('')).toEqual(['u1', 'u2', 'u3', 'u4', 'u5']);
      expect(await found('abcd')).toEqual([]);
      expect(await found('a', { limit: 2 })).toEqual(['u2', 'u3']);
      expect(await found('a', { after: 'u3' })).toEqual(['u4', 'u5']);
      expect(await found('a', { after: 'u4', descending: true })).toEqual(['u3', 'u2']);
    });

    test('are plain text: wildcards and patterns mean themselves', async () => {
      const store = await suite.open();
      for (const value of ['a%b', 'a_b', 'a*b', '^ab', 'a.b', '[a]', 'aXb']) {
        await store.write('user', value, user([], [value]), { expect: 'absent' });
      }
      for (const value of ['a%', 'a_', 'a*', '^a', 'a.', '[a']) {
        const found = await ids(store, 'user', 'account', value, { prefix: true });
        expect(found).toHaveLength(1);
      }
    });

    test('are for kept kinds: no store keeps the values of hot ones in order', async () => {
      const store = await suite.open();
      const asked = store.find('grant', 'session', 'a', { prefix: true });
      await expect(asked).rejects.toBeInstanceOf(TypeError);
    });

    test('a document with several matching values is found once', async () => {
      const store = await suite.open();
      await store.write('user', 'u1', user([], ['acc_1', 'acc_2']), { expect: 'absent' });
      await store.write('user', 'u2', user([], ['acc_3']), { expect: 'absent' });
      const first = await ids(store, 'user', 'account', 'acc_', { prefix: true, limit: 1 });
      expect(first).toEqual(['u1']);
      const all = await ids(store, 'user', 'account', 'acc_', { prefix: true, limit: 2 });
      expect(all).toEqual(['u1', 'u2']);
    });
  });
}

function uniqueness(suite: Suite): void {
  describe('unique values', () => {
    const refused = async (
      store: Store,
      id: string,
      document: Documents['user'],
      version?: number,
    ) => {
      const writing = store.write('user', id, document, {
        expect: version ?? 'absent',
        events: [event(`of-${id}`)],
      });
      await expect(writing).rejects.toBeInstanceOf(Duplicate);
      await expect(writing).rejects.toMatchObject({ field: 'identity' });
    };

    test('belong to one document of the kind; the second is a Duplicate without effect', async () => {
      const store = await suite.open();
      await store.write('user', 'u1', user(['alice', 'ally'], ['acc_1']), { expect: 'absent' });
      await refused(store, 'u2', user(['ally'], ['acc_1']));
      await refused(store, 'u2', user(['bob', 'alice'], ['acc_1']));
      expect(await store.get('user', 'u2')).toBeUndefined();
      expect(await ids(store, 'user', 'account', 'acc_1')).toEqual(['u1']);
      expect(await store.pending(10)).toEqual([]);
      await store.write('user', 'u2', user(['bob']), { expect: 'absent' });
      await refused(store, 'u2', user(['bob', 'alice']), 1);
      expect(await store.get('user', 'u2')).toMatchObject({ version: 1, document: user(['bob']) });
    });

    test('are found by', async () => {
      const store = await suite.open();
      await store.write('user', 'u1', user(['alice', 'ally']), { expect: 'absent' });
      await store.write('user', 'u2', user(['bob']), { expect: 'absent' });
      expect(await ids(store, 'user', 'identity', identityOf('ally'))).toEqual(['u1']);
      expect(await ids(store, 'user', 'identity', identityOf('bob'))).toEqual(['u2']);
      expect(await ids(store, 'user', 'identity', identityOf('carol'))).toEqual([]);
    });

    test('a document keeps its own, twice in it or over many versions', async () => {
      const store = await suite.open();
      await store.write('user', 'u1', user(['alice', 'alice']), { expect: 'absent' });
      await store.write('user', 'u1', user(['alice', 'ally']), { expect: 1 });
      expect(await store.write('user', 'u1', user(['ally', 'alice']), { expect: 2 })).toBe(3);
    });

    test('are free again when the document gives them up, or is deleted', async () => {
      const store = await suite.open();
      await store.write('user', 'u1', user(['alice', 'ally']), { expect: 'absent' });
      await store.write('user', 'u1', user(['ally']), { expect: 1 });
      await store.write('user', 'u2', user(['alice']), { expect: 'absent' });
      await refused(store, 'u1', user(['alice']), 2);
      await store.write('user', 'u2', null, { expect: 1 });
      await store.write('user', 'u1', user(['alice', 'ally']), { expect: 2 });
      expect(await ids(store, 'user', 'identity', identityOf('alice'))).toEqual(['u1']);
    });

    test('a refused write frees nothing and takes nothing', async () => {
      const store = await suite.open();
      await store.write('user', 'u1', user(['alice']), { expect: 'absent' });
      await store.write('user', 'u2', user(['bob']), { expect: 'absent' });
      await refused(store, 'u2', user(['free', 'alice']), 1);
      await refused(store, 'u3', user(['bob']));
      await store.write('user', 'u3', user(['free']), { expect: 'absent' });
    });

    test('the version is judged before them', async () => {
      const store = await suite.open();
      await store.write('user', 'u1', user(['alice']), { expect: 'absent' });
      await store.write('user', 'u2', user(['bob']), { expect: 'absent' });
      await expect(store.write('user', 'u2', user(['alice']), { expect: 7 })).rejects.toMatchObject(
        { name: 'Conflict' },
      );
    });

    test('documents without one do not collide', async () => {
      const store = await suite.open();
      await store.write('account', 'a1', account(), { expect: 'absent' });
      await store.write('account', 'a2', account(), { expect: 'absent' });
      await store.write('account', 'a1', account({ customer: 'cus_1' }), { expect: 1 });
      await expect(
        store.write('account', 'a2', account({ customer: 'cus_1' }), { expect: 1 }),
      ).rejects.toMatchObject({ name: 'Duplicate', field: 'customer' });
    });

    test('of 20 parallel inserts with one value one wins', async () => {
      const store = await suite.open();
      const outcomes = await Promise.allSettled(
        Array.from({ length: 20 }, (_, number) =>
          store.write('user', `u${number}`, user([`own-${number}`, 'shared']), {
            expect: 'absent',
            events: [event(`${number}`)],
          }),
        ),
      );
      const winners = outcomes.flatMap(({ status }, index) =>
        status === 'fulfilled' ? index : [],
      );
      expect(winners).toHaveLength(1);
      for (const outcome of outcomes) {
        if (outcome.status === 'rejected') expect(outcome.reason).toBeInstanceOf(Duplicate);
      }
      const holders = await ids(store, 'user', 'identity', identityOf('shared'));
      expect(holders).toEqual([`u${winners[0]}`]);
      expect(await store.pending(100)).toHaveLength(1);
      // What the losers would have held besides is free.
      const others = Array.from({ length: 20 }, (_, number) => number).filter(
        (n) => n !== winners[0],
      );
      await store.write('user', 'late', user(others.map((n) => `own-${n}`)), { expect: 'absent' });
    });
  });
}
