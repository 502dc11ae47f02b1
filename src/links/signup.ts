/**
 * `/signup`: an app's link that ends with the browser signed in, for an account that has the plan. Who is not signed in
 * goes through our own authorization endpoint like everybody; then billing says what is next: Checkout, a choice, or
 * nothing, since all is there.
 */

import type { ParameterizedContext } from 'koa';
import type { Clock } from '../base/clock.ts';
import { Problem } from '../base/errors.ts';
import type { Billing } from '../billing/billing.ts';
import type { SignupStep } from '../billing/types.ts';
import type { Config } from '../config.ts';
import type { Directory } from '../directory/directory.ts';
import type { LinkOidc } from '../oidc/links.ts';
import type { Csrf } from '../web/csrf.ts';
import { readForm, singleQuery } from '../web/form.ts';
import { continueByPage, continueTo, sendPage } from '../web/page.ts';
import { chooseAccountPage, confirmPage } from '../../views/plans.ts';
import { subscribedPage, waitingPage } from '../../views/signup.ts';
import { challengeOf } from './attempts.ts';
import type { Attempts } from './attempts.ts';
import { linkProblem } from './errors.ts';
import type { LinkErrorCode } from './errors.ts';
import { appOrigins, isOwnNavigation } from './origins.ts';
import { offerPlans } from './plans_page.ts';
import { requireNavigation } from './link_query.ts';
import { authorize, codeOf, requireProvider } from './signin.ts';
import { addressOf, leavesChoice, parametersOf, readLink } from './signup_request.ts';
import type { SignupLink, SignupRequest } from './signup_request.ts';

export interface SignupDependencies {
  config: Config;
  oidc: LinkOidc;
  /** Of sign-ups. */
  signupAttempts: Attempts<SignupRequest>;
  /** Of the links' own sign-in, where a sign-up ends. */
  attempts: Attempts;
  billing: Pick<Billing, 'signups' | 'catalog'>;
  directory: Pick<Directory, 'user' | 'account' | 'usableAccounts'>;
  csrf: Csrf;
  clock: Clock;
}

const formLimitBytes = 8 * 1024;

/** `GET /signup[/:provider]` */
export async function beginSignup(
  ctx: ParameterizedContext,
  dependencies: SignupDependencies,
  provider?: string,
): Promise<void> {
  const { config, billing } = dependencies;
  requireNavigation(ctx);
  requireProvider(config, provider);
  const link = readLink(singleQuery(ctx), config);
  if (leavesChoice(link, config)) {
    const user = await activeUser(ctx, dependencies);
    return offerPlans(ctx, dependencies, { link, provider, user });
  }
  const { product = '' } = link;
  // A mistake of the link's is told before anybody signs in for nothing.
  billing.catalog.offer({ ...link, product });
  const user = await activeUser(ctx, dependencies);
  if (user === undefined) return signIn(ctx, dependencies, { link, provider });
  await goOn(ctx, dependencies, { ...link, product, user }, isOwnNavigation(ctx));
}

/** `POST /signup`: from our own page, which asked. */
export async function confirmSignup(
  ctx: ParameterizedContext,
  dependencies: SignupDependencies,
): Promise<void> {
  const { config, csrf } = dependencies;
  const form = await readForm(ctx, formLimitBytes);
  csrf.require(ctx, form);
  const link = readLink(form, config);
  if (leavesChoice(link, config)) return continueTo(ctx, addressOf(link));
  const user = await activeUser(ctx, dependencies);
  if (user === undefined) return signIn(ctx, dependencies, { link });
  await goOn(ctx, dependencies, { ...link, product: link.product ?? '', user }, true);
}

/** Who is signed in, unless they may not be any more: then they sign in again, perhaps as somebody else. */
export async function activeUser(
  ctx: ParameterizedContext,
  { oidc, directory }: Pick<SignupDependencies, 'oidc' | 'directory'>,
): Promise<string | undefined> {
  const session = await oidc.session(ctx);
  if (session === undefined) return undefined;
  const user = await directory.user(session.user);
  return user?.document.status === 'active' ? session.user : undefined;
}

/** Through our own authorization endpoint, and back to `/signup/return`. */
export function signIn(
  ctx: ParameterizedContext,
  { config, oidc, signupAttempts }: SignupDependencies,
  request: SignupRequest,
): void {
  const attempt = signupAttempts.begin(ctx, request);
  const url = new URL(`${config.issuer}/oauth2/authorize`);
  const parameters: Record<string, string | undefined> = {
    client_id: oidc.signup.clientId,
    redirect_uri: oidc.signup.redirectUri,
    response_type: 'code',
    scope: 'openid profile email',
    state: attempt.state,
    nonce: attempt.nonce,
    code_challenge: challengeOf(attempt),
    code_challenge_method: 'S256',
    provider: 'link' in request ? request.provider : undefined,
  };
  for (const [name, value] of Object.entries(parameters)) {
    if (value !== undefined) url.searchParams.set(name, value);
  }
  leave(ctx, url.href);
}

/** Our own pages have forms; what they lead to may go anywhere. */
function leave(ctx: ParameterizedContext, url: string): void {
  if (ctx.method === 'GET' && ctx.get('Sec-Fetch-Site') === 'same-origin') continueByPage(ctx, url);
  else continueTo(ctx, url);
}

