import { describe, expect, test } from 'vitest';
import type { EventPlace } from '../../../src/storage/store.ts';
import { event, placeOf, subjects } from '../samples.ts';
import type { Subject } from '../samples.ts';
import type { Suite } from '../suite.ts';

export function events(suite: Suite): void {
  for (const subject of subjects) outbox(suite, subject);
}

function outbox(suite: Suite, { kind, make }: Subject): void {
  const of = (document: string, ...names: string[]) =>
    names.map((name) => placeOf(kind, document, name));

  describe(`the outbox: ${kind}`, () => {
    test('an event waits with the document and the version that caused it', async () => {
      const store = await suite.open();
      const changed = event('2', {
        type: 'user.disabled',
        at: 5,
        data: { list: [1, { a: null }] },
      });
      await store.write(kind, 'a1', make(), { expect: 'absent', events: [event('1')] });
      await store.write(kind, 'a1', make(), { expect: 1, events: [changed] });
      expect(await store.pending(10)).toEqual([
        { ...event('1'), kind: kind, document: 'a1', version: 1 },
        { ...changed, kind: kind, document: 'a1', version: 2 },
      ]);
    });

    test('events of one document come in the order of its versions, and as they were given', async () => {
      const store = await suite.open();
      const given = [['c', 'a'], ['b'], [], ['d', 'e', 'f']];
      for (const names of given) {
        const named = names.map((name) => event(name));
        await store.write(kind, 'a1', make(), { expect: 'any', events: named });
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
        await store.write(kind, document, make(), { expect: 'any', events: [event(name)] });
      }
      const after = async (place: EventPlace, limit = 10) =>
        (await store.pending(limit, { after: place })).map(({ id }) => id);
      const all = await store.pending(10);
      const ids = all.map(({ id }) => id);
      expect(ids.toSorted()).toEqual(['evt_1', 'evt_2', 'evt_3', 'evt_4']);
      for (const [index, place] of all.entries()) {
        expect(await after(place)).toEqual(ids.slice(index + 1));
      }
      const [first, second] = all;
      if (first === undefined || second === undefined) throw new Error('nothing is pending');
      expect(await after(first, 1)).toEqual(ids.slice(1, 2));
      await store.settle([second]);
      expect(await after(second)).toEqual([ids[0], ids[2], ids[3]]);
      expect(await after(first)).toEqual(ids.slice(2));
    });

    test('can be asked for by document, in the order of its versions', async () => {
      const store = await suite.open();
      const write = (id: string, ...names: string[]) =>
        store.write(kind, id, make(), {
          expect: 'any',
          events: names.map((name) => event(name)),
        });
      await write('a1', 'c', 'a');
      await write('a2', 'x');
      await store.write('meta', 'a1', { value: 1 }, { expect: 'any', events: [event('y')] });
      await write('a1', 'b');
      const ids = async (limit: number, after?: EventPlace) =>
        (await store.pending(limit, { of: { kind, id: 'a1' }, after })).map(({ id }) => id);
      expect(await ids(10)).toEqual(['evt_c', 'evt_a', 'evt_b']);
      expect(await ids(2)).toEqual(['evt_c', 'evt_a']);
      expect(await ids(10, placeOf(kind, 'a1', 'a'))).toEqual(['evt_b']);
      await store.settle(of('a1', 'c', 'a', 'b'));
      expect(await ids(10)).toEqual([]);
      expect(await store.pending(10, { of: { kind, id: 'none' } })).toEqual([]);
      expect(await store.pending(10)).toHaveLength(2);
    });

    test('settled events are forgotten; the document and its version stay', async () => {
      const store = await suite.open();
      const three = [event('1'), event('2'), event('3')];
      await store.write(kind, 'a1', make(), { expect: 'absent', events: three });
      await store.settle([...of('a1', '2', 'unknown'), ...of('nowhere', 'other')]);
      await store.settle(of('a1', '2'));
      await store.settle([]);
      expect((await store.pending(10)).map(({ id }) => id)).toEqual(['evt_1', 'evt_3']);
      await store.settle(of('a1', '1', '3'));
      expect(await store.pending(10)).toEqual([]);
      expect(await store.get(kind, 'a1')).toMatchObject({ version: 1, document: make() });
      expect(await store.write(kind, 'a1', make(), { expect: 1 })).toBe(2);
    });

    test('settling beside a write loses neither', async () => {
      const store = await suite.open();
      await store.write(kind, 'a1', make(), { expect: 'absent', events: [event('0')] });
      for (let round = 1; round <= 20; round += 1) {
        await Promise.all([
          store.settle(of('a1', `${round - 1}`)),
          store.write(kind, 'a1', make(), { expect: round, events: [event(`${round}`)] }),
        ]);
        expect((await store.pending(10)).map(({ id }) => id)).toEqual([`evt_${round}`]);
      }
    });

    test('events outlive the document that caused them', async () => {
      const store = await suite.open();
      await store.write(kind, 'a1', make(), { expect: 'absent', events: [event('1')] });
      await store.write(kind, 'a1', null, { expect: 1, events: [event('2')] });
      expect((await store.pending(10)).map(({ id, version }) => [id, version])).toEqual([
        ['evt_1', 1],
        ['evt_2', 2],
      ]);
      await store.settle(of('a1', '1'));
      const made = await store.write(kind, 'a1', make(), {
        expect: 'absent',
        events: [event('3')],
      });
      const waiting = await store.pending(10);
      expect(waiting.map(({ id }) => id)).toEqual(['evt_2', 'evt_3']);
      expect(waiting[1]?.version).toBe(made);
      await store.settle(of('a1', '2', '3'));
      expect(await store.pending(10)).toEqual([]);
      expect(await store.get(kind, 'a1')).toBeDefined();
    });

    test('events of many documents written together are all there', async () => {
      const store = await suite.open();
      const names = Array.from({ length: 60 }, (_, number) => `${number}`);
      await Promise.all(
        names.map((name) =>
          store.write(kind, `a${name}`, make(), {
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
