/**
 * The link room: for browser apps on the issuer's own site, a sign-in that takes links and one
 * `fetch`, and no library. The browser holds cookies; no token is in an address, in a page, or in
 * storage that scripts can read. Issuing is the OpenID room's business, which is asked like by any
 * other client; nothing here reads or writes the store.
 *
 *   GET /signin, /signin/:provider     begin; ends at `return_to` or `signin.success`
 *   GET /signin/return                 the authorization endpoint's answer
 *   POST /refresh                      an access token for the cookie
 *   GET, POST /signout                 the end of the session and of all that came from it
 */

import Router from '@koa/router';
import type { Clock } from '../base/clock.ts';
import { Problem } from '../base/errors.ts';
import type { Log } from '../base/log.ts';
import type { Secrets } from '../base/secrets.ts';
import type { Config } from '../config.ts';
import type { LinkOidc } from '../oidc/links.ts';
import type { Cookies } from '../web/cookies.ts';
import type { Csrf } from '../web/csrf.ts';
import type { Html } from '../web/html.ts';
import { createAttempts } from './attempts.ts';
import { preflight, refresh, refreshMethods } from './refresh.ts';
import { beginSignin, finishSignin } from './signin.ts';
import { signOutByForm, signOutByLink } from './signout.ts';
import type { SignoutQuestion } from './signout.ts';

export interface LinksDependencies {
  config: Config;
  oidc: LinkOidc;
  secrets: Secrets;
  cookies: Cookies;
  csrf: Csrf;
  clock: Clock;
  log: Log;
  /** The page that asks whether to sign out. */
  renderQuestion(question: SignoutQuestion): Html;
}

export function routes(dependencies: LinksDependencies): Router {
  const { config, cookies, secrets, clock } = dependencies;
  const attempts = createAttempts({
    cookies,
    secrets,
    clock,
    lifetimeSeconds: config.lifetimes.interaction,
  });
  const signin = { ...dependencies, attempts };
  const router = new Router();
  router.get('/signin', (ctx) => beginSignin(ctx, signin));
  router.get('/signin/return', (ctx) => finishSignin(ctx, signin));
  router.get('/signin/:provider', (ctx) => beginSignin(ctx, signin, ctx.params.provider));
  router.post('/refresh', (ctx) => refresh(ctx, dependencies));
  router.options('/refresh', (ctx) => preflight(ctx, dependencies));
  router.all('/refresh', (ctx) => {
    ctx.set('Allow', refreshMethods);
    throw new Problem('method_not_allowed', 405, 'Tokens are asked for with POST.');
  });
  router.get('/signout', (ctx) => signOutByLink(ctx, dependencies));
  router.post('/signout', (ctx) => signOutByForm(ctx, dependencies));
  return router;
}
