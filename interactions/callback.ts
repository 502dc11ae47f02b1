/** Where upstream providers send browsers back to: who they are, and on with the conversation. */

import type { ParameterizedContext } from 'koa';
import { Problem } from '../src/base/errors.ts';
import type { Identity } from '../src/directory/users.ts';
import type { Conversation } from '../src/oidc/conversation.ts';
import { invitationReturnPath, signupClientId } from '../src/oidc/clients.ts';
import { browserCookie } from '../src/web/cookies.ts';
import { readForm } from '../src/web/form.ts';
import { continueTo, sendPage } from '../src/web/page.ts';
import { notRegisteredPage } from '../views/message.ts';
import { keepLastProvider } from './last_provider.ts';
import { plansAddress } from './prompt.ts';
import type { InteractionDependencies } from './prompt.ts';

export const callbackPath = '/integrations/oauth2/callback';

const maximumFormBytes = 8 * 1024;

/**
 * `response_mode=form_post`: other sites' posts carry no cookies (they are `SameSite=Lax`), so the
 * browser comes again by GET, with them.
 */
export async function callbackForm(ctx: ParameterizedContext): Promise<void> {
  const form = await readForm(ctx, maximumFormBytes);
  ctx.status = 303;
  ctx.set('Location', `${callbackPath}?${new URLSearchParams([...form])}`);
  ctx.set('Cache-Control', 'no-store');
  ctx.type = 'text';
  ctx.body = 'See other.\n';
}

export async function callback(
  deps: InteractionDependencies,
  ctx: ParameterizedContext,
): Promise<void> {
  const { conversations, directory, federation, cookies } = deps;
  const query = new URLSearchParams(ctx.querystring);
  const browser = cookies.read(ctx, browserCookie);
  const finished = await federation.finish(query, browser).catch(async (error: unknown) => {
    throw await withoutDeadEnd(deps, ctx, error);
  });
  const { identity, interaction, linking } = finished;
  if (linking !== undefined) {
    return continueTo(ctx, await deps.addIdentity(ctx, { identity, linking }));
  }
  const conversation = await conversations.byUid(ctx, interaction);
  if (conversation?.prompt.name !== 'login') throw over();
  let user: string;
  try {
    const signingUp = conversation.client.id === signupClientId;
    const invited = signingUp && isForInvitation(conversation) && (await deps.isInvited(ctx));
    user = (await directory.signIn(identity, { signingUp, invited })).user.id;
  } catch (error) {
    return refuse(deps, ctx, conversation, identity, error);
  }
  keepLastProvider(ctx, cookies, identity.provider);
  const { provider, amr, acr } = identity;
  const login = { user, provider, ...(amr && { amr }), ...(acr && { acr }) };
  continueTo(ctx, await conversations.finish(conversation, { login }));
}

function isForInvitation({ params }: Conversation): boolean {
  return String(params.redirect_uri).endsWith(invitationReturnPath);
}

/** The page of a failure leads back into the conversation, which may be over: then to the app. */
async function withoutDeadEnd(
  { conversations }: InteractionDependencies,
  ctx: ParameterizedContext,
  error: unknown,
): Promise<unknown> {
  if (!(error instanceof Problem)) return error;
  const { interaction, ...details } = error.details;
  if (typeof interaction !== 'string') return error;
  if ((await conversations.byUid(ctx, interaction)) !== undefined) return error;
  const { code, status, message, cause, retryAfterSeconds } = error;
  return new Problem(code, status, message, { cause, retryAfterSeconds, details });
}

/** They are somebody, but nobody here. */
function refuse(
  deps: InteractionDependencies,
  ctx: ParameterizedContext,
  { uid, client }: Conversation,
  identity: Identity,
  error: unknown,
): void {
  const { config, csrf, log } = deps;
  if (!(error instanceof Problem)) throw error;
  if (error.code !== 'not_registered') {
    throw new Problem(error.code, error.status, error.message, {
      cause: error.cause ?? error,
      details: { ...error.details, interaction: uid },
    });
  }
  log.info('somebody who is not registered signed in', { provider: identity.provider });
  const byPlan = config.registration === 'checkout';
  const view = {
    form: { action: `/interaction/${uid}`, step: 'login', csrf: csrf.token(ctx) },
    app: client.name,
    who: identity.email ?? identity.name,
    way: byPlan ? ('checkout' as const) : ('invitation' as const),
    plans: byPlan ? plansAddress(deps) : undefined,
  };
  sendPage(ctx, notRegisteredPage(view, config.brand), error.status);
}

function over(): Problem {
  return new Problem(
    'interaction_expired',
    410,
    'This sign-in took too long, or went on in another tab. Start again.',
  );
}
