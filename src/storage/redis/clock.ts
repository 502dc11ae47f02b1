/**
 * Redis' clock, estimated: read once, and counted on by this process' own monotonic one. Marks are made by
 * it, and refused by the script that writes when they are old by the server's own clock. So a process that
 * hung, or whose machine slept, between adding its entries and writing the document starts over.
 */

import { randomToken } from '../../base/ids.ts';
import { sortable } from './keys.ts';

/**
 * Entries that no document names are removed when they are this old, in microseconds. The script refuses
 * marks of a twentieth of it (`latestUs`), so the clocks of a cluster's nodes may differ by minutes.
 */
export const staleUs = 10 * 60 * 1_000_000;
export const latestUs = 30 * 1_000_000;

export class ServerClock {
  readonly #elapsed: () => number;
  #offsetUs = 0;
  #last = 0;

  /** @param elapsed milliseconds of a clock that only goes forward */
  constructor(elapsed: () => number = () => performance.now()) {
    this.#elapsed = elapsed;
  }

  now(): number {
    return Math.trunc(this.#elapsed() * 1000 + this.#offsetUs);
  }

  /** @param serverUs what a server's clock says now */
  set(serverUs: number): void {
    this.#offsetUs = serverUs - this.#elapsed() * 1000;
    this.#last = 0;
  }

  /** Behind every other mark of this process, and behind `behindUs`. */
  mark(behindUs = 0): string {
    this.#last = Math.max(this.#last + 1, behindUs + 1, this.now());
    return `${sortable(this.#last)}${randomToken(9)}`;
  }
}
