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
/** As many steps back are remembered; older ones are judged by the oldest. */
const supersededMax = 20;

export function decideRotation(
  family: Pick<FamilyEntry, 'generation' | 'superseded'>,
  presented: number,
  policy: RotationPolicy,
  now: number,
): RotationDecision {
  if (presented === family.generation) return 'rotate';
  if (presented > family.generation) return 'store_behind';

  const history = family.superseded ?? [];
  const known = history.find((entry) => entry.generation === presented);
  // What fell out of the list was superseded before the oldest that is in it; while even that one is
  // recent, an answer either way would be a guess, and a wrong guess would end a good session.
  if (known === undefined) {
    const oldest = history[0];
    const recent = oldest !== undefined && now - oldest.at < Math.max(policy.graceMs, overlapMs);
    return recent ? 'refuse' : 'reuse';
  }

  const age = now - known.at;
  if (age < policy.graceMs) return 'repeat';
  if (policy.graceMs === 0 && age < overlapMs) return 'refuse';
  // The response that carried the successor was lost: had it arrived, it would have been used, and
  // the family would have moved on by more than one.
  if (policy.confidential && presented === family.generation - 1) return 'repeat';
  return 'reuse';
}

/** The family after its present generation was superseded. */
export function supersede(
  current: { generation: number; superseded?: Superseded[] },
  now: number,
): { generation: number; superseded: Superseded[] } {
  return {
    generation: current.generation + 1,
    superseded: [
      ...(current.superseded ?? []).slice(-(supersededMax - 1)),
      { generation: current.generation, at: now },
    ],
  };
}
