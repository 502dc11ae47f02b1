/**
 * Signing keys as documents: RSA for ID tokens (what client libraries expect unasked) and P-256 for
 * access tokens. Made at the first start, kept sealed in the store, found by their algorithm.
 *
 * The document's id is the slot, such as `ES256.2`. Who writes a slot first makes the key, so that of two
 * processes that start or rotate at once one makes it and the other reads it. Slots count upwards, and none
 * is used again: the newest is never deleted.
 */

import { calculateJwkThumbprint, exportJWK, generateKeyPair } from 'jose';
import type { JWK } from 'jose';
import type { Clock } from '../base/clock.ts';
import type { Secrets } from '../base/secrets.ts';
import { newEvent } from '../events/types.ts';
import type { KeyDocument } from '../storage/documents.ts';
import { Conflict } from '../storage/store.ts';
import type { Store, Stored } from '../storage/store.ts';

export type KeyAlgorithm = KeyDocument['alg'];
export const algorithms: readonly KeyAlgorithm[] = ['RS256', 'ES256'];

export interface KeySlot extends Stored<KeyDocument> {
  number: number;
}

export interface KeyDependencies {
  store: Store;
  secrets: Secrets;
  clock: Clock;
}

/** So many are read; there are fewer (`key_rotation.ts`). */
const mostRead = 100;

/** Of one algorithm, oldest first. */
export async function readKeys(store: Store, alg: KeyAlgorithm): Promise<KeySlot[]> {
  const found = await store.find('key', 'alg', alg, { limit: mostRead });
  return found
    .map((stored) => ({ ...stored, number: Number(stored.id.slice(alg.length + 1)) }))
    .toSorted((left, right) => left.number - right.number);
}

/**
 * The keys of one algorithm, of which the first is made where there is none yet. They are sealed with the
 * newest secret, so that an older one can be removed from the configuration.
 * @throws {Problem} `secret_unreadable` when TOLLGATE_SECRET is not the one that sealed them
 */
export async function ensureKeys(deps: KeyDependencies, alg: KeyAlgorithm): Promise<KeySlot[]> {
  const { store } = deps;
  let keys = await readKeys(store, alg);
  if (keys.length === 0) {
    if (!(await makeKey(deps, alg, 1))) await writeAgain(deps, `${alg}.1`);
    keys = await readKeys(store, alg);
  }
  if (keys.length === 0) throw new Error(`there is no signing key for ${alg}`);
  for (const key of keys) await sealAnew(deps, key);
  return keys;
}

/** @returns whether it was this caller who made the key of this slot */
export async function makeKey(
  { store, secrets, clock }: KeyDependencies,
  alg: KeyAlgorithm,
  number: number,
): Promise<boolean> {
  const made = await newKey(alg, secrets, clock);
  const event = newEvent(clock, 'key.created', { kid: made.kid, alg });
  return unlessConflict(() =>
    store.write('key', `${alg}.${number}`, made, { expect: 'absent', events: [event] }),
  );
}

/** Other processes come to the same conclusion at the same time: one of them deletes it. */
export async function removeKey(
  { store, clock }: Pick<KeyDependencies, 'store' | 'clock'>,
  { id, version, document: { kid, alg } }: KeySlot,
): Promise<boolean> {
  const event = newEvent(clock, 'key.removed', { kid, alg });
  return unlessConflict(() => store.write('key', id, null, { expect: version, events: [event] }));
}

export function openKey(secrets: Secrets, { document: { sealed, kid } }: KeySlot): JWK {
  return JSON.parse(secrets.open('signing_key', sealed, kid)) as JWK;
}

async function newKey(alg: KeyAlgorithm, secrets: Secrets, clock: Clock): Promise<KeyDocument> {
  const { publicKey, privateKey } = await generateKeyPair(alg, {
    extractable: true,
    modulusLength: 2048,
  });
  const kid = await calculateJwkThumbprint(await exportJWK(publicKey));
  const shared = { kid, alg, use: 'sig' };
  const privateJwk = { ...(await exportJWK(privateKey)), ...shared };
  return {
    alg,
    kid,
    publicJwk: { ...(await exportJWK(publicKey)), ...shared },
    sealed: secrets.seal('signing_key', JSON.stringify(privateJwk), kid),
    createdAt: clock(),
  };
}

/** Of a version before, which found it by its slot: from now on it is found by its algorithm. */
async function writeAgain({ store }: KeyDependencies, id: string): Promise<void> {
  const stored = await store.get('key', id);
  if (stored === undefined) return;
  const { version, document } = stored;
  await unlessConflict(() => store.write('key', id, document, { expect: version }));
}

async function sealAnew({ store, secrets }: KeyDependencies, key: KeySlot): Promise<void> {
  const { id, version, document } = key;
  if (document.sealed.startsWith(`${secrets.version}.`)) return;
  const opened = secrets.open('signing_key', document.sealed, document.kid);
  const sealed = secrets.seal('signing_key', opened, document.kid);
  // On a conflict another process was at it, too.
  await unlessConflict(() => store.write('key', id, { ...document, sealed }, { expect: version }));
}

async function unlessConflict(write: () => Promise<unknown>): Promise<boolean> {
  try {
    await write();
    return true;
  } catch (error) {
    if (error instanceof Conflict) return false;
    throw error;
  }
}
