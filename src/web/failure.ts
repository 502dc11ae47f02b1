/**
 * The one failure handler. A Problem says itself what to show; an error of the library is shown by
 * its OAuth code; whatever else is thrown is a defect, and is answered with a bare 500 and the
 * request's id. Browsers get a page, programs get JSON.
 */

import type Koa from 'koa';
import type { Middleware, ParameterizedContext } from 'koa';
import { Problem } from '../base/errors.ts';
import type { Log } from '../base/log.ts';
import { html, type Html } from './html.ts';
import { sendPage } from './page.ts';

export interface Failure {
  status: number;
  code: string;
  title?: string;
  message: string;
  requestId: string;
  retryAfterSeconds?: number;
  details: Record<string, unknown>;
}

export interface FailureOptions {
  log: Log;
  renderFailure: (failure: Failure, ctx: ParameterizedContext) => Html;
  /** Paths whose answers are JSON in the form of RFC 6749 §5.2, whoever asks. */
  oauthPaths?: ReadonlySet<string>;
}

export function failures(options: FailureOptions): Middleware {
  return async (ctx, next) => {
    // Some HTTP clients say that they would like a page, and mean nothing by it (Java's own does).
    if (options.oauthPaths?.has(ctx.path)) ctx.req.headers.accept = 'application/json';
    try {
      await next();
      const missing = unanswered(ctx);
      if (missing) answer(ctx, missing, options);
    } catch (error) {
      answer(ctx, error, options);
    }
  };
}

/**
 * What goes wrong after the middlewares: a stream that breaks while it is sent, a connection that
 * ends. The answer is under way, so all that can be done is to end it visibly.
 */
export function watchErrors(app: Koa, log: Log): void {
  app.on('error', (error: unknown, ctx?: ParameterizedContext) => {
    const aborted = isConnectionEnd(error);
    log[aborted ? 'debug' : 'error']('an answer was not sent', { error, path: ctx?.path });
    if (ctx?.headerSent && !ctx.res.writableEnded) ctx.res.destroy();
  });
}

/** Renders what was thrown into the answer. Does not throw. */
export function answer(
  ctx: ParameterizedContext,
  error: unknown,
  { log, renderFailure, oauthPaths }: FailureOptions,
): void {
  const problem = problemOf(error);
  const failure: Failure = {
    status: problem.status,
    code: problem.code,
    message: problem.message,
    requestId: (ctx.state as { requestId?: string }).requestId ?? 'unknown',
    retryAfterSeconds: problem.retryAfterSeconds,
    details: problem.details,
  };
  record(log, ctx, failure, error);
  if (ctx.headerSent) return void ctx.res.destroy();
  for (const name of [
    'Content-Type',
    'Content-Length',
    'Content-Encoding',
    'ETag',
    'Last-Modified',
    'Location',
  ])
    ctx.remove(name);
  // A defect may have struck half-way: nobody is to be signed in by it.
  if (failure.code === 'internal_error') ctx.remove('Set-Cookie');
  if (failure.retryAfterSeconds !== undefined) {
    ctx.set('Retry-After', String(Math.max(0, Math.ceil(failure.retryAfterSeconds))));
  }
  ctx.set('Cache-Control', 'no-store');
  if (oauthPaths?.has(ctx.path)) return sendJson(ctx, failure.status, oauthBody(failure));
  if (ctx.accepts('json', 'html') !== 'html')
    return sendJson(ctx, failure.status, ownBody(failure));
  try {
    sendPage(ctx, renderFailure(failure, ctx), failure.status);
  } catch (defect) {
    log.error('the page for a failure failed', { error: defect });
    sendPage(ctx, barePage(failure), failure.status);
  }
}

function sendJson(ctx: ParameterizedContext, status: number, body: object): void {
  ctx.status = status;
  ctx.type = 'application/json';
  ctx.body = JSON.stringify(body);
}

function ownBody({ code, message, requestId, details }: Failure): object {
  return { error: { ...details, code, message, request_id: requestId } };
}

/** RFC 6749 §5.2; for what has no word there, those of §4.1.2.1. */
function oauthBody({ status, message }: Failure): object {
  const refused = status === 429 || status === 503 ? 'temporarily_unavailable' : 'invalid_request';
  const error = status >= 500 && status !== 503 ? 'server_error' : refused;
  return { error, error_description: message };
}

/** An answer that nobody gave: Koa's 404, and what the router says of methods. */
function unanswered(ctx: ParameterizedContext): Problem | undefined {
  if (ctx.respond === false || ctx.headerSent || ctx.body) return undefined;
  if (ctx.status === 404) {
    return new Problem('not_found', 404, 'There is nothing at this address.');
  }
  if (ctx.status === 405 || ctx.status === 501) {
    return new Problem('method_not_allowed', ctx.status, 'This address does not take that.');
  }
  return undefined;
}

function problemOf(error: unknown): Problem {
  if (error instanceof Problem && error.status >= 400 && error.status < 600) return error;
  const { status, error: code, error_description: text } = fieldsOf(error);
  if (typeof status === 'number' && status >= 400 && status < 500) {
    return new Problem(
      typeof code === 'string' && /^[a-z_]{1,64}$/.test(code) ? code : 'request_refused',
      status,
      typeof code === 'string' && typeof text === 'string' && text.length <= 200
        ? text
        : 'This request cannot be answered.',
      { cause: error },
    );
  }
  return new Problem('internal_error', 500, 'Something went wrong on our side.', { cause: error });
}

/** Of a stranger's error: some have these on their prototype. */
interface ForeignError {
  status?: unknown;
  code?: unknown;
  error?: unknown;
  error_description?: unknown;
}

function fieldsOf(error: unknown): ForeignError {
  return typeof error === 'object' && error !== null ? error : {};
}

function record(log: Log, ctx: ParameterizedContext, failure: Failure, error: unknown): void {
  const { status, code } = failure;
  const problem = error instanceof Problem ? error : undefined;
  const level = problem?.isLogged === true ? 'debug' : levelOf(status);
  const { parameter } = failure.details;
  const facts = {
    method: ctx.method,
    path: ctx.path.slice(0, 200),
    status,
    error_code: code,
    parameter,
    remedy: problem?.remedy,
  };
  const message = status >= 500 ? 'request failed' : 'request refused';
  // Of a refusal the reason is enough; of a failure everything.
  const cause = problem === undefined ? error : problem.cause;
  const reason = cause instanceof Error ? cause.message : undefined;
  log[level](message, status >= 500 ? { ...facts, error } : { ...facts, reason });
}

function levelOf(status: number): 'error' | 'warn' | 'info' {
  if (status >= 500) return 'error';
  return status === 403 || status === 429 ? 'warn' : 'info';
}

const connectionEnds: ReadonlySet<unknown> = new Set([
  'ECONNRESET',
  'EPIPE',
  'ERR_STREAM_PREMATURE_CLOSE',
  'ERR_HTTP_REQUEST_TIMEOUT',
]);

/** The caller went away, or sends what is no HTTP (`HPE_…`): neither is a failure of ours. */
function isConnectionEnd(error: unknown): boolean {
  const { code } = fieldsOf(error);
  return connectionEnds.has(code) || (typeof code === 'string' && code.startsWith('HPE_'));
}

function barePage({ message, requestId }: Failure): Html {
  return html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <title>Error</title>
      </head>
      <body>
        <p>${message}</p>
        <p>${requestId}</p>
      </body>
    </html>`;
}
