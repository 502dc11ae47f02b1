/**
 * Group commit: changes that arrive together share one transaction and one fsync, and each keeps
 * its own outcome. A lone change waits for the end of the tick, never for a timer. Where changes come
 * thick and fast they are collected for a moment: an fsync blocks the event loop, and one for each
 * would be most of what a busy server does.
 */

import { Problem } from '../../base/errors.ts';
import type { Log } from '../../base/log.ts';
import type { DatabaseSync } from 'node:sqlite';
import { busyProblem, explain, isBusy, isFsyncFailure, isStoreFailure } from './failure.ts';
import { backoffDelay } from './waiting.ts';

/** Bounds how long one commit keeps the event loop: a change takes 10 to 50 microseconds. */
const largestBatch = 256;
const longestQueue = 20_000;
/** From so many changes in one window on, the next window's are collected. */
const busyChanges = 6;
const windowMs = 10;
const collectMs = 2;

interface Change {
  /** Runs inside the transaction. What it throws undoes this change alone. */
  apply: () => unknown;
  /** On disk before it is answered; a counter need not be. */
  durable: boolean;
  arrivedAt: number;
  resolve: (value: unknown) => void;
  reject: (reason: unknown) => void;
}

type Outcome = { change: Change; value: unknown } | { change: Change; error: unknown };

export interface CommitOptions {
  longestWait: number;
  log?: Log | undefined;
}

export class Commits {
  readonly #database: DatabaseSync;
  readonly #longestWait: number;
  readonly #log: Log | undefined;
  readonly #run: (sql: keyof typeof control) => void;
  #waiting: Change[] = [];
  #scheduled = false;
  #attempts = 0;
  #pace = { windowAt: 0, changes: 0, before: 0 };
  #durable = true;
  #failure: Problem | undefined;
  #whenIdle: (() => void) | undefined;

  constructor(database: DatabaseSync, { longestWait, log }: CommitOptions) {
    this.#database = database;
    this.#longestWait = longestWait;
    this.#log = log;
    const prepared = Object.fromEntries(
      Object.entries(control).map(([name, sql]) => [name, database.prepare(sql)]),
    );
    this.#run = (name) => void prepared[name]?.run();
  }

  /** Set once a restart is needed: nothing is written any more. */
  get failure(): Problem | undefined {
    return this.#failure;
  }

  /** @returns what `apply` returned, after the commit */
  submit<T>(apply: () => T, durable: boolean): Promise<T> {
    if (this.#failure !== undefined) return Promise.reject(this.#failure);
    if (this.#waiting.length >= longestQueue) return Promise.reject(busyProblem());
    return new Promise<T>((resolve, reject) => {
      const arrivedAt = performance.now();
      this.#count(arrivedAt);
      this.#waiting.push({
        apply,
        durable,
        arrivedAt,
        resolve: (value) => resolve(value as T),
        reject,
      });
      this.#schedule();
    });
  }

  /** Resolves when nothing waits any more. */
  idle(): Promise<void> {
    if (this.#waiting.length === 0) return Promise.resolve();
    return new Promise((resolve) => {
      this.#whenIdle = resolve;
    });
  }

  #schedule(delayMs?: number): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    const next = () => {
      this.#scheduled = false;
      this.#commit();
      if (this.#waiting.length > 0) this.#schedule();
      else this.#whenIdle?.();
    };
    if (delayMs !== undefined) setTimeout(next, delayMs);
    else if (this.#pace.before >= busyChanges) setTimeout(next, collectMs);
    else setImmediate(next);
  }

  /** Changes of this window and of the one before. */
  #count(now: number): void {
    const past = now - this.#pace.windowAt;
    if (past >= windowMs) {
      const before = past < 2 * windowMs ? this.#pace.changes : 0;
      this.#pace = { windowAt: now, changes: 0, before };
    }
    this.#pace.changes += 1;
  }

  #commit(): void {
    const batch = this.#waiting.slice(0, largestBatch);
    try {
      this.#synchronous(batch.some((change) => change.durable));
      this.#run('begin');
    } catch (error) {
      if (isBusy(error)) this.#waitForLock(error);
      else this.#fail(this.#waiting.splice(0, batch.length), error);
      return;
    }
    this.#attempts = 0;
    this.#waiting.splice(0, batch.length);
    let outcomes: Outcome[];
    try {
      // Alone, a change needs no savepoint of its own: nothing is committed when it fails.
      const [only] = batch;
      outcomes =
        batch.length === 1 && only !== undefined
          ? [this.#alone(only)]
          : batch.map((change) => this.#attempt(change));
      if (this.#database.isTransaction) this.#run('commit');
    } catch (error) {
      this.#fail(batch, error);
      return;
    }
    for (const outcome of outcomes) {
      if ('error' in outcome) outcome.change.reject(explain(outcome.error));
      else outcome.change.resolve(outcome.value);
    }
  }

  #alone(change: Change): Outcome {
    try {
      return { change, value: change.apply() };
    } catch (error) {
      if (isStoreFailure(error)) throw error;
      this.#run('rollback');
      return { change, error };
    }
  }

  #attempt(change: Change): Outcome {
    this.#run('savepoint');
    try {
      const value = change.apply();
      this.#run('release');
      return { change, value };
    } catch (error) {
      if (isStoreFailure(error)) throw error;
      this.#run('undo');
      this.#run('release');
      return { change, error };
    }
  }

  /**
   * A WAL commit at NORMAL leaves the fsync to the next durable one, or to a checkpoint. Never
   * prepared ahead: SQLite obeys this pragma when it compiles it, not when it runs it.
   */
  #synchronous(durable: boolean): void {
    if (durable === this.#durable) return;
    this.#database.exec(`PRAGMA synchronous = ${durable ? 'FULL' : 'NORMAL'}`);
    this.#durable = durable;
  }

  #waitForLock(error: unknown): void {
    const tooOld = performance.now() - this.#longestWait;
    const expired = this.#waiting.filter((change) => change.arrivedAt <= tooOld);
    if (expired.length > 0) {
      this.#waiting = this.#waiting.filter((change) => change.arrivedAt > tooOld);
      this.#log?.error('the database stayed locked by another process', { writes: expired.length });
      for (const change of expired) change.reject(busyProblem(error));
    }
    if (this.#waiting.length > 0) this.#schedule(backoffDelay(this.#attempts));
    this.#attempts += 1;
  }

  /** Nothing of the batch is certain to be on disk, so none of it is acknowledged. */
  #fail(batch: readonly Change[], error: unknown): void {
    const problem = explain(error);
    try {
      if (this.#database.isTransaction) this.#run('rollback');
    } catch (cause) {
      this.#log?.error('rolling back failed', { error: String(cause) });
    }
    if (isFsyncFailure(error) && problem instanceof Problem) this.#failure = problem;
    this.#log?.error('writing to the database failed', {
      writes: batch.length,
      error: String(error),
    });
    for (const change of batch) change.reject(problem);
    if (this.#failure === undefined) return;
    for (const change of this.#waiting.splice(0)) change.reject(this.#failure);
  }
}

const control = {
  begin: 'BEGIN IMMEDIATE',
  commit: 'COMMIT',
  rollback: 'ROLLBACK',
  savepoint: 'SAVEPOINT change',
  release: 'RELEASE change',
  undo: 'ROLLBACK TO change',
} as const;
