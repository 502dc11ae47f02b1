import { chmod, mkdir, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Log } from '../../src/base/log.ts';
import { openSqlite } from '../../src/storage/sqlite.ts';
import { schemaVersion } from '../../src/storage/sqlite/schema.ts';
import { account } from '../conformance/samples.ts';

let directory = '';
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'tollgate-file-'));
});
afterEach(() => rm(directory, { recursive: true, force: true }));

const clock = () => 1_900_000_000_000;
const open = (path: string, log?: Log) => openSqlite({ path, clock, ...(log ? { log } : {}) });
const modeOf = async (path: string) => ((await stat(path)).mode & 0o777).toString(8);

async function refused(path: string, code: string, words: RegExp): Promise<void> {
  const opening = open(path);
  await expect(opening).rejects.toMatchObject({ name: 'Problem', code });
  await expect(opening).rejects.toThrow(words);
  await expect(opening).rejects.toThrow(path);
}

describe('the file', () => {
  test('is made with its directory, for the owner alone', async () => {
    const path = join(directory, 'some', 'where', 'tollgate.db');
    const store = await open(path);
    await store.write('account', 'a1', account(), { expect: 'absent' });
    expect(await modeOf(join(directory, 'some'))).toBe('700');
    expect(await modeOf(join(directory, 'some', 'where'))).toBe('700');
    for (const suffix of ['', '-wal', '-shm']) expect(await modeOf(path + suffix)).toBe('600');
    await store.close();
    await expect(stat(`${path}-wal`)).rejects.toMatchObject({ code: 'ENOENT' });
  });

  test('that everybody may read is used, with a warning', async () => {
    const path = join(directory, 'tollgate.db');
    await (await open(path)).close();
    await chmod(path, 0o644);
    const warnings: string[] = [];
    const silent = () => {};
    const warn = (message: string) => void warnings.push(message);
    const store = await open(path, { debug: silent, info: silent, warn, error: silent });
    await store.close();
    expect(warnings).toEqual(['the database can be read by every user of this machine']);
  });

  test('may be named like a URI or oddly: a path is a path', async () => {
    for (const name of ['file:x?mode=memory', ':memory', "it's; DROP TABLE.db", 'ü 🙂.db']) {
      const path = join(directory, name);
      const store = await open(path);
      await store.close();
      expect((await readFile(path)).subarray(0, 15).toString()).toBe('SQLite format 3');
    }
  });

  test('is opened by several at once, the first time too', async () => {
    const path = join(directory, 'tollgate.db');
    const stores = await Promise.all(Array.from({ length: 6 }, () => open(path)));
    await stores[0]?.write('account', 'a1', account(), { expect: 'absent' });
    for (const store of stores) expect((await store.get('account', 'a1'))?.version).toBe(1);
    await Promise.all(stores.map((store) => store.close()));
  });
});

describe('what cannot be used is refused with a sentence for the operator', () => {
  test('a directory', async () => {
    await mkdir(join(directory, 'folder'));
    await refused(join(directory, 'folder'), 'store_not_a_file', /not a file/);
  });

  test('a path under a file', async () => {
    await writeFile(join(directory, 'plain'), '');
    await refused(join(directory, 'plain', 'x.db'), 'store_unavailable', /cannot be used/);
  });

  test('a file that is not a database; it is left as it was', async () => {
    const path = join(directory, 'letter.txt');
    const text = 'Dear reader, '.repeat(1000);
    await writeFile(path, text);
    await refused(path, 'store_damaged', /not a database/);
    expect(await readFile(path, 'utf8')).toBe(text);
  });

  test("another program's database; it is left as it was", async () => {
    const path = join(directory, 'other.db');
    const other = new DatabaseSync(path);
    other.exec('CREATE TABLE theirs (x)');
    other.close();
    await refused(path, 'store_foreign', /another program/);
    const again = new DatabaseSync(path);
    expect(again.prepare('SELECT name FROM sqlite_schema').all()).toMatchObject([
      { name: 'theirs' },
    ]);
    again.close();
  });

  test('a database that a newer version made', async () => {
    const path = join(directory, 'tollgate.db');
    await (await open(path)).close();
    const later = new DatabaseSync(path);
    later.exec(`PRAGMA user_version = ${schemaVersion + 1}`);
    later.close();
    await refused(path, 'store_newer', /newer version/);
  });

  test('a damaged database', async () => {
    const path = join(directory, 'tollgate.db');
    await (await open(path)).close();
    const bytes = await readFile(path);
    bytes.fill(0x55, 100, 4096);
    await writeFile(path, bytes);
    await refused(path, 'store_damaged', /damaged|not a database/);
  });

  test('a locked database, after some waiting', async () => {
    const path = join(directory, 'tollgate.db');
    await (await open(path)).close();
    const holder = new DatabaseSync(path);
    holder.exec('BEGIN IMMEDIATE');
    const opening = openSqlite({ path, clock, longestWait: 30 });
    await expect(opening).rejects.toMatchObject({ code: 'store_busy' });
    holder.close();
    await (await open(path)).close();
  });
});
