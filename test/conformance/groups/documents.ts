import { describe, expect, test } from 'vitest';
import { Conflict } from '../../../src/storage/store.ts';
import { account, event, grant, session, user } from '../samples.ts';
import type { Suite } from '../suite.ts';

export function documents(suite: Suite): void {
  describe('documents', () => {
    test('what is written is read back as it was, whatever it holds', async () => {
      const store = await suite.open();
      const payload = {
        'a.key with dots': 1,
        $set: { $where: 'not an operator' },
        text: 'é 漢字 🙂 \u0000 \u2028 "quoted" \\',
        numbers: [0, -1, 1.5, Number.MAX_SAFE_INTEGER, 1e21],
        nothing: null,
        empty: { list: [], map: {}, text: '' },
        yes: true,
        deep: [[{ deeper: [{ deepest: ['x'] }] }]],
        _id: 'mine',
      };
      await store.write('session', 's1', session({ payload }), { expect: 'absent' });
      const stored = await store.get('session', 's1');
      expect(stored).toEqual({ id: 's1', version: 1, document: session({ payload }) });
      expect(await store.get('grant', 's1')).toBeUndefined();
    });

    test('a large document comes back whole', async () => {
      const store = await suite.open();
      const payload = { text: 'ab漢🙂'.repeat(40_000) };
      await store.write('session', 's1', session({ payload }), { expect: 'absent' });
      expect((await store.get('session', 's1'))?.document.payload).toEqual(payload);
    });

    test('what is undefined is left out', async () => {
      const store = await suite.open();
      const document = { ...account(), customer: undefined } as ReturnType<typeof account>;
      await store.write('account', 'a1', document, { expect: 'absent' });
      const stored = await store.get('account', 'a1');
      expect(Object.hasOwn(stored?.document ?? {}, 'customer')).toBe(false);
    });

    test('changing an object after it was handed over, or out, changes nothing', async () => {
      const store = await suite.open();
      const document = account();
      const events = [event('1', { data: { state: 'before' } })];
      const writing = store.write('account', 'a1', document, { expect: 'absent', events });
      document.name = 'Changed';
      if (events[0] !== undefined) events[0].data.state = 'after';
      await writing;
      const read = await store.get('account', 'a1');
      if (read !== undefined) read.document.name = 'Changed';
      expect((await store.get('account', 'a1'))?.document.name).toBe('Example');
      expect((await store.pending(10))[0]?.data).toEqual({ state: 'before' });
    });

    test('ids may hold what ids of others hold', async () => {
      const store = await suite.open();
      const ids = ['auth0|5f7c', 'a b', "o'neil", 'x:y:{z}', '..', '$id', 'a.b.c', 'é🙂', 'A', 'a'];
      for (const id of ids) await store.write('meta', id, { value: id }, { expect: 'absent' });
      for (const id of ids) expect((await store.get('meta', id))?.document.value).toBe(id);
    });
  });

  conditions(suite);
  deletions(suite);
  repetitions(suite);
}

