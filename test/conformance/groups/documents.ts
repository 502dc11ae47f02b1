import { describe, expect, test } from 'vitest';
import { Conflict } from '../../../src/storage/store.ts';
import { account, event, grant, placeOf, session, subjects, user } from '../samples.ts';
import type { Subject } from '../samples.ts';
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

  describe('documents beside each other', () => {
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

  for (const subject of subjects) {
    conditions(suite, subject);
    deletions(suite, subject);
    repetitions(suite, subject);
  }
}

function conditions(suite: Suite, { kind, make }: Subject): void {
  describe(`conditions: ${kind}`, () => {
    test('versions count from 1', async () => {
      const store = await suite.open();
      expect(await store.write(kind, 'a1', make(), { expect: 'absent' })).toBe(1);
      expect(await store.write(kind, 'a1', make(), { expect: 1 })).toBe(2);
      expect(await store.write(kind, 'a1', make(), { expect: 'any' })).toBe(3);
      expect((await store.get(kind, 'a1'))?.version).toBe(3);
    });

    test('`any` also makes the document', async () => {
      const store = await suite.open();
      expect(await store.write(kind, 'a1', make(), { expect: 'any' })).toBe(1);
    });

    test('an expectation that does not hold is a Conflict, and nothing is written', async () => {
      const store = await suite.open();
      const events = [event('lost')];
      const refused = (expectation: number | 'absent', id = 'a1') =>
        expect(
          store.write(kind, id, make('Lost'), { expect: expectation, events }),
        ).rejects.toBeInstanceOf(Conflict);
      await refused(1);
      await store.write(kind, 'a1', make(), { expect: 'absent' });
      await refused('absent');
      await refused(0);
      await refused(2);
      await store.write(kind, 'a1', make(), { expect: 1 });
      await refused(1);
      await refused(1, 'a2');
      expect(await store.get(kind, 'a1')).toMatchObject({ version: 2, document: make() });
      expect(await store.get(kind, 'a2')).toBeUndefined();
      expect(await store.pending(10)).toEqual([]);
    });

    test('of many parallel writes that expect the same version one wins', async () => {
      const store = await suite.open();
      await store.write(kind, 'm', make('first'), { expect: 'absent' });
      const attempts = Array.from({ length: 20 }, (_, number) =>
        store.write(kind, 'm', make(`${number}`), { expect: 1, events: [event(`${number}`)] }),
      );
      const outcomes = await Promise.allSettled(attempts);
      const winners = outcomes.flatMap(({ status }, index) =>
        status === 'fulfilled' ? index : [],
      );
      expect(winners).toHaveLength(1);
      for (const outcome of outcomes) {
        if (outcome.status === 'rejected') expect(outcome.reason).toBeInstanceOf(Conflict);
      }
      expect(await store.get(kind, 'm')).toMatchObject({
        version: 2,
        document: make(`${winners[0]}`),
      });
      expect((await store.pending(100)).map(({ id }) => id)).toEqual([`evt_${winners[0]}`]);
    });

    test('of many parallel writes of a new document one wins', async () => {
      const store = await suite.open();
      const outcomes = await Promise.allSettled(
        Array.from({ length: 20 }, () => store.write(kind, 'new', make(), { expect: 'absent' })),
      );
      expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    });
  });
}

function deletions(suite: Suite, { kind, make, labelOf }: Subject): void {
  describe(`deletions: ${kind}`, () => {
    test('a deleted document is absent', async () => {
      const store = await suite.open();
      await store.write(kind, 'g1', make(), { expect: 'absent' });
      expect(await store.write(kind, 'g1', null, { expect: 1 })).toBe(2);
      expect(await store.get(kind, 'g1')).toBeUndefined();
      for (const expectation of [1, 2]) {
        await expect(
          store.write(kind, 'g1', make(), { expect: expectation }),
        ).rejects.toBeInstanceOf(Conflict);
      }
    });

    test('deleting is conditional as well', async () => {
      const store = await suite.open();
      await store.write(kind, 'g1', make(), { expect: 'absent' });
      await store.write(kind, 'g1', make(), { expect: 1 });
      await expect(store.write(kind, 'g1', null, { expect: 1 })).rejects.toBeInstanceOf(Conflict);
      await expect(store.write(kind, 'g2', null, { expect: 1 })).rejects.toBeInstanceOf(Conflict);
      expect((await store.get(kind, 'g1'))?.version).toBe(2);
    });

    test('what is made again has no version that the old one had: an old reader loses', async () => {
      const store = await suite.open();
      await store.write(kind, 'm', make('old'), { expect: 'absent' });
      const deleted = await store.write(kind, 'm', null, { expect: 1 });
      const made = await store.write(kind, 'm', make('new'), { expect: 'absent' });
      expect(made).toBeGreaterThan(deleted);
      await expect(store.write(kind, 'm', make('late'), { expect: 1 })).rejects.toBeInstanceOf(
        Conflict,
      );
      expect(labelOf((await store.get(kind, 'm'))?.document)).toBe('new');
    });

    test('what is not there can be deleted with `any`, and its events go out', async () => {
      const store = await suite.open();
      await store.write(kind, 'm', null, { expect: 'any', events: [event('1')] });
      expect(await store.get(kind, 'm')).toBeUndefined();
      expect((await store.pending(10)).map(({ id }) => id)).toEqual(['evt_1']);
    });
  });
}

function repetitions(suite: Suite, { kind, make, labelOf }: Subject): void {
  describe(`a write whose answer was lost, repeated with its write id: ${kind}`, () => {
    test('answers as the first one did, though the expectation no longer holds', async () => {
      const store = await suite.open();
      const write = { expect: 'absent', writeId: 'w1', events: [event('1')] } as const;
      expect(await store.write(kind, 'a1', make(), write)).toBe(1);
      expect(await store.write(kind, 'a1', make(), write)).toBe(1);
      expect(await store.write(kind, 'a1', make(), { expect: 1, writeId: 'w2' })).toBe(2);
      expect(await store.write(kind, 'a1', make(), { expect: 1, writeId: 'w2' })).toBe(2);
      expect((await store.get(kind, 'a1'))?.version).toBe(2);
    });

    test('repeats no event, not even one that was settled in between', async () => {
      const store = await suite.open();
      const write = { expect: 'absent', writeId: 'w1', events: [event('1')] } as const;
      await store.write(kind, 'a1', make(), write);
      await store.write(kind, 'a1', make(), write);
      expect(await store.pending(10)).toHaveLength(1);
      await store.settle([placeOf(kind, 'a1', '1')]);
      expect(await store.write(kind, 'a1', make(), write)).toBe(1);
      expect(await store.pending(10)).toEqual([]);
    });

    test('is recognised for a deletion too', async () => {
      const store = await suite.open();
      await store.write(kind, 'a1', make(), { expect: 'absent' });
      const deletion = { expect: 1, writeId: 'w', events: [event('1')] } as const;
      expect(await store.write(kind, 'a1', null, deletion)).toBe(2);
      expect(await store.write(kind, 'a1', null, deletion)).toBe(2);
      expect(await store.pending(10)).toHaveLength(1);
    });

    test('is recognised when both arrive together', async () => {
      const store = await suite.open();
      const write = { expect: 'absent', writeId: 'w1', events: [event('1')] } as const;
      const attempts = Array.from({ length: 5 }, () => store.write(kind, 'a1', make(), write));
      expect(await Promise.all(attempts)).toEqual([1, 1, 1, 1, 1]);
      expect(await store.pending(10)).toHaveLength(1);
    });

    test('is a write like any other once somebody else has written', async () => {
      const store = await suite.open();
      await store.write(kind, 'a1', make(), { expect: 'absent', writeId: 'w1' });
      await store.write(kind, 'a1', make(), { expect: 1, writeId: 'w2' });
      await expect(
        store.write(kind, 'a1', make(), { expect: 'absent', writeId: 'w1' }),
      ).rejects.toBeInstanceOf(Conflict);
    });

    test('belongs to its document: another one may have the same write id', async () => {
      const store = await suite.open();
      await store.write(kind, 'a1', make(), { expect: 'absent', writeId: 'w' });
      await store.write(kind, 'a2', make('Two'), {
        expect: 'absent',
        writeId: 'w',
      });
      expect(labelOf((await store.get(kind, 'a2'))?.document)).toBe('Two');
    });
  });
}
