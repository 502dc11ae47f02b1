import { afterEach, describe, expect, test } from 'vitest';
import { openSqlite } from '../../src/storage/sqlite.ts';
import type { Store } from '../../src/storage/store.ts';
import { account, event, placeOf } from '../conformance/samples.ts';
import { dyingStore } from '../kit/dying_store.ts';
import { faulty, Stopped } from '../kit/faults.ts';

let inner: Store | undefined;
afterEach(() => inner?.close());

async function fresh(): Promise<Store> {
  inner = await openSqlite({ path: ':memory:', clock: () => 1_900_000_000_000 });
  return inner;
}

const write = (store: Store, id: string) =>
  store.write('account', id, account(), { expect: 'any', events: [event(id)] });

/** A story of three writes, as a room would tell it. */
async function story(store: Store): Promise<void> {
  for (const id of ['a', 'b', 'c']) await write(store, id);
}

describe('a faulty store', () => {
  test.for([
    ['before', 1, ''],
    ['before', 3, 'a,b'],
    ['after', 1, 'a'],
    ['after', 3, 'a,b,c'],
  ] as const)('%s write %i: what is on disk is "%s"', async ([mode, stopAfterWrites, written]) => {
    const store = faulty(await fresh(), { mode, stopAfterWrites });
    await expect(story(store)).rejects.toBeInstanceOf(Stopped);
    expect(store.stopped).toBe(true);
    const waiting = await inner?.pending(10);
    expect(waiting?.map(({ document }) => document).join()).toBe(written);
  });

  test('is dead after it, to reads as well, until it is revived', async () => {
    const store = faulty(await fresh(), { stopAfterWrites: 1 });
    await expect(story(store)).rejects.toBeInstanceOf(Stopped);
    await expect(store.get('account', 'a')).rejects.toBeInstanceOf(Stopped);
    await expect(store.pending(1)).rejects.toBeInstanceOf(Stopped);
    await expect(store.settle([placeOf('account', 'a', 'a')])).rejects.toBeInstanceOf(Stopped);
    await expect(store.bump('k', 1, 1)).rejects.toBeInstanceOf(Stopped);
    await expect(store.ping()).rejects.toBeInstanceOf(Stopped);
    store.revive();
    await story(store);
    expect(store.stopped).toBe(false);
    expect(await store.pending(10)).toHaveLength(3);
  });

  test('answers nobody whose write was under way when it died', async () => {
    const store = faulty(await fresh(), { stopAfterWrites: 2, mode: 'after' });
    const outcomes = await Promise.allSettled(['a', 'b', 'c'].map((id) => write(store, id)));
    expect(outcomes.map(({ status }) => status)).toEqual(['rejected', 'rejected', 'rejected']);
    expect((await inner?.pending(10))?.map(({ document }) => document)).toEqual(['a', 'b']);
  });

  test('counts by kind, so that a story can be run for every k', async () => {
    const store = faulty(await fresh());
    await story(store);
    await store.get('account', 'a');
    await store.settle([placeOf('account', 'a', 'a')]);
    expect(store.counts()).toEqual({ writes: { account: 3, settle: 1 }, reads: { account: 1 } });
    const total = store.totalWrites();
    expect(total).toBe(4);
    for (let k = 1; k <= total; k += 1) {
      store.revive({ stopAfterWrites: k });
      const told = story(store).then(() => store.settle([placeOf('account', 'b', 'b')]));
      await expect(told).rejects.toBeInstanceOf(Stopped);
    }
    store.revive({ stopAfterWrites: total + 1 });
    await story(store);
    expect(store.stopped).toBe(false);
  });

  test('leaves Conflicts as they are', async () => {
    const store = faulty(await fresh(), { stopAfterWrites: 5 });
    const late = store.write('account', 'a', account(), { expect: 9 });
    await expect(late).rejects.toMatchObject({ name: 'Conflict' });
  });

  test('kills only where the environment says so', async () => {
    const store = await fresh();
    expect(dyingStore(store, {})).toBe(store);
    expect(dyingStore(store, { TOLLGATE_TEST_KILL_AFTER_WRITES: '3' })).not.toBe(store);
  });
});
