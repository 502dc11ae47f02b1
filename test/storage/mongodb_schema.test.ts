import { MongoClient } from 'mongodb';
import type { Db, Document } from 'mongodb';
import { afterEach, describe, expect, test } from 'vitest';
import { openMongodb } from '../../src/storage/mongodb.ts';
import type { Store } from '../../src/storage/store.ts';
import { account, event, placeOf, user } from '../conformance/samples.ts';
import { startOfTime } from '../conformance/suite.ts';
import { mongodbUrl, testDatabase } from '../kit/mongodb/start.ts';

const url = await mongodbUrl();
const leftovers: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const leave of leftovers.splice(0).toReversed()) await leave();
});

interface Row {
  _id: string;
  [field: string]: unknown;
}

/** An empty database, as its operator sees it. */
function place() {
  const { address, name, drop } = testDatabase(url ?? '');
  const client = new MongoClient(address);
  leftovers.push(drop, () => client.close());
  const open = async (now = startOfTime): Promise<Store> => {
    const store = await openMongodb({ address, clock: () => now });
    leftovers.push(() => store.close());
    return store;
  };
  return { address, name, database: client.db(name), open };
}

const rows = (database: Db, name: string) => database.collection<Row>(name);

describe.skipIf(url === undefined)('the schema', () => {
  test('of a newer version is left alone', async () => {
    const { database, name, open } = place();
    await (await open()).close();
    await rows(database, 'tollgate').updateOne({ _id: 'schema' }, { $set: { version: 99 } });
    const opening = open();
    await expect(opening).rejects.toMatchObject({
      name: 'Problem',
      code: 'store_newer',
      details: { schema: 99, known: 1 },
    });
    await expect(opening).rejects.toThrow(name);
    const fact = await rows(database, 'tollgate').findOne({ _id: 'schema' });
    expect(fact?.version).toBe(99);
  });

  test('is made once by many that start together', async () => {
    const { database, open } = place();
    const stores = await Promise.all(Array.from({ length: 8 }, () => open()));
    await stores[0]?.write('user', 'u1', user(['a']), { expect: 'absent' });
    await expect(
      stores[7]?.write('user', 'u2', user(['a']), { expect: 'absent' }),
    ).rejects.toMatchObject({ name: 'Duplicate' });
    expect(await rows(database, 'tollgate').find().toArray()).toEqual([
      { _id: 'schema', version: 1 },
    ]);
  });

  test('has an index for each way to find, and unique ones where values are unique', async () => {
    const { database, open } = place();
    await open();
    const keys = async (name: string) =>
      (await database.collection(name).indexes()).map(({ key, unique }) =>
        [...Object.keys(key), ...(unique === true && !('_id' in key) ? ['!'] : [])].join(' '),
      );
    expect(new Set(await keys('user'))).toEqual(
      new Set(['_id', 'deletedAt', 'entries _id', 'unique !', 'due', 'pending']),
    );
    expect(new Set(await keys('account'))).toEqual(
      new Set(['_id', 'deletedAt', 'entries _id', 'unique !', 'due', 'pending']),
    );
    expect(new Set(await keys('invitation'))).toEqual(
      new Set(['_id', 'deletedAt', 'entries _id', 'unique !', 'due', 'pending']),
    );
    expect(new Set(await keys('mail'))).toEqual(
      new Set(['_id', 'deletedAt', 'entries _id', 'due', 'pending']),
    );
    expect(new Set(await keys('session'))).toEqual(
      new Set(['_id', 'deletedAt', 'entries _id', 'due', 'pending']),
    );
    expect(new Set(await keys('replay'))).toEqual(new Set(['_id', 'deletedAt', 'due']));
  });

  test('is not put over the documents of another program', async () => {
    const { database, open } = place();
    await rows(database, 'session').insertOne({ _id: 'theirs', cookie: 'x' });
    await expect(open()).rejects.toMatchObject({ name: 'Problem', code: 'store_foreign' });
    expect(await rows(database, 'session').find().toArray()).toHaveLength(1);
  });
});

