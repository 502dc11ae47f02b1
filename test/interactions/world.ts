/** The prompts over HTTP, with the pages, forms and cookies of real life and everything else played. */

import type { Middleware } from 'koa';
import { createFailurePages, routes } from '../../interactions/index.ts';
import type { InteractionDependencies } from '../../interactions/index.ts';
import { Problem } from '../../src/base/errors.ts';
import { createSecrets } from '../../src/base/secrets.ts';
import { configSchema, type Config } from '../../src/config.ts';
import type { Identity } from '../../src/directory/users.ts';
import type { StartOptions } from '../../src/federation/federation.ts';
import type { Conversation, PromptResult } from '../../src/oidc/conversation.ts';
import type { AccountDocument, UserDocument } from '../../src/storage/documents.ts';
import { createCookies } from '../../src/web/cookies.ts';
import { createCsrf } from '../../src/web/csrf.ts';
import { failures } from '../../src/web/failure.ts';
import { headers } from '../../src/web/headers.ts';
import { requests } from '../../src/web/request.ts';
import { recording, run, type Answer } from '../web/app.ts';

const issuer = 'https://id.example.com';
const secrets = createSecrets(['a-secret-for-tests-of-32-bytes-or-more']);
const now = Date.UTC(2026, 8, 1);

const configOf = (more: Partial<Config> = {}): Config => ({
  ...configSchema.parse({
    issuer,
    secrets: ['a-secret-for-tests-of-32-bytes-or-more'],
    providers: [],
    products: [{ id: 'analytics', name: 'Analytics', audience: 'https://api.example.com' }],
    signin: { success: 'https://app.example.com/' },
    signout: { success: 'https://example.com/' },
    brand: { name: 'Northwind' },
  }),
  ...more,
});

export const google = { id: 'google', name: 'Google', icon: 'google' as const };
export const github = { id: 'github', name: 'GitHub', icon: 'github' as const };

export const identity: Identity = {
  provider: 'google',
  issuer: 'https://accounts.google.com',
  subject: '1',
  email: 'ada@example.com',
  amr: ['mfa'],
};

export function conversationOf(
  name: string,
  more: Partial<Omit<Conversation, 'prompt'>> & Partial<Conversation['prompt']> = {},
): Conversation {
  const { reasons = ['no_session'], details = {}, ...rest } = more;
  return {
    uid: 'abc',
    prompt: { name: name as Conversation['prompt']['name'], reasons, details },
    params: { client_id: 'app', redirect_uri: 'https://app.example.com/cb', scope: 'openid' },
    client: { id: 'app', name: 'Analytics app', firstParty: true },
    products: ['analytics'],
    ...rest,
  };
}

const activeUser: UserDocument = {
  status: 'active',
  email: 'ada@example.com',
  identities: [],
  createdAt: 0,
};

const accountDocument = (name: string, status: AccountDocument['status']): AccountDocument => ({
  name,
  status,
  owners: ['usr_ada'],
  createdAt: 0,
});

export interface WorldOptions {
  conversation?: Conversation;
  providers?: InteractionDependencies['federation']['providers'];
  /** Ids and names of the accounts that the user may act for. */
  accounts?: Record<string, string>;
  closed?: Record<string, string>;
  /** What the accounts are beside. */
  document?: Partial<AccountDocument>;
  /** Of the user in each. */
  roles?: string[];
  config?: Partial<Config>;
  start?: (provider: string, options: StartOptions) => Promise<{ url: string }>;
  finish?: InteractionDependencies['federation']['finish'];
  signIn?: InteractionDependencies['directory']['signIn'];
}

