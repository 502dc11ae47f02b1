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
    expect(decideRotation(family(0), 1, browser, 30 * second)).toBe('reuse');
    expect(decideRotation(family(0, 40 * second), 1, browser, 41 * second)).toBe('reuse');
  });

  test('T34 one behind, much later, from a confidential client: its response was lost', () => {
    expect(decideRotation(family(0), 1, server, 9999 * second)).toBe('repeat');
    expect(decideRotation(family(0, 40 * second), 1, server, 9999 * second)).toBe('reuse');
  });

  test('without a grace a loser of a race is refused, and nothing dies', () => {
    expect(decideRotation(family(0), 1, strict, 4 * second)).toBe('refuse');
    expect(decideRotation(family(0), 1, strict, 5 * second)).toBe('reuse');
  });

  test('T53 a generation that was never reached: the store has lost something', () => {
    expect(decideRotation(family(0), 3, browser, 0)).toBe('store_behind');
    expect(decideRotation(family(), 2, server, 0)).toBe('store_behind');
  });

  test('a burst longer than the memory of a family ends nobody by a guess', () => {
    const burst = family(...Array.from({ length: 60 }, (_, index) => index));
    expect(burst.superseded).toHaveLength(20);
    expect(decideRotation(burst, 1, browser, 10 * second)).toBe('refuse');
    expect(decideRotation(burst, 1, browser, 31 * second)).toBe('reuse');
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