describe.skipIf(url === undefined)('a document', () => {
  test('of a newer version is not read, and not written over', async () => {
    const { database, open } = place();
    const store = await open();
    await store.write('account', 'a1', account({ customer: 'c' }), { expect: 'absent' });
    await rows(database, 'account').updateOne({ _id: 'a1' }, { $set: { format: 2 } });
    const newer = { name: 'Problem', code: 'store_newer', status: 503 };
    await expect(store.get('account', 'a1')).rejects.toMatchObject(newer);
    await expect(store.find('account', 'customer', 'c')).rejects.toMatchObject(newer);
    for (const expectation of ['absent', 'any'] as const) {
      await expect(
        store.write('account', 'a1', account(), { expect: expectation }),
      ).rejects.toMatchObject(newer);
    }
    expect((await rows(database, 'account').findOne({ _id: 'a1' }))?.version).toBe(1);
  });

  test('that has nothing to be found by takes no room in an index', async () => {
    const { database, open } = place();
    const store = await open();
    await store.write('user', 'u1', user(['a'], ['acc']), { expect: 'absent' });
    await store.write('user', 'u1', user(), { expect: 1, events: [event('1')] });
    await store.settle([placeOf('user', 'u1', '1')]);
    const row = await rows(database, 'user').findOne({ _id: 'u1' });
    expect(Object.keys(row ?? {}).toSorted()).toEqual([
      '_id',
      'body',
      'format',
      'version',
      'writeId',
    ]);
  });

  test('that was deleted is remembered until its events are settled', async () => {
    const { database, open } = place();
    const store = await open();
    await store.write('account', 'a1', null, { expect: 'any', events: [event('1')] });
    const later = startOfTime + 7_200_000;
    await store.sweep(later);
    expect(await store.pending(10)).toHaveLength(1);
    await store.settle([placeOf('account', 'a1', '1')]);
    expect(await rows(database, 'account').countDocuments()).toBe(1);
    await store.sweep(later);
    expect(await rows(database, 'account').countDocuments()).toBe(0);
  });
});

describe.skipIf(url === undefined)('a closed store', () => {
  test('answers nothing any more, and may be closed twice', async () => {
    const { open } = place();
    const store = await open();
    await Promise.all([store.close(), store.close()]);
    const asked = [
      store.get('account', 'a'),
      store.find('account', 'customer', 'c'),
      store.list('account'),
      store.due('session', 1, 1),
      store.write('account', 'a', account(), { expect: 'any' }),
      store.pending(1),
      store.settle([placeOf('account', 'a', '1')]),
      store.bump('k', 1, 1),
      store.sweep(1),
      store.ping(),
    ];
    for (const outcome of await Promise.allSettled(asked)) {
      expect(outcome).toMatchObject({
        status: 'rejected',
        reason: { name: 'Problem', code: 'store_closed', status: 503 },
      });
    }
  });
});

/** The stages of a plan, from the outermost one. */
function stagesOf(plan: Document | undefined): string[] {
  if (plan === undefined) return [];
  const { stage, inputStage, inputStages = [], queryPlan } = plan;
  const inner = [inputStage, queryPlan, ...inputStages].flatMap((one: Document) => stagesOf(one));
  return typeof stage === 'string' ? [stage, ...inner] : inner;
}

// What only a real server can show.
if (process.env.TEST_MONGODB_URL !== undefined) {
  describe('a real server', () => {
    test('lets vanish by itself only what has no events', async () => {
      const { database, open } = place();
      await open();
      const netOf = async (kind: string) =>
        (await database.collection(kind).indexes()).find(({ key }) => 'due' in key)
          ?.expireAfterSeconds;
      expect(await netOf('replay')).toBe(86_400);
      expect(await netOf('session')).toBeUndefined();
      expect(await netOf('grant')).toBeUndefined();
    });

    test('finds by an index, and sorts nothing itself', async () => {
      const { database, open } = place();
      const store = await open();
      for (const id of ['a', 'b', 'c']) {
        const events = [event(id)];
        await store.write('account', id, account({ customer: id }), { expect: 'absent', events });
      }
      const questions = [
        { filter: { entries: 'customer\0a', _id: { $gt: '' } }, sort: { _id: 1 } },
        { filter: { pending: { $gt: '' } }, sort: { pending: 1 } },
        { filter: { deletedAt: { $lte: new Date(0) } }, sort: {} },
        { filter: { unique: { $in: ['customer\0a'] } }, sort: {} },
      ] as const;
      for (const { filter, sort } of questions) {
        const plan = await database
          .collection<{ _id: string }>('account')
          .find(filter as Document, { sort })
          .explain('queryPlanner');
        const stages = stagesOf(plan.queryPlanner.winningPlan);
        expect(stages).toContain('IXSCAN');
        expect(stages).not.toContain('COLLSCAN');
        expect(stages).not.toContain('SORT');
      }
    });
  });
}
