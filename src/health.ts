/** Probes. They come with the pod's address, so they are exempt from the check of the host. */

import Router from '@koa/router';
import type { Store } from './storage/store.ts';

export interface HealthDependencies {
  store: Pick<Store, 'ping'>;
  /** Set while the process drains: a balancer shall send no more. */
  readiness: { stopping: boolean };
}

/** `/health/live`: the process answers. `/health/ready`: it may be sent requests. */
export function health({ store, readiness }: HealthDependencies): Router {
  const router = new Router({ prefix: '/health' });
  router.get('/live', (ctx) => {
    ctx.body = { status: 'live' };
  });
  router.get('/ready', async (ctx) => {
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
