/**
 * The life of a signing key, by the clock alone: published first, then signing, then published still
 * until nothing that it signed can be shown to anybody, then over. No process tells another: all judge
 * the same documents by the same rules.
 *
 *   waiting    published; signs once every cache of the keys has it
 *   signing    one for each algorithm: the newest that waits no more
 *   retired    a newer one signs; what this one signed is still good
 *   over       nothing is left of what it signed: not published, and to be deleted
 */

import type { Config } from '../config.ts';
import type { KeySlot } from './keys.ts';
import { maxAgeSeconds } from './metadata.ts';

export type KeyState = 'waiting' | 'signing' | 'retired' | 'over';

export interface KeyLife {
  key: KeySlot;
  state: KeyState;
  signsFrom: number;
  /** Once there is a newer one. */
  publishedUntil?: number;
}

/** For clocks that disagree, and for processes that were slow to see a key. */
const toleranceMs = 60_000;

/** From when a key is stored to when it signs: services may have the keys of before for so long. */
export const publishAheadMs = maxAgeSeconds * 1000 + toleranceMs;

/**
 * How long a key is published after its last signature: as long as an access token or an ID token is
 * good, and as long as a session lasts. An app signs out with the ID token that it got at the beginning,
 * which has expired by then and is checked all the same (RP-Initiated Logout 1.0 §2).
 */
export function publishedForMs({ accessToken, idToken, sessionAbsolute }: Lifetimes): number {
  return Math.max(accessToken, idToken, sessionAbsolute) * 1000 + 5 * toleranceMs;
}

type Lifetimes = Pick<Config['lifetimes'], 'accessToken' | 'idToken' | 'sessionAbsolute'>;

/** @param keys all of one algorithm, oldest first */
export function livesOf(
  keys: readonly KeySlot[],
  { now, lifetimes }: { now: number; lifetimes: Lifetimes },
): KeyLife[] {
  // Nobody has cached anything before the very first one.
  const starts = keys.map(({ number, document: { createdAt } }) =>
    number === 1 ? createdAt : createdAt + publishAheadMs,
  );
  // Where all of them wait by this clock, which is slow then, the oldest has been signing.
  const signing = Math.max(
    0,
    starts.findLastIndex((start) => start <= now),
  );
  return keys.map((key, index) => {
    const signsFrom = starts[index] ?? 0;
    if (index > signing) return { key, state: 'waiting', signsFrom };
    if (index === signing) return { key, state: 'signing', signsFrom };
    const superseded = Math.min(...starts.slice(index + 1, signing + 1));
    const publishedUntil = superseded + publishedForMs(lifetimes);
    return { key, state: publishedUntil <= now ? 'over' : 'retired', signsFrom, publishedUntil };
  });
}
