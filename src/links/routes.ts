/**
 * The link room: for browser apps on the issuer's own site, a sign-in that takes links and one
 * `fetch`, and no library. The browser holds cookies; no token is in an address, in a page, or in
 * storage that scripts can read. Issuing is the OpenID room's business, which is asked like by any
 * other client; nothing here reads or writes the store.
 *
 *   GET /signin, /signin/:provider     begin; ends at `return_to` or `signin.success`
 *   GET /signin/return                 the authorization endpoint's answer
 *   POST /refresh                      an access token for the cookie
 *   GET, POST /signout                 the end of the session and of all that came from it, or of a part
 *   GET /signup, /signup/:provider     choose and pay; ends at `return_to` or `signup.success`
 *   GET /signup/return                 the authorization endpoint's answer
 *   GET /integrations/stripe/checkout/success, /canceled   the way back from the payment
 *   GET /session/events                tells a page when any of that is different
 *   GET /account/select                another account, without signing in again
 *   GET /account/billing               how an account stands, and what can be done about it
 *   GET /account/portal                Stripe's portal, for who may pay
 *   GET, POST /account/switch/:product another plan
 */

import Router from '@koa/router';
import type { ParameterizedContext } from 'koa';
import type { Clock } from '../base/clock.ts';
import { Problem } from '../base/errors.ts';
import type { Log } from '../base/log.ts';
import type { Secrets } from '../base/secrets.ts';
import type { Billing } from '../billing/billing.ts';
import type { Config } from '../config.ts';
import type { Directory } from '../directory/directory.ts';
import type { LinkOidc } from '../oidc/links.ts';
import type { LiveSessions } from '../oidc/live_sessions.ts';
import type { Cookies } from '../web/cookies.ts';
import type { Csrf } from '../web/csrf.ts';
import type { Html } from '../web/html.ts';
import type { LimitRule, Limits } from '../web/limits.ts';
import { continueTo } from '../web/page.ts';
import { openPortal, portalReturnPath, returnFromPortal } from './account.ts';
import { showBilling } from './account_billing.ts';
import { selectAccount } from './account_select.ts';
import { beginSwitch, confirmSwitch } from './account_switch.ts';
import type { ActingDirectory } from './acting.ts';
import { createAttempts } from './attempts.ts';
import type { Attempts } from './attempts.ts';
import { leaveCheckout, returnFromCheckout } from './checkout_returns.ts';
import { preflight } from './cors.ts';
import type { EventStreams } from './event_streams.ts';
import { linkProblem } from './errors.ts';
import { refresh, refreshMethods } from './refresh.ts';
import { sessionEvents, sessionEventsMethods } from './session_events.ts';
import { beginSignin, finishSignin } from './signin.ts';
import { signOutByForm, signOutByLink } from './signout.ts';
import { beginSignup, confirmSignup, returnToSignup } from './signup.ts';
import type { SignupRequest } from './signup_request.ts';
import type { SignoutQuestion } from './signout.ts';

export interface LinksDependencies {
  config: Config;
  oidc: LinkOidc;
  secrets: Secrets;
  cookies: Cookies;
  csrf: Csrf;
  clock: Clock;
  log: Log;
  limits: Limits;
  live: LiveSessions;
  streams: EventStreams;
  directory: ActingDirectory & Pick<Directory, 'revokeUser'>;
  /** Absent where nothing is sold by Stripe. */
  billing: Billing | undefined;
  /** The page that asks whether to sign out. */
  renderQuestion(question: SignoutQuestion): Html;
}

// A whole office may share one address. Nothing can be guessed here, so where the counters fail,
// nobody is kept out.
const perMinute = (name: string, limit: number): LimitRule => ({
  name,
  limit,
  windowSeconds: 60,
  whenStoreFails: 'open',
});
/** As many as the operator lets an office come to the other pages. */
const pageLimit = (name: string, { limits }: Config) => perMinute(name, limits.perAddressPerMinute);
const refreshLimit = perMinute('link_refresh', 1200);
const sessionEventsLimit = perMinute('link_session_events', 1200);

