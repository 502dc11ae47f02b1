/** Probes. They come with the pod's address, so they are exempt from the check of the host. */

import Router from '@koa/router';
import type { Clock } from './base/clock.ts';
import type { Store } from './storage/store.ts';

/** Balancers ask every few seconds, the most patient ones twice a minute. */
const watchedForMs = 60_000;

/** Whether the process may be sent requests, and whether anybody wants to know. */
export interface Readiness {
  readonly stopping: boolean;
  /** Somebody asks. */
  asked(): void;
  /** From now on not ready, so that a balancer sends no more. */
  leave(): void;
  /** Somebody asks again and again: a balancer, which will send requests until it has heard that it must not. */
  isWatched(): boolean;
}

export function createReadiness(clock: Clock): Readiness {
  let stopping = false;
  let [last, before] = [-Infinity, -Infinity];
  return {
    get stopping() {
      return stopping;
    },
    asked() {
      [last, before] = [clock(), last];
    },
    leave() {
      stopping = true;
    },
    isWatched: () => clock() - before < 2 * watchedForMs && clock() - last < watchedForMs,
  };
}

export interface HealthDependencies {
  store: Pick<Store, 'ping'>;
  readiness: Readiness;
}

/** `/health/live`: the process answers. `/health/ready`: it may be sent requests. */
export function health({ store, readiness }: HealthDependencies): Router {
  const router = new Router({ prefix: '/health' });
  router.get('/live', (ctx) => {
    ctx.body = { status: 'live' };
  });
  router.get('/ready', async (ctx) => {
    readiness.asked();
    const reason = readiness.stopping ? 'stopping' : await unreachable(store);
    ctx.status = reason === undefined ? 200 : 503;
    ctx.body = reason === undefined ? { status: 'ready' } : { status: 'not_ready', reason };
  });
  return router;
}

async function unreachable(store: Pick<Store, 'ping'>): Promise<string | undefined> {
  try {
    await store.ping();
    return undefined;
  } catch {
    return 'store';
  }
}
