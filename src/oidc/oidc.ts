/**
 * The protocol room: everything that touches oidc-provider. It promises OpenID Connect and OAuth 2 with
 * tokens that are counters, one Grant for each (session, client, account) as the kill switch, and no write
 * that an answer does not stand for. It never calls Stripe or an upstream provider, and never draws a page.
 *
 * Read `adapter.ts` (models to documents), `authorization.ts` (who, for which account), `provider.ts`
 * (the library's configuration), `rotation.ts` (the table of refresh tokens), `key_life.ts` (when a key
 * signs), in this order.
 */

import type { JWK } from 'jose';
import { Provider } from 'oidc-provider';
import type { KoaContextWithOIDC } from 'oidc-provider';
import type { Middleware } from 'koa';
import type { Clock } from '../base/clock.ts';
import type { Log } from '../base/log.ts';
import type { Measures } from '../base/measures.ts';
import { sha256 } from '../base/secrets.ts';
import type { Secrets } from '../base/secrets.ts';
import type { Config } from '../config.ts';
import type { Directory } from '../directory/directory.ts';
import type { Store } from '../storage/store.ts';
import type { UnitOfWork } from '../storage/work.ts';
import { createJwtOpener } from './access_tokens.ts';
import { createAccountChoice } from './account_choice.ts';
import { createAdapterFactory } from './adapter.ts';
import { createAuthorization } from './authorization.ts';
import { createRotates } from './bound_refresh.ts';
import { createBearerCheck } from './bearer.ts';
import type { BearerCheck } from './bearer.ts';
import { browserHash } from './browser.ts';
import { createClients } from './clients.ts';
import type { Cutoffs } from './cutoffs.ts';
import type { Conversations } from './conversation.ts';
import { createConversations } from './conversations.ts';
import type { GrantEndReason } from '../events/types.ts';
import type { SignInRequest } from './device.ts';
import type { Endings } from './endings.ts';
import { createLinkOidc, signedOutKey } from './links.ts';
import type { LinkOidc } from './links.ts';
import { listen } from './listeners.ts';
import { cacheableMetadata } from './metadata.ts';
import { shapeModels } from './models.ts';
import { createLocks } from './locks.ts';
import { createPolicy } from './prompts.ts';
import { createProvider } from './provider.ts';
import type { OidcPages } from './provider.ts';
import { createResources, openidScopes, ssfAudience } from './resources.ts';
import { createTokens } from './tokens.ts';
import { workMiddleware } from './work_middleware.ts';

export interface OidcDependencies {
  config: Config;
  store: Store;
  secrets: Secrets;
  clock: Clock;
  log: Log;
  fetch: typeof globalThis.fetch;
  directory: Directory;
  pages: OidcPages;
  work: UnitOfWork;
  endings: Endings;
  cutoffs: Cutoffs;
  measures: Measures;
  /** Private, all that are published; of each algorithm the one that signs first. */
  keys: readonly JWK[];
}

export interface Oidc {
  /** The Koa application. What is mounted with `use` runs before the library's own routes. */
  provider: Provider;
  conversations: Conversations;
  links: LinkOidc;
  /** To be mounted outside of everything that reads or writes through the provider. */
  unitOfWork: Middleware;
  /** Lets apps cache discovery and keys. */
  metadata: Middleware;
  /** For the endpoints of streams: whether a token is good for them. */
  ssfBearer: BearerCheck;
}

/** Why the library ends a grant in this request: by the endpoint that it does so in. */
function endReason(): GrantEndReason {
  const oidc = Provider.ctx?.oidc;
  if (oidc?.route === 'revocation') return 'revocation_endpoint';
  // Of the question of sign-out: this app alone, while the session goes on.
  const alone = oidc?.route === 'end_session_confirm' && oidc.params?.logout === undefined;
  if (alone) return 'signed_out';
  if (oidc?.route !== 'token') return 'session_ended';
  return oidc.params?.grant_type === 'refresh_token' ? 'refresh_token_reuse' : 'code_reuse';
}

/** Of a conversation that goes on: the provider by which they signed in is in its result. */
function signInRequest(): SignInRequest | undefined {
  const { ctx } = Provider;
  if (ctx === undefined) return undefined;
  const { result } = (ctx.oidc.entities.Interaction ?? {}) as { result?: LoginResult };
  return { userAgent: ctx.get('User-Agent'), ip: ctx.ip, provider: result?.login?.provider };
}

interface LoginResult {
  login?: { provider?: string };
}

/** What the adapters ask of the present request. */
const ofRequest = {
  endReason,
  signInRequest,
  revoking: () => Provider.ctx?.oidc.route === 'revocation',
  browser: () => (Provider.ctx === undefined ? undefined : { hash: browserHash(Provider.ctx) }),
};

