/** What may have an effect once: ids of events, of logout tokens, of DPoP proofs. */

import type { SafeStore } from './store.ts';

export class Seen {
  readonly #store: SafeStore;
  /** Those that are being looked up: two at the same instant are not both the first. */
  readonly #asked = new Set<string>();

  constructor(store: SafeStore) {
    this.#store = store;
  }

  /** @throws {VerifyError} `deny_unavailable` */
  async has(id: readonly string[]): Promise<boolean> {
    const [value] = await this.#store.getMany([nameOf(id)]);
    return typeof value === 'string';
  }

  /** @throws {VerifyError} `deny_unavailable` */
  async add(id: readonly string[], ttlSeconds: number): Promise<void> {
    await this.#store.set(nameOf(id), '1', Math.ceil(ttlSeconds));
  }

  /**
   * Whether it is the first time, which it then was.
   * @throws {VerifyError} `deny_unavailable`
   */
  async first(id: readonly string[], ttlSeconds: number): Promise<boolean> {
    const name = nameOf(id);
    if (this.#asked.has(name)) return false;
    this.#asked.add(name);
    try {
      if (await this.has(id)) return false;
      await this.add(id, ttlSeconds);
      return true;
    } finally {
      this.#asked.delete(name);
    }
  }
}

function nameOf(id: readonly string[]): string {
  return `tollgate:seen:${JSON.stringify(id)}`;
}
