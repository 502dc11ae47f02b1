/**
 * Who does a shared job now: a document that one process at a time holds for a while. Taken, renewed
 * and given back by conditional writes, so that two processes never take the same one.
 *
 * A lease spares double work, it does not make it impossible: a process may sleep past its end and
 * wake in the middle of the job. So such jobs are idempotent, they ask `held()` before each step, and
 * a late `renew` or `release` changes nothing, because the version has moved.
 */

import type { Clock } from '../base/clock.ts';
import { Conflict } from '../storage/store.ts';
import type { Store } from '../storage/store.ts';

export interface Leases {
  /**
   * Takes the job, or goes on with it when this owner has it already.
   * @returns `undefined` while somebody else holds it
   */
  take(name: string, durationMs: number): Promise<Lease | undefined>;
}

export interface Lease {
  /** Grows each time: of two holders the one with the higher number is the present one. */
  readonly fence: number;
  /** By this process's clock. */
  held(): boolean;
  /** For another `durationMs` from now. @returns false when it is lost */
  renew(): Promise<boolean>;
  /** Others may take it at once. Harmless when it is lost. */
  release(): Promise<void>;
}

export interface LeasesOptions {
  store: Store;
  clock: Clock;
  /** Names this process: unique, and new at each start. */
  owner: string;
}

/** The clocks of two processes may differ by so much. */
const skewMs = 60_000;

export function createLeases({ store, clock, owner }: LeasesOptions): Leases {
  /**
   * Whoever took it had a clock that was wrong by more, or this one was set back since. Nobody else
   * would have the job until then, should the holder die.
   */
  const isAbsurd = (until: number, durationMs: number) => until - clock() > durationMs + skewMs;

  /** @returns the version written, `undefined` when somebody was faster */
  async function write(
    name: string,
    until: number | null,
    expect: number | 'absent',
  ): Promise<number | undefined> {
    try {
      const document = until === null ? null : { owner, until };
      return await store.write('lease', name, document, { expect });
    } catch (error) {
      if (error instanceof Conflict) return undefined;
      throw error;
    }
  }

  function lease(name: string, durationMs: number, version: number, until: number): Lease {
    let fence = version;
    let end = until;
    return {
      get fence() {
        return fence;
      },
      held: () => clock() < end && !isAbsurd(end, durationMs),
      async renew() {
        const next = clock() + durationMs;
        const written = await write(name, next, fence);
        end = written === undefined ? 0 : next;
        fence = written ?? fence;
        return written !== undefined;
      },
      async release() {
        end = 0;
        await write(name, null, fence);
      },
    };
  }

  return {
    async take(name, durationMs) {
      const present = await store.get('lease', name);
      if (present !== undefined && present.document.owner !== owner) {
        const { until: end } = present.document;
        if (end > clock() && !isAbsurd(end, durationMs)) return undefined;
      }
      const until = clock() + durationMs;
      const version = await write(name, until, present?.version ?? 'absent');
      return version === undefined ? undefined : lease(name, durationMs, version, until);
    },
  };
}
