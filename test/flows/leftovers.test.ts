/**
 * Somebody with words that nobody else has comes, does all that people do, and is deleted. A month later nothing of it is
 * left: in no document of the store, and in no byte of the database file.
 */

import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { openStores } from '../../src/stores.ts';
import { kinds } from '../../src/storage/kinds.ts';
import type { Kind } from '../../src/storage/kinds.ts';
import type { Store } from '../../src/storage/store.ts';
import { startEventReceivers, webhookSecret } from '../kit/event_receivers.ts';
import { filePlace, openEmpty, presentStore } from '../kit/places.ts';
import { claimsOf, refresh, signIn, startWorld } from '../kit/world.ts';

const day = 24 * 60 * 60 * 1000;
const words = {
  subject: 'zzsubjectquux',
  name: 'Zzname Quuxley',
  email: 'zzmailquux@zzdomainquux.example',
};
const userAgent = 'Mozilla/5.0 (Zzagentquux)';

const cleanups: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).toReversed()) await cleanup();
});

interface Kept {
  store: Store;
  /** All that lies on disk; undefined where it is a server's. */
  bytes(): Promise<Buffer[] | undefined>;
}

async function place(clock: () => number): Promise<Kept> {
  if (presentStore() !== 'sqlite') {
    const store = await openEmpty(clock);
    cleanups.push(() => store.close());
    return { store, bytes: () => Promise.resolve(undefined) };
  }
  const { address, discard } = await filePlace();
  cleanups.push(discard);
  const log = { debug() {}, info() {}, warn() {}, error() {} };
  const store = await openStores({ store: address, hot: undefined }, { clock, log });
  cleanups.push(() => store.close());
  const folder = join(address.slice('sqlite:'.length), '..');
  return {
    store,
    bytes: async () =>
      Promise.all(
        (await readdir(folder))
          .filter((name) => !name.endsWith('-shm'))
          .map((name) => readFile(join(folder, name))),
      ),
  };
}

const keptKinds = (Object.keys(kinds) as Kind[]).filter((kind) => !kinds[kind].hot);

async function documents(store: Store): Promise<string> {
  const found: unknown[] = [];
  for (const kind of keptKinds) {
    let after: string | undefined;
    do {
      const options: { limit: number; after?: string } = { limit: 1000, ...(after && { after }) };
      const page = await store.list(kind, options);
      found.push(page);
      after = page.length === 1000 ? page.at(-1)?.id : undefined;
    } while (after !== undefined);
  }
  return JSON.stringify([found, await store.pending(1000)]);
}

test('of somebody who was deleted nothing is left', async () => {
  let shift = 0;
  const clock = () => Date.now() + shift;
  const { store, bytes } = await place(clock);
  const receivers = await startEventReceivers();
  cleanups.push(() => receivers.close());
  const crm = { id: 'crm', url: receivers.address('webhook'), secret: webhookSecret };
  const config = { registration: 'open' as const, receivers: [crm] };
  const world = await startWorld({ clock, store, config });
  cleanups.push(() => world.close());
  const { directory, dispatcher } = world.server;

  // What people do: sign in at several apps, allow one of them, join, invite, own something, leave it, look and ask.
  const browser = world.browser({ userAgent });
  const tokens = await signIn(world.issuer, browser, { someone: words });
  const { sub, account } = claimsOf(tokens.access_token) as { sub: string; account: string };
  await signIn(world.issuer, browser, { client: 'partner', someone: words, account });
  await refresh(world.issuer, 'app', tokens.refresh_token);
  await directory.addMember('acc_acme', sub, ['admin']);
  await directory.addMember('acc_globex', sub, ['owner']);
  const late = await signIn(world.issuer, browser, { client: 'other', someone: words });
  expect(claimsOf(late.access_token).account).toBe('acc_acme');
  const people = { account: 'acc_acme', roles: ['member'], createdAt: clock() };
  const invite = (id: string, more: object) =>
    store.write(
      'invitation',
      id,
      { ...people, way: 'link', state: 'open', expiresAt: clock() + 7 * day, ...more },
      { expect: 'absent' },
    );
  await invite('inv_1', { by: sub });
  await invite('inv_2', { candidate: sub, state: 'waiting' });
  await invite('inv_3', { way: 'email', email: words.email, by: 'usr_ada' });
  const closing = { askedAt: clock(), by: sub, endsAt: clock() + 365 * day };
  const globex = await store.get('account', 'acc_globex');
  await store.write(
    'account',
    'acc_globex',
    { ...globex!.document, closing, seats: ['usr_ada', sub], arriving: { [sub]: clock() } },
    { expect: globex!.version },
  );
  await dispatcher.drain();

  const all = [...Object.values(words), ...words.name.split(' '), 'Zzagentquux', 'quux', sub];
  const before = await documents(store);
  for (const word of [words.subject, words.name, words.email, sub]) expect(before).toContain(word);
  if (presentStore() === 'sqlite') {
    const raw = Buffer.concat((await bytes())!);
    for (const word of [words.subject, words.name, words.email, sub]) {
      expect(raw.includes(word), word).toBe(true);
    }
  }

  const page = await browser.get(`${world.issuer}/account/data/delete`);
  await browser.submit(page, { form: '/account/data/delete' });
  shift = 14 * day + 60_000;
  await directory.leave();
  await dispatcher.drain();
  expect((await directory.user(sub))?.document.status).toBe('deleted');
  shift += day;
  await directory.leave();
  expect(await directory.user(sub)).toBeUndefined();
  await expect
    .poll(() => [...receivers.arrived.webhook.values()].map(({ type }) => type))
    .toContain('user.deleted');
  // The trail stays; what was told to others runs out; the deleted rows are forgotten.
  expect(await store.find('audit', 'account', account)).not.toHaveLength(0);
  for (const days of [8, 31, 1]) {
    shift += days * day;
    // What was delivered is forgotten by who delivers, at its own pace.
    await expect.poll(() => store.list('delivery'), { timeout: 15_000 }).toEqual([]);
    while ((await store.sweep(clock())) > 0);
  }

  const after = await documents(store);
  for (const word of all) expect(after.includes(word), word).toBe(false);
  expect(await store.find('session', 'user', sub)).toEqual([]);
  expect(await store.find('grant', 'user', sub)).toEqual([]);
  const left = await bytes();
  for (const file of left ?? []) {
    for (const word of all) expect(file.includes(word), word).toBe(false);
  }
});
