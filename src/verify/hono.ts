/**
 * For Hono: `app.use(hono(tollgate))` sets `claims` of the context, or answers. Events go to
 * `(c) => tollgate.receive(c.req.raw)`.
 */

import type { AccessClaims } from './claims.ts';
import { VerifyError } from './errors.ts';
import type { Demands } from './token.ts';
import type { Verifier } from './verifier.ts';

/** What is used of Hono's context. */
export interface HonoContext {
  readonly req: { readonly raw: Request };
  set(name: 'claims', value: AccessClaims): void;
}

export function hono(tollgate: Verifier, demands: Demands = {}) {
  return async (c: HonoContext, next: () => Promise<void>): Promise<Response | undefined> => {
    try {
      c.set('claims', await tollgate.check(c.req.raw, demands));
    } catch (error) {
      if (!(error instanceof VerifyError)) throw error;
      return error.response();
    }
    await next();
    return undefined;
  };
}
