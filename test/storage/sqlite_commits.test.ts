import { DatabaseSync } from 'node:sqlite';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Conflict } from '../../src/storage/store.ts';
import type { Store } from '../../src/storage/store.ts';
import { createSqliteStore, openSqlite } from '../../src/storage/sqlite.ts';
import { account, event, placeOf } from '../conformance/samples.ts';
import { record } from './recording.ts';

const closing: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).toReversed()) await close();
});

const clock = () => 1_900_000_000_000;

function recorded() {
  const recording = record();
  const store = createSqliteStore(recording.database, { clock });
  closing.push(() => store.close());
  return { ...recording, store };
}

const insert = (store: Store, id: string, text = 'x') =>
  store.write('account', id, account({ name: text }), {
    expect: 'absent',
    events: [event(id)],
  });

const many = (count: number) => Array.from({ length: count }, (_, number) => `a${number}`);

function pragma(database: DatabaseSync, name: string): unknown {
  return database.prepare(`PRAGMA ${name}`).get()?.[name];
}

describe('group commit', () => {
  test('writes that are asked for together share one transaction', async () => {
    const { store, ran } = recorded();
    await Promise.all(many(32).map((id) => insert(store, id)));
    expect(ran('COMMIT')).toBe(1);
    await insert(store, 'alone');
    expect(ran('COMMIT')).toBe(2);
  });

  test('a transaction is bounded: a thousand writes take several', async () => {
    const { store, ran } = recorded();
    await Promise.all(many(1000).map((id) => insert(store, id)));
    expect(ran('COMMIT')).toBe(4);
    expect(await store.find('account', 'customer', 'none')).toEqual([]);
    expect(await store.pending(1000)).toHaveLength(1000);
  });

  test('the queue is bounded: who comes too late is told at once', async () => {
    const { store } = recorded();
    const outcomes = await Promise.allSettled(many(20_010).map((id) => store.bump(id, 1, 60)));
    const refused = outcomes.filter((outcome) => outcome.status === 'rejected');
    expect(refused).toHaveLength(10);
    expect(refused[0]?.reason).toMatchObject({ code: 'store_busy', status: 503 });
    expect(await store.bump('later', 1, 60)).toBe(1);
  });

  test('a write that breaks on its way is undone alone', async () => {
    const { store, failOnce } = recorded();
    failOnce('INSERT INTO outbox', 19);
    const outcomes = await Promise.allSettled(many(3).map((id) => insert(store, id)));
    expect(outcomes.map(({ status }) => status)).toEqual(['rejected', 'fulfilled', 'fulfilled']);
    expect(await store.get('account', 'a0')).toBeUndefined();
    expect((await store.pending(10)).map(({ id }) => id)).toEqual(['evt_a1', 'evt_a2']);
  });

  test('what is too large is refused alone', async () => {
    const store = await openSqlite({ path: ':memory:', clock });
    closing.push(() => store.close());
    const outcomes = await Promise.allSettled([
      insert(store, 'a'),
      insert(store, 'b', 'x'.repeat(5 * 1024 * 1024)),
      insert(store, 'c'),
    ]);
    expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
  });
});

describe('durability', () => {
  test('documents are committed with an fsync, counters alone without', async () => {
    const { store, database } = recorded();
    const levels: unknown[] = [];
    const watched = async (work: Promise<unknown>) => {
      await work;
      levels.push(pragma(database, 'synchronous'));
    };
    await watched(insert(store, 'a'));
    await watched(store.bump('k', 1, 60));
    await watched(store.settle([placeOf('account', 'a', 'a')]));
    await watched(Promise.all([store.bump('k', 1, 60), insert(store, 'b')]));
    await watched(store.bump('k', 1, 60));
    await watched(insert(store, 'c'));
    // 2 is FULL, 1 is NORMAL.
    expect(levels).toEqual([2, 1, 1, 2, 1, 2]);
  });

  test.for([
    ['full', 13, 'store_full'],
    ['broken', 10, 'store_failed'],
    ['read-only', 8, 'store_read_only'],
  ] as const)('O-11 the disk is %s: every write of the batch fails, none is there', async (row) => {
    const [, errcode, code] = row;
    for (const moment of ['COMMIT', 'INSERT INTO outbox', 'BEGIN', 'RELEASE']) {
      const { store, failOnce } = recorded();
      await insert(store, 'before');
      failOnce(moment, errcode);
      const outcomes = await Promise.allSettled(many(5).map((id) => insert(store, id)));
      for (const outcome of outcomes) {
        expect(outcome).toMatchObject({ status: 'rejected', reason: { code, status: 503 } });
      }
      for (const id of many(5)) expect(await store.get('account', id)).toBeUndefined();
      expect(await store.pending(10)).toHaveLength(1);
      await Promise.all(many(5).map((id) => insert(store, id)));
      expect(await store.pending(10)).toHaveLength(6);
    }
  });

  test('O-11 a disk that is really full refuses loudly, and works again with more room', async () => {
    const { store, database } = recorded();
    await insert(store, 'before');
    const pages = Number(pragma(database, 'page_count'));
    database.exec(`PRAGMA max_page_count = ${pages + 20}`);
    const large = 'x'.repeat(20_000);
    const outcomes = await Promise.allSettled(many(10).map((id) => insert(store, id, large)));
    for (const outcome of outcomes) {
      expect(outcome).toMatchObject({ status: 'rejected', reason: { code: 'store_full' } });
    }
    for (const id of many(10)) expect(await store.get('account', id)).toBeUndefined();
    expect((await store.get('account', 'before'))?.version).toBe(1);
    await insert(store, 'small');
    database.exec(`PRAGMA max_page_count = ${pages + 2000}`);
    await Promise.all(many(10).map((id) => insert(store, id, large)));
    expect(await store.pending(100)).toHaveLength(12);
  });

  test('after a failed fsync nothing is written any more, and readiness says so', async () => {
    const { store, failOnce } = recorded();
    await insert(store, 'before');
    failOnce('COMMIT', 1034);
    const outcomes = await Promise.allSettled(many(300).map((id) => insert(store, id)));
    expect(outcomes.every(({ status }) => status === 'rejected')).toBe(true);
    await expect(insert(store, 'after')).rejects.toMatchObject({ code: 'store_failed' });
    await expect(store.ping()).rejects.toMatchObject({ code: 'store_failed' });
    expect((await store.get('account', 'before'))?.version).toBe(1);
    await store.close();
  });
});

