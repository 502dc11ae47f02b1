/**
 * `/invitation`: from the link in an e-mail into the account. The token is taken out of the address at once; to open
 * the link does nothing more, whoever or whatever opens it. Who is not signed in goes through our own authorization
 * endpoint, as for a sign-up, and is let in there as somebody new because of the invitation that this browser holds.
 *
 *   GET /invitation/:token     holds the invitation, and goes on
 *   GET /invitation            says what it is, and for whom
 *   POST /invitation           accepts it, declines it, or signs in
 *   GET /invitation/return     the authorization endpoint's answer
 *   POST /domain               joins the account of one's e-mail domain, or asks to
 */

import Router from '@koa/router';
import type { ParameterizedContext } from 'koa';
import type { Clock } from '../base/clock.ts';
import { Problem } from '../base/errors.ts';
import type { Secrets } from '../base/secrets.ts';
import type { Config } from '../config.ts';
import type { Directory } from '../directory/directory.ts';
import type { LinkOidc } from '../oidc/links.ts';
import type { Cookies } from '../web/cookies.ts';
import type { Csrf } from '../web/csrf.ts';
import { readForm, singleQuery } from '../web/form.ts';
import type { Form } from '../web/form.ts';
import { continueTo, sendPage } from '../web/page.ts';
import {
  askedPage,
  closedInvitationPage,
  declinedPage,
  fullPage,
  invitationPage,
  lostInvitationPage,
  memberPage,
  overPage,
} from '../../views/invitation.ts';
import { challengeOf, createAttempts } from './attempts.ts';
import type { Attempts } from './attempts.ts';
import { intoApp, joinByDomain, noRoom } from './domain_joining.ts';
import { linkProblem } from './errors.ts';
import type { HeldInvitations } from './held_invitations.ts';
import { findInvited, inviterOf, roleNames } from './invited.ts';
import type { Invited } from './invited.ts';
import { requireNavigation, textOf } from './link_query.ts';
import { authorize, codeOf } from './signin.ts';
import { activeUser } from './signup.ts';

interface InvitationLinks {
  config: Config;
  oidc: LinkOidc;
  secrets: Secrets;
  cookies: Cookies;
  csrf: Csrf;
  clock: Clock;
  directory: Directory;
  held: HeldInvitations;
}

interface InvitationRequest {
  invitation: string;
  /** They want in: who it was sent to need not say so again. */
  wantsIn: boolean;
}

type Deps = InvitationLinks & {
  attempts: Attempts<InvitationRequest>;
  /** Of the sign-in that ends in the app. */
  signins: Attempts;
};

const formLimitBytes = 8 * 1024;

export function routes(links: InvitationLinks): Router {
  const { cookies, secrets, clock, config } = links;
  const lifetimeSeconds = config.lifetimes.interaction;
  const options = { cookies, secrets, clock, lifetimeSeconds };
  const deps: Deps = {
    ...links,
    attempts: createAttempts<InvitationRequest>({ ...options, of: 'invitation' }),
    signins: createAttempts({ ...options, of: 'signin' }),
  };
  const router = new Router();
  router.get('/invitation', (ctx) => show(ctx, deps));
  router.post('/invitation', (ctx) => answer(ctx, deps));
  router.get('/invitation/return', (ctx) => comeBack(ctx, deps));
  router.get('/invitation/:token', (ctx) => open(ctx, deps, ctx.params.token ?? ''));
  router.post('/domain', (ctx) => joinByDomain(ctx, deps));
  return router;
}

async function open(ctx: ParameterizedContext, deps: Deps, token: string): Promise<void> {
  const { directory, held, config } = deps;
  const invitation = await directory.invitations.byToken(token);
  if (invitation === undefined) return sendPage(ctx, lostInvitationPage(config.brand), 404);
  held.hold(ctx, invitation.id);
  continueTo(ctx, addressOf(invitation.id));
}

function addressOf(invitation: string): string {
  return `/invitation?${new URLSearchParams({ invitation })}`;
}

async function show(ctx: ParameterizedContext, deps: Deps): Promise<void> {
  requireNavigation(ctx);
  const invited = await findInvited(ctx, deps, textOf(singleQuery(ctx), 'invitation'));
  if (invited === undefined) return sendPage(ctx, lostInvitationPage(deps.config.brand), 404);
  await present(ctx, deps, invited);
}

/** The page of how it stands, for whoever is there. */
async function present(ctx: ParameterizedContext, deps: Deps, invited: Invited): Promise<void> {
  const { config, csrf, directory } = deps;
  const { brand, signin } = config;
  const { invitation, account, standing, person } = invited;
  const name = account?.name ?? '';
  const goOn = signin.success;
  if (account === undefined || standing === 'closed') {
    return sendPage(ctx, closedInvitationPage({ account: name, goOn }, brand), 410);
  }
  if (invited.isMember) {
    return sendPage(ctx, memberPage({ account: name, goOn: intoApp(account.id) }, brand));
  }
  if (invited.waits) return sendPage(ctx, askedPage({ account: name, goOn }, brand));
  // Whoever is not signed in may be the one to whom it was sent.
  const mayBeTheirs = invited.isTheirs || person === undefined;
  const isOpen = standing === 'open' || (standing === 'waiting' && mayBeTheirs);
  if (!isOpen) {
    return sendPage(ctx, overPage({ account: name, standing, goOn }, brand), 410);
  }
  const { document } = invitation;
  const view = {
    form: { action: '/invitation', csrf: csrf.token(ctx, invited.user), invitation: invitation.id },
    account: name,
    by: await inviterOf(directory, document.by),
    roles: roleNames(document.roles, config),
    // Whoever has the link but is nobody here is not told for whom it was.
    sentTo: person === undefined || invited.isTheirs ? undefined : document.email,
    who: person?.email ?? person?.name,
    signedIn: person !== undefined,
    isTheirs: invited.isTheirs || document.way === 'link',
  };
  sendPage(ctx, invitationPage(view, brand));
}