function conditions(suite: Suite): void {
  describe('conditions', () => {
    test('versions count from 1', async () => {
      const store = await suite.open();
      expect(await store.write('account', 'a1', account(), { expect: 'absent' })).toBe(1);
      expect(await store.write('account', 'a1', account(), { expect: 1 })).toBe(2);
      expect(await store.write('account', 'a1', account(), { expect: 'any' })).toBe(3);
      expect((await store.get('account', 'a1'))?.version).toBe(3);
    });

    test('`any` also makes the document', async () => {
      const store = await suite.open();
      expect(await store.write('account', 'a1', account(), { expect: 'any' })).toBe(1);
    });

    test('an expectation that does not hold is a Conflict, and nothing is written', async () => {
      const store = await suite.open();
      const events = [event('lost')];
      const lost = { name: 'Lost' };
      const refused = (expectation: number | 'absent', id = 'a1') =>
        expect(
          store.write('account', id, account(lost), { expect: expectation, events }),
        ).rejects.toBeInstanceOf(Conflict);
      await refused(1);
      await store.write('account', 'a1', account(), { expect: 'absent' });
      await refused('absent');
      await refused(0);
      await refused(2);
      await store.write('account', 'a1', account(), { expect: 1 });
      await refused(1);
      await refused(1, 'a2');
      expect(await store.get('account', 'a1')).toMatchObject({ version: 2, document: account() });
      expect(await store.get('account', 'a2')).toBeUndefined();
      expect(await store.pending(10)).toEqual([]);
    });

    test('of many parallel writes that expect the same version one wins', async () => {
      const store = await suite.open();
      await store.write('meta', 'm', { value: 'first' }, { expect: 'absent' });
      const attempts = Array.from({ length: 20 }, (_, number) =>
        store.write('meta', 'm', { value: number }, { expect: 1, events: [event(`${number}`)] }),
      );
      const outcomes = await Promise.allSettled(attempts);
      const winners = outcomes.flatMap(({ status }, index) =>
        status === 'fulfilled' ? index : [],
      );
      expect(winners).toHaveLength(1);
      for (const outcome of outcomes) {
        if (outcome.status === 'rejected') expect(outcome.reason).toBeInstanceOf(Conflict);
      }
      expect(await store.get('meta', 'm')).toMatchObject({
        version: 2,
        document: { value: winners[0] },
      });
      expect((await store.pending(100)).map(({ id }) => id)).toEqual([`evt_${winners[0]}`]);
    });

    test('of many parallel writes of a new document one wins', async () => {
      const store = await suite.open();
      const outcomes = await Promise.allSettled(
        Array.from({ length: 20 }, () =>
          store.write('replay', 'jti', { expiresAt: suite.time.now + 1000 }, { expect: 'absent' }),
        ),
      );
      expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    });

    test('the conflict of one write does not hurt those beside it', async () => {
      const store = await suite.open();
      await store.write('grant', 'g0', grant(), { expect: 'absent' });
      await store.write('user', 'u0', user(['taken']), { expect: 'absent' });
      const outcomes = await Promise.allSettled([
        store.write('grant', 'g1', grant(), { expect: 'absent' }),
        store.write('grant', 'g0', grant(), { expect: 'absent' }),
        store.write('grant', 'g2', grant(), { expect: 'absent' }),
        store.write('user', 'u1', user(['taken']), { expect: 'absent' }),
        store.write('grant', 'g3', grant(), { expect: 'absent' }),
      ]);
      const statuses = outcomes.map(({ status }) => status);
      expect(statuses).toEqual(['fulfilled', 'rejected', 'fulfilled', 'rejected', 'fulfilled']);
      const found = await store.find('grant', 'user', 'usr_1');
      expect(found.map(({ id }) => id)).toEqual(['g0', 'g1', 'g2', 'g3']);
    });
  });
}

function deletions(suite: Suite): void {
  describe('deletions', () => {
    test('a deleted document is absent', async () => {
      const store = await suite.open();
      await store.write('grant', 'g1', grant(), { expect: 'absent' });
      expect(await store.write('grant', 'g1', null, { expect: 1 })).toBe(2);
      expect(await store.get('grant', 'g1')).toBeUndefined();
      expect(await store.find('grant', 'user', 'usr_1')).toEqual([]);
      expect(await store.due('grant', Number.MAX_SAFE_INTEGER, 10)).toEqual([]);
      for (const expectation of [1, 2]) {
        await expect(
          store.write('grant', 'g1', grant(), { expect: expectation }),
        ).rejects.toBeInstanceOf(Conflict);
      }
    });

    test('deleting is conditional as well', async () => {
      const store = await suite.open();
      await store.write('grant', 'g1', grant(), { expect: 'absent' });
      await store.write('grant', 'g1', grant(), { expect: 1 });
      await expect(store.write('grant', 'g1', null, { expect: 1 })).rejects.toBeInstanceOf(
        Conflict,
      );
      await expect(store.write('grant', 'g2', null, { expect: 1 })).rejects.toBeInstanceOf(
        Conflict,
      );
      expect((await store.get('grant', 'g1'))?.version).toBe(2);
    });

    test('what is made again has no version that the old one had: an old reader loses', async () => {
      const store = await suite.open();
      await store.write('meta', 'm', { value: 'old' }, { expect: 'absent' });
      const deleted = await store.write('meta', 'm', null, { expect: 1 });
      const made = await store.write('meta', 'm', { value: 'new' }, { expect: 'absent' });
      expect(made).toBeGreaterThan(deleted);
      await expect(
        store.write('meta', 'm', { value: 'late' }, { expect: 1 }),
      ).rejects.toBeInstanceOf(Conflict);
      expect((await store.get('meta', 'm'))?.document.value).toBe('new');
    });

    test('what is not there can be deleted with `any`, and its events go out', async () => {
      const store = await suite.open();
      await store.write('meta', 'm', null, { expect: 'any', events: [event('1')] });
      expect(await store.get('meta', 'm')).toBeUndefined();
      expect((await store.pending(10)).map(({ id }) => id)).toEqual(['evt_1']);
    });
  });
}

