/** How long an import of many people takes, how much memory, and whether lists stay quick afterwards. */

import { createWriteStream } from 'node:fs';
import { mkdtemp, rm, stat } from 'node:fs/promises';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { finished } from 'node:stream/promises';
import { exportAll } from '../src/admin/export.ts';
import { importFile } from '../src/admin/import.ts';
import { createFindings } from '../src/admin/import_findings.ts';
import { filtered } from '../src/admin/reading.ts';
import { createLog } from '../src/base/log.ts';
import { createDirectory } from '../src/directory/directory.ts';
import { makePlace } from '../test/kit/places.ts';
import type { StoreName } from '../test/kit/store_names.ts';

const bigTeam = 10_000;
const createdAt = '2024-01-02T03:04:05.678Z';

/** @param users of whom ten thousand, if there are so many, are in one account besides */
async function write(file: string, users: number, accounts: number): Promise<void> {
  const out = createWriteStream(file);
  const line = async (record: object) => {
    if (!out.write(`${JSON.stringify(record)}\n`)) await once(out, 'drain');
  };
  for (let number = 0; number < users; number += 1) {
    const own = { account: `acc_${number % accounts}`, roles: ['member'] };
    const big = number < bigTeam ? [{ account: 'acc_big', roles: ['member'] }] : [];
    await line({
      type: 'user',
      id: `usr_${number}`,
      name: `Person ${number}`,
      email: `person.${number}@example.com`,
      emailVerified: true,
      identities: [{ provider: 'google', subject: `1000${number}` }],
      memberships: [own, ...big],
      createdAt,
    });
  }
  for (let number = 0; number < accounts; number += 1) {
    const owners = [`usr_${number % users}`];
    const name = `Company ${number}`;
    await line({ type: 'account', id: `acc_${number}`, name, owners, customer: `cus_${number}` });
  }
  await line({ type: 'account', id: 'acc_big', name: 'Big', owners: ['usr_0'], createdAt });
  out.end();
  await finished(out);
}

export async function measureImport(
  storeName: StoreName,
  { users, accounts }: { users: number; accounts: number },
): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'tollgate-import-'));
  const place = await makePlace(storeName);
  const store = await place.open(Date.now);
  const log = createLog({ level: 'error', clock: Date.now, write: console.error });
  const { finishOwner } = createDirectory({ store, clock: Date.now, log, registration: 'open' });
  const measure = async (name: string, work: () => Promise<unknown>) => {
    const began = performance.now();
    const result = await work();
    const seconds = ((performance.now() - began) / 1000).toFixed(2).padStart(8);
    const peak = Math.round(process.resourceUsage().maxRSS / 1024);
    const memory = `${peak} MB`.padStart(8);
    console.log(`  ${name.padEnd(46)} ${seconds} s  ${memory}  ${JSON.stringify(result)}`);
  };
  const file = join(folder, 'people.jsonl');
  await write(file, users, accounts);
  const size = Math.round((await stat(file)).size / 1e6);
  console.log(
    `\n  ${users} users, ${accounts} accounts, ${size} MB, ${storeName}; memory: the most so far`,
  );
  const run = async (isReal: boolean) => {
    const deps = {
      store,
      clock: Date.now,
      findings: createFindings(),
      reservedIds: new Set<string>(),
      issuerOf: () => 'https://accounts.google.com',
      finishOwner,
    };
    const { user, account, problems } = await importFile(deps, file, { write: isReal });
    return { new: user.new + account.new, unchanged: user.unchanged + account.unchanged, problems };
  };
  try {
    await measure('checked', () => run(false));
    await measure('imported', () => run(true));
    await measure('imported again', () => run(true));
    await measure('exported', () => exportAll(store, async () => undefined));
    const limit = 100;
    const all = { fits: () => true, limit, after: undefined };
    await measure(
      'a page of accounts',
      async () => (await filtered(store, 'account', all)).rows.length,
    );
    const none = { ...all, fits: () => false };
    await measure(
      'idle ones among all accounts',
      async () => (await filtered(store, 'account', none)).rows.length,
    );
    await measure(
      'idle ones among all users',
      async () => (await filtered(store, 'user', none)).rows.length,
    );
    const middle = { limit, after: 'usr_5000' };
    await measure(
      'a page of members, in the middle of many',
      async () => (await store.find('user', 'account', 'acc_big', middle)).length,
    );
  } finally {
    await store.close();
    await place.discard();
    await rm(folder, { recursive: true, force: true });
  }
}
