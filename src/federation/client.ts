/**
 * The one file that knows `openid-client`: discovery, the authorization request, the exchange of a
 * code, userinfo. The library checks the answer's parameters and an ID token's claims; it does not
 * check an ID token's signature, which is the business of `idtoken.ts`.
 */

import * as openid from 'openid-client';
import type { Clock } from '../base/clock.ts';
import { isLoopback } from './presets.ts';
import type { Provider } from './presets.ts';
import type { AuthorizationAnswer, AuthorizationRequest, Fetch } from './upstream.ts';

export type ServerMetadata = openid.ServerMetadata;

export interface Tokens {
  accessToken: string;
  idToken: string | undefined;
  /** What was granted, where the provider says so. */
  scope: string | undefined;
}

export interface ClientDeps {
  provider: Provider;
  clock: Clock;
  fetch: Fetch;
}

export const clockToleranceSeconds = 60;
const timeoutSeconds = 5;
/** `none` and the symmetric ones are missing on purpose (F12). */
const signatureAlgorithms =
  'RS256 RS384 RS512 PS256 PS384 PS512 ES256 ES384 ES512 EdDSA Ed25519'.split(' ');

/** @throws where the document is not the issuer's own, or names an endpoint without https */
export async function discover({ provider, fetch }: ClientDeps): Promise<ServerMetadata> {
  const configuration = await openid.discovery(
    new URL(provider.issuer),
    provider.clientId,
    undefined,
    undefined,
    {
      [openid.customFetch]: asCustomFetch(fetch),
      timeout: timeoutSeconds,
      ...(isLoopback(provider.issuer) ? { execute: [openid.allowInsecureRequests] } : {}),
    },
  );
  // A plain object again: it is kept, and a configuration is made of it for each use.
  const found: ServerMetadata = configuration.serverMetadata();
  const offered = found.id_token_signing_alg_values_supported ?? ['RS256'];
  const metadata: ServerMetadata = {
    ...found,
    id_token_signing_alg_values_supported: offered.filter((algorithm) =>
      signatureAlgorithms.includes(algorithm),
    ),
  };
  requireTrustworthy(metadata, provider);
  return metadata;
}

function requireTrustworthy(metadata: ServerMetadata, provider: Provider): void {
  // The library lets some vendors answer for another issuer than the one that was asked.
  if (new URL(metadata.issuer).href !== new URL(provider.issuer).href) {
    throw new TypeError('the discovery document is another issuer’s');
  }
  const { authorization_endpoint, token_endpoint, jwks_uri, userinfo_endpoint } = metadata;
  for (const endpoint of [authorization_endpoint, token_endpoint, jwks_uri]) {
    if (typeof endpoint !== 'string')
      throw new TypeError('the discovery document lacks an endpoint');
  }
  for (const endpoint of [authorization_endpoint, token_endpoint, jwks_uri, userinfo_endpoint]) {
    if (endpoint === undefined) continue;
    const plain = isLoopback(provider.issuer) && isLoopback(endpoint);
    const { protocol } = new URL(endpoint);
    if (protocol !== 'https:' && !(plain && protocol === 'http:')) {
      throw new TypeError('the discovery document names an endpoint without https');
    }
  }
}

/** For OAuth 2.0, where there is no discovery. */
export function metadataOf(provider: Provider): ServerMetadata {
  return {
    issuer: provider.issuer,
    authorization_endpoint: provider.endpoints?.authorization ?? '',
    token_endpoint: provider.endpoints?.token ?? '',
    userinfo_endpoint: provider.endpoints?.userinfo ?? '',
  };
}

export function authorizationUrl(
  deps: ClientDeps,
  metadata: ServerMetadata,
  request: AuthorizationRequest,
): URL {
  const { provider } = deps;
  return openid.buildAuthorizationUrl(configurationOf(deps, metadata), {
    ...provider.parameters,
    redirect_uri: request.redirectUri,
    ...(provider.scopes.length > 0 ? { scope: provider.scopes.join(' ') } : {}),
    state: request.state,
    ...(provider.type === 'oidc' ? { nonce: request.nonce } : {}),
    ...(provider.pkce ? { code_challenge: request.challenge, code_challenge_method: 'S256' } : {}),
    ...(request.loginHint ? { [provider.hintParameter]: request.loginHint } : {}),
    ...(request.prompt ? { prompt: request.prompt } : {}),
  });
}

/** Checks the answer's parameters (`iss` and `state` too) before the code is sent anywhere. */
export async function redeem(
  deps: ClientDeps,
  metadata: ServerMetadata,
  answer: AuthorizationAnswer,
): Promise<Tokens> {
  const answers = new AnswerKeeper(deps.fetch);
  const current = callbackUrl(answer);
  const attempt = (issuer: string, fetch: Fetch) =>
    exchange({ ...deps, fetch }, { ...metadata, issuer }, current, answer);
  try {
    return await attempt(metadata.issuer, answers.fetch);
  } catch (error) {
    // The library knows one spelling of an issuer, Google uses two (F16): the same answer is judged
    // again with the other one. Nothing is sent a second time.
    const spelling = otherSpelling(deps.provider, error);
    if (spelling === undefined) throw error;
    if (current.searchParams.has('iss')) current.searchParams.set('iss', spelling);
    return attempt(spelling, answers.again);
  }
}

