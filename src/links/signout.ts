/**
 * `/signout`: ends the browser's session and everything that came from it, and goes on; or only what the apps of this
 * site have of it; or all sessions in all browsers. Links of this site do so at once; what another site's link leads to
 * is a question, because a page elsewhere must not sign anybody out (T44, T56).
 */

import type { ParameterizedContext } from 'koa';
import type { Log } from '../base/log.ts';
import type { Config } from '../config.ts';
import type { Directory } from '../directory/directory.ts';
import type { LinkOidc } from '../oidc/links.ts';
import { linkCookie } from '../web/cookies.ts';
import type { Cookies } from '../web/cookies.ts';
import type { Csrf } from '../web/csrf.ts';
import { readForm, singleQuery } from '../web/form.ts';
import type { Form } from '../web/form.ts';
import type { Html } from '../web/html.ts';
import { continueTo, sendPage } from '../web/page.ts';
import { resolveReturnTo } from '../web/return_to.ts';
import { invalid } from './link_query.ts';
import { appOrigins, callingOrigins, isFromApp, isOwnNavigation } from './origins.ts';

/**
 * How far it goes: the apps of this site, which share a cookie; all apps in this browser (which is meant where nothing
 * is said); or all apps in all browsers.
 */
const scopes = ['app', 'all', 'everywhere'] as const;
export type SignoutScope = (typeof scopes)[number];

/** What the page that asks needs: one form, and a way to stay. */
export interface SignoutQuestion {
  /** What the link names. Otherwise the person chooses between `app` and `all`. */
  scope?: SignoutScope | undefined;
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
  directory: Pick<Directory, 'revokeUser'>;
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
  const scope = scopeOf(query);
  // Other devices are not signed out by a click that may have meant this one.
  if (isOwnNavigation(ctx) && scope !== 'everywhere') return end(ctx, dependencies, target, scope);
  const returnTo = query.get('return_to');
  const page = renderQuestion({
    scope,
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
  const query = singleQuery(ctx);
  const target = targetOf(form.has('return_to') ? form : query, config);
  await end(ctx, dependencies, target, scopeOf(form.has('scope') ? form : query));
}

/** @throws {Problem} `parameter_invalid` (400): nobody is signed out of more, or of less, than was meant */
function scopeOf(parameters: Form): SignoutScope | undefined {
  const value = parameters.get('scope') ?? '';
  if (value === '') return undefined;
  const scope = scopes.find((one) => one === value);
  if (scope === undefined) throw invalid('scope');
  return scope;
}

function targetOf(parameters: Form, config: Config): string {
  return resolveReturnTo(parameters.get('return_to'), {
    origins: [...appOrigins(config)],
    fallback: config.signout.success,
  });
}

async function end(
  ctx: ParameterizedContext,
  dependencies: SignoutDependencies,
  target: string,
  scope: SignoutScope = 'all',
): Promise<void> {
  const { config, cookies, log } = dependencies;
  try {
    await endWhatIsMeant(ctx, dependencies, scope);
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

async function endWhatIsMeant(
  ctx: ParameterizedContext,
  { oidc, cookies, directory }: SignoutDependencies,
  scope: SignoutScope,
): Promise<void> {
  const refreshToken = cookies.read(ctx, linkCookie);
  if (scope === 'everywhere') {
    const found = await oidc.subject(ctx, refreshToken);
    // All that is from before is refused from here on; the event's handler ends it, one after the other.
    if (found?.over === false) await directory.revokeUser(found.subject.user, 'signed_out');
  }
  if (scope === 'app') await oidc.endLinks(ctx);
  else await oidc.endSession(ctx, 'signed_out');
  // The session may have run out before its tokens did.
  if (refreshToken !== undefined) await oidc.revoke(refreshToken);
}
