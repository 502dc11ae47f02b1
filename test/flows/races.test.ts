/** What happens at once, in one process. `cluster.test.ts` plays the same in two. */

import { afterAll, beforeAll, describe } from 'vitest';
import { startWorld } from '../kit/world.ts';
import type { World } from '../kit/world.ts';
import { raceStories } from './race_stories.ts';

let world: World;

beforeAll(async () => {
  world = await startWorld();
});

afterAll(() => world.close());

describe('races in one process', () => {
  raceStories(() => world);
});
