/** What the development OpenID Connect upstream says about itself and a person, right and wrong. */

import type { Person } from '../people.ts';
import { tokenHash } from './keys.ts';

export interface SignIn {
  client: string;
  nonce: string | undefined;
  scopes: readonly string[];
  person: Person;
  authenticatedAt: number;
}

export function idTokenClaims(
  code: SignIn,
  token: { issuer: string; now: number; accessToken: string; fault: string | undefined },
): Record<string, unknown> {
  const { issuer, accessToken, fault } = token;
  const now = Math.floor(token.now / 1000);
  const claims: Record<string, unknown> = {
    iss: issuer,
    sub: code.person.subject,
    aud: code.client,
    iat: now,
    exp: now + 300,
    auth_time: Math.floor(code.authenticatedAt / 1000),
    nonce: code.nonce,
    at_hash: tokenHash(accessToken),
    amr: ['pwd', 'otp'],
    acr: 'urn:example:two-factors',
    ...code.person.claims,
    ...(fault === 'userinfo_only' || fault === 'userinfo_subject'
      ? {}
      : profileClaims(code, fault)),
  };
  return { ...claims, ...wrongClaims(fault, code.client, issuer, now) };
}

/** JSON leaves out what is `undefined`. */
function wrongClaims(
  fault: string | undefined,
  client: string,
  issuer: string,
  now: number,
): Record<string, unknown> {
  const wrong: Record<string, Record<string, unknown>> = {
    wrong_nonce: { nonce: 'another-nonce' },
    no_nonce: { nonce: undefined },
    wrong_issuer: { iss: 'https://elsewhere.example' },
    wrong_audience: { aud: 'another-client' },
    more_audiences: { aud: [client, 'another-client'] },
    wrong_party: { azp: 'another-client' },
    no_issued_at: { iat: undefined },
    no_expiry: { exp: undefined },
    expired: { iat: now - 7200, exp: now - 3600 },
    future: { iat: now + 3600, exp: now + 7200 },
    bare_issuer: { iss: issuer.replace(/^https?:\/\//, '') },
    no_subject: { sub: undefined },
    empty_subject: { sub: '' },
    wrong_token_hash: { at_hash: tokenHash('another access token') },
  };
  return wrong[fault ?? ''] ?? {};
}

export function profileClaims(
  { person, scopes }: { person: Person; scopes: readonly string[] },
  fault: string | undefined,
): Record<string, unknown> {
  const verified = person.emailVerified && fault !== 'unverified_email';
  return {
    ...(scopes.includes('profile') ? { name: person.name, locale: person.locale } : {}),
    ...(scopes.includes('email') && fault !== 'no_email'
      ? { email: person.email, email_verified: fault === 'string_verified' ? 'true' : verified }
      : {}),
  };
}

export function discovery(issuer: string): Record<string, unknown> {
  return {
    issuer,
    authorization_endpoint: `${issuer}/authorize`,
    token_endpoint: `${issuer}/token`,
    userinfo_endpoint: `${issuer}/userinfo`,
    jwks_uri: `${issuer}/jwks`,
    response_types_supported: ['code'],
    response_modes_supported: ['query'],
    grant_types_supported: ['authorization_code'],
    subject_types_supported: ['public'],
    id_token_signing_alg_values_supported: ['RS256'],
    token_endpoint_auth_methods_supported: ['client_secret_basic', 'client_secret_post', 'none'],
    code_challenge_methods_supported: ['S256'],
    scopes_supported: ['openid', 'profile', 'email'],
    authorization_response_iss_parameter_supported: true,
  };
}
