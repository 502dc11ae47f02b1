/**
 * A worker's way of looking: whoever wakes it, one look at a time is under way, what comes meanwhile is looked for behind it,
 * and what was begun wakes it again when it ends.
 */

import { setTimeout as delay } from 'node:timers/promises';

export interface Rounds {
  /** By what keeps two of it from being begun at once. */
  readonly running: ReadonlyMap<string, Promise<void>>;
  /** Rejects when the store cannot be read. */
  look(): Promise<void>;
  /** Whoever polls tells of what fails, once. */
  wake(): void;
  /** There is more than was looked at. */
  lookOn(): void;
  /** @param work never rejects */
  begin(key: string, work: Promise<void>): void;
  /** Looks now, and resolves when all that was due is done or put off. */
  drain(): Promise<void>;
  /** The look that is under way. */
  looked(): Promise<void>;
  /** All that is under way, or the time is over. */
  ended(longestMs: number): Promise<void>;
}

export interface RoundsOptions {
  /** While not, nothing is looked for. */
  isOpen(): boolean;
  /** One look: begins what there is room for. */
  lookOnce(): Promise<void>;
}

export function createRounds({ isOpen, lookOnce }: RoundsOptions): Rounds {
  const running = new Map<string, Promise<void>>();
  let looking: Promise<void> | undefined;
  let again = false;

  async function lookAll(): Promise<void> {
    while (again && isOpen()) {
      again = false;
      await lookOnce();
    }
  }

  function look(): Promise<void> {
    again = true;
    looking ??= lookAll().finally(() => {
      looking = undefined;
      // Somebody may have come just before.
      if (again && isOpen()) wake();
    });
    return looking;
  }

  function wake(): void {
    look().catch(() => undefined);
  }

  return {
    running,
    look,
    wake,
    lookOn() {
      again = true;
    },
    begin(key, work) {
      const round = work.finally(() => {
        running.delete(key);
        wake();
      });
      running.set(key, round);
    },
    async drain() {
      wake();
      while (looking !== undefined || running.size > 0) {
        await Promise.allSettled([looking, ...running.values()]);
      }
    },
    async looked() {
      await Promise.allSettled([looking]);
    },
    async ended(longestMs) {
      const late = delay(longestMs, undefined, { ref: false });
      await Promise.race([Promise.all(running.values()), late]);
    },
  };
}

/** While something does not answer nothing is begun: in growing steps, for all together. */
export interface Pause {
  isOver(): boolean;
  /** One step for all that were under way at the same time. */
  tell(isDown: boolean): void;
}

/** @param stepMs by how many times it failed before */
export function createPause(clock: () => number, stepMs: (failures: number) => number): Pause {
  let paused = { until: 0, failures: 0 };
  return {
    isOver: () => clock() >= paused.until,
    tell(isDown) {
      if (!isDown) paused = { until: 0, failures: 0 };
      else if (clock() >= paused.until) {
        paused = { until: clock() + stepMs(paused.failures), failures: paused.failures + 1 };
      }
    },
  };
}
