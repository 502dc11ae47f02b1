/**
 * For everything that answers a Request with a Response: Workers, Deno.serve, Bun.serve.
 * `export default { fetch: guard(tollgate, (request, claims) => …) }`.
 */

import type { AccessClaims } from './claims.ts';
import { VerifyError } from './errors.ts';
import type { Demands } from './token.ts';
import type { Verifier } from './verifier.ts';

/** @param handler gets what comes after the request (`env`, `ctx`, `info`) after the claims */
export function guard<More extends unknown[]>(
  tollgate: Verifier,
  handler: (request: Request, claims: AccessClaims, ...more: More) => Response | Promise<Response>,
  demands: Demands = {},
) {
  return async (request: Request, ...more: More): Promise<Response> => {
    let claims: AccessClaims;
    try {
      claims = await tollgate.check(request, demands);
    } catch (error) {
      if (!(error instanceof VerifyError)) throw error;
      return error.response();
    }
    return handler(request, claims, ...more);
  };
}
