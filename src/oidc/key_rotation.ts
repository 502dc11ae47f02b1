/** Rotating signing keys, and telling how they stand: for the command `tollgate keys`. */

import { Problem } from '../base/errors.ts';
import type { Config } from '../config.ts';
import { livesOf } from './key_life.ts';
import type { KeyLife } from './key_life.ts';
import { algorithms, makeKey, openKey, readKeys } from './keys.ts';
import type { KeyAlgorithm, KeyDependencies } from './keys.ts';

export interface RotationOptions extends KeyDependencies {
  lifetimes: Config['lifetimes'];
}

export interface Rotated {
  life: KeyLife;
  /** False where there was a new one already, of a rotation a moment ago. */
  made: boolean;
}

/** All of them are published, and services load them all. */
const mostKeys = 50;

/** A clock may be so much ahead of another. */
const futureMs = 60_000;

/** Newest first. */
export async function listKeys({
  store,
  clock,
  lifetimes,
}: Pick<RotationOptions, 'store' | 'clock' | 'lifetimes'>): Promise<KeyLife[]> {
  const lists = await Promise.all(
    algorithms.map(async (alg) => livesOf(await readKeys(store, alg), { now: clock(), lifetimes })),
  );
  return lists.flatMap((lives) => lives.toReversed());
}

/**
 * Makes the next key. While one waits that is not older than it takes to be used, it is the next one:
 * a rotation that was asked for twice, or by two at once, is one rotation.
 * @throws {Problem} `too_many_keys` (409), `secret_unreadable` (500)
 */
export async function rotateKey(options: RotationOptions, alg: KeyAlgorithm): Promise<Rotated> {
  const { store, clock, lifetimes } = options;
  const now = clock();
  const before = livesOf(await readKeys(store, alg), { now, lifetimes });
  const newest = before.at(-1);
  if (newest?.state === 'waiting' && newest.key.document.createdAt <= now + futureMs) {
    return { life: newest, made: false };
  }
  const published = before.filter(({ state }) => state !== 'over');
  if (published.length >= mostKeys) throw tooMany(alg, published);
  // Sealed with another secret than theirs, the new key would be of no use to the running processes.
  if (newest !== undefined) openKey(options.secrets, newest.key);
  const made = await makeKey(options, alg, (newest?.key.number ?? 0) + 1);
  const life = livesOf(await readKeys(store, alg), { now: clock(), lifetimes }).at(-1);
  if (life === undefined) throw new Error(`the new key for ${alg} is gone`);
  return { life, made };
}

function tooMany(alg: KeyAlgorithm, [oldest]: readonly KeyLife[]): Problem {
  const until = oldest?.publishedUntil;
  const when = until === undefined ? '' : ` The oldest goes at ${new Date(until).toISOString()}.`;
  return new Problem(
    'too_many_keys',
    409,
    `${mostKeys} keys for ${alg} are published, and no more can be.${when}`,
  );
}
