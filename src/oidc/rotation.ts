/**
 * Refresh token rotation (RFC 9700 §4.14.2). A family is a counter; this file is the table that says
 * what a presented generation comes to. Pure, so that it can be tested against every interleaving.
 */

import type { FamilyEntry, Superseded } from '../storage/documents.ts';

export interface RotationPolicy {
  /** For how long a superseded token is answered with the present one; 0 for none. */
  graceMs: number;
  /** A confidential client proved itself: its lost responses may be repeated later. */
  confidential: boolean;
}

export type RotationDecision =
  /** It is the present one: go to the next. */
  | 'rotate'
  /** A second tab or a lost response: the present one again, nothing is written. */
  | 'repeat'
  /** Refused, and nothing dies. */
  | 'refuse'
  /** Refused: we never got that far, so the store has lost something. Nothing dies. */
  | 'store_behind'
  /** Stolen, or badly stale: the grant dies. */
  | 'reuse';

/** A loser of a race is no thief, even where there is no grace. */
const overlapMs = 5_000;
/** The clocks of two processes may differ by so much; a larger step means that a clock was set back. */
const skewMs = 60_000;
/** As many steps back are remembered. */
const supersededMax = 20;
/** These all; of older ones ever fewer, so that a thief in a hurry cannot make the rest forgotten. */
const supersededRecent = 10;

export function decideRotation(
  family: Pick<FamilyEntry, 'generation' | 'superseded'>,
  presented: number,
  policy: RotationPolicy,
  now: number,
): RotationDecision {
  if (presented === family.generation) return 'rotate';
  if (presented > family.generation) return 'store_behind';

  const history = family.superseded ?? [];
  const doubtMs = Math.max(policy.graceMs, overlapMs) + skewMs;
  // It, or the first behind it that is remembered: it was superseded no later than that one.
  const place = history.findIndex((entry) => entry.generation >= presented);
  const { age, certain } = ageOf(history.slice(Math.max(place, 0)), now);
  // A guess would end a good session, so what is not remembered dies when even the one behind it is old.
  if (history[place]?.generation !== presented) {
    return history.length > 0 && (!certain || age < doubtMs) ? 'refuse' : 'reuse';
  }
  if (certain && age < policy.graceMs) return 'repeat';
  if (policy.graceMs === 0 && age < overlapMs) return 'refuse';
  // The response that carried the successor was lost: had it arrived, it would have been used, and
  // the family would have moved on by more than one.
  if (policy.confidential && presented === family.generation - 1) return 'repeat';
  // Nobody gets anything, and nobody dies by a clock that was wrong.
  return !certain || age < doubtMs ? 'refuse' : 'reuse';
}

/**
 * How long ago the first of these was superseded: at least by the largest rise from then until now.
 * Uncertain where a clock was set back since, so that nothing seems young again by that.
 */
function ageOf(history: readonly Superseded[], now: number): { age: number; certain: boolean } {
  let [earliest, latest] = [Infinity, -Infinity];
  let [age, setBack] = [0, 0];
  for (const at of [...history.map((entry) => entry.at), now]) {
    earliest = Math.min(earliest, at);
    latest = Math.max(latest, at);
    age = Math.max(age, at - earliest);
    setBack = Math.max(setBack, latest - at);
  }
  return { age, certain: setBack <= skewMs };
}

/** The family after its present generation was superseded. */
export function supersede(
  current: { generation: number; superseded?: Superseded[] },
  now: number,
): { generation: number; superseded: Superseded[] } {
  const superseded = [...(current.superseded ?? []), { generation: current.generation, at: now }];
  return { generation: current.generation + 1, superseded: thin(superseded) };
}

/** Over the limit, every second one of the older half goes. */
function thin(history: Superseded[]): Superseded[] {
  if (history.length <= supersededMax) return history;
  const older = history.length - supersededRecent;
  return history.filter((_entry, index) => index >= older || index % 2 === 0);
}