export async function world(options: WorldOptions = {}) {
  const { accounts = {}, closed = {}, providers = [google, github], roles = ['owner'] } = options;
  const config = configOf(options.config);
  const cookies = createCookies(issuer);
  const { log, records } = recording();
  const done = {
    started: [] as { provider: string; options: StartOptions }[],
    finished: [] as PromptResult[],
    callbacks: [] as { query: string; browser: string | undefined }[],
  };
  const state = { conversation: options.conversation ?? conversationOf('login') };
  const usable = Object.entries(accounts).map(([id, name]) => ({
    id,
    name,
    roles,
    document: { ...accountDocument(name, 'active'), ...options.document },
  }));
  const over = () => new Problem('interaction_expired', 410, 'This sign-in took too long.');
  const deps: InteractionDependencies = {
    config,
    cookies,
    log,
    clock: () => now,
    signups: undefined,
    addIdentity: () => Promise.reject(new Error('nobody adds an identity here')),
    isInvited: () => Promise.resolve(false),
    csrf: createCsrf({ issuer, secrets, cookies }),
    conversations: {
      load: (ctx) =>
        ctx.path === `/interaction/${state.conversation.uid}`
          ? Promise.resolve(state.conversation)
          : Promise.reject(over()),
      byUid: (_ctx, uid) =>
        Promise.resolve(uid === state.conversation.uid ? state.conversation : undefined),
      finish(_conversation, result) {
        done.finished.push(result);
        return Promise.resolve(`${issuer}/oauth2/authorize/abc`);
      },
      startOver: () => Promise.resolve(`${issuer}/oauth2/authorize?prompt=login`),
      chooseAgain: () => Promise.resolve(`${issuer}/oauth2/authorize?prompt=select_account`),
    },
    federation: {
      providers,
      start(provider, startOptions) {
        done.started.push({ provider, options: startOptions });
        return (
          options.start?.(provider, startOptions) ??
          Promise.resolve({ url: `https://${provider}.example/authorize` })
        );
      },
      finish(query, browser) {
        done.callbacks.push({ query: query.toString(), browser });
        return (
          options.finish?.(query, browser) ??
          Promise.resolve({ identity, interaction: state.conversation.uid })
        );
      },
    },
    directory: {
      signIn:
        options.signIn ??
        (() =>
          Promise.resolve({
            user: { id: 'usr_ada', version: '1' as never, document: activeUser },
            created: false,
          })),
      user: (id) =>
        Promise.resolve({
          id,
          version: '1' as never,
          document: {
            ...activeUser,
            memberships: [...Object.keys(accounts), ...Object.keys(closed)].map((account) => ({
              account,
              roles: ['owner'],
              since: 0,
            })),
          },
        }),
      account: (id) => {
        const name = closed[id];
        return Promise.resolve(
          name === undefined ? undefined : { id, ...accountDocument(name, 'closed') },
        );
      },
      invitations: { of: () => Promise.resolve({ open: [], waiting: [] }) },
      domains: { offers: () => Promise.resolve([]) },
      usableAccounts: () => Promise.resolve(usable),
      membership: (_user, id) => {
        const name = accounts[id];
        return Promise.resolve(
          name === undefined
            ? undefined
            : {
                user: activeUser,
                account: { id, ...accountDocument(name, 'active'), ...options.document },
                roles,
              },
        );
      },
    },
  };
  const app = await run([
    requests({ issuer, trustedProxies: [], log, clock: () => now }),
    headers({ issuer }),
    failures({ log, renderFailure: createFailurePages(config) }),
    routes(deps).routes() as unknown as Middleware,
  ]);
  return { ...done, ...browse(app.send), state, config, records, close: () => app.close() };
}

/** A browser as far as cookies and forms go. */
function browse(
  send: (
    path: string,
    options: { method?: string; headers: Record<string, string>; body?: string },
  ) => Promise<Answer>,
) {
  const jar = new Map<string, string>();
  const visit = async (
    path: string,
    options: { method?: string; headers?: Record<string, string>; body?: string } = {},
  ) => {
    const cookie = [...jar].map(([name, value]) => `${name}=${value}`).join('; ');
    const answer = await send(path, {
      ...options,
      headers: { host: 'id.example.com', accept: 'text/html', cookie, ...options.headers },
    });
    for (const line of [answer.headers['set-cookie'] ?? []].flat()) {
      const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(line) ?? [];
      jar.set(name, value);
    }
    return answer;
  };
  const post = (
    path: string,
    fields: Record<string, string>,
    moreHeaders: Record<string, string> = {},
  ) =>
    visit(path, {
      method: 'POST',
      body: new URLSearchParams(fields).toString(),
      headers: { 'content-type': 'application/x-www-form-urlencoded', ...moreHeaders },
    });
  /** Opens a page and sends its form. */
  const submit = async (fields: Record<string, string>, path = '/interaction/abc?stay=1') => {
    const page = await visit(path);
    const hidden = Object.fromEntries(
      [...page.text.matchAll(/type="hidden" name="([^"]*)" value="([^"]*)"/g)].map(
        ([, name = '', value = '']) => [name, value],
      ),
    );
    return post(path.split('?')[0]!, { ...hidden, ...fields });
  };
  return { jar, visit, post, submit };
}

/** Where a page that answers a form goes on to. */
export function goesOnTo({ text, headers: answered }: Answer): string | undefined {
  const refresh = /http-equiv="refresh" content="0;url=([^"]*)"/.exec(text)?.[1];
  return refresh?.replaceAll('&amp;', '&') ?? (answered.location as string | undefined);
}

export function heading({ text }: Answer): string {
  return (/<h1>([\s\S]*?)<\/h1>/.exec(text)?.[1] ?? '').trim().replaceAll(/\s+/g, ' ');
}
