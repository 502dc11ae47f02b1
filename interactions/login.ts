/** Who are you? Sends the browser to the provider that the person chose. */

import { Problem } from '../src/base/errors.ts';
import type { Conversation } from '../src/oidc/conversation.ts';
import { browserFor } from '../src/web/browsers.ts';
import type { Form } from '../src/web/form.ts';
import { loginPage } from '../views/login.ts';
import { texts } from '../views/texts.ts';
import { lastProvider } from './last_provider.ts';
import { denied } from './prompt.ts';
import type { InteractionDependencies, Outcome, Prompt, Refusal, Visit } from './prompt.ts';

async function show(
  deps: InteractionDependencies,
  visit: Visit,
  refusal?: Refusal,
): Promise<Outcome> {
  const provider = refusal === undefined ? providerAtOnce(deps, visit) : undefined;
  return provider === undefined ? page(deps, visit, refusal) : start(deps, visit, provider, false);
}

async function submit(deps: InteractionDependencies, visit: Visit, fields: Form): Promise<Outcome> {
  if (fields.has('leave')) return denied(texts.denied.notRegistered);
  const provider = fields.get('provider') ?? '';
  if (!deps.federation.providers.some(({ id }) => id === provider)) {
    const message = provider === '' ? texts.login.choose : texts.login.notOffered;
    return page(deps, visit, { status: 400, message });
  }
  return start(deps, visit, provider, fields.get('other') === 'yes');
}

export const login: Prompt = { show, submit };

/** The provider to go on to without a question: the app named it, or there is no other. */
function providerAtOnce(
  { federation, config }: InteractionDependencies,
  { conversation, query }: Visit,
): string | undefined {
  const { params, user, prompt } = conversation;
  const [first, ...others] = federation.providers;
  if (query.has('stay') || first === undefined) return undefined;
  // They are signed in, and somebody asked for another sign-in: the choice is the point.
  if (user !== undefined && prompt.reasons.includes('login_prompt')) return undefined;
  const named = federation.providers.find(({ id }) => id === params.provider);
  if (named !== undefined) return named.id;
  if (others.length === 0) return first.id;
  return federation.providers.find(({ id }) => id === config.defaultProvider)?.id;
}

async function start(
  deps: InteractionDependencies,
  visit: Visit,
  provider: string,
  other: boolean,
): Promise<Outcome> {
  const { ctx, conversation } = visit;
  const hint = conversation.params.login_hint;
  const prompt = promptFor(conversation, other);
  try {
    const { url } = await deps.federation.start(provider, {
      interaction: conversation.uid,
      // Binds the sign-in to this browser (F7).
      browser: browserFor(ctx, deps.cookies),
      ...(typeof hint === 'string' && hint !== '' && !other ? { loginHint: hint } : {}),
      ...(prompt === undefined ? {} : { prompt }),
    });
    return { address: url };
  } catch (error) {
    // Another way may work, so the choice is shown. Anything else is a failure like all others.
    if (!(error instanceof Problem) || error.status < 500 || error.code === 'internal_error') {
      throw error;
    }
    const name = deps.federation.providers.find(({ id }) => id === provider)?.name ?? provider;
    const message = texts.login.unavailable(name);
    return page(deps, visit, { status: error.status, message });
  }
}

/** What the provider should ask, though the person may be signed in there. */
function promptFor({ prompt, params }: Conversation, other: boolean): string | undefined {
  // Asked to sign in as somebody else: a provider that is not asked would answer with the same user.
  if (params.another === 'yes') return 'select_account';
  if (prompt.reasons.includes('login_prompt') || prompt.reasons.includes('max_age')) return 'login';
  return other ? 'select_account' : undefined;
}

function page(
  { federation, cookies, config }: InteractionDependencies,
  { ctx, conversation, query, form }: Visit,
  refusal?: Refusal,
): Outcome {
  return {
    status: refusal?.status ?? 200,
    page: loginPage(
      {
        form,
        providers: federation.providers,
        lastUsed: lastProvider(ctx, cookies),
        app: conversation.client.name,
        again: conversation.prompt.reasons.includes('max_age'),
        other: query.has('other'),
        message: refusal?.message,
      },
      config.brand,
    ),
  };
}
