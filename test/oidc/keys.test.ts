/** Signing keys by a clock that the test holds: slots, publishing ahead, retirement, and races. */

import { readFile } from 'node:fs/promises';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createSecrets } from '../../src/base/secrets.ts';
import type { Clock } from '../../src/base/clock.ts';
import type { Config } from '../../src/config.ts';
import { publishAheadMs, publishedForMs } from '../../src/oidc/key_life.ts';
import { openKeyring } from '../../src/oidc/keyring.ts';
import type { Keyring } from '../../src/oidc/keyring.ts';
import { listKeys, rotateKey } from '../../src/oidc/key_rotation.ts';
import { maxAgeSeconds } from '../../src/oidc/metadata.ts';
import type { Store } from '../../src/storage/store.ts';
import { openEmpty } from '../kit/places.ts';
import { recordingLog, testConfig, testSecret } from '../kit/server.ts';

const secrets = createSecrets([testSecret]);
const { lifetimes } = testConfig('http://localhost');
const retiredForMs = publishedForMs(lifetimes);
const day = 24 * 60 * 60 * 1000;

let now: number;
let store: Store;
let log: ReturnType<typeof recordingLog>;
const clock: Clock = () => now;

beforeEach(async () => {
  now = Date.UTC(2026, 0, 1);
  store = await openEmpty(clock);
  log = recordingLog();
});
afterEach(() => store.close());

const options = (changes: { lifetimes?: Config['lifetimes'] } = {}) => ({
  store,
  secrets,
  clock,
  log,
  lifetimes,
  ...changes,
});
const open = () => openKeyring(options());
const rotate = (alg: 'ES256' | 'RS256' = 'ES256') => rotateKey(options(), alg);

/** Slots of ES256 by their state, as the store has them. */
async function slots(alg = 'ES256'): Promise<Record<string, string>> {
  const lives = await listKeys(options());
  const own = lives.filter(({ key }) => key.document.alg === alg);
  return Object.fromEntries(own.map(({ key, state }) => [key.id, state]));
}

async function kidOf(slot: string): Promise<string | undefined> {
  return (await store.get('key', slot))?.document.kid;
}

/** Of ES256: what the library takes to sign with comes first. */
const kids = (keyring: Keyring) =>
  keyring.keys.filter(({ alg }) => alg === 'ES256').map(({ kid }) => kid);

describe('at the first start', () => {
  test('there is a key for each algorithm, and it signs at once', async () => {
    const keyring = await open();
    expect(keyring.keys.map(({ alg }) => alg).toSorted()).toEqual(['ES256', 'RS256']);
    expect(await slots('ES256')).toEqual({ 'ES256.1': 'signing' });
    expect(await slots('RS256')).toEqual({ 'RS256.1': 'signing' });
  });

  test('processes that start at once have the same ones', async () => {
    const keyrings = await Promise.all(Array.from({ length: 5 }, open));
    const sets = keyrings.map(({ keys }) => keys.map(({ kid }) => kid).join(' '));
    expect(new Set(sets).size).toBe(1);
    const created = await store.pending(100);
    expect(created.map(({ type }) => type)).toEqual(['key.created', 'key.created']);
  });
});

test('a key of a version that found it by its slot is found from now on', async () => {
  const before = kids(await open());
  // What was written before there was an index is in none, until it is written again.
  const indexed = new Set<string>();
  const older = {
    get: store.get.bind(store),
    async find(kind: 'key', index: string, value: string) {
      return (await store.find(kind, index, value)).filter(({ id }) => indexed.has(id));
    },
    async write(...[kind, id, document, how]: Parameters<Store['write']>) {
      const version = await store.write(kind, id, document, how);
      indexed.add(id);
      return version;
    },
  };
  const keyring = await openKeyring({ ...options(), store: older as unknown as Store });
  expect(kids(keyring)).toEqual(before);
  expect([...indexed].toSorted()).toEqual(['ES256.1', 'RS256.1']);
});

