/**
 * `/signin`: an app's link that ends with the browser signed in. It goes through our own
 * authorization endpoint like every client; what comes of it, a refresh token, goes into a cookie, and
 * no token into an address or a page (T55).
 */

import type { ParameterizedContext } from 'koa';
import type { Log } from '../base/log.ts';
import type { Config, ProductConfig } from '../config.ts';
import type { LinkOidc, TokenAnswer } from '../oidc/links.ts';
import { linkCookie } from '../web/cookies.ts';
import type { Cookies } from '../web/cookies.ts';
import { singleQuery } from '../web/form.ts';
import type { Form } from '../web/form.ts';
import { continueTo } from '../web/page.ts';
import { challengeOf } from './attempts.ts';
import type { Attempt, Attempts, SigninRequest } from './attempts.ts';
import { linkProblem } from './errors.ts';
import { requireNavigation, textOf } from './link_query.ts';
import type { LinkErrorCode } from './errors.ts';
import { returnTarget } from './origins.ts';

export interface SigninDependencies {
  config: Config;
  oidc: LinkOidc;
  cookies: Cookies;
  attempts: Attempts;
  log: Log;
}

/** As `account` it asks for the chooser, instead of naming one. */
export const chooseAccount = 'choose';

/** `GET /signin[/:provider]` */
export function beginSignin(
  ctx: ParameterizedContext,
  dependencies: SigninDependencies,
  provider?: string,
): void {
  const { config } = dependencies;
  requireNavigation(ctx);
  requireProvider(config, provider);
  const query = singleQuery(ctx);
  const request = { ...readRequest(query, config), provider };
  goToSignin(ctx, dependencies, request, query.get('again') === 'yes');
}

/**
 * To the account of the link, or to the chooser.
 * @param again to prove once more who is there
 */
export function goToSignin(
  ctx: ParameterizedContext,
  dependencies: Pick<SigninDependencies, 'config' | 'oidc' | 'attempts'>,
  request: SigninRequest,
  again = false,
): void {
  const { account } = request;
  // A page elsewhere must not move somebody to another of their accounts unasked (T56).
  const asks = account !== undefined && ctx.get('Sec-Fetch-Site') === 'cross-site';
  authorize(ctx, dependencies, {
    ...request,
    account: account === chooseAccount ? undefined : account,
    prompt: promptOf(again, asks || account === chooseAccount),
  });
}

function promptOf(again: boolean, choose: boolean): string | undefined {
  const prompts = [again && 'login', choose && 'select_account'].filter((one) => one !== false);
  return prompts.length === 0 ? undefined : prompts.join(' ');
}

/** @throws {Problem} `provider_unknown` (404) */
export function requireProvider(config: Config, provider: string | undefined): void {
  if (provider === undefined || config.providers.some(({ id }) => id === provider)) return;
  throw linkProblem('provider_unknown');
}

export function readRequest(query: Form, config: Config): SigninRequest {
  const text = (parameter: string, longest: number) => textOf(query, parameter, longest);
  return {
    returnTo: returnTarget(query.get('return_to'), config, config.signin.success),
    product: findProduct(config, text('product', 64))?.id,
    account: text('account', 255),
    loginHint: text('login_hint', 320),
  };
}

/** @throws {Problem} `product_unknown` (400) */
export function findProduct(config: Config, id: string | undefined): ProductConfig | undefined {
  if (id === undefined || id === '') return undefined;
  const product = config.products.find((one) => one.id === id);
  if (product === undefined)
    throw linkProblem('product_unknown', { details: { parameter: 'product' } });
  return product;
}

/** To our own authorization endpoint, which asks nothing of who is signed in, for an account that they have. */
export function authorize(
  ctx: ParameterizedContext,
  { config, oidc, attempts }: Pick<SigninDependencies, 'config' | 'oidc' | 'attempts'>,
  request: SigninRequest,
): void {
  const attempt = attempts.begin(ctx, request);
  const url = new URL(`${config.issuer}/oauth2/authorize`);
  const parameters: Record<string, string | undefined> = {
    client_id: oidc.clientId,
    redirect_uri: oidc.redirectUri,
    response_type: 'code',
    scope: ['openid profile email', ...config.products.flatMap(({ scopes }) => scopes)].join(' '),
    state: attempt.state,
    nonce: attempt.nonce,
    code_challenge: challengeOf(attempt),
    code_challenge_method: 'S256',
    provider: request.provider,
    account: request.account,
    product: request.product,
    login_hint: request.loginHint,
    prompt: request.prompt,
  };
  for (const [name, value] of Object.entries(parameters)) {
    if (value !== undefined) url.searchParams.set(name, value);
  }
  // No `resource`: the link client is granted all products, because all apps of this site share its
  // cookie.
  continueTo(ctx, url.href);
}

