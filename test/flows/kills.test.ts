/** O-1 in short; `npm run bench -- kills` plays it for as long as is wanted. */

import { expect, test } from 'vitest';
import { newSeed } from '../kit/crashes.ts';
import { playKills } from '../kit/kills.ts';
import { rounds } from '../kit/places.ts';

const longestMs = 400_000;
const kills = rounds(20);

test(
  'O-1 `kill -9` of revoke and deliver: what was acknowledged arrives, and nothing else',
  { timeout: longestMs },
  async () => {
    const seed = newSeed();
    const report = await playKills({ kills, seed });
    process.stderr.write(`\nseed ${seed}: ${JSON.stringify(report)}\n`);
    expect(report.wrong).toEqual([]);
    expect(report.kills).toBe(kills);
    expect(report.committed).toBe(report.acknowledged);
    for (const { deliveries } of Object.values(report.arrived)) {
      expect(deliveries).toBeGreaterThanOrEqual(report.acknowledged);
    }
  },
);
