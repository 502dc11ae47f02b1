/**
 * For child processes that a test kills for real: with `TOLLGATE_TEST_KILL_AFTER_WRITES=k` in the
 * environment the process is gone at the k-th write, before it or (`TOLLGATE_TEST_KILL_MODE=after`)
 * once it is on disk. Lives here because nothing in `src` may know how to kill its process.
 */

import type { Store } from '../../src/storage/store.ts';
import { faulty } from './faults.ts';

export function dyingStore(store: Store, environment: NodeJS.ProcessEnv = process.env): Store {
  const count = Number(environment.TOLLGATE_TEST_KILL_AFTER_WRITES ?? 0);
  if (!Number.isSafeInteger(count) || count <= 0) return store;
  return faulty(store, {
    stopAfterWrites: count,
    mode: environment.TOLLGATE_TEST_KILL_MODE === 'after' ? 'after' : 'before',
    onStop: () => process.kill(process.pid, 'SIGKILL'),
  });
}
