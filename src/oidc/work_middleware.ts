/**
 * The unit of work of a request: what was recorded is written when the answer is composed, and before a
 * byte of it is sent (Koa sends when the last middleware has returned). By status: below 400 all is
 * written; 4xx tombstones and consumed codes only; 5xx nothing, so that a retry is harmless.
 */

import { errors } from 'oidc-provider';
import type { Middleware, ParameterizedContext } from 'koa';
import { Problem } from '../base/errors.ts';
import type { Outcome, UnitOfWork } from '../storage/work.ts';

export function outcomeOf(status: number): Outcome {
  if (status < 400) return 'success';
  return status < 500 ? 'refused' : 'failed';
}

/** Endpoints that answer in the form of RFC 6749 §5.2, whoever asks. */
export const jsonEndpoints: ReadonlySet<string> = new Set([
  '/oauth2/token',
  '/oauth2/revoke',
  '/oauth2/introspect',
  '/oauth2/par',
  '/oauth2/userinfo',
]);

/** The composed answer did not come true: none of it may go out. */
function discardAnswer(ctx: ParameterizedContext): void {
  ctx.remove('Set-Cookie');
  ctx.remove('Location');
  ctx.body = null;
}

/** A refusal of the standard's kind as the endpoint's own error. */
export function refusalBody(error: unknown): { status: number; body: object } | undefined {
  if (!(error instanceof errors.OIDCProviderError)) return undefined;
  const { error: code, error_description: description, statusCode } = error;
  return {
    status: statusCode,
    body: { error: code, ...(description === undefined ? {} : { error_description: description }) },
  };
}

const failureKey = Symbol('the failure behind an answer of the library');

/** The library makes a bare 500 of every error that is not its own, such as "the store cannot be reached". */
export function keepFailure(ctx: { state?: object }, error: unknown): void {
  if (error instanceof Problem) Object.assign(ctx.state ?? {}, { [failureKey]: error });
}

/** What was kept, once. */
export function takeFailure({ state }: { state: { [failureKey]?: Problem } }): Problem | undefined {
  const { [failureKey]: failure } = state;
  delete state[failureKey];
  return failure;
}

export function workMiddleware(work: UnitOfWork): Middleware {
  return (ctx, next) =>
    work.open(async (current) => {
      await next();
      const failure = takeFailure(ctx);
      if (failure !== undefined) {
        discardAnswer(ctx);
        throw failure;
      }
      try {
        await current.flush(outcomeOf(ctx.status));
      } catch (error) {
        discardAnswer(ctx);
        const refusal = jsonEndpoints.has(ctx.path) ? refusalBody(error) : undefined;
        if (refusal === undefined) throw error;
        ctx.status = refusal.status;
        ctx.body = refusal.body;
      }
    });
}
