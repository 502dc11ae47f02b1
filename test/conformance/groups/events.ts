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
