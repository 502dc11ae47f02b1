/**
 * `POST /refresh`: an app's page gets an access token for the refresh token in its cookie, which
 * never leaves the cookie. An answer clears it only where nothing can come of it any more: not on
 * failures, not for a wrong origin, not because another tab was faster.
 */

import type { ParameterizedContext } from 'koa';
import { Problem } from '../base/errors.ts';
import type { Log } from '../base/log.ts';
import type { Config } from '../config.ts';
import type { LinkOidc, TokenAnswer } from '../oidc/links.ts';
import { linkCookie } from '../web/cookies.ts';
import type { Cookies } from '../web/cookies.ts';
import { readForm, singleQuery } from '../web/form.ts';
import { allowOrigin } from './cors.ts';
import { linkProblem } from './errors.ts';
import { findProduct } from './signin.ts';

export interface RefreshDependencies {
  config: Config;
  oidc: LinkOidc;
  cookies: Cookies;
  log: Log;
}

const formLimitBytes = 4 * 1024;
export const refreshMethods = 'OPTIONS, POST';

/** `POST /refresh` */
export async function refresh(
  ctx: ParameterizedContext,
  dependencies: RefreshDependencies,
): Promise<void> {
  const { config, oidc, cookies, log } = dependencies;
  allowOrigin(ctx, config);
  ctx.set('Access-Control-Expose-Headers', 'Retry-After, X-Request-Id');
  const product = findProduct(config, await productOf(ctx));
  const refreshToken = cookies.read(ctx, linkCookie);
  if (refreshToken === undefined) throw linkProblem('login_required');
  const parameters = {
    grant_type: 'refresh_token',
    refresh_token: refreshToken,
    ...(product === undefined ? {} : { resource: product.audience }),
  };
  const answer = await oidc.token(ctx, parameters).catch((cause: unknown) => {
    throw cause instanceof Problem ? cause : unavailable(cause);
  });
  if (answer.status !== 200) throw refusal(ctx, cookies, log, answer);
  const { access_token, token_type, expires_in, refresh_token: next } = answer.body;
  if (typeof next === 'string') {
    cookies.write(ctx, linkCookie, next, config.lifetimes.refreshAbsolute);
  }
  ctx.status = 200;
  ctx.set('Cache-Control', 'no-store');
  ctx.body = { access_token, token_type, expires_in };
}

/** In the query, or in a form where there is one: `fetch` without a body sends no type. */
async function productOf(ctx: ParameterizedContext): Promise<string | undefined> {
  const query = singleQuery(ctx).get('product');
  const form =
    ctx.get('Content-Type') === ''
      ? undefined
      : (await readForm(ctx, formLimitBytes)).get('product');
  if (query !== undefined && form !== undefined) {
    throw linkProblem('parameter_invalid', { details: { parameter: 'product' } });
  }
  return query ?? form;
}

function refusal(
  ctx: ParameterizedContext,
  cookies: Cookies,
  log: Log,
  { status, body, accountLocked }: TokenAnswer,
): Problem {
  if (accountLocked) return linkProblem('account_locked');
  switch (body.error) {
    case 'invalid_grant':
      cookies.clear(ctx, linkCookie);
      return linkProblem('login_required');
    case 'invalid_target':
      // A product that came later than this sign-in: signing in again adds it, and asks nothing.
      return linkProblem('login_required');
    default:
      log.error('a refresh by link failed', { status, error_code: body.error });
      return unavailable(new Error(`the token endpoint answered ${status}`));
  }
}

function unavailable(cause: unknown): Problem {
  return linkProblem('temporarily_unavailable', { cause, retryAfterSeconds: 2 });
}
