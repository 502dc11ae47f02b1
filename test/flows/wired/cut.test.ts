/**
 * Every story, with the connection to the store lost at each of its requests in turn: before the server got it, or
 * when it had done it and was about to answer. Clients hear a success or that they should come again, and what
 * they do again is harmless.
 */

import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startMortalWorld } from '../../kit/mortal_world.ts';
import type { MortalWorld } from '../../kit/mortal_world.ts';
import type { Cut, Proxy } from '../../kit/proxy.ts';
import { makeWiredPlace, serversOf } from '../../kit/wires.ts';
import type { WiredPlace } from '../../kit/wires.ts';
import { presentStore } from '../../kit/places.ts';
import { faultStories, NotYet } from '../fault_stories.ts';
import type { Story } from '../fault_stories.ts';

const attemptsMax = 3;
const longestStory = 200;
const longestMs = 120_000;
const told = ['a code is redeemed', 'a token is refreshed', 'somebody new signs in'].concat([
  'somebody signs out',
]);

let place: WiredPlace;
let world: MortalWorld;

beforeAll(async () => {
  place = await makeWiredPlace();
  world = await startMortalWorld({ registration: 'open' }, Date.now, (clock) => place.open(clock));
}, longestMs);

afterAll(async () => {
  await world?.close();
  await place?.discard();
});

/** @returns whether the story was long enough for its n-th request to be cut */
async function tell<S>(story: Story<S>, proxy: Proxy, cut: Cut): Promise<boolean> {
  const state = await story.prepare();
  world.answers.length = 0;
  proxy.cutAt(cut);
  let done = await attempt(story, state);
  const met = proxy.wasCut;
  proxy.cutAt(undefined);
  for (let again = 1; done !== undefined && again < attemptsMax; again += 1) {
    if (story.afterWorkers === true) await world.server().dispatcher.drain();
    done = await attempt(story, state);
  }
  expect(done, `the ${cut.at}th request`).toBe(undefined);
  for (const { path, status, retryAfter } of world.answers) {
    if (status >= 500) expect({ path, status, retryAfter }).toMatchObject({ status: 503 });
    if (status >= 500) expect(retryAfter).toMatch(/^\d+$/);
  }
  await story.told(state, met && cut.mode === 'after');
  await world.server().dispatcher.drain();
  await story.settled?.(state);
  expect(await world.store.pending(10)).toEqual([]);
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

const ends = serversOf(presentStore());

function play<S>(story: Story<S>): void {
  if (!told.includes(story.name)) return;
  describe(story.name, () => {
    for (const to of ends) {
      for (const mode of ['before', 'after'] as const) {
        const how = mode === 'before' ? 'before it arrives' : 'before it is answered';
        test(`each request to ${to} in turn is cut ${how}`, { timeout: longestMs }, async () => {
          const proxy = place.wires.find((wire) => wire.to === to)?.proxy;
          if (proxy === undefined) throw new Error(`no wire to ${to}`);
          let at = 1;
          while (await tell(story, proxy, { at, mode })) {
            at += 1;
            expect(at).toBeLessThan(longestStory);
          }
          process.stderr.write(`\n${story.name}: ${at - 1} requests to ${to} were cut\n`);
        });
      }
    }
  });
}

faultStories(() => world, play);
