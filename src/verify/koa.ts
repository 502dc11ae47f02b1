/**
 * For Koa: `app.use(koa(tollgate))` puts the claims into `ctx.state.claims`, or answers. Events go to
 * `koaEvents(tollgate)`, before any body parser.
 */

import { VerifyError } from './errors.ts';
import { webRequest } from './node_request.ts';
import type { NodeRequest } from './node_request.ts';
import type { HeaderRecord } from './presented.ts';
import type { Demands } from './token.ts';
import type { Verifier } from './verifier.ts';

/** What is used of Koa's context. */
export interface KoaContext {
  readonly method: string;
  readonly originalUrl: string;
  readonly headers: HeaderRecord;
  readonly req: NodeRequest;
  readonly state: object;
  status: number;
  body: unknown;
  set(name: string, value: string): void;
}

export function koa(tollgate: Verifier, demands: Demands = {}) {
  return async (ctx: KoaContext, next: () => Promise<unknown>): Promise<void> => {
    const { method, originalUrl: url, headers } = ctx;
    try {
      Object.assign(ctx.state, { claims: await tollgate.check({ method, url, headers }, demands) });
    } catch (error) {
      if (!(error instanceof VerifyError)) throw error;
      await answer(ctx, error.response());
      return;
    }
    await next();
  };
}

export function koaEvents(tollgate: Verifier) {
  return async (ctx: KoaContext): Promise<void> => {
    await answer(ctx, await tollgate.receive(webRequest(ctx.req)));
  };
}

async function answer(ctx: KoaContext, response: Response): Promise<void> {
  const body = await response.text();
  // Null rather than empty: Koa would send a text of its own. Then the rest, which Koa guesses by the body.
  ctx.body = body === '' ? null : body;
  ctx.status = response.status;
  for (const [name, value] of response.headers) ctx.set(name, value);
}
