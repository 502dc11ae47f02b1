/** The sign-in conversation over the library's interactions: what `conversation.ts` promises. */

import { errors } from 'oidc-provider';
import type { ParameterizedContext } from 'koa';
import type { Interaction, Provider } from 'oidc-provider';
import type { Clock } from '../base/clock.ts';
import { Problem } from '../base/errors.ts';
import type { Store } from '../storage/store.ts';
import type { UnitOfWork } from '../storage/work.ts';
import { browserHash } from './browser.ts';
import type { Clients } from './clients.ts';
import type { Locks } from './locks.ts';
import { giveConsent } from './consents.ts';
import type { Conversation, Conversations, PromptName, PromptResult } from './conversation.ts';

export interface ConversationDependencies {
  provider: Provider;
  clients: Clients;
  locks: Locks;
  store: Store;
  work: UnitOfWork;
  clock: Clock;
}

function over(cause?: unknown): Problem {
  return new Problem(
    'interaction_expired',
    410,
    'This sign-in took too long, or went on in another tab. Start again.',
    { cause },
  );
}

const wordsOf = (value: unknown): string[] =>
  typeof value === 'string' ? value.split(' ').filter(Boolean) : [];

/** The scopes that the consent prompt said are missing, or all that were asked for. */
function scopesOf({ prompt, params }: Conversation): string[] {
  const { missingOIDCScope, missingResourceScopes } = prompt.details;
  const missing = [
    ...((missingOIDCScope ?? []) as string[]),
    ...Object.values((missingResourceScopes ?? {}) as Record<string, string[]>).flat(),
  ];
  return missing.length > 0 ? missing : wordsOf(params.scope);
}

function queryOf(parameters: object): URLSearchParams {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(parameters)) {
    for (const one of Array.isArray(value) ? value : [value]) {
      if (one !== undefined && one !== null) query.append(name, String(one));
    }
  }
  return query;
}

export function createConversations(dependencies: ConversationDependencies): Conversations {
  const { provider, clients, locks, store, work, clock } = dependencies;

  async function describe(interaction: Interaction): Promise<Conversation> {
    const { uid, prompt, params, session } = interaction;
    const id = String(params.client_id);
    const client = clients.get(id);
    if (client === undefined) throw over();
    const grant =
      interaction.grantId === undefined
        ? undefined
        : await work.current().read('grant', interaction.grantId);
    return {
      uid,
      prompt: {
        name: prompt.name as PromptName,
        reasons: prompt.reasons,
        details: prompt.details,
      },
      params,
      client: { id, name: client.name, firstParty: client.firstParty },
      products: locks.asked(id, params).map((product) => product.id),
      user: session?.accountId,
      account: grant?.account,
    };
  }

  /** A sibling host can plant the conversation's own cookie, but not this one (`web/browsers.ts`). */
  const begunHere = async (ctx: ParameterizedContext, uid: string): Promise<boolean> => {
    const document = await work.current().read('interaction', uid);
    const hash = browserHash(ctx);
    return hash !== undefined && document?.browser === hash;
  };

  const find = async (uid: string): Promise<Interaction> => {
    const interaction = await provider.Interaction.find(uid);
    if (interaction === undefined) throw over();
    return interaction;
  };

  async function resultOf(conversation: Conversation, result: PromptResult): Promise<object> {
    if ('login' in result) {
      const { user, provider: by, amr, acr } = result.login;
      // When the person came back from the upstream, however long the chooser takes (`auth_time`).
      const ts = Math.floor(clock() / 1000);
      return {
        login: { accountId: user, ts, provider: by, ...(amr && { amr }), ...(acr && { acr }) },
      };
    }
    if ('consent' in result) {
      if (conversation.user === undefined) throw over();
      const { user, client, account } = conversation;
      const claims = (conversation.prompt.details.missingOIDCClaims ?? []) as string[];
      const scopes = scopesOf(conversation);
      const consent = { user, client: client.id, account, scopes, claims };
      await giveConsent({ store, clock }, consent);
      return { consent: {} };
    }
    return result;
  }

  async function begin({ uid }: Conversation, changes: object): Promise<string> {
    const { params } = await find(uid);
    return `${provider.issuer}/oauth2/authorize?${queryOf({ ...params, ...changes })}`;
  }

  return {
    async load(ctx) {
      try {
        const interaction = await provider.interactionDetails(ctx.req, ctx.res);
        if (!(await begunHere(ctx, interaction.uid))) throw over();
        return await describe(interaction);
      } catch (error) {
        if (error instanceof errors.SessionNotFound) throw over(error);
        throw error;
      }
    },

    async byUid(ctx, uid) {
      const interaction = (await begunHere(ctx, uid))
        ? await provider.Interaction.find(uid)
        : undefined;
      return interaction === undefined ? undefined : describe(interaction);
    },

    async finish(conversation, result) {
      const interaction = await find(conversation.uid);
      const made = await resultOf(conversation, result);
      interaction.result = 'error' in made ? made : { ...interaction.lastSubmission, ...made };
      await interaction.save(Math.max(1, interaction.exp - Math.floor(clock() / 1000)));
      return interaction.returnTo;
    },

    startOver: (conversation) => begin(conversation, { prompt: 'login', another: 'yes' }),
    chooseAgain: (conversation) =>
      begin(conversation, { prompt: 'select_account', account: undefined }),
  };
}
