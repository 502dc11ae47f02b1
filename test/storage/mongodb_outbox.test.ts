import { MongoClient } from 'mongodb';
import { afterEach, describe, expect, test } from 'vitest';
import { openMongodb } from '../../src/storage/mongodb.ts';
import type { EventPlace, Store } from '../../src/storage/store.ts';
import { account, event, grant, placeOf } from '../conformance/samples.ts';
import { startOfTime } from '../conformance/suite.ts';
import { throughProxy } from '../kit/mongodb/network.ts';
import { mongodbUrl, testDatabase } from '../kit/mongodb/start.ts';

const url = await mongodbUrl();
const leftovers: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const leave of leftovers.splice(0).toReversed()) await leave();
});

async function open() {
  const { address: direct, name, drop } = testDatabase(url ?? '');
  const { proxy, address } = await throughProxy(direct);
  const client = new MongoClient(direct);
  const store = await openMongodb({ address, clock: () => startOfTime });
  leftovers.push(
    drop,
    () => proxy.close(),
    () => client.close(),
    () => store.close(),
  );
  return { store, proxy, address, database: client.db(name) };
}

interface WaitingRow {
  _id: string;
  [field: string]: unknown;
}

/** Rows that wait, put there directly: a hundred thousand writes would take minutes. */
function waitingRows(kind: string, documents: number, eventsEach: number): WaitingRow[] {
  return Array.from({ length: documents }, (_, number) => {
    const id = `${kind}-${String(number).padStart(6, '0')}`;
    const events = Array.from({ length: eventsEach }, (_, index) => ({
      id: `evt_${id}-${String(index).padStart(4, '0')}`,
      type: 'user.registered',
      at: startOfTime,
      data: '{"some":"text that is as long as that of an event"}',
      version: index + 1,
    }));
    const row = { _id: id, version: eventsEach, writeId: 'w', format: 1, body: '{}', events };
    return { ...row, pending: events[0]?.id };
  });
}

/** Page by page, as the dispatcher does. */
async function readAll(store: Store, limit: number): Promise<string[]> {
  const ids: string[] = [];
  let after: EventPlace | undefined;
  for (let pages = 0; pages < 1000; pages += 1) {
    const page = await store.pending(limit, { after });
    ids.push(...page.map(({ id }) => id));
    after = page.at(-1);
    if (after === undefined) break;
  }
  return ids;
}

describe.skipIf(url === undefined)('a full outbox', () => {
  test(
    'of 100,000 events is read to its end, page by page, each event once',
    { timeout: 120_000 },
    async () => {
      const { store, proxy, database } = await open();
      const plan = { session: [1000, 40], account: [2000, 20], user: [10, 2000] } as const;
      for (const [kind, [documents, each]] of Object.entries(plan)) {
        const rows = waitingRows(kind, documents, each);
        for (let start = 0; start < rows.length; start += 500) {
          await database.collection<WaitingRow>(kind).insertMany(rows.slice(start, start + 500));
        }
      }
      const ids = new Set<string>();
      let after: EventPlace | undefined;
      for (let pages = 1; ; pages += 1) {
        proxy.cutAt(undefined);
        const page = await store.pending(1000, { after });
        // What travels for a page is bounded, whatever the documents hold.
        expect(proxy.answered).toBeLessThan(3_000_000);
        for (const { id } of page) ids.add(id);
        after = page.at(-1);
        if (after === undefined) break;
        expect(page).toHaveLength(1000);
        expect(ids.size).toBe(pages * 1000);
      }
      expect(ids.size).toBe(100_000);
    },
  );

  test('gives each document its turn: a page that begins in the middle of one goes on there', async () => {
    const { store } = await open();
    for (const name of ['a', 'b', 'c']) {
      const events = Array.from({ length: 7 }, (_, index) => event(`${name}${index}`));
      await store.write('grant', name, grant(), { expect: 'absent', events });
    }
    for (const limit of [1, 2, 3, 5, 20, 21, 22]) {
      const ids = await readAll(store, limit);
      expect(ids).toHaveLength(21);
      expect(new Set(ids).size).toBe(21);
    }
  });

  test('is read on behind an event while others are settled and written', async () => {
    const { store } = await open();
    const write = (name: string) =>
      store.write('account', name, account(), { expect: 'any', events: [event(name)] });
    for (const name of ['a', 'b', 'c', 'd']) await write(name);
    const [, second] = await store.pending(2);
    await store.settle([placeOf('account', 'a', 'a'), placeOf('account', 'd', 'd')]);
    await write('e');
    const rest = await store.pending(10, { after: second });
    expect(rest.map(({ id }) => id)).toEqual(['evt_c', 'evt_e']);
  });

  test('forgets rows that a process left behind when it ended in the middle of settling', async () => {
    const { store, database } = await open();
    await store.write('account', 'a', account(), { expect: 'absent', events: [event('1')] });
    await store.write('account', 'b', account(), { expect: 'absent', events: [event('2')] });
    const rows = database.collection<WaitingRow>('account');
    await rows.updateOne({ _id: 'a' }, { $set: { events: [] } });
    expect((await store.pending(10)).map(({ id }) => id)).toEqual(['evt_2']);
    const row = await rows.findOne({ _id: 'a' });
    expect(row).not.toHaveProperty('pending');
    expect(row).not.toHaveProperty('events');
  });

  test('of one document has an event once, though it was written twice', async () => {
    const { store } = await open();
    await store.write('account', 'a', account(), { expect: 'any', events: [event('1')] });
    await store.write('account', 'a', account(), { expect: 'any', events: [event('1')] });
    expect(await store.pending(10)).toMatchObject([{ id: 'evt_1', version: 1 }]);
    await store.settle([placeOf('account', 'a', '1')]);
    expect(await store.pending(10)).toEqual([]);
  });

  test('settles a thousand events of many documents at once', async () => {
    const { store } = await open();
    const names = Array.from({ length: 500 }, (_, number) => `${number}`);
    await Promise.all(
      names.map((name) =>
        store.write('account', name, account(), {
          expect: 'absent',
          events: [event(`${name}-1`), event(`${name}-2`)],
        }),
      ),
    );
    const waiting = await store.pending(1000);
    expect(waiting).toHaveLength(1000);
    await store.settle(waiting);
    expect(await store.pending(1000)).toEqual([]);
  });
});
