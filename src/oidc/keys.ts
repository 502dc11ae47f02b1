/**
 * Signing keys: RSA for ID tokens (what client libraries expect unasked) and P-256 for access tokens.
 * Made at the first start, kept sealed in the store.
 */

import { calculateJwkThumbprint, exportJWK, generateKeyPair } from 'jose';
import type { JWK } from 'jose';
import type { Clock } from '../base/clock.ts';
import type { Secrets } from '../base/secrets.ts';
import { newEvent } from '../events/types.ts';
import type { KeyDocument } from '../storage/documents.ts';
import { Conflict } from '../storage/store.ts';
import type { Store, Stored } from '../storage/store.ts';

const algorithms = ['RS256', 'ES256'] as const;

async function makeKey(
  alg: KeyDocument['alg'],
  secrets: Secrets,
  clock: Clock,
): Promise<KeyDocument> {
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

/** With the newest secret, so that an older one can be removed from the configuration. */
async function sealAnew(
  store: Store,
  secrets: Secrets,
  stored: Stored<KeyDocument>,
): Promise<void> {
  const { id, version, document } = stored;
  if (document.sealed.startsWith(`${secrets.version}.`)) return;
  const opened = secrets.open('signing_key', document.sealed, document.kid);
  const sealed = secrets.seal('signing_key', opened, document.kid);
  try {
    await store.write('key', id, { ...document, sealed }, { expect: version });
  } catch (error) {
    // Another process was at it, too.
    if (!(error instanceof Conflict)) throw error;
  }
}

/**
 * The private keys, made where they are missing. The document's id is the slot (`ES256.1`), so that of
 * two processes that start on an empty store one makes the key and the other reads it.
 * @throws {Problem} `secret_unreadable` when TOLLGATE_SECRET is not the one that sealed them
 */
export async function loadKeys(deps: {
  store: Store;
  secrets: Secrets;
  clock: Clock;
}): Promise<JWK[]> {
  const { store, secrets, clock } = deps;
  return Promise.all(
    algorithms.map(async (alg) => {
      const slot = `${alg}.1`;
      const stored = await store.get('key', slot);
      let key = stored?.document;
      if (stored !== undefined) await sealAnew(store, secrets, stored);
      if (key === undefined) {
        const made = await makeKey(alg, secrets, clock);
        const event = newEvent(clock, 'key.created', { kid: made.kid, alg });
        try {
          await store.write('key', slot, made, { expect: 'absent', events: [event] });
          key = made;
        } catch (error) {
          if (!(error instanceof Conflict)) throw error;
          key = (await store.get('key', slot))?.document;
        }
      }
      if (key === undefined) throw new Error(`the signing key ${slot} vanished`);
      return JSON.parse(secrets.open('signing_key', key.sealed, key.kid)) as JWK;
    }),
  );
}
