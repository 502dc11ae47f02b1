/**
 * Every story, with each of its writes failing in turn: the write did not happen, or it happened and its
 * answer was lost; the process died there, or it lives on. Then the client tries again, as clients do.
 * It must come to the right end, nothing may be half-written or lost, and nothing that was answered with
 * success may be untrue.
 */

import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startMortalWorld } from '../kit/mortal_world.ts';
import type { MortalWorld } from '../kit/mortal_world.ts';
import { writesToStopAt } from '../kit/places.ts';
import { faultStories, NotYet } from './fault_stories.ts';
import type { Story } from './fault_stories.ts';

const attemptsMax = 3;
const longestStory = 60;
const longestMs = 60_000;

let world: MortalWorld;

beforeAll(async () => {
  world = await startMortalWorld({ registration: 'open' });
});

afterAll(() => world?.close());

const faults = (['before', 'after'] as const).flatMap((mode) =>
  [true, false].map((dies) => ({ mode, dies })),
);

/** @returns whether the story was long enough for its k-th write to fail */
async function tell<S>(story: Story<S>, k: number, mode: 'before' | 'after', dies: boolean) {
  const { store } = world;
  const state = await story.prepare();
  let met = false;
  const onStop = () => {
    met = true;
    if (!dies) store.revive();
  };
  store.revive({ stopAfterWrites: k, mode, onStop });
  let done = await attempt(story, state);
  store.revive();
  if (met && dies) await world.restart();
  for (let again = 1; done !== undefined && again < attemptsMax; again += 1) {
    if (story.afterWorkers === true) await world.server().dispatcher.drain();
    done = await attempt(story, state);
  }
  expect(done, `the ${k}th write`).toBe(undefined);
  await story.told(state, met && mode === 'after');
  await world.server().dispatcher.drain();
  await story.settled?.(state);
  expect(await store.pending(10)).toEqual([]);
  return met;
}

/** @returns why the client has to try again */
async function attempt<S>(story: Story<S>, state: S): Promise<string | undefined> {
  try {
    await story.act(state);
    return undefined;
  } catch (error) {
    if (error instanceof NotYet) return error.message;
    throw error;
  }
}

function play<S>(story: Story<S>): void {
  describe(story.name, () => {
    for (const { mode, dies } of faults) {
      const how = mode === 'before' ? 'does not happen' : 'happens and its answer is lost';
      test(
        `each write in turn ${how}, and the process ${dies ? 'dies' : 'lives on'}`,
        { timeout: longestMs },
        async () => {
          const { first, step } = writesToStopAt();
          let k = first;
          while (await tell(story, k, mode, dies)) {
            k += step;
            expect(k).toBeLessThan(longestStory);
          }
          // The story was cut at its writes, and at one at least where it has one at which to stop.
          if (first === 1) expect(k).toBeGreaterThan(1);
        },
      );
    }
  });
}

faultStories(() => world, play);