describe('a rotation', () => {
  test('publishes the new key at once, and signs with it when every cache has it', async () => {
    const keyring = await open();
    const before = keyring.keys;
    const [old] = kids(keyring);
    now += day;
    expect(await rotate()).toMatchObject({ made: true, life: { state: 'waiting' } });
    const next = await kidOf('ES256.2');

    await keyring.refresh();
    expect(keyring.keys).not.toBe(before);
    expect(kids(keyring)).toEqual([old, next]);
    now += publishAheadMs - 1;
    await keyring.refresh();
    expect(kids(keyring)).toEqual([old, next]);
    now += 1;
    await keyring.refresh();
    expect(kids(keyring)).toEqual([next, old]);
    expect(log.lines.map(({ fields }) => fields)).toEqual([
      { signing: ['RS256.1', 'ES256.1'], waiting: ['ES256.2'] },
      { signing: ['RS256.1', 'ES256.2'], retired: ['ES256.1'] },
    ]);
  });

  test('waits longer than the answer with the keys may be cached, and the manual says so', async () => {
    expect(publishAheadMs).toBeGreaterThan(maxAgeSeconds * 1000);
    const manual = await readFile(new URL('../../docs/configuration.md', import.meta.url), 'utf8');
    expect(manual).toContain(`sign with it ${publishAheadMs / 60_000} minutes later`);
  });

  test('leaves all as it is for those who look when nothing has changed', async () => {
    const keyring = await open();
    const before = keyring.keys;
    await keyring.refresh();
    expect(keyring.keys).toBe(before);
    expect(log.lines).toEqual([]);
  });

  test('of one algorithm leaves the other one alone', async () => {
    await open();
    await rotate('RS256');
    expect(await slots('ES256')).toEqual({ 'ES256.1': 'signing' });
    expect(await slots('RS256')).toEqual({ 'RS256.1': 'signing', 'RS256.2': 'waiting' });
  });

  test('before the first start makes the first key', async () => {
    expect(await rotate()).toMatchObject({ made: true, life: { state: 'signing' } });
    expect(kids(await open())).toEqual([await kidOf('ES256.1')]);
  });

  test('counts on behind nine', async () => {
    await open();
    for (let turn = 2; turn <= 12; turn += 1) {
      now += day;
      expect((await rotate()).life.key.id).toBe(`ES256.${turn}`);
    }
    now += publishAheadMs;
    expect(kids(await open())[0]).toBe(await kidOf('ES256.12'));
  });

  test('with another secret than the one of the running processes is refused', async () => {
    await open();
    const other = createSecrets(['another secret, which has thirty-two bytes as well']);
    await expect(rotateKey({ ...options(), secrets: other }, 'ES256')).rejects.toMatchObject({
      code: 'secret_unreadable',
    });
    expect(await slots()).toEqual({ 'ES256.1': 'signing' });
  });

  test('is refused where so many are published already', async () => {
    await open();
    for (let turn = 0; turn < 49; turn += 1) {
      now += publishAheadMs;
      await rotate();
    }
    now += publishAheadMs;
    await expect(rotate()).rejects.toMatchObject({ code: 'too_many_keys' });
    now += retiredForMs;
    expect((await rotate()).made).toBe(true);
  });
});

describe('two rotations', () => {
  test('at once are one: one of them wins the slot', async () => {
    await open();
    now += day;
    const rotated = await Promise.all(Array.from({ length: 5 }, () => rotate()));
    expect(rotated.filter(({ made }) => made)).toHaveLength(1);
    expect(new Set(rotated.map(({ life }) => life.key.document.kid)).size).toBe(1);
    expect(await slots()).toEqual({ 'ES256.1': 'signing', 'ES256.2': 'waiting' });
  });

  test('while the new key waits are one, too', async () => {
    await open();
    now += day;
    await rotate();
    now += publishAheadMs - 1;
    expect(await rotate()).toMatchObject({ made: false, life: { key: { id: 'ES256.2' } } });
    now += 1;
    expect(await rotate()).toMatchObject({ made: true, life: { key: { id: 'ES256.3' } } });
    expect(await slots()).toEqual({
      'ES256.1': 'retired',
      'ES256.2': 'signing',
      'ES256.3': 'waiting',
    });
  });

  test('a key from the far future, by a clock that was wrong, is passed by', async () => {
    await open();
    now += 30 * day;
    await rotate();
    now -= 29 * day;
    expect(await rotate()).toMatchObject({ made: true, life: { key: { id: 'ES256.3' } } });
    now += publishAheadMs;
    expect(await slots()).toMatchObject({ 'ES256.1': 'retired', 'ES256.3': 'signing' });
  });
});

