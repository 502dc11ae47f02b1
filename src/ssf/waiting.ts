/** Polls that wait for something to happen (RFC 8936 §2.4): for so long, and so many of them, and no more. */

import { setTimeout } from 'node:timers/promises';

export interface WaitingOptions {
  /** The process ends: nobody is to be kept waiting. */
  stopping(): boolean;
  longestMs?: number;
  mostInAll?: number;
  mostOfOne?: number;
}

export interface Waiting {
  /**
   * Asks again and again whether there is something.
   * @returns when there is, when it took too long, when the caller went away, or at once where too many wait
   */
  until(who: string, signal: AbortSignal, isThere: () => Promise<boolean>): Promise<void>;
}

/** Each asks the store about so often; the more of them wait, the less often. */
const pauseMs = 200;
const pausePerWaiterMs = 10;

export function createWaiting({
  stopping,
  longestMs = 25_000,
  mostInAll = 200,
  mostOfOne = 4,
}: WaitingOptions): Waiting {
  const counts = new Map<string, number>();
  let all = 0;

  const count = (who: string, by: 1 | -1) => {
    all += by;
    const next = (counts.get(who) ?? 0) + by;
    if (next === 0) counts.delete(who);
    else counts.set(who, next);
  };

  return {
    async until(who, signal, isThere) {
      if (all >= mostInAll || (counts.get(who) ?? 0) >= mostOfOne) return;
      // By a clock that nobody sets.
      const end = performance.now() + longestMs;
      count(who, 1);
      try {
        while (performance.now() < end && !signal.aborted && !stopping()) {
          await setTimeout(pauseMs + pausePerWaiterMs * all, undefined, { signal }).catch(
            () => undefined,
          );
          if (signal.aborted || (await isThere())) return;
        }
      } finally {
        count(who, -1);
      }
    },
  };
}
