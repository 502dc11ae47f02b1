/**
 * The signing keys as this process has them: read at the start, and again every few seconds, since they are
 * rotated by a command (`key_rotation.ts`) or by another process. What has outlived its use is deleted here.
 */

import type { JWK } from 'jose';
import type { Log } from '../base/log.ts';
import type { Config } from '../config.ts';
import { livesOf } from './key_life.ts';
import type { KeyLife } from './key_life.ts';
import { algorithms, ensureKeys, openKey, readKeys, removeKey } from './keys.ts';
import type { KeyDependencies, KeySlot } from './keys.ts';

export interface KeyringOptions extends KeyDependencies {
  lifetimes: Config['lifetimes'];
  log: Log;
}

export interface Keyring {
  /**
   * Private, all that are published; of each algorithm the one that signs comes first. The same list
   * as long as nothing of it changes.
   */
  readonly keys: readonly JWK[];
  /** Reads the store again. */
  refresh(): Promise<void>;
  /** Deletes what is over. */
  tidy(): Promise<void>;
}

/** @throws {Problem} `secret_unreadable` when TOLLGATE_SECRET is not the one that sealed them */
export async function openKeyring(options: KeyringOptions): Promise<Keyring> {
  const { store, secrets, clock, log, lifetimes } = options;
  let lives: KeyLife[] = [];
  let keys: readonly JWK[] = [];

  /** A key that was opened once is not opened again, whatever becomes of its seal. */
  const opened = (key: KeySlot) =>
    keys.find(({ kid }) => kid === key.document.kid) ?? openKey(secrets, key);

  /** @returns whether anything is different */
  function take(read: readonly (readonly KeySlot[])[]): boolean {
    lives = read.flatMap((of) => livesOf(of, { now: clock(), lifetimes }));
    const published = lives.filter(({ state }) => state !== 'over').toSorted(signingFirst);
    const kids = (all: readonly { kid?: string }[]) => all.map(({ kid }) => kid).join(' ');
    if (kids(published.map(({ key }) => key.document)) === kids(keys)) return false;
    keys = published.map(({ key }) => opened(key));
    return true;
  }

  take(await Promise.all(algorithms.map((alg) => ensureKeys(options, alg))));

  return {
    get keys() {
      return keys;
    },

    async refresh() {
      const read = await Promise.all(algorithms.map((alg) => readKeys(store, alg)));
      // Of a store that has lost them: what this process has is better than nothing.
      if (read.some((of) => of.length === 0)) throw new Error('the signing keys are gone');
      if (take(read)) log.info('the signing keys have changed', slotsByState(lives));
    },

    async tidy() {
      for (const { key, state } of lives) if (state === 'over') await removeKey(options, key);
    },
  };
}

/** The library signs with the first that fits. */
function signingFirst(left: KeyLife, right: KeyLife): number {
  return Number(right.state === 'signing') - Number(left.state === 'signing');
}

function slotsByState(lives: readonly KeyLife[]): Record<string, string[]> {
  return Object.fromEntries(
    Object.entries(Object.groupBy(lives, ({ state }) => state)).map(([state, of]) => [
      state,
      of.map(({ key }) => key.id),
    ]),
  );
}