/** `GET /signin/return`, where the authorization endpoint sends the browser back to. */
export async function finishSignin(
  ctx: ParameterizedContext,
  dependencies: SigninDependencies,
): Promise<void> {
  const { config, oidc, cookies, attempts } = dependencies;
  const query = singleQuery(ctx);
  const attempt = attempts.take(ctx, query.get('state') ?? '');
  if (attempt === undefined) return finishUnknown(ctx, dependencies);
  // RFC 9207, also against an answer that some other client's server gave.
  if (query.get('iss') !== config.issuer) return fail(ctx, dependencies, 'signin_failed');
  const error = query.get('error');
  if (error !== undefined) return fail(ctx, dependencies, codeOf(error));
  const answer = await redeem(ctx, oidc, attempt, query.get('code') ?? '', config);
  if (answer.status !== 200) return refused(ctx, dependencies, attempt, answer);
  const { refresh_token: refreshToken, id_token: idToken } = answer.body;
  if (typeof refreshToken !== 'string' || nonceOf(idToken) !== attempt.nonce) {
    return fail(ctx, dependencies, 'signin_failed');
  }
  cookies.write(ctx, linkCookie, refreshToken, config.lifetimes.refreshAbsolute);
  continueTo(ctx, attempt.request.returnTo);
}

/**
 * The back button, a reload, another browser, or somebody else's link. Who is signed in here is taken
 * to the app (F9); what the address says is not used.
 */
function finishUnknown(ctx: ParameterizedContext, dependencies: SigninDependencies): void {
  const { config, cookies } = dependencies;
  if (cookies.read(ctx, linkCookie) === undefined) fail(ctx, dependencies, 'signin_expired');
  else continueTo(ctx, config.signin.success);
}

function redeem(
  ctx: ParameterizedContext,
  oidc: LinkOidc,
  attempt: Attempt,
  code: string,
  config: Config,
): Promise<TokenAnswer> {
  const product = config.products.find(({ id }) => id === attempt.request.product);
  return oidc.token(ctx, {
    grant_type: 'authorization_code',
    code,
    redirect_uri: oidc.redirectUri,
    code_verifier: attempt.verifier,
    ...(product === undefined ? {} : { resource: product.audience }),
  });
}

function refused(
  ctx: ParameterizedContext,
  dependencies: SigninDependencies,
  { request }: Attempt,
  { status, body, accountLocked }: TokenAnswer,
): void {
  dependencies.log.warn('a sign-in by link was refused', { status, error_code: body.error });
  if (accountLocked) return fail(ctx, dependencies, 'account_locked');
  if (status >= 500) return fail(ctx, dependencies, 'signin_unavailable');
  // A reload beside the first request: the session is there, so beginning again asks nothing.
  if (body.error === 'invalid_grant' && request.again !== true) {
    return authorize(ctx, dependencies, { ...request, prompt: undefined, again: true });
  }
  fail(ctx, dependencies, 'signin_failed');
}

function fail(
  ctx: ParameterizedContext,
  { config }: SigninDependencies,
  code: LinkErrorCode,
): void {
  if (config.signin.failed === undefined) throw linkProblem(code);
  const url = new URL(config.signin.failed);
  // A word of our own list: nothing that came from outside is passed on (F8, F10).
  url.searchParams.set('error', code);
  continueTo(ctx, url.href);
}

/** Errors of RFC 6749 §4.1.2.1 and OpenID Connect in our words. */
export function codeOf(error: string): LinkErrorCode {
  switch (error) {
    case 'access_denied':
      return 'access_denied';
    case 'server_error':
    case 'temporarily_unavailable':
      return 'signin_unavailable';
    default:
      return 'signin_failed';
  }
}

/** The token comes from this very process: its signature proves nothing to us. */
function nonceOf(idToken: unknown): unknown {
  if (typeof idToken !== 'string') return undefined;
  const payload = Buffer.from(idToken.split('.')[1] ?? '', 'base64url').toString('utf8');
  return (JSON.parse(payload) as { nonce?: unknown }).nonce;
}
