/**
 * The whole configuration of oidc-provider. Every option is set here, explicitly, since its defaults
 * change in minor versions; what is switched off is said to be off.
 */

import { Provider } from 'oidc-provider';
import type { Configuration, KoaContextWithOIDC } from 'oidc-provider';
import type { JWK } from 'jose';
import type { Clock } from '../base/clock.ts';
import type { Config } from '../config.ts';
import type { ActingAccount, Authorization } from './authorization.ts';
import { refreshLifetimeSeconds } from './bound_refresh.ts';
import { accountClaims, claimsByScope } from './claims.ts';
import type { Clients } from './clients.ts';
import type { createPolicy } from './prompts.ts';
import { openidScopes } from './resources.ts';
import type { Resources } from './resources.ts';

/** Pages of the library's own endpoints. Views are a room of their own: the composition root has them. */
export interface OidcPages {
  /** RP-initiated sign-out asks first. `form` is the library's form, with its id and its token. */
  signOut(ctx: KoaContextWithOIDC, form: string): Promise<void>;
  signedOut(ctx: KoaContextWithOIDC): Promise<void>;
  /** An error that cannot be sent to the client. `out` is in the standard's terms. */
  error(
    ctx: KoaContextWithOIDC,
    out: { error: string; error_description?: string },
    cause: Error,
  ): Promise<void>;
}

export interface ProviderDependencies {
  config: Config;
  clock: Clock;
  clients: Clients;
  resources: Resources;
  authorization: Authorization;
  policy: ReturnType<typeof createPolicy>;
  adapter: (name: string) => unknown;
  keys: readonly JWK[];
  cookieKeys: string[];
  /** 32 bytes. Nonces are derived from it, so that all processes know each other's. */
  dpopNonceSecret: Buffer | undefined;
  rotates(ctx: KoaContextWithOIDC): boolean;
  pages: OidcPages;
  /** A sign-out whose ID token hint names the signed-in user needs no question. */
  endWithoutAsking(ctx: KoaContextWithOIDC): Promise<boolean>;
  fetch: typeof globalThis.fetch;
}

const jwa = ['RS256', 'ES256'] as const;

function cookies(config: Config, keys: string[]): Configuration['cookies'] {
  const secure = config.issuer.startsWith('https:');
  const options = { httpOnly: true, sameSite: 'lax', secure, overwrite: true } as const;
  return {
    names: {
      session: secure ? '__Host-tollgate_session' : 'tollgate_session',
      // Bound to a path by the library, so not `__Host-`.
      interaction: secure ? '__Secure-tollgate_interaction' : 'tollgate_interaction',
      resume: secure ? '__Secure-tollgate_resume' : 'tollgate_resume',
    },
    // The session's cookie carries a mac of its own.
    long: { ...options, path: '/', signed: false },
    short: { ...options, signed: true },
    keys,
  };
}

function lifetimes({ lifetimes: seconds }: Config): Configuration['ttl'] {
  const now = () => Math.floor(Date.now() / 1000);
  return {
    AccessToken: seconds.accessToken,
    AuthorizationCode: seconds.code,
    ClientCredentials: seconds.accessToken,
    Grant: seconds.refreshAbsolute + seconds.code + 60,
    IdToken: seconds.idToken,
    Interaction: seconds.interaction,
    RefreshToken: (_ctx, token) =>
      refreshLifetimeSeconds(seconds, (token as unknown as { iiat: number }).iiat, now()),
    // Nobody signed in: it lives as long as a question at sign-out may stand.
    Session: (_ctx, session) => {
      if (session.accountId === undefined) return seconds.interaction;
      const end = (session.loginTs ?? now()) + seconds.sessionAbsolute;
      return Math.max(1, Math.min(seconds.sessionIdle, end - now()));
    },
  };
}

/** A browser app's own origin may call what it needs; nobody else's may. */
function clientBasedCors(
  _ctx: KoaContextWithOIDC,
  origin: string,
  client: { redirectUris?: readonly string[]; clientAuthMethod?: string },
): boolean {
  if (client.clientAuthMethod !== 'none') return false;
  return (client.redirectUris ?? []).some((uri) => URL.parse(uri)?.origin === origin);
}

function features(dependencies: ProviderDependencies): Configuration['features'] {
  const { resources, pages, endWithoutAsking } = dependencies;
  const off = { enabled: false };
  return {
    devInteractions: off,
    attestClientAuth: off,
    // For discovery: the library knows no client's address, so it never sends. Ours outlive a crash, and nobody
    // waits for them (`events/encodings/logout_token.ts`).
    backchannelLogout: { enabled: true },
    ciba: off,
    claimsParameter: { enabled: true },
    clientCredentials: { enabled: true },
    clientIdMetadataDocument: off,
    deviceFlow: off,
    dPoP: {
      enabled: true,
      nonceSecret: dependencies.dpopNonceSecret,
      requireNonce: () => false,
      allowReplay: false,
    },
    encryption: off,
    externalSigningSupport: off,
    fapi: off,
    introspection: {
      enabled: true,
      // Opaque tokens are for userinfo alone: nobody but their client has a use for them.
      allowedPolicy: (_ctx, client, token) => token.clientId === client.clientId,
    },
    jwtIntrospection: off,
    jwtResponseModes: off,
    jwtUserinfo: off,
    mTLS: off,
    pushedAuthorizationRequests: {
      enabled: true,
      requirePushedAuthorizationRequests: false,
      allowUnregisteredRedirectUris: false,
    },
    registration: off,
    registrationManagement: off,
    requestObjects: off,
    resourceIndicators: {
      enabled: true,
      defaultResource: resources.defaultResource as never,
      getResourceServerInfo: resources.getResourceServerInfo,
      useGrantedResource: () => true,
    },
    revocation: {
      enabled: true,
      // RFC 7009 §2.1: another client's token is refused, without a word about it.
      allowedPolicy: (_ctx, client, token) => token.clientId === client.clientId,
    },
    richAuthorizationRequests: off,
    rpInitiatedLogout: {
      enabled: true,
      logoutSource: async (ctx, form) => {
        if (!(await endWithoutAsking(ctx))) await pages.signOut(ctx, form);
      },
      postLogoutSuccessSource: (ctx) => pages.signedOut(ctx),
    },
    rpMetadataChoices: off,
    userinfo: { enabled: true },
    webMessageResponseMode: off,
  } as Configuration['features'];
}

