/**
 * Waiting for a lock that another process holds. SQLite's own `busy_timeout` would sleep inside the
 * call and with it stop the event loop, so it is 0 and the waiting is done here.
 */

import { setTimeout as delay } from 'node:timers/promises';
import { busyProblem, explain, isBusy } from './failure.ts';

/**
 * Short: a commit takes a fraction of a millisecond, and who sleeps longer loses every gap to who
 * does not.
 */
const longestDelay = 8;

/**
 * Milliseconds before the next attempt: doubling, with jitter so that processes do not march in
 * step.
 */
export function backoffDelay(attempt: number): number {
  return Math.min(longestDelay, 2 ** Math.min(attempt, 10)) * (0.5 + Math.random());
}

/**
 * Runs `attempt` until no other process is in its way. @throws {Problem} `store_busy`, or what
 * SQLite says
 */
export async function whenFree<T>(attempt: () => T, longestWait: number): Promise<T> {
  const giveUpAt = performance.now() + longestWait;
  for (let count = 0; ; count += 1) {
    try {
      return attempt();
    } catch (error) {
      if (!isBusy(error)) throw explain(error);
      if (performance.now() >= giveUpAt) throw busyProblem(error);
    }
    await delay(backoffDelay(count));
  }
}
