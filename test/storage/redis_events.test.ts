import { describe, expect, test } from 'vitest';
import type { Store } from '../../src/storage/store.ts';
import { event, grant, placeOf, session } from '../conformance/samples.ts';
import { redisIsThere } from '../kit/redis.ts';
import { redisPlaces } from './redis_place.ts';

const { place } = redisPlaces();

async function idsOfAll(store: Store, pageSize: number): Promise<string[]> {
  const all: string[] = [];
  let after;
  for (;;) {
    const page = await store.pending(pageSize, { after });
    after = page.at(-1);
    if (after === undefined) return all;
    all.push(...page.map(({ id }) => id));
  }
}

describe.runIf(redisIsThere())('events in Redis', () => {
  test('a document waits once, however many of its events do', async () => {
    const here = await place();
    const store = await here.open();
    for (const name of ['1', '2', '3']) {
      await store.write('grant', 'g', grant(), { expect: 'any', events: [event(name)] });
    }
    await store.close();
    expect(await here.members('pending')).toHaveLength(1);
    expect(await here.hash('grant', 'g')).toMatchObject({ waiting: '3', version: '3' });
  });

  test('one that is written again while it waits is the same event', async () => {
    const here = await place();
    const store = await here.open();
    const first = event('1', { data: { text: 'first' } });
    await store.write('grant', 'g', grant(), { expect: 'any', events: [first] });
    const again = [event('1', { data: { text: 'again' } }), event('2')];
    await store.write('grant', 'g', grant(), { expect: 'any', events: again });
    expect(await store.pending(10)).toMatchObject([
      { id: 'evt_1', version: 1, data: { text: 'first' } },
      { id: 'evt_2', version: 2 },
    ]);
    await store.settle([placeOf('grant', 'g', '1'), placeOf('grant', 'g', '2')]);
    expect(await store.pending(10)).toEqual([]);
  });

  test('what is in them comes back as it was, whatever it is', async () => {
    const here = await place();
    const store = await here.open();
    const data = {
      empty: {},
      list: [],
      text: 'é 漢字 🙂 \u0000 " \\',
      number: 1e21,
      nothing: null,
    };
    const written = event('1', { data, at: 1.5 });
    await store.write('grant', 'a b:c', grant(), { expect: 'any', events: [written] });
    const place1 = { kind: 'grant', document: 'a b:c', version: 1 };
    expect(await store.pending(10)).toEqual([{ ...written, ...place1 }]);
  });

  test('more than one command can name are settled and read', async () => {
    const here = await place();
    const store = await here.open();
    const events = Array.from({ length: 2500 }, (_, number) => event(`${number}`));
    await store.write('grant', 'g', grant(), { expect: 'absent', events });
    expect(await idsOfAll(store, 1000)).toEqual(events.map(({ id }) => id));
    await store.settle(events.map(({ id }) => ({ id, kind: 'grant', document: 'g' })));
    expect(await store.pending(10)).toEqual([]);
    await store.close();
    expect(await here.members('pending')).toEqual([]);
  });

  test('none is lost, and none comes twice, while others write and settle', async () => {
    const here = await place();
    const [one, two, dispatcher] = [await here.open(), await here.open(), await here.open()];
    const documents = ['s1', 's2', 's3'];
    const handled: string[] = [];
    const written: string[] = [];
    let writing = true;
    const write = async (store: Store, name: string) => {
      for (let number = 0; number < 150; number += 1) {
        const id = `${name}-${number}`;
        const document = documents[number % 3] ?? '';
        await store.write('session', document, number % 10 === 9 ? null : session(), {
          expect: 'any',
          events: [event(id)],
        });
        written.push(`evt_${id}`);
      }
    };
    const dispatch = async () => {
      for (;;) {
        const last = !writing;
        const waiting = await dispatcher.pending(7);
        handled.push(...waiting.map(({ id }) => id));
        await dispatcher.settle(waiting);
        if (last && waiting.length === 0) return;
      }
    };
    const dispatching = dispatch();
    await Promise.all([write(one, 'one'), write(two, 'two')]);
    writing = false;
    await dispatching;
    expect(handled.toSorted()).toEqual(written.toSorted());
    await Promise.all([one.close(), two.close(), dispatcher.close()]);
    expect(await here.members('pending')).toEqual([]);
    for (const document of documents) {
      expect(await here.hash('session', document)).not.toHaveProperty('waiting');
    }
  });

  test('many documents that wait are read in pages, each event once', async () => {
    const here = await place();
    const store = await here.open();
    const names = Array.from({ length: 3000 }, (_, number) => `${number}`);
    await Promise.all(
      names.map((name) =>
        store.write('grant', `g${name}`, grant(), { expect: 'absent', events: [event(name)] }),
      ),
    );
    const ids = await idsOfAll(store, 1000);
    expect(ids.toSorted()).toEqual(names.map((name) => `evt_${name}`).toSorted());
    expect(await idsOfAll(store, 999)).toEqual(ids);
  });

  test('what a dispatcher left behind that died while it settled hurts nobody', async () => {
    const here = await place();
    const store = await here.open();
    await store.write('grant', 'g', grant(), { expect: 'absent', events: [event('1')] });
    const [member = ''] = await here.members('pending');
    await store.settle([placeOf('grant', 'g', '1')]);
    await store.close();
    await here.bare.zadd(`${here.prefix}:pending`, 0, member);
    const next = await here.open();
    expect(await next.pending(10)).toEqual([]);
    await next.write('grant', 'g', grant(), { expect: 1, events: [event('2')] });
    expect((await next.pending(10)).map(({ id }) => id)).toEqual(['evt_2']);
  });
});
