import { describe, expect, test } from 'vitest';
import fc from 'fast-check';
import type { FamilyEntry } from '../../src/storage/documents.ts';
import { decideRotation, supersede } from '../../src/oidc/rotation.ts';

const second = 1000;
const browser = { graceMs: 30 * second, confidential: false };
const server = { graceMs: 30 * second, confidential: true };
const strict = { graceMs: 0, confidential: false };

/** A family that was rotated at these times. */
function family(...rotatedAt: number[]): FamilyEntry {
  let state: Pick<FamilyEntry, 'generation' | 'superseded'> = { generation: 1 };
  for (const at of rotatedAt) state = supersede(state, at);
  return { payload: {}, expiresAt: Infinity, ...state };
}

describe('what a presented refresh token comes to', () => {
  test('the present generation goes to the next', () => {
    expect(decideRotation(family(), 1, browser, 0)).toBe('rotate');
    expect(decideRotation(family(0), 2, browser, 99 * second)).toBe('rotate');
  });

  test('T50 superseded within the grace: the present one again, two steps behind as well', () => {
    expect(decideRotation(family(0), 1, browser, 29 * second)).toBe('repeat');
    expect(decideRotation(family(0, 1 * second), 1, browser, 20 * second)).toBe('repeat');
  });

  test('T50 superseded longer ago than the grace: stolen', () => {
    expect(decideRotation(family(0), 1, browser, 90 * second)).toBe('reuse');
    expect(decideRotation(family(0, 90 * second), 1, browser, 91 * second)).toBe('reuse');
  });

  test('T76 after the grace, by no more than clocks differ: nobody gets anything, nobody dies', () => {
    expect(decideRotation(family(0), 1, browser, 30 * second)).toBe('refuse');
    expect(decideRotation(family(0), 1, browser, 89 * second)).toBe('refuse');
    expect(decideRotation(family(0, 40 * second), 1, browser, 41 * second)).toBe('refuse');
  });

  test('T76 superseded by a process that is a minute ahead, or half a minute: a second tab still', () => {
    for (const ahead of [30 * second, 60 * second]) {
      expect(decideRotation(family(ahead), 1, browser, 0)).toBe('repeat');
      expect(decideRotation(family(0, ahead), 1, browser, 1 * second)).not.toBe('reuse');
    }
  });

  test('R-4 a clock that is set back by ten minutes makes no old token good again, and kills nobody', () => {
    const before = 1_000_000 * second;
    const back = before - 600 * second;
    // Five minutes between the two: the first is old, whatever the clock says.
    const old = family(before - 300 * second, before);
    for (const later of [0, 60, 300, 590, 610, 640]) {
      const now = back + later * second;
      expect(decideRotation(old, 1, browser, now), `${later} s later`).not.toBe('repeat');
    }
    // The one before the present: nobody can tell, so nobody gets anything.
    expect(decideRotation(old, 2, browser, back)).toBe('refuse');
    expect(decideRotation(old, 3, browser, back)).toBe('rotate');
    // What was superseded since is as young as it is.
    const since = family(before, back + 5 * second);
    expect(decideRotation(since, 2, browser, back + 6 * second)).toBe('repeat');
    expect(decideRotation(since, 1, browser, back + 6 * second)).toBe('refuse');
  });

  test('T34 one behind, much later, from a confidential client: its response was lost', () => {
    expect(decideRotation(family(0), 1, server, 9999 * second)).toBe('repeat');
    expect(decideRotation(family(0, 40 * second), 1, server, 9999 * second)).toBe('reuse');
  });

  test('without a grace a loser of a race is refused, and nothing dies', () => {
    expect(decideRotation(family(0), 1, strict, 4 * second)).toBe('refuse');
    expect(decideRotation(family(0), 1, strict, 64 * second)).toBe('refuse');
    expect(decideRotation(family(0), 1, strict, 65 * second)).toBe('reuse');
  });

  test('T53 a generation that was never reached: the store has lost something', () => {
    expect(decideRotation(family(0), 3, browser, 0)).toBe('store_behind');
    expect(decideRotation(family(), 2, server, 0)).toBe('store_behind');
  });

  test('a burst longer than the memory of a family ends nobody by a guess', () => {
    const burst = family(...Array.from({ length: 60 }, (_, index) => index));
    expect(burst.superseded?.length).toBeLessThanOrEqual(20);
    const remembered = new Set(burst.superseded?.map((entry) => entry.generation));
    for (let generation = 1; generation <= 60; generation += 1) {
      const decision = decideRotation(burst, generation, browser, 10 * second);
      expect(decision).toBe(remembered.has(generation) ? 'repeat' : 'refuse');
    }
    expect(decideRotation(burst, 1, browser, (40 + 90) * second)).toBe('reuse');
  });

  test('T50 a thief in a hurry does not make the rest forgotten', () => {
    const every = 4 * second;
    const rotations = 220;
    const hurried = family(...Array.from({ length: rotations }, (_, index) => index * every));
    for (const owner of [1, 2, 3, 50, 100, 150]) {
      expect(decideRotation(hurried, owner, browser, rotations * every), `${owner}`).toBe('reuse');
    }
  });

  test('R-7 whatever owner and thief do, a token two generations old and out of grace is never honoured', () => {
    const gaps = fc.array(fc.integer({ min: 0, max: 100 * second }), {
      minLength: 2,
      maxLength: 30,
    });
    fc.assert(
      fc.property(
        gaps,
        fc.nat(),
        fc.nat(200 * second),
        fc.boolean(),
        (steps, pick, wait, confidential) => {
          let now = 0;
          const times = steps.map((gap) => (now += gap));
          const state = family(...times);
          const presented = 1 + (pick % (steps.length - 1));
          const later = now + wait;
          const decision = decideRotation(
            state,
            presented,
            { graceMs: 30 * second, confidential },
            later,
          );
          const supersededAt = times[presented - 1] ?? 0;
          if (later - supersededAt >= 30 * second) expect(['refuse', 'reuse']).toContain(decision);
          else expect(['repeat', 'refuse']).toContain(decision);
        },
      ),
    );
  });
});