async function answer(ctx: ParameterizedContext, deps: Deps): Promise<void> {
  const { csrf, config, directory, held } = deps;
  const form = await readForm(ctx, formLimitBytes);
  csrf.requireOwnOrigin(ctx);
  const user = await activeUser(ctx, deps);
  const isForThem = isFormOf(ctx, deps, { form, user });
  const invited = await findInvited(ctx, deps, textOf(form, 'invitation'));
  if (invited === undefined) return sendPage(ctx, lostInvitationPage(config.brand), 404);
  // Somebody has signed in since, whom the page did not name: now it does.
  if (!isForThem) return present(ctx, deps, invited);
  const { invitation, account } = invited;
  const wish = form.get('do');
  if (wish === 'decline') {
    const wasTheirs =
      user !== undefined && (await directory.invitations.refuse(invitation.id, user));
    held.drop(ctx, invitation.id);
    const view = { account: account?.name ?? '', wasTheirs, goOn: config.signin.success };
    return sendPage(ctx, declinedPage(view, config.brand));
  }
  if (wish === 'other') return signIn(ctx, deps, invitation.id, { again: true });
  if (user === undefined) return signIn(ctx, deps, invitation.id);
  if (wish !== 'accept') return present(ctx, deps, invited);
  await accept(ctx, deps, { ...invited, user });
}

/**
 * Whether the page was made for who is there.
 * @throws {Problem} `form_foreign` (403): it is none of ours, or named somebody else
 */
function isFormOf(
  ctx: ParameterizedContext,
  { csrf }: Deps,
  { form, user }: { form: Form; user: string | undefined },
): boolean {
  try {
    csrf.require(ctx, form, user);
    return true;
  } catch (error) {
    if (user === undefined) throw error;
    csrf.require(ctx, form);
    return false;
  }
}

async function accept(
  ctx: ParameterizedContext,
  deps: Deps,
  invited: Invited & { user: string },
): Promise<void> {
  const { directory, held, config } = deps;
  const { invitation, user, account } = invited;
  try {
    const joined = await directory.invitations.accept(invitation.id, user);
    if (joined === 'waiting') return continueTo(ctx, addressOf(invitation.id));
    held.drop(ctx, invitation.id);
    // Not by a link of ours: who comes from the upstream comes from another site, and would be asked which account.
    const request = { returnTo: config.signin.success, account: invitation.document.account };
    authorize(ctx, { config, oidc: deps.oidc, attempts: deps.signins }, request);
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    if (noRoom.has(error.code)) {
      const view = { account: account?.name ?? '', again: addressOf(invitation.id) };
      return sendPage(ctx, fullPage(view, config.brand), 402);
    }
    if (!overNow.has(error.code)) throw withWayBack(error, addressOf(invitation.id));
    const now = await findInvited(ctx, deps, invitation.id);
    if (now === undefined) return sendPage(ctx, lostInvitationPage(config.brand), 404);
    await present(ctx, deps, now);
  }
}

/** What is away, or too busy, for the moment is tried again by a click. */
function withWayBack(error: Problem, retry: string): Problem {
  const { code, status, message, cause, retryAfterSeconds, details } = error;
  const more = { cause, retryAfterSeconds, details: { ...details, retry } };
  return new Problem(code, status, message, more);
}

/** Somebody was faster. */
const overNow = new Set(['invitation_over', 'account_closed']);

/** Through our own authorization endpoint, and back to `/invitation/return`. @param how `again`: as somebody else */
function signIn(
  ctx: ParameterizedContext,
  { config, oidc, attempts }: Deps,
  invitation: string,
  { again = false } = {},
): void {
  const attempt = attempts.begin(ctx, { invitation, wantsIn: !again });
  const url = new URL(`${config.issuer}/oauth2/authorize`);
  const parameters = {
    client_id: oidc.invitation.clientId,
    redirect_uri: oidc.invitation.redirectUri,
    response_type: 'code',
    scope: 'openid profile email',
    state: attempt.state,
    nonce: attempt.nonce,
    code_challenge: challengeOf(attempt),
    code_challenge_method: 'S256',
    ...(again && { prompt: 'login' }),
  };
  for (const [name, value] of Object.entries(parameters)) url.searchParams.set(name, value);
  continueTo(ctx, url.href);
}

/** Somebody has signed in. The code is left alone: that there is a session is all that counts. */
async function comeBack(ctx: ParameterizedContext, deps: Deps): Promise<void> {
  const { config, attempts } = deps;
  const query = singleQuery(ctx);
  const attempt = attempts.take(ctx, query.get('state') ?? '');
  // Where the cookie went the invitation may have stayed: its page says what is next.
  if (attempt === undefined) return continueTo(ctx, '/invitation');
  // RFC 9207
  if (query.get('iss') !== config.issuer) throw linkProblem('signin_failed');
  const { invitation, wantsIn } = attempt.request;
  const error = query.get('error');
  // Who turned back finds the invitation as it was.
  if (error === 'access_denied') return continueTo(ctx, addressOf(invitation));
  if (error !== undefined) throw linkProblem(codeOf(error));
  const invited = await findInvited(ctx, deps, invitation);
  const user = invited?.user;
  if (invited === undefined || user === undefined || !wantsIn || !invited.isTheirs) {
    return continueTo(ctx, addressOf(invitation));
  }
  await accept(ctx, deps, { ...invited, user });
}
