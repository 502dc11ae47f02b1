/**
 * A vendor is data. A preset fills in what the operator leaves out; what the operator sets wins. What
 * comes out is complete: the protocols (`oidc.ts`, `oauth2.ts`) look at nothing else.
 */

import type { ProviderConfig } from '../config.ts';

export type ProviderIcon = 'google' | 'github' | 'oidc';

interface Endpoints {
  authorization: string;
  token: string;
  userinfo: string;
  /** A list of `{ email, primary, verified }`, for vendors that keep addresses apart. */
  emails?: string | undefined;
}

export interface Provider {
  id: string;
  name: string;
  icon: ProviderIcon;
  type: 'oidc' | 'oauth2';
  /** With the subject, it is who a person is. */
  issuer: string;
  /** How the issuer may be spelled in an ID token. */
  issuerSpellings: readonly string[];
  /** What the answer's `iss` parameter (RFC 9207) may be. */
  responseIssuers: readonly string[];
  clientId: string;
  clientSecret: string | undefined;
  authMethod: 'client_secret_basic' | 'client_secret_post' | undefined;
  scopes: readonly string[];
  /** Sent along with every authorization request. */
  parameters: Readonly<Record<string, string>>;
  /** The parameter that takes the login hint. */
  hintParameter: string;
  /** What it can be asked to ask (`prompt`). */
  prompts: readonly string[];
  pkce: boolean;
  hostedDomains: readonly string[] | undefined;
  /** Its word that an address is verified is passed on (T41). */
  trustEmail: boolean;
  /** OAuth 2.0 only: OpenID Connect has discovery. */
  endpoints: Endpoints | undefined;
  /** OAuth 2.0 only: the field of userinfo that never changes. */
  subjectField: string;
  /** OAuth 2.0 only: the subject is a number, and nothing else will do. */
  numericSubject: boolean;
}

interface Preset {
  name: string;
  icon: ProviderIcon;
  type: 'oidc' | 'oauth2';
  issuer: string;
  scopes: readonly string[];
  trustEmail: boolean;
  /** ID tokens may name the issuer without its scheme (F16). */
  bareIssuer?: boolean;
  /** Path behind the issuer that its `iss` parameter has. */
  responseIssuerPath?: string;
  hintParameter?: string;
  prompts?: readonly string[];
  /** The request's parameter for a hosted domain: a wish only, the token's claim is what counts. */
  domainParameter?: string;
  authMethod?: 'client_secret_basic' | 'client_secret_post';
  endpoints?: Endpoints;
  subjectField?: string;
  numericSubject?: boolean;
}

const presets: Readonly<Record<NonNullable<ProviderConfig['preset']>, Preset>> = {
  google: {
    name: 'Google',
    icon: 'google',
    type: 'oidc',
    issuer: 'https://accounts.google.com',
    bareIssuer: true,
    scopes: ['openid', 'email', 'profile'],
    trustEmail: true,
    domainParameter: 'hd',
    prompts: ['select_account', 'consent'],
  },
  github: {
    name: 'GitHub',
    icon: 'github',
    type: 'oauth2',
    issuer: 'https://github.com',
    responseIssuerPath: '/login/oauth',
    scopes: ['read:user', 'user:email'],
    trustEmail: true,
    hintParameter: 'login',
    prompts: ['select_account'],
    authMethod: 'client_secret_post',
    // A login name can be given up and taken by somebody else; the number cannot (F13).
    subjectField: 'id',
    numericSubject: true,
    endpoints: {
      authorization: 'https://github.com/login/oauth/authorize',
      token: 'https://github.com/login/oauth/access_token',
      userinfo: 'https://api.github.com/user',
      emails: 'https://api.github.com/user/emails',
    },
  },
};

