/**
 * What the store is asked, with patience: a primary that steps down, a connection that is cut and a
 * server that restarts are waited out. Every call may be repeated as a whole.
 */

import { setTimeout as delay } from 'node:timers/promises';
import { closedProblem } from '../store.ts';
import { explain, passes } from './failure.ts';

const attemptsMax = 12;
const shortestDelay = 20;
const longestDelay = 1000;

export class Calls {
  readonly #longestWait: number;
  readonly #underWay = new Set<Promise<unknown>>();
  #closed = false;

  /** @param longestWait after so many milliseconds nothing is begun again */
  constructor(longestWait: number) {
    this.#longestWait = longestWait;
  }

  /** @throws {Problem} `store_closed`, or what has not passed while it was waited for */
  async run<T>(operation: () => Promise<T>): Promise<T> {
    if (this.#closed) throw closedProblem();
    const answer = this.#patiently(operation, this.#longestWait);
    this.#underWay.add(answer);
    try {
      return await answer;
    } finally {
      this.#underWay.delete(answer);
    }
  }

  /** For readiness: whoever asks wants to know how it is now. */
  async once<T>(operation: () => Promise<T>): Promise<T> {
    if (this.#closed) throw closedProblem();
    return this.#patiently(operation, 0);
  }

  /** Nothing is begun any more. @returns when all that is under way has ended, well or badly */
  async close(): Promise<void> {
    this.#closed = true;
    await Promise.allSettled(this.#underWay);
  }

  async #patiently<T>(operation: () => Promise<T>, longestWait: number): Promise<T> {
    const giveUpAt = performance.now() + longestWait;
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await operation();
      } catch (error) {
        const late = attempt >= attemptsMax || performance.now() >= giveUpAt;
        if (late || !passes(error)) throw explain(error);
      }
      await delay(backoffDelay(attempt));
    }
  }
}

/** Doubling, with jitter, so that those who lost the same server do not come back in step. */
function backoffDelay(attempt: number): number {
  return Math.min(longestDelay, shortestDelay * 2 ** attempt) * (0.5 + Math.random());
}
