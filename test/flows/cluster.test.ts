/** Two processes on one SQLite file, behind one address. Each connection goes to the next process. */

import { afterAll, beforeAll, describe } from 'vitest';
import { startCluster } from '../kit/spawn.ts';
import type { Cluster } from '../kit/spawn.ts';
import { raceStories } from './race_stories.ts';

let cluster: Cluster;

beforeAll(async () => {
  cluster = await startCluster({ processes: 2 });
}, 60_000);

afterAll(() => cluster?.close());

describe('races in two processes', () => {
  raceStories(() => cluster);
});