/** @throws {Error} with a sentence for the operator, where the configuration cannot be meant so */
export function resolveProvider(config: ProviderConfig): Provider {
  const preset = config.preset === undefined ? undefined : presets[config.preset];
  const type = preset?.type ?? config.type ?? 'oidc';
  const endpoints = type === 'oauth2' ? endpointsOf(config, preset) : undefined;
  const issuer = config.issuer ?? ownIssuer(config, preset, endpoints);
  checkDomains(config, type);
  const addresses: unknown[] = endpoints === undefined ? [] : Object.values(endpoints);
  for (const address of [issuer, ...addresses]) {
    if (typeof address === 'string') requireSecure(config.id, address);
  }
  return {
    id: config.id,
    name: config.name ?? preset?.name ?? config.id,
    icon: preset?.icon ?? 'oidc',
    type,
    issuer,
    issuerSpellings:
      preset?.bareIssuer === true ? [issuer, issuer.replace(/^https?:\/\//, '')] : [issuer],
    responseIssuers: [
      issuer,
      ...(preset?.responseIssuerPath === undefined ? [] : [issuer + preset.responseIssuerPath]),
    ],
    clientId: config.clientId,
    clientSecret: config.clientSecret,
    authMethod: config.tokenEndpointAuthMethod ?? preset?.authMethod,
    scopes: scopesOf(config, preset, type),
    parameters: domainParameters(config, preset),
    hintParameter: preset?.hintParameter ?? 'login_hint',
    prompts: preset?.prompts ?? ['login', 'select_account', 'consent'],
    pkce: config.pkce ?? true,
    hostedDomains: config.hostedDomains?.map((domain) => domain.toLowerCase()),
    trustEmail: config.trustEmail || preset?.trustEmail === true,
    endpoints,
    subjectField: config.subjectField ?? preset?.subjectField ?? 'sub',
    numericSubject: config.subjectField === undefined && preset?.numericSubject === true,
  };
}

/**
 * All of the preset's or all of the operator's: a code or a token of one server must not go to
 * another.
 */
function endpointsOf(config: ProviderConfig, preset: Preset | undefined): Endpoints {
  const { authorizationEndpoint, tokenEndpoint, userinfoEndpoint, emailsEndpoint } = config;
  const given = [authorizationEndpoint, tokenEndpoint, userinfoEndpoint, emailsEndpoint];
  if (preset?.endpoints && given.every((endpoint) => endpoint === undefined)) {
    return preset.endpoints;
  }
  if (!authorizationEndpoint || !tokenEndpoint || !userinfoEndpoint) {
    throw new Error(
      `Provider ${config.id}: authorizationEndpoint, tokenEndpoint and userinfoEndpoint have to be set together.`,
    );
  }
  return {
    authorization: authorizationEndpoint,
    token: tokenEndpoint,
    userinfo: userinfoEndpoint,
    emails: emailsEndpoint,
  };
}

/**
 * The preset's issuer belongs to the preset's servers. The same number at a GitHub Enterprise Server
 * is another person, so there the issuer is the server's own origin (F2).
 */
function ownIssuer(
  config: ProviderConfig,
  preset: Preset | undefined,
  endpoints: Endpoints | undefined,
): string {
  if (endpoints !== undefined && endpoints !== preset?.endpoints) {
    return new URL(endpoints.authorization).origin;
  }
  if (preset === undefined) throw new Error(`Provider ${config.id}: issuer has to be set.`);
  return preset.issuer;
}

function scopesOf(
  config: ProviderConfig,
  preset: Preset | undefined,
  type: Provider['type'],
): readonly string[] {
  const scopes = config.scopes ?? preset?.scopes ?? [];
  if (type === 'oauth2' || scopes.includes('openid')) return scopes;
  return scopes.length === 0 ? ['openid', 'profile', 'email'] : ['openid', ...scopes];
}

/** A restriction that could not be kept must not look as if it were. */
function checkDomains({ id, hostedDomains }: ProviderConfig, type: Provider['type']): void {
  if (hostedDomains === undefined) return;
  if (type !== 'oidc') throw new Error(`Provider ${id}: hostedDomains needs OpenID Connect.`);
  if (hostedDomains.length === 0) throw new Error(`Provider ${id}: hostedDomains lets in nobody.`);
}

function domainParameters(
  config: ProviderConfig,
  preset: Preset | undefined,
): Record<string, string> {
  const [domain, ...others] = config.hostedDomains ?? [];
  if (preset?.domainParameter === undefined || domain === undefined) return {};
  return { [preset.domainParameter]: others.length === 0 ? domain : '*' };
}

function requireSecure(id: string, address: string): void {
  const { protocol } = new URL(address);
  if (protocol === 'https:' || (protocol === 'http:' && isLoopback(address))) return;
  throw new Error(`Provider ${id}: ${address} has to begin with https://.`);
}

/** Plain http is for this machine only: laptops and tests. */
export function isLoopback(address: string): boolean {
  const { hostname } = new URL(address);
  return /^(localhost|.+\.localhost|\[::1\]|127(\.\d{1,3}){3})$/.test(hostname);
}
