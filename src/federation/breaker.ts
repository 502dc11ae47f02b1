/**
 * A provider that does not answer must not be waited for again and again. After a few requests in a row
 * without any answer, it is left alone for a while; then one request tries. An answer, whatever it
 * says, counts as life: else a stranger who sends bad codes could shut a provider for everybody.
 */

import type { Clock } from '../base/clock.ts';
import type { Fetch } from './upstream.ts';

export class ProviderPaused extends Error {
  readonly retryAfterSeconds: number;

  constructor(forMs: number) {
    super('the provider did not answer lately, and is left alone');
    this.name = 'ProviderPaused';
    this.retryAfterSeconds = Math.max(1, Math.ceil(forMs / 1000));
  }
}

/** Marks a request that nobody answered: refused, broken off, too slow, too large. */
export class Unanswered extends Error {
  constructor(cause: unknown) {
    super('the provider did not answer', { cause });
    this.name = 'Unanswered';
  }
}

export interface Breaker {
  /** @throws {ProviderPaused} where a request would be refused without being sent */
  check(): void;
  fetch: Fetch;
}

const failuresToPause = 3;
const pauseMs = 30_000;
const maximumInFlight = 64;

export function createBreaker(deps: { fetch: Fetch; clock: Clock }): Breaker {
  let failures = 0;
  let pausedUntil = 0;
  let inFlight = 0;

  const check = () => {
    const left = pausedUntil - deps.clock();
    if (failures >= failuresToPause && left > 0) throw new ProviderPaused(left);
    if (inFlight >= maximumInFlight) throw new ProviderPaused(1000);
  };

  return {
    check,
    async fetch(url, init) {
      check();
      // The one that tries after a pause keeps the others waiting until it knows.
      if (failures >= failuresToPause) pausedUntil = deps.clock() + pauseMs;
      inFlight += 1;
      try {
        const response = await deps.fetch(url, init);
        failures = 0;
        return response;
      } catch (error) {
        failures += 1;
        pausedUntil = deps.clock() + pauseMs;
        throw new Unanswered(error);
      } finally {
        inFlight -= 1;
      }
    },
  };
}

/**
 * Bounds a whole exchange of several requests.
 * @throws {Unanswered} after `ms`, whatever `work` does
 */
export async function within<T>(
  ms: number,
  fetch: Fetch,
  work: (fetch: Fetch) => Promise<T>,
): Promise<T> {
  const controller = new AbortController();
  const { promise: over, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => {
    const reason = new Unanswered(new Error(`not done within ${ms} ms`));
    controller.abort(reason);
    reject(reason);
  }, ms);
  const bounded: Fetch = (url, init = {}) => {
    const signals = [controller.signal, ...(init.signal ? [init.signal] : [])];
    return fetch(url, { ...init, signal: AbortSignal.any(signals) });
  };
  try {
    return await Promise.race([work(bounded), over]);
  } finally {
    clearTimeout(timer);
  }
}
