/**
 * Notices that nothing comes any more. Tollgate sends a sign of life every few minutes, so silence means that
 * events are lost on their way, and that tokens are good until they expire. It looks when tokens
 * are checked and needs no timer: a service that checks none misses nothing.
 */

import type { Warn } from './warnings.ts';

export interface SilenceOptions {
  /** `Infinity`: nothing is expected. */
  limitSeconds: number;
  /** Milliseconds since the epoch. */
  now: () => number;
  warn: Warn;
}

export class Silence {
  readonly #options: SilenceOptions;
  #heardAt: number;
  #warned = false;

  constructor(options: SilenceOptions) {
    this.#options = options;
    this.#heardAt = options.now();
  }

  heard(): void {
    this.#heardAt = this.#options.now();
    this.#warned = false;
  }

  /** Warns once for each silence. */
  look(): void {
    const { limitSeconds, now, warn } = this.#options;
    if (this.#warned || now() - this.#heardAt <= limitSeconds * 1000) return;
    this.#warned = true;
    warn('stream_silent', `No event and no sign of life came for ${limitSeconds} seconds.`);
  }
}
