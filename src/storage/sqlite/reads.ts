/**
 * Point reads that are asked for in one tick share one read transaction, and with it the locks that
 * SQLite takes and gives back for each. It begins after all of them were asked for, so none of them
 * sees less than it would alone.
 */

import type { DatabaseSync } from 'node:sqlite';
import { explain, isBusy } from './failure.ts';
import { whenFree } from './waiting.ts';

interface Read {
  query: () => unknown;
  resolve: (value: unknown) => void;
  reject: (reason: unknown) => void;
}

export class Reads {
  readonly #database: DatabaseSync;
  readonly #longestWait: number;
  readonly #begin: () => void;
  readonly #end: () => void;
  #waiting: Read[] = [];

  constructor(database: DatabaseSync, longestWait: number) {
    this.#database = database;
    this.#longestWait = longestWait;
    const begin = database.prepare('BEGIN');
    const end = database.prepare('COMMIT');
    this.#begin = () => void begin.run();
    this.#end = () => void end.run();
  }

  get<T>(query: () => T): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      if (this.#waiting.length === 0) queueMicrotask(() => this.#run());
      this.#waiting.push({ query, resolve: (value) => resolve(value as T), reject });
    });
  }

  #run(): void {
    const reads = this.#waiting;
    this.#waiting = [];
    const together = reads.length > 1 && !this.#database.isTransaction && this.#tries(this.#begin);
    for (const read of reads) this.#one(read);
    if (together) this.#tries(this.#end);
  }

  /** Sharing saves time and no more: where it cannot be had, each read says itself what is wrong. */
  #tries(step: () => void): boolean {
    try {
      step();
      return true;
    } catch {
      return false;
    }
  }

  #one({ query, resolve, reject }: Read): void {
    try {
      resolve(query());
    } catch (error) {
      if (isBusy(error)) whenFree(query, this.#longestWait).then(resolve, reject);
      else reject(explain(error));
    }
  }
}