export function routes(dependencies: LinksDependencies): Router {
  const { config, cookies, secrets, clock, limits } = dependencies;
  const attempts = createAttempts({
    cookies,
    secrets,
    clock,
    lifetimeSeconds: config.lifetimes.interaction,
    of: 'signin',
  });
  const signin = { ...dependencies, attempts };
  const router = new Router();
  router.use('/signin', limits.byAddress(pageLimit('link_signin', config)));
  router.use('/refresh', asJson, limits.byAddress(refreshLimit));
  router.use('/signout', limits.byAddress(pageLimit('link_signout', config)));
  router.use('/session/events', asJson, limits.byAddress(sessionEventsLimit));
  // Somebody typed the issuer's address: to the app, which knows what to do with them.
  router.get('/', (ctx) => continueTo(ctx, config.signin.success));
  router.get('/signin', (ctx) => beginSignin(ctx, signin));
  router.get('/signin/return', (ctx) => finishSignin(ctx, signin));
  router.get('/signin/:provider', (ctx) => beginSignin(ctx, signin, ctx.params.provider));
  router.post('/refresh', (ctx) => refresh(ctx, dependencies));
  router.options('/refresh', (ctx) =>
    preflight(ctx, { config, method: 'POST', header: 'Content-Type' }),
  );
  router.all('/refresh', (ctx) => {
    ctx.set('Allow', refreshMethods);
    throw new Problem('method_not_allowed', 405, 'Tokens are asked for with POST.');
  });
  router.get('/session/events', (ctx) => sessionEvents(ctx, dependencies));
  router.options('/session/events', (ctx) =>
    preflight(ctx, { config, method: 'GET', header: 'Last-Event-ID' }),
  );
  router.all('/session/events', (ctx) => {
    ctx.set('Allow', sessionEventsMethods);
    throw new Problem('method_not_allowed', 405, 'This is a stream of events: ask with GET.');
  });
  mountSignups(router, dependencies, attempts);
  accountRoutes(router, dependencies);
  router.get('/account/select', (ctx) => selectAccount(ctx, signin));
  router.get('/signout', (ctx) => signOutByLink(ctx, dependencies));
  router.post('/signout', (ctx) => signOutByForm(ctx, dependencies));
  return router;
}

/** Only where something is sold. All of it is within the limit of what browsers ask for (`application.ts`). */
function mountSignups(router: Router, dependencies: LinksDependencies, attempts: Attempts): void {
  const { config, billing, cookies, secrets, clock } = dependencies;
  if (billing === undefined) return;
  const lifetimeSeconds = config.lifetimes.interaction;
  const options = { cookies, secrets, clock, lifetimeSeconds, of: 'signup' } as const;
  const signupAttempts = createAttempts<SignupRequest>(options);
  const signup = { ...dependencies, billing, attempts, signupAttempts };
  const back = '/integrations/stripe/checkout';
  router.get('/signup', (ctx) => beginSignup(ctx, signup));
  router.post('/signup', (ctx) => confirmSignup(ctx, signup));
  router.get('/signup/return', (ctx) => returnToSignup(ctx, signup));
  router.get('/signup/:provider', (ctx) => beginSignup(ctx, signup, ctx.params.provider));
  router.get(`${back}/success`, (ctx) => returnFromCheckout(ctx, signup));
  router.get(`${back}/canceled`, (ctx) => leaveCheckout(ctx, signup));
}

/** Links about what an account pays for; a page that says so where there is nothing to pay for. */
function accountRoutes(router: Router, dependencies: LinksDependencies): void {
  const { billing, config, limits } = dependencies;
  router.use('/account', limits.byAddress(pageLimit('link_account', config)));
  const portal = ['/account/portal', portalReturnPath];
  const paths = ['/account/billing', '/account/switch/:product', ...portal];
  if (billing === undefined) {
    router.all(paths, () => {
      throw linkProblem('billing_unavailable');
    });
    return;
  }
  const deps = { ...dependencies, billing };
  router.get('/account/billing', (ctx) => showBilling(ctx, deps));
  router.get('/account/portal', (ctx) => openPortal(ctx, deps));
  router.get('/account/switch/:product', (ctx) => beginSwitch(ctx, deps, ctx.params.product ?? ''));
  router.post('/account/switch/:product', (ctx) =>
    confirmSwitch(ctx, deps, ctx.params.product ?? ''),
  );
  router.get(portalReturnPath, (ctx) => returnFromPortal(ctx, deps));
}

/** Refusals too: who calls this is a script, whatever the browser says that it accepts. */
function asJson(ctx: ParameterizedContext, next: () => Promise<unknown>): Promise<unknown> {
  ctx.req.headers.accept = 'application/json';
  return next();
}
