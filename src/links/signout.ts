/**
 * `/signout`: ends the browser's session and everything that came from it, and goes on. Links of this
 * site do so at once; what another site's link leads to is a question, because a page elsewhere must
 * not sign anybody out (T44, T56).
 */

import type { ParameterizedContext } from 'koa';
import type { Log } from '../base/log.ts';
import type { Config } from '../config.ts';
import type { LinkOidc } from '../oidc/links.ts';
import { linkCookie } from '../web/cookies.ts';
import type { Cookies } from '../web/cookies.ts';
import type { Csrf } from '../web/csrf.ts';
import { readForm, singleQuery } from '../web/form.ts';
import type { Form } from '../web/form.ts';
import type { Html } from '../web/html.ts';
import { continueTo, sendPage } from '../web/page.ts';
import { resolveReturnTo } from '../web/return_to.ts';
import { appOrigins, callingOrigins, isFromApp, isOwnNavigation } from './origins.ts';

/** What the page that asks needs: one form, and a way to stay. */
export interface SignoutQuestion {
  action: string;
  csrf: string;
  /** Hidden fields of the form. */
  fields: Readonly<Record<string, string>>;
  /** Where to go for who does not want to sign out. */
  stay: string;
}

export interface SignoutDependencies {
  config: Config;
  oidc: LinkOidc;
  cookies: Cookies;
  csrf: Csrf;
  log: Log;
  renderQuestion(question: SignoutQuestion): Html;
}

const formLimitBytes = 8 * 1024;

/** `GET /signout` */
export async function signOutByLink(
  ctx: ParameterizedContext,
  dependencies: SignoutDependencies,
): Promise<void> {
  const { config, csrf, renderQuestion } = dependencies;
  const query = singleQuery(ctx);
  // Refused before anything ends (F8).
  const target = targetOf(query, config);
  if (isOwnNavigation(ctx)) return end(ctx, dependencies, target);
  const returnTo = query.get('return_to');
  const page = renderQuestion({
    action: '/signout',
    csrf: csrf.token(ctx),
    fields: returnTo === undefined || returnTo === '' ? {} : { return_to: returnTo },
    stay: config.signin.success,
  });
  sendPage(ctx, page);
}

/** `POST /signout`: from our own page, or from an app's. */
export async function signOutByForm(
  ctx: ParameterizedContext,
  dependencies: SignoutDependencies,
): Promise<void> {
  const { config, csrf } = dependencies;
  const fromApp = isFromApp(ctx, callingOrigins(config));
  const bare = fromApp && ctx.get('Content-Type') === '';
  const form: Form = bare ? new Map<string, string>() : await readForm(ctx, formLimitBytes);
  if (!fromApp) csrf.require(ctx, form);
  await end(ctx, dependencies, targetOf(form.has('return_to') ? form : singleQuery(ctx), config));
}

function targetOf(parameters: Form, config: Config): string {
  return resolveReturnTo(parameters.get('return_to'), {
    origins: [...appOrigins(config)],
    fallback: config.signout.success,
  });
}

async function end(
  ctx: ParameterizedContext,
  { config, oidc, cookies, log }: SignoutDependencies,
  target: string,
): Promise<void> {
  const refreshToken = cookies.read(ctx, linkCookie);
  try {
    await oidc.endSession(ctx, 'signed_out');
    // The session may have run out before its tokens did.
    if (refreshToken !== undefined) await oidc.revoke(refreshToken);
  } catch (error) {
    // Still signed in: nobody is told otherwise.
    if (config.signout.failed === undefined) throw error;
    log.error('a sign-out by link failed', { error });
    const url = new URL(config.signout.failed);
    url.searchParams.set('error', 'temporarily_unavailable');
    return continueTo(ctx, url.href);
  }
  cookies.clear(ctx, linkCookie);
  continueTo(ctx, target);
}