/**
 * RP-Initiated Logout 1.0 §2: the hint proves that the app had this user signed in, so there is no question
 * to ask. Ends the session and goes where the app asked, which the library has checked.
 */
async function endWithoutAsking(ctx: KoaContextWithOIDC): Promise<boolean> {
  const { session, entities, params, provider } = ctx.oidc;
  const hint = entities.IdTokenHint as { payload?: { sub?: unknown } } | undefined;
  if (session === undefined || hint?.payload?.sub !== session.accountId) return false;
  await session.destroy();
  ctx.state[signedOutKey] = true;
  ctx.cookies.set(provider.cookieName('session'), null, { path: '/', signed: false });
  const after = params?.post_logout_redirect_uri;
  const target = new URL(
    typeof after === 'string' ? after : `${provider.issuer}/oauth2/logout/success`,
  );
  if (typeof after === 'string' && typeof params?.state === 'string') {
    target.searchParams.set('state', params.state);
  }
  ctx.status = 303;
  ctx.redirect(target.href);
  return true;
}

/** What follows from the answer to the question of sign-out. */
function followSignOuts(
  provider: Provider,
  { work, endings }: Pick<OidcDependencies, 'work' | 'endings'>,
): void {
  provider.on('end_session.success', ({ oidc, state }) => {
    const { session, client } = oidc;
    if (oidc.params?.logout !== undefined) state[signedOutKey] = true;
    // The library ends the Grant that this app had last; it may have one for each account.
    else if (session !== undefined && client !== undefined) {
      work.current().afterwards(() => endings.app(session.uid, client.clientId));
    }
  });
}

/**
 * The library's clients and keys are fixed when it is made, so one is made for each state of them. All that
 * a request leaves behind is in the store: what was begun at one ends at the next.
 */
export function createOidc(dependencies: OidcDependencies): Oidc {
  const { config, store, secrets, clock, log, directory, pages } = dependencies;
  const { work, endings, cutoffs, keys } = dependencies;
  const tokens = createTokens(secrets);
  const derived = (label: string) => sha256(secrets.mac(label, config.issuer));
  const linkSecret = derived('link_client_secret');
  const clients = createClients(config, linkSecret);
  const resources = createResources(config, clients);
  const choice = createAccountChoice({ directory, clients, log });
  const locks = createLocks({ config, clock, clients, resources });
  const authorization = createAuthorization({
    directory,
    locks,
    choice,
    clients,
    store,
    work,
    cutoffs,
  });

  const provider = createProvider({
    config,
    clock,
    clients,
    resources,
    authorization,
    policy: createPolicy(authorization, clients),
    adapter: createAdapterFactory({
      work,
      tokens,
      clock,
      log,
      rotationPolicy: clients.rotationPolicy,
      grantLifetimeMs: (config.lifetimes.refreshAbsolute + 60) * 1000,
      openJwt: createJwtOpener(config.issuer, keys),
      ...ofRequest,
      cutoffs,
      grantsOfSession: endings.grantsOfSession,
    }),
    keys,
    cookieKeys: secrets.versions.flatMap(
      (version) => secrets.derive('cookie_keys', version)?.toString('base64url') ?? [],
    ),
    rotates: createRotates({ work, tokens, lifetimes: config.lifetimes, clock }),
    dpopNonceSecret: secrets.derive('dpop_nonce'),
    pages,
    endWithoutAsking,
    fetch: dependencies.fetch,
  });
  const [library] = provider.middleware;
  if (library === undefined) throw new Error('the library mounts no routes');

  const productScopes = config.products.flatMap((product) => product.scopes);
  shapeModels(provider, {
    work,
    tokens,
    secrets,
    store,
    clock,
    knownScopes: new Set([...openidScopes, ...productScopes]),
  });
  listen(provider, {
    ...dependencies,
    // Behind what makes the token good: a refusal was no use of anything, and nothing comes before that write.
    used: (user, acting) => work.current().afterwards(async () => directory.used(user, acting)),
  });
  followSignOuts(provider, dependencies);

  return {
    provider,
    conversations: createConversations({ provider, clients, locks, store, work, clock }),
    links: createLinkOidc({
      provider,
      library,
      work,
      tokens,
      clients,
      clock,
      endings,
      linkSecret,
    }),
    unitOfWork: workMiddleware(work),
    metadata: cacheableMetadata(),
    ssfBearer: createBearerCheck({
      issuer: config.issuer,
      audience: ssfAudience(config.issuer),
      keys,
      clock,
      mayUse: (client, issuedAt) =>
        clients.get(client)?.ssf === true && !cutoffs.refusesClient(client, issuedAt),
    }),
  };
}
