/** An old secret can be removed once a new one has been in use: nothing that lasts needs it. */

import { expect, test } from 'vitest';
import { openSqlite } from '../../src/storage/sqlite.ts';
import type { Store } from '../../src/storage/store.ts';
import { startServer } from '../kit/server.ts';
import { get } from '../protocol/kit.ts';

const old = 'the secret of last year with thirty-two bytes or more';
const fresh = 'the secret of this year with thirty-two bytes or more';

/** The public keys that a process with these secrets shows. @throws when it does not start */
async function keysWith(store: Store, secrets: string[]): Promise<unknown> {
  const server = await startServer({ store, config: { secrets } });
  try {
    return JSON.parse((await get(`${server.issuer}/oauth2/jwks`)).text);
  } finally {
    await server.close();
  }
}

test('T37 after a start with both secrets the old one can go, and the signing keys stay', async () => {
  const store = await openSqlite({ path: ':memory:', clock: Date.now });
  try {
    const before = await keysWith(store, [old]);
    expect(await keysWith(store, [fresh, old])).toEqual(before);
    expect(await keysWith(store, [fresh])).toEqual(before);
    // Not by letting just anybody open them.
    await expect(keysWith(store, [old])).rejects.toMatchObject({ code: 'secret_unreadable' });
  } finally {
    await store.close();
  }
});

test('T37 two processes that start at once with both secrets do not stand in each other’s way', async () => {
  const store = await openSqlite({ path: ':memory:', clock: Date.now });
  try {
    const before = await keysWith(store, [old]);
    const both = [fresh, old];
    const shown = await Promise.all([keysWith(store, both), keysWith(store, both)]);
    expect(shown).toEqual([before, before]);
    expect(await keysWith(store, [fresh])).toEqual(before);
  } finally {
    await store.close();
  }
});