const routes: Configuration['routes'] = {
  authorization: '/oauth2/authorize',
  backchannel_authentication: '/oauth2/backchannel',
  code_verification: '/device',
  device_authorization: '/oauth2/device',
  end_session: '/oauth2/logout',
  introspection: '/oauth2/introspect',
  jwks: '/oauth2/jwks',
  pushed_authorization_request: '/oauth2/par',
  registration: '/oauth2/register',
  revocation: '/oauth2/revoke',
  token: '/oauth2/token',
  userinfo: '/oauth2/userinfo',
};

export function createProvider(dependencies: ProviderDependencies): Provider {
  const { config, clock, clients, resources, authorization, policy, pages } = dependencies;
  const configuration: Configuration = {
    acrValues: [],
    adapter: dependencies.adapter as Configuration['adapter'],
    claims: claimsByScope,
    clientBasedCORS: clientBasedCors,
    clients: clients.metadata,
    clientDefaults: {
      grant_types: ['authorization_code'],
      id_token_signed_response_alg: 'RS256',
      response_types: ['code'],
      token_endpoint_auth_method: 'client_secret_basic',
    },
    clockTolerance: 15,
    // Some libraries read the ID token alone: the scopes' claims are in it.
    conformIdTokenClaims: false,
    loadExistingGrant: authorization.loadExistingGrant,
    allowOmittingSingleRegisteredRedirectUri: false,
    acceptQueryParamAccessTokens: false,
    cookies: cookies(config, dependencies.cookieKeys),
    discovery: {
      claim_types_supported: ['normal'],
      claims_locales_supported: undefined,
      display_values_supported: undefined,
      op_policy_uri: config.brand.privacy,
      op_tos_uri: config.brand.terms,
      service_documentation: undefined,
      ui_locales_supported: undefined,
    },
    // `provider` starts an upstream provider at once, `account` asks for an account; `another` is our
    // own "use another sign-in", for which the upstream shall ask which of its users it is; `product` is
    // the one of several that a link is about.
    extraParams: ['provider', 'account', 'another', 'product'],
    features: features(dependencies),
    extraTokenClaims: (ctx, token) => {
      const { acting } = (ctx.oidc.entities.Account ?? {}) as ActingAccount;
      if (acting === undefined || token.kind !== 'AccessToken') return undefined;
      const audience = (token as { aud?: string }).aud;
      if (audience === undefined) return undefined;
      const product = resources.productOf(audience)?.id;
      const sid = (token as { sid?: string }).sid;
      return { ...accountClaims(acting, product, { config, now: clock() }), ...(sid && { sid }) };
    },
    formats: { bitsOfOpaqueRandomness: 256, customizers: { jwt: undefined } },
    // A session that runs out does not end the apps' tokens; signing out does (`endings.ts`).
    expiresWithSession: () => false,
    issueRefreshToken: (_ctx, client) => client.grantTypeAllowed('refresh_token'),
    jwks: { keys: [...dependencies.keys] },
    responseTypes: ['code'],
    pkce: {
      required: (_ctx, client) =>
        client.clientAuthMethod === 'none' || clients.get(client.clientId)?.requirePkce === true,
    },
    routes,
    scopes: [...openidScopes],
    subjectTypes: ['public'],
    pairwiseIdentifier: () => Promise.reject(new Error('pairwise subjects are off')),
    clientAuthMethods: ['client_secret_basic', 'client_secret_post', 'none'],
    ttl: lifetimes(config),
    extraClientMetadata: { properties: [], validator: () => undefined },
    renderError: (ctx, out, error) => pages.error(ctx, out, error),
    // Revoking an opaque access token ends that token; all else ends the Grant.
    revokeGrantPolicy: (ctx) =>
      !(ctx.oidc.route === 'revocation' && ctx.oidc.entities.AccessToken !== undefined),
    sectorIdentifierUriValidate: () => false,
    interactions: { policy, url: (_ctx, interaction) => `/interaction/${interaction.uid}` },
    findAccount: authorization.findAccount,
    rotateRefreshToken: dependencies.rotates,
    enabledJWA: {
      idTokenSigningAlgValues: [...jwa],
      userinfoSigningAlgValues: [...jwa],
      introspectionSigningAlgValues: [...jwa],
      authorizationSigningAlgValues: [...jwa],
      requestObjectSigningAlgValues: [...jwa],
      clientAuthSigningAlgValues: [...jwa],
      dPoPSigningAlgValues: ['ES256', 'Ed25519', 'EdDSA'],
    },
    assertJwtClientAuthClaimsAndHeader: () => Promise.resolve(),
    fetch: dependencies.fetch,
    enableHttpPostMethods: false,
  };
  return new Provider(config.issuer, configuration);
}
