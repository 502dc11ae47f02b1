/** For stories in which the process is killed again and again, at points that a seed decides. */

import { setTimeout as delay } from 'node:timers/promises';
import { configSchema } from '../../src/config.ts';
import { createServer } from '../../src/server.ts';
import type { Server } from '../../src/server.ts';
import type { Store } from '../../src/storage/store.ts';
import { recordingLog } from './server.ts';
import type { Cluster } from './spawn.ts';

/** From 0 to 1, the same row for the same seed (mulberry32). */
export function seededRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** `CRASH_SEED` repeats a run; it is printed with the numbers of each. */
export function newSeed(): number {
  const given = Number(process.env.CRASH_SEED);
  return Number.isSafeInteger(given) && given > 0 ? given : Date.now() % 1_000_000_000;
}

export interface Killer {
  readonly kills: number;
  /** Whether a kill fell between this moment and the one at which the answer was asked for. */
  watch(): () => boolean;
  /** Ends the process as a power cut would, after a moment, and starts it anew on the same store. */
  strike(): Promise<void>;
  /** Again once the process is there, until `attempt` gives something. Never for longer than a minute. */
  persist<T>(attempt: () => Promise<T | undefined>): Promise<T>;
}

const longestPersistenceMs = 60_000;

export function createKiller(cluster: Cluster, random: () => number): Killer {
  let kills = 0;
  let striking = 0;
  /** Resolves when the process that was struck is there again. */
  let back = Promise.resolve();

  async function replace(): Promise<void> {
    const [member] = cluster.members;
    striking += 1;
    kills += 1;
    member?.kill();
    await member?.stopped;
    await cluster.restart(0);
    striking -= 1;
  }

  return {
    get kills() {
      return kills;
    },
    watch() {
      const before = kills;
      const during = striking > 0;
      return () => during || striking > 0 || kills > before;
    },
    async strike() {
      // Long enough for a request to come to any of its steps.
      await delay(random() * 12);
      await (back = replace());
    },
    async persist(attempt) {
      const end = Date.now() + longestPersistenceMs;
      while (Date.now() < end) {
        const result = await attempt().catch(() => undefined);
        if (result !== undefined) return result;
        // It may be known here before it is known there that the process is gone.
        await delay(5);
        await back;
      }
      throw new Error(`no answer in ${longestPersistenceMs} ms`);
    },
  };
}

/** What is in the store when all processes are dead, after what they left has been done. */
export async function examine(
  cluster: Cluster,
  look: (store: Store, server: Server) => Promise<void>,
): Promise<void> {
  for (const { kill, stopped } of cluster.members) {
    kill();
    await stopped;
  }
  const log = recordingLog();
  const config = configSchema.parse(cluster.config);
  const store = await cluster.place.open(Date.now, log);
  const server = await createServer({ config, store, clock: Date.now, log });
  try {
    await server.dispatcher.drain();
    await look(store, server);
  } finally {
    await server.stop();
    await store.close();
  }
}
