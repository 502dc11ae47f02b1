/**
 * The CORS protocol (Fetch §3.2), with credentials: for the listed origins, by name, never `*`. The
 * headers are set before anything can fail, so that scripts can read refusals too.
 */

import type { ParameterizedContext } from 'koa';
import type { Config } from '../config.ts';
import { linkProblem } from './errors.ts';
import { callingOrigins, isFromApp } from './origins.ts';

const preflightSeconds = 600;

/** @throws {Problem} `origin_not_allowed` (403) */
export function allowOrigin(ctx: ParameterizedContext, config: Config): void {
  ctx.vary('Origin');
  if (isOwnPage(ctx)) return;
  if (!isFromApp(ctx, callingOrigins(config))) throw linkProblem('origin_not_allowed');
  ctx.set('Access-Control-Allow-Origin', ctx.get('Origin'));
  ctx.set('Access-Control-Allow-Credentials', 'true');
}

/** Some send no origin to where they are themselves; what comes from elsewhere always has one. */
function isOwnPage(ctx: ParameterizedContext): boolean {
  return (
    ctx.get('Origin') === '' && ['', 'none', 'same-origin'].includes(ctx.get('Sec-Fetch-Site'))
  );
}

/** @param method the one beside OPTIONS */
export function preflight(
  ctx: ParameterizedContext,
  { config, method, header }: { config: Config; method: string; header: string },
): void {
  allowOrigin(ctx, config);
  ctx.set('Access-Control-Allow-Methods', method);
  ctx.set('Access-Control-Allow-Headers', header);
  ctx.set('Access-Control-Max-Age', String(preflightSeconds));
  ctx.set('Allow', [method, 'OPTIONS'].toSorted().join(', '));
  ctx.status = 204;
}
