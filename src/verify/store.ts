/**
 * Where rules and the ids of events are kept: in this process, or in a store that the caller's processes
 * share. Values are short texts that may be lost after their time, and must not be before.
 */

import { VerifyError } from './errors.ts';
import { within } from './runtime.ts';
import type { Warn } from './warnings.ts';

export interface DenylistStore {
  /** Replaces what is there. */
  set(key: string, value: string, ttlSeconds: number): unknown;
  /** In the order of the keys; `undefined` or `null` where there is nothing. */
  getMany(
    keys: readonly string[],
  ): readonly (string | null | undefined)[] | Promise<readonly (string | null | undefined)[]>;
}

/** A caller's store that hangs must not hang the service. */
const limitMs = 2000;

/**
 * Bounded: when it is full, the oldest entry goes. For a rule that means: what it denied is good
 * again until it expires.
 */
export class MemoryStore implements DenylistStore {
  readonly #entries = new Map<string, { value: string; until: number }>();
  readonly #maximum: number;
  readonly #now: () => number;
  readonly #full: () => void;

  /**
   * @param now milliseconds since the epoch
   * @param full called for each entry that goes before its time
   */
  constructor(maximum: number, now: () => number, full: () => void = () => undefined) {
    this.#maximum = maximum;
    this.#now = now;
    this.#full = full;
  }

  set(key: string, value: string, ttlSeconds: number): void {
    const now = this.#now();
    // To the end of the order: the oldest are at its beginning.
    this.#entries.delete(key);
    this.#entries.set(key, { value, until: now + ttlSeconds * 1000 });
    for (const [oldest, { until }] of this.#entries) {
      const over = until <= now;
      if (!over && this.#entries.size <= this.#maximum) break;
      this.#entries.delete(oldest);
      if (!over) this.#full();
    }
  }

  getMany(keys: readonly string[]): (string | undefined)[] {
    const now = this.#now();
    return keys.map((key) => {
      const entry = this.#entries.get(key);
      return entry !== undefined && entry.until > now ? entry.value : undefined;
    });
  }

  get size(): number {
    return this.#entries.size;
  }
}

/** A store with one way to fail. */
export interface SafeStore {
  /** @throws {VerifyError} `deny_unavailable` */
  set(key: string, value: string, ttlSeconds: number): Promise<void>;
  /** @throws {VerifyError} `deny_unavailable` */
  getMany(keys: readonly string[]): Promise<readonly (string | null | undefined)[]>;
}

export function safeStore(store: DenylistStore, warn: Warn): SafeStore {
  async function safely<T>(work: () => T | Promise<T>): Promise<T> {
    try {
      return await within(limitMs, work());
    } catch (cause) {
      warn('deny_unavailable', 'The store of the denylist failed.', cause);
      throw new VerifyError('deny_unavailable', { cause });
    }
  }
  return {
    set: (key, value, ttlSeconds) =>
      safely(async () => {
        await store.set(key, value, ttlSeconds);
      }),
    getMany: (keys) =>
      safely(async () => {
        const values = await store.getMany(keys);
        if (values.length !== keys.length) throw new Error('getMany: one value for each key');
        return values;
      }),
  };
}
