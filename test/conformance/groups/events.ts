import { describe, expect, test } from 'vitest';
import { account, event } from '../samples.ts';
import type { Suite } from '../suite.ts';

export function events(suite: Suite): void {
  describe('the outbox', () => {
    test('an event waits with the document and the version that caused it', async () => {
      const store = await suite.open();
      const changed = event('2', {
        type: 'user.disabled',
        at: 5,
        data: { list: [1, { a: null }] },
      });
      await store.write('account', 'a1', account(), { expect: 'absent', events: [event('1')] });
      await store.write('account', 'a1', account(), { expect: 1, events: [changed] });
      expect(await store.pending(10)).toEqual([
        { ...event('1'), kind: 'account', document: 'a1', version: 1 },
        { ...changed, kind: 'account', document: 'a1', version: 2 },
      ]);
    });

    test('events of one document come in the order of its versions, and as they were given', async () => {
      const store = await suite.open();
      const given = [['c', 'a'], ['b'], [], ['d', 'e', 'f']];
      for (const names of given) {
        const of = names.map((name) => event(name));
        await store.write('account', 'a1', account(), { expect: 'any', events: of });
      }
      const waiting = await store.pending(10);
      expect(waiting.map(({ id }) => id).join()).toBe('evt_c,evt_a,evt_b,evt_d,evt_e,evt_f');
      expect(waiting.map(({ version }) => version)).toEqual([1, 1, 2, 4, 4, 4]);
      expect((await store.pending(2)).map(({ id }) => id)).toEqual(['evt_c', 'evt_a']);
    });

    test('can be read on from an event, and from the beginning where that one is settled', async () => {
      const store = await suite.open();
      for (const name of ['1', '2', '3', '4']) {
        const document = `a${Number(name) % 2}`;
        await store.write('account', document, account(), { expect: 'any', events: [event(name)] });
      }
      const after = async (id: string, limit = 10) =>
        (await store.pending(limit, { after: id })).map((pending) => pending.id);
      const all = (await store.pending(10)).map(({ id }) => id);
      for (const [index, id] of all.entries()) {
        expect(await after(id)).toEqual(all.slice(index + 1));
      }
      expect(await after(all[0] ?? '', 1)).toEqual(all.slice(1, 2));
      await store.settle(all.slice(1, 2));
      expect(await after(all[1] ?? '')).toEqual([all[0], all[2], all[3]]);
      expect(await after(all[0] ?? '')).toEqual(all.slice(2));
    });

    test('can be asked for by document, in the order of its versions', async () => {
      const store = await suite.open();
      const write = (kind: 'account' | 'meta', id: string, ...names: string[]) =>
        store.write(kind, id, kind === 'account' ? account() : { value: 1 }, {
          expect: 'any',
          events: names.map((name) => event(name)),
        });
      await write('account', 'a1', 'c', 'a');
      await write('account', 'a2', 'x');
      await write('meta', 'a1', 'y');
      await write('account', 'a1', 'b');
      const of = { kind: 'account', id: 'a1' } as const;
      const ids = async (limit: number, after?: string) =>
        (await store.pending(limit, { of, after })).map(({ id }) => id);
      expect(await ids(10)).toEqual(['evt_c', 'evt_a', 'evt_b']);
      expect(await ids(2)).toEqual(['evt_c', 'evt_a']);
      expect(await ids(10, 'evt_a')).toEqual(['evt_b']);
      await store.settle(['evt_c', 'evt_a', 'evt_b']);
      expect(await ids(10)).toEqual([]);
      expect(await store.pending(10, { of: { kind: 'account', id: 'none' } })).toEqual([]);
      expect(await store.pending(10)).toHaveLength(2);
    });

    test('settled events are forgotten; the document and its version stay', async () => {
      const store = await suite.open();
      const three = [event('1'), event('2'), event('3')];
      await store.write('account', 'a1', account(), { expect: 'absent', events: three });
      await store.settle(['evt_2', 'evt_unknown']);
      await store.settle(['evt_2']);
      await store.settle([]);
      expect((await store.pending(10)).map(({ id }) => id)).toEqual(['evt_1', 'evt_3']);
      await store.settle(['evt_1', 'evt_3']);
      expect(await store.pending(10)).toEqual([]);
      expect(await store.get('account', 'a1')).toMatchObject({ version: 1, document: account() });
      expect(await store.write('account', 'a1', account(), { expect: 1 })).toBe(2);
    });

    test('settling beside a write loses neither', async () => {
      const store = await suite.open();
      await store.write('account', 'a1', account(), { expect: 'absent', events: [event('0')] });
      for (let round = 1; round <= 20; round += 1) {
        await Promise.all([
          store.settle([`evt_${round - 1}`]),
          store.write('account', 'a1', account(), { expect: round, events: [event(`${round}`)] }),
        ]);
        expect((await store.pending(10)).map(({ id }) => id)).toEqual([`evt_${round}`]);
      }
    });

    test('events outlive the document that caused them', async () => {
      const store = await suite.open();
      await store.write('account', 'a1', account(), { expect: 'absent', events: [event('1')] });
      await store.write('account', 'a1', null, { expect: 1, events: [event('2')] });
      expect((await store.pending(10)).map(({ id, version }) => [id, version])).toEqual([
        ['evt_1', 1],
        ['evt_2', 2],
      ]);
      await store.settle(['evt_1']);
      const made = await store.write('account', 'a1', account(), {
        expect: 'absent',
        events: [event('3')],
      });
      const waiting = await store.pending(10);
      expect(waiting.map(({ id }) => id)).toEqual(['evt_2', 'evt_3']);
      expect(waiting[1]?.version).toBe(made);
      await store.settle(['evt_2', 'evt_3']);
      expect(await store.pending(10)).toEqual([]);
      expect(await store.get('account', 'a1')).toBeDefined();
    });

    test('events of many documents written together are all there', async () => {
      const store = await suite.open();
      const names = Array.from({ length: 60 }, (_, number) => `${number}`);
      await Promise.all(
        names.map((name) =>
          store.write('account', `a${name}`, account(), {
            expect: 'absent',
            events: [event(name)],
          }),
        ),
      );
      const waiting = await store.pending(1000);
      expect(new Set(waiting.map(({ id }) => id))).toEqual(
        new Set(names.map((name) => `evt_${name}`)),
      );
      expect(waiting.every(({ id, document }) => id.slice(4) === document.slice(1))).toBe(true);
    });
  });
}
