/**
 * For Express, and for all that has its middlewares: `app.use(express(tollgate))` puts the claims into
 * `req.claims`, or answers. Events go to `expressEvents(tollgate)`, before `express.json()`.
 */

import type { AccessClaims } from './claims.ts';
import { VerifyError } from './errors.ts';
import { webRequest } from './node_request.ts';
import type { NodeRequest } from './node_request.ts';
import type { Demands } from './token.ts';
import type { Verifier } from './verifier.ts';

/** What is used of a request. */
export interface ExpressRequest extends NodeRequest {
  /** The address before a router cut it. */
  readonly originalUrl?: string;
  claims?: AccessClaims;
}

/** What is used of a response. */
export interface ExpressResponse {
  statusCode: number;
  setHeader(name: string, value: string): unknown;
  end(body?: string): unknown;
}

type Next = (error?: unknown) => void;

export function express(tollgate: Verifier, demands: Demands = {}) {
  return async (req: ExpressRequest, res: ExpressResponse, next: Next): Promise<void> => {
    const { method, headers, originalUrl, url = originalUrl } = req;
    try {
      const claims = await tollgate.check({ method, url: originalUrl ?? url, headers }, demands);
      Object.assign(req, { claims });
    } catch (error) {
      if (!(error instanceof VerifyError)) return next(error);
      return answer(res, error.response());
    }
    next();
  };
}

export function expressEvents(tollgate: Verifier) {
  return async (req: ExpressRequest, res: ExpressResponse, next: Next): Promise<void> => {
    try {
      await answer(res, await tollgate.receive(webRequest(req)));
    } catch (error) {
      next(error);
    }
  };
}

async function answer(res: ExpressResponse, response: Response): Promise<void> {
  const body = await response.text();
  res.statusCode = response.status;
  for (const [name, value] of response.headers) res.setHeader(name, value);
  res.end(body);
}
