/** O-1: `npm run bench -- kills --count 500`. What it plays and what must hold is in `test/kit/kills.ts`. */

import { newSeed } from '../test/kit/crashes.ts';
import { playKills } from '../test/kit/kills.ts';
import type { StoreName } from '../test/kit/store_names.ts';

/** @returns whether all held */
export async function playManyKills(
  storeName: StoreName,
  kills: number,
  seed = String(newSeed()),
): Promise<boolean> {
  // Where the kit of the tests looks.
  process.env.TOLLGATE_TEST_STORE = storeName;
  console.log(
    `Kills: ${kills} of one process that revokes and delivers, on ${storeName}, seed ${seed}.`,
  );
  const startedAt = performance.now();
  const report = await playKills({
    kills,
    seed: Number(seed),
    progress: (done) => console.log(`  ${done} kills`),
  });
  const minutes = (performance.now() - startedAt) / 60_000;
  console.log(`
  kills                    ${report.kills} in ${minutes.toFixed(1)} minutes
  revocations              ${report.acknowledged} acknowledged, after ${report.asked} requests; ${report.committed} in the store`);
  for (const [encoding, { events, deliveries, duplicates }] of Object.entries(report.arrived)) {
    const name = `arrived by ${encoding}`.padEnd(24);
    console.log(
      `  ${name} ${deliveries} deliveries of ${events} events, ${duplicates} of them again`,
    );
  }
  console.log(`  wrong                    ${report.wrong.length}`);
  for (const line of report.wrong.slice(0, 20)) console.log(`    ${line}`);
  return report.wrong.length === 0 && report.committed === report.acknowledged;
}