describe('a lock that another process holds', () => {
  async function sharedFile() {
    const directory = await mkdtemp(join(tmpdir(), 'tollgate-lock-'));
    const path = join(directory, 'tollgate.db');
    closing.push(() => rm(directory, { recursive: true, force: true }));
    const open = async (longestWait: number) => {
      const store = await openSqlite({ path, clock, longestWait });
      closing.push(() => store.close());
      return store;
    };
    const other = async () => {
      const database = new DatabaseSync(path);
      closing.push(() => database.isOpen && database.close());
      database.exec('BEGIN IMMEDIATE');
      return database;
    };
    return { open, other };
  }

  test('is waited for, while the event loop goes on and reads are answered', async () => {
    const { open, other } = await sharedFile();
    const store = await open(20_000);
    await insert(store, 'before');
    const holder = await other();
    let written = 0;
    const writes = many(10).map((id) => insert(store, id).then(() => (written += 1)));
    let turns = 0;
    await vi.waitUntil(() => (turns += 1) > 5, { interval: 5 });
    expect((await store.get('account', 'before'))?.version).toBe(1);
    const late = insert(store, 'late');
    expect(written).toBe(0);
    holder.exec('COMMIT');
    await Promise.all([...writes, late]);
    expect(await store.pending(100)).toHaveLength(12);
  });

  test('is given up in the end, with a clear answer, and nothing is written later', async () => {
    const { open, other } = await sharedFile();
    const store = await open(50);
    const holder = await other();
    const outcomes = await Promise.allSettled(many(3).map((id) => insert(store, id)));
    for (const outcome of outcomes) {
      const reason = { code: 'store_busy', status: 503, retryAfterSeconds: 1 };
      expect(outcome).toMatchObject({ status: 'rejected', reason });
    }
    holder.exec('COMMIT');
    await insert(store, 'after');
    expect((await store.pending(10)).map(({ document }) => document)).toEqual(['after']);
  });

  test('close waits for writes that wait for it', async () => {
    const { open, other } = await sharedFile();
    const store = await open(20_000);
    const holder = await other();
    const write = insert(store, 'a');
    const closed = store.close();
    await expect(insert(store, 'b')).rejects.toMatchObject({ code: 'store_closed' });
    holder.exec('COMMIT');
    expect(await write).toBe(1);
    await closed;
  });
});

describe('closing', () => {
  test('twice is once; whatever is asked for afterwards is refused', async () => {
    const store = await openSqlite({ path: ':memory:', clock });
    await Promise.all([store.close(), store.close()]);
    const refused = { code: 'store_closed', status: 503 };
    await expect(store.get('account', 'a')).rejects.toMatchObject(refused);
    await expect(insert(store, 'a')).rejects.toMatchObject(refused);
    await expect(store.bump('k', 1, 1)).rejects.toMatchObject(refused);
    await expect(store.settle([placeOf('account', 'x', 'x')])).rejects.toMatchObject(refused);
    await expect(store.ping()).rejects.toMatchObject(refused);
  });

  test('a Conflict stays a Conflict when the store is closed right after', async () => {
    const store = await openSqlite({ path: ':memory:', clock });
    const write = store.write('account', 'a', account(), { expect: 4 });
    const closed = store.close();
    await expect(write).rejects.toBeInstanceOf(Conflict);
    await closed;
  });
});