/** `GET /signup/return`: somebody has signed in. The code is left alone: that there is a session is all that counts. */
export async function returnToSignup(
  ctx: ParameterizedContext,
  dependencies: SignupDependencies,
): Promise<void> {
  const { config, signupAttempts } = dependencies;
  const query = singleQuery(ctx);
  const attempt = signupAttempts.take(ctx, query.get('state') ?? '');
  if (attempt === undefined) return fail(ctx, config, 'signin_expired');
  // RFC 9207
  if (query.get('iss') !== config.issuer) return fail(ctx, config, 'signin_failed');
  const error = query.get('error');
  if (error !== undefined) return fail(ctx, config, codeOf(error));
  const user = await activeUser(ctx, dependencies);
  if (user === undefined) return fail(ctx, config, 'signin_failed');
  const { request } = attempt;
  if ('next' in request) return continueTo(ctx, request.next);
  const { product = '' } = request.link;
  await goOn(ctx, dependencies, { ...request.link, product, user }, true);
}

type Wish = SignupLink & { product: string; user: string };

/** @param isOwnWish somebody clicked for it, as far as it can be known; a page elsewhere may have sent them otherwise */
async function goOn(
  ctx: ParameterizedContext,
  dependencies: SignupDependencies,
  wish: Wish,
  isOwnWish: boolean,
): Promise<void> {
  const { billing, config, csrf } = dependencies;
  const { user: _user, ...link } = wish;
  const offer = billing.catalog.offer(wish);
  const skipsCheckout = offer.price === undefined || offer.plan.trialWithoutCard;
  if (skipsCheckout && !isOwnWish) {
    const form = { action: '/signup', csrf: csrf.token(ctx), fields: parametersOf(link) };
    return sendPage(ctx, confirmPage({ ...offer, form }, config.brand));
  }
  const step = await billing.signups.begin(wish).catch((error: unknown) => {
    throw withRetry(error, addressOf(link));
  });
  await act(ctx, dependencies, step, link);
}

/** A step to where the browser is to be, or what it is to be shown. */
async function act(
  ctx: ParameterizedContext,
  dependencies: SignupDependencies,
  step: SignupStep,
  link: SignupLink,
): Promise<void> {
  const { config, directory } = dependencies;
  switch (step.at) {
    case 'checkout':
      return leave(ctx, step.url);
    case 'done':
      return finish(ctx, dependencies, step);
    case 'choose_account': {
      const { accounts } = step;
      const { account: _none, ...rest } = link;
      const view = { action: '/signup', fields: parametersOf(rest), accounts };
      return sendPage(ctx, chooseAccountPage(view, config.brand));
    }
    case 'subscribed': {
      const account = await directory.account(step.account);
      const has = account?.subscriptions?.[step.product];
      const { plan, period, quantity } = link;
      const wantsOther = plan !== undefined && plan !== has?.plan;
      if (wantsOther) {
        return leave(ctx, switchAddress(step.account, { ...step, plan, period, quantity }));
      }
      const product = config.products.find(({ id }) => id === step.product);
      const view = {
        account: account?.name ?? '',
        product: product?.name ?? step.product,
        goOn: signinAddress(config, step),
        manage: `/account/portal?${new URLSearchParams({ account: step.account })}`,
      };
      return sendPage(ctx, subscribedPage(view, config.brand), 200);
    }
    case 'pending':
      return sendPage(ctx, waitingPage({ goOn: config.signin.success }, config.brand));
    case 'unpaid':
    case 'failed':
      // `begin` goes on with these by itself.
      throw new Error(`a sign-up stands still at ${step.at}`);
  }
}

function switchAddress(
  account: string,
  { product, ...wish }: SignupLink & { product: string },
): string {
  const { plan, period, quantity, returnTo } = wish;
  const parameters = parametersOf({ plan, period, quantity, account, returnTo });
  return `/account/switch/${product}?${new URLSearchParams(parameters)}`;
}

/** For this account, so that whoever was interrupted on the way comes in as if nothing had happened. */
function signinAddress(
  config: Config,
  { account, product, returnTo }: { account: string; product: string; returnTo?: string },
): string {
  const target = targetOf(config, returnTo);
  const isAllowed = appOrigins(config).has(new URL(target).origin);
  const query = { account, product, ...(isAllowed && { return_to: target }) };
  return `/signin?${new URLSearchParams(query)}`;
}

function targetOf(config: Config, returnTo: string | undefined): string {
  return returnTo ?? config.signup.success ?? config.signin.success;
}

/** Through the links' sign-in, so that the cookie holds this account and the first token says all of it. */
export function finish(
  ctx: ParameterizedContext,
  { config, oidc, attempts }: SignupDependencies,
  { account, product, returnTo }: { account: string; product: string; returnTo?: string },
): void {
  const request = { account, product, returnTo: targetOf(config, returnTo) };
  authorize(ctx, { config, oidc, attempts }, request);
}

/** Ends at the app where the configuration says so, with a word of our own list (F8, F10). */
export function fail(ctx: ParameterizedContext, config: Config, code: LinkErrorCode): void {
  if (config.signup.failed === undefined) {
    throw linkProblem(code, { details: { retry: '/signup' } });
  }
  const url = new URL(config.signup.failed);
  url.searchParams.set('error', code);
  continueTo(ctx, url.href);
}

/** What is away for the moment is asked for again by a click, which is harmless. */
export function withRetry(
  error: unknown,
  retry: string,
  code: LinkErrorCode = 'payment_unavailable',
): unknown {
  if (!(error instanceof Problem)) return error;
  const { cause, details, retryAfterSeconds, remedy } = error;
  const isAway = error.code.startsWith('stripe_') || error.code === 'busy';
  if (isAway) {
    return linkProblem(code, { cause: error, retryAfterSeconds, details: { retry } });
  }
  if (error.status < 500) return error;
  return new Problem(error.code, error.status, error.message, {
    cause,
    retryAfterSeconds,
    remedy,
    details: { ...details, retry },
  });
}
