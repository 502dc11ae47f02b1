/**
 * What is lost when a Redis master is killed under load: writes that were acknowledged, and that the new
 * master does not have. `node bench/redis_failover.ts`. It starts its own Redis and Sentinels.
 */

import { setTimeout as delay } from 'node:timers/promises';
import { openRedis } from '../src/storage/redis.ts';
import type { Store } from '../src/storage/store.ts';
import { event, grant } from '../test/conformance/samples.ts';
import { startSentinel } from '../test/kit/redis.ts';

const lanes = 32;
const loadMs = 2000;
const longestMs = 30_000;
/** As large as a grant mostly is. */
const payload = { text: 'x'.repeat(2000) };

interface Story {
  name: string;
  wait: number;
  /** How long the replicas have taken in nothing when the master dies. */
  behindMs: number;
  withEvents: boolean;
  /** The master says nothing any more, instead of being gone. */
  hangs?: boolean;
}

const stories: Story[] = [];
for (const behindMs of [0, 1000]) {
  stories.push(
    { name: 'no events', wait: 0, behindMs, withEvents: false },
    { name: 'with events, wait=0', wait: 0, behindMs, withEvents: true },
    { name: 'with events, wait=1', wait: 1, behindMs, withEvents: true },
  );
}
stories.push({ name: 'the master hangs', wait: 1, behindMs: 0, withEvents: true, hangs: true });

interface Load {
  acknowledged: string[];
  /** When the last write was acknowledged before `killedAt`, and the first one after. */
  outageMs: number;
  refused: number;
}

async function load(store: Store, { withEvents }: Story, kill: () => Promise<void>): Promise<Load> {
  const acknowledged: string[] = [];
  let refused = 0;
  let killedAt: number | undefined;
  let outageMs = 0;
  let stopped = false;
  const lane = async (name: number) => {
    for (let number = 0; !stopped; number += 1) {
      const id = `${name}-${number}`;
      const events = withEvents ? [event(id)] : [];
      try {
        await store.write('grant', id, grant({ user: `u${name}`, payload }), {
          expect: 'any',
          events,
        });
        if (killedAt === undefined) acknowledged.push(id);
        else if (outageMs === 0) outageMs = performance.now() - killedAt;
      } catch {
        refused += 1;
        await delay(20);
      }
    }
  };
  const running = Array.from({ length: lanes }, (_, number) => lane(number));
  await delay(loadMs);
  await kill();
  killedAt = performance.now();
  const giveUpAt = killedAt + longestMs;
  while (outageMs === 0 && performance.now() < giveUpAt) await delay(10);
  stopped = true;
  await Promise.all(running);
  return { acknowledged, outageMs, refused };
}

async function play(story: Story): Promise<void> {
  const settings = { appendonly: 'yes', appendfsync: 'everysec' };
  // Two replicas, so that one is left to wait for after the failover.
  const { address, servers, stop } = await startSentinel({ replicas: 2, settings });
  const joint = `?wait=${story.wait}`;
  const store = await openRedis({ address: `${address}${joint}`, clock: Date.now });
  const [master, ...replicas] = servers;
  const result = await load(store, story, async () => {
    for (const replica of story.behindMs > 0 ? replicas : []) replica.pause();
    await delay(story.behindMs);
    if (story.hangs === true) master?.pause();
    else await master?.kill();
    for (const replica of replicas) replica.resume();
  });
  let missing = 0;
  for (const id of result.acknowledged) {
    if ((await store.get('grant', id)) === undefined) missing += 1;
  }
  console.log(
    `${story.name.padEnd(20)} replicas ${String(story.behindMs).padStart(4)} ms behind: ` +
      `${result.acknowledged.length} acknowledged, ${missing} of them lost, ` +
      `${result.refused} refused, writes went on after ${Math.round(result.outageMs)} ms`,
  );
  await store.close();
  await stop();
}

for (const story of stories) await play(story);