async function exchange(
  deps: ClientDeps,
  metadata: ServerMetadata,
  current: URL,
  answer: AuthorizationAnswer,
): Promise<Tokens> {
  const oidc = deps.provider.type === 'oidc';
  const tokens = await openid.authorizationCodeGrant(configurationOf(deps, metadata), current, {
    expectedState: answer.state,
    ...(deps.provider.pkce ? { pkceCodeVerifier: answer.verifier } : {}),
    ...(oidc ? { expectedNonce: answer.nonce, idTokenExpected: true } : {}),
  });
  return { accessToken: tokens.access_token, idToken: tokens.id_token, scope: tokens.scope };
}

/** Userinfo of the person that the ID token names. @throws where it is about somebody else */
export async function userinfo(
  deps: ClientDeps,
  metadata: ServerMetadata,
  accessToken: string,
  subject: string,
): Promise<Record<string, unknown>> {
  return openid.fetchUserInfo(configurationOf(deps, metadata), accessToken, subject);
}

/** A GET with the access token; JSON or an error status. */
export async function read(
  deps: ClientDeps,
  accessToken: string,
  address: string,
): Promise<{ status: number; json: unknown }> {
  const response = await openid.fetchProtectedResource(
    configurationOf(deps, metadataOf(deps.provider)),
    accessToken,
    new URL(address),
    'GET',
    undefined,
    new Headers({ accept: 'application/json' }),
  );
  const json: unknown = response.ok ? await response.json() : undefined;
  return { status: response.status, json };
}

/** Made for each use, so that it has this use's clock and deadline; it keeps nothing. */
function configurationOf(deps: ClientDeps, metadata: ServerMetadata): openid.Configuration {
  const { provider, clock, fetch } = deps;
  const configuration = new openid.Configuration(
    metadata,
    provider.clientId,
    {
      [openid.clockSkew]: Math.round((clock() - Date.now()) / 1000),
      [openid.clockTolerance]: clockToleranceSeconds,
    },
    authenticationOf(provider, metadata),
  );
  configuration.timeout = timeoutSeconds;
  configuration[openid.customFetch] = asCustomFetch(fetch);
  if (isLoopback(provider.issuer)) openid.allowInsecureRequests(configuration);
  return configuration;
}

function asCustomFetch(fetch: Fetch): openid.CustomFetch {
  return (url, { method, headers, body, redirect, signal }) =>
    fetch(url, {
      method,
      headers,
      redirect,
      // All that is sent here are forms.
      body: body instanceof URLSearchParams ? body : null,
      ...(signal ? { signal } : {}),
    });
}

function authenticationOf(provider: Provider, metadata: ServerMetadata): openid.ClientAuth {
  if (provider.clientSecret === undefined) return openid.None();
  const supported = metadata.token_endpoint_auth_methods_supported;
  // The standard's default is the header (OpenID Connect Discovery 3).
  const basic = supported === undefined || supported.includes('client_secret_basic');
  const method = provider.authMethod ?? (basic ? 'client_secret_basic' : 'client_secret_post');
  return method === 'client_secret_basic'
    ? openid.ClientSecretBasic(provider.clientSecret)
    : openid.ClientSecretPost(provider.clientSecret);
}

/** Only what the code exchange needs: whatever else an answer carries is not looked at. */
function callbackUrl({ redirectUri, parameters }: AuthorizationAnswer): URL {
  const url = new URL(redirectUri);
  for (const name of ['code', 'state', 'iss']) {
    for (const value of parameters.getAll(name)) url.searchParams.append(name, value);
  }
  return url;
}

function otherSpelling(provider: Provider, error: unknown): string | undefined {
  const cause = error instanceof Error ? error.cause : undefined;
  const details = cause instanceof Error ? cause.cause : undefined;
  if (!isRecord(details) || !isRecord(details['claims'])) return undefined;
  const { iss } = details['claims'];
  if (details['claim'] !== 'iss' || iss === provider.issuer) return undefined;
  return provider.issuerSpellings.find((spelling) => spelling === iss);
}

/** Keeps a copy of the last answer, so that it can be judged again without asking again. */
class AnswerKeeper {
  #last: Response | undefined;
  readonly fetch: Fetch;

  constructor(fetch: Fetch) {
    this.fetch = async (url, init) => {
      const response = await fetch(url, init);
      this.#last = response.clone();
      return response;
    };
  }

  readonly again: Fetch = () =>
    this.#last === undefined
      ? Promise.reject(new Error('there is no answer yet'))
      : Promise.resolve(this.#last);
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}