describe('a retired key', () => {
  test('is published as long as anything that it signed is good, then it is deleted', async () => {
    const keyring = await open();
    now += day;
    await rotate();
    now += publishAheadMs;
    const [old, next] = [await kidOf('ES256.1'), await kidOf('ES256.2')];
    now += retiredForMs - 1;
    await keyring.refresh();
    await keyring.tidy();
    expect(kids(keyring)).toEqual([next, old]);
    now += 1;
    await keyring.refresh();
    expect(kids(keyring)).toEqual([next]);
    await keyring.tidy();
    expect(await slots()).toEqual({ 'ES256.2': 'signing' });
    const removed = (await store.pending(100)).filter(({ type }) => type === 'key.removed');
    expect(removed.map(({ data }) => data)).toEqual([{ kid: old, alg: 'ES256' }]);
  });

  test('once deleted is missed by nobody: not at a start, a look or a rotation', async () => {
    const keyring = await open();
    const other = await open();
    now += day;
    await rotate();
    now += publishAheadMs + retiredForMs;
    for (const one of [keyring, other]) await one.refresh();
    // Both come to the same conclusion.
    await Promise.all([keyring.tidy(), other.tidy()]);
    const next = await kidOf('ES256.2');
    for (const one of [keyring, other, await open()]) {
      await one.refresh();
      expect(kids(one)).toEqual([next]);
    }
    expect((await rotate()).life.key.id).toBe('ES256.3');
    expect(await slots()).toEqual({ 'ES256.2': 'signing', 'ES256.3': 'waiting' });
  });

  test('outlives access tokens, ID tokens, and sessions that end by a hint', () => {
    for (const name of ['accessToken', 'idToken', 'sessionAbsolute'] as const) {
      const long = { ...lifetimes, [name]: 10_000_000 };
      expect(publishedForMs(long)).toBeGreaterThan(10_000_000 * 1000);
    }
  });

  test('the key that signs stays, however old it is', async () => {
    const keyring = await open();
    now += 3650 * day;
    await keyring.refresh();
    await keyring.tidy();
    expect(await slots()).toEqual({ 'ES256.1': 'signing' });
  });
});

describe('what a process has', () => {
  test('it keeps when the store has lost the keys, or has one that cannot be opened', async () => {
    const keyring = await open();
    const before = keyring.keys;
    now += day;
    const other = createSecrets(['another secret, which has thirty-two bytes as well', testSecret]);
    await rotateKey({ ...options(), secrets: other }, 'ES256');
    await expect(keyring.refresh()).rejects.toMatchObject({ code: 'secret_unreadable' });
    expect(keyring.keys).toBe(before);
    for (const slot of ['ES256.1', 'ES256.2']) {
      await store.write('key', slot, null, { expect: 'any' });
    }
    await expect(keyring.refresh()).rejects.toThrow('gone');
    expect(keyring.keys).toBe(before);
  });

  test('is sealed with the newest secret at its start, all of it', async () => {
    await open();
    now += day;
    await rotate();
    const newer = createSecrets(['a newer secret of tests, thirty-two bytes or more', testSecret]);
    await openKeyring({ ...options(), secrets: newer });
    for (const slot of ['ES256.1', 'ES256.2', 'RS256.1']) {
      expect((await store.get('key', slot))?.document.sealed).toMatch(`${newer.version}.`);
    }
  });
});