function repetitions(suite: Suite): void {
  describe('a write whose answer was lost, repeated with its write id', () => {
    test('answers as the first one did, though the expectation no longer holds', async () => {
      const store = await suite.open();
      const write = { expect: 'absent', writeId: 'w1', events: [event('1')] } as const;
      expect(await store.write('account', 'a1', account(), write)).toBe(1);
      expect(await store.write('account', 'a1', account(), write)).toBe(1);
      expect(await store.write('account', 'a1', account(), { expect: 1, writeId: 'w2' })).toBe(2);
      expect(await store.write('account', 'a1', account(), { expect: 1, writeId: 'w2' })).toBe(2);
      expect((await store.get('account', 'a1'))?.version).toBe(2);
    });

    test('repeats no event, not even one that was settled in between', async () => {
      const store = await suite.open();
      const write = { expect: 'absent', writeId: 'w1', events: [event('1')] } as const;
      await store.write('account', 'a1', account(), write);
      await store.write('account', 'a1', account(), write);
      expect(await store.pending(10)).toHaveLength(1);
      await store.settle(['evt_1']);
      expect(await store.write('account', 'a1', account(), write)).toBe(1);
      expect(await store.pending(10)).toEqual([]);
    });

    test('is recognised for a deletion too', async () => {
      const store = await suite.open();
      await store.write('account', 'a1', account(), { expect: 'absent' });
      const deletion = { expect: 1, writeId: 'w', events: [event('1')] } as const;
      expect(await store.write('account', 'a1', null, deletion)).toBe(2);
      expect(await store.write('account', 'a1', null, deletion)).toBe(2);
      expect(await store.pending(10)).toHaveLength(1);
    });

    test('is recognised when both arrive together', async () => {
      const store = await suite.open();
      const write = { expect: 'absent', writeId: 'w1', events: [event('1')] } as const;
      const attempts = Array.from({ length: 5 }, () =>
        store.write('account', 'a1', account(), write),
      );
      expect(await Promise.all(attempts)).toEqual([1, 1, 1, 1, 1]);
      expect(await store.pending(10)).toHaveLength(1);
    });

    test('is a write like any other once somebody else has written', async () => {
      const store = await suite.open();
      await store.write('account', 'a1', account(), { expect: 'absent', writeId: 'w1' });
      await store.write('account', 'a1', account(), { expect: 1, writeId: 'w2' });
      await expect(
        store.write('account', 'a1', account(), { expect: 'absent', writeId: 'w1' }),
      ).rejects.toBeInstanceOf(Conflict);
    });

    test('belongs to its document: another one may have the same write id', async () => {
      const store = await suite.open();
      await store.write('account', 'a1', account(), { expect: 'absent', writeId: 'w' });
      await store.write('account', 'a2', account({ name: 'Two' }), {
        expect: 'absent',
        writeId: 'w',
      });
      expect((await store.get('account', 'a2'))?.document.name).toBe('Two');
    });
  });
}
