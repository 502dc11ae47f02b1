/**
 * Whether a claim of somebody else is over. Its end is a time by the other's clock, which may be wrong; so the same
 * claim must also have been seen for as long as a request takes, by a clock that nobody sets. A sender begins no
 * request with a claim that it wrote longer ago than `freshMs`; so nobody is at it then, unless he was frozen.
 */

import type { Clock } from '../base/clock.ts';
import type { Delivery } from './deliveries.ts';

export interface ClaimsOptions {
  clock: Clock;
  owner: string;
  claimMs: number;
  /** `freshMs` and the longest request, and a little more. */
  observeMs: number;
}

const mostObserved = 10_000;

export class Claims {
  readonly #options: ClaimsOptions;
  readonly #seen = new Map<string, { version: number; at: number }>();

  constructor(options: ClaimsOptions) {
    this.#options = options;
  }

  /** Whether somebody else may be at it. */
  isForeign(delivery: Delivery): boolean {
    const { claim } = delivery.document;
    return claim !== undefined && claim.owner !== this.#options.owner && !this.#isOver(delivery);
  }

  #isOver({ id, version, document: { claim } }: Delivery): boolean {
    const { clock, claimMs, observeMs } = this.#options;
    const left = (claim?.until ?? 0) - clock();
    // From a clock that is far ahead, it would be for ever.
    if (left > 0 && left <= 2 * claimMs) return false;
    const now = performance.now();
    const seen = this.#seen.get(id);
    if (seen?.version === version) return now - seen.at >= observeMs;
    this.#seen.delete(id);
    this.#seen.set(id, { version, at: now });
    for (const oldest of this.#seen.keys()) {
      if (this.#seen.size <= mostObserved) break;
      this.#seen.delete(oldest);
    }
    return observeMs <= 0;
  }
}
