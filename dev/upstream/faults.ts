/**
 * What the development upstreams can do wrong, on purpose. A fault is chosen on the sign-in page for
 * one sign-in, or by a test with `behave(fault)` for all that follow.
 */

import type { ServerResponse } from 'node:http';
import { sendJson } from './server.ts';

/** How an endpoint answers instead of doing its work. */
export const brokenAnswers = {
  error500: 'answers 500',
  html: 'answers a web page',
  nothing: 'answers 204 without a body',
  huge: 'answers 10 MB',
  redirect: 'sends the caller to another machine',
  slow: 'never answers',
  stalled: 'begins an answer and never ends it',
  garbage: 'answers broken JSON',
} as const;

export type BrokenAnswer = keyof typeof brokenAnswers;

/** @returns whether the answer was given (or withheld) here */
export function answerBroken(response: ServerResponse, how: string): boolean {
  switch (how) {
    case 'error500':
      sendJson(response, 500, { error: 'server_error' });
      return true;
    case 'html':
      response.writeHead(200, { 'content-type': 'text/html' });
      response.end('<!doctype html><title>Maintenance</title><script>alert(1)</script>');
      return true;
    case 'nothing':
      response.writeHead(204);
      response.end();
      return true;
    case 'huge':
      response.writeHead(200, { 'content-type': 'application/json' });
      response.end(JSON.stringify({ filler: 'x'.repeat(10 * 1024 * 1024) }));
      return true;
    case 'redirect':
      response.writeHead(302, { location: 'http://169.254.169.254/latest/meta-data/' });
      response.end();
      return true;
    case 'slow':
      return true;
    case 'stalled':
      response.writeHead(200, { 'content-type': 'application/json' });
      response.write('{"access_token":');
      return true;
    case 'garbage':
      response.writeHead(200, { 'content-type': 'application/json' });
      response.end('{"access_token":');
      return true;
    default:
      return false;
  }
}

/** Faults of the OpenID Connect upstream. `<endpoint>:<broken answer>` stands beside these. */
export const oidcFaults = {
  unverified_email: 'says that the e-mail address is not verified',
  string_verified: 'says "true" (a text) for a verified e-mail address',
  no_email: 'gives no e-mail address',
  wrong_nonce: 'signs another nonce',
  no_nonce: 'leaves the nonce out',
  bare_issuer: 'names itself without https://',
  wrong_issuer: 'names another issuer in the ID token',
  wrong_audience: 'issues the ID token for another client',
  more_audiences: 'adds an audience without naming the authorized party',
  wrong_party: 'names another authorized party',
  wrong_signature: 'signs with a key that is not in its key set',
  wrong_key_id: 'names a key that is not in its key set',
  no_key_id: 'names no key',
  alg_none: 'does not sign the ID token',
  alg_hs256: 'signs with the client secret (HS256)',
  alg_confused: 'signs with its public key as a secret (HS256)',
  no_issued_at: 'leaves out when the ID token was issued',
  no_expiry: 'leaves out when the ID token expires',
  expired: 'sends an ID token that has expired',
  future: 'sends an ID token from the future',
  no_subject: 'leaves the subject out',
  empty_subject: 'sends an empty subject',
  wrong_token_hash: 'sends an at_hash of another access token',
  no_id_token: 'sends no ID token',
  userinfo_only: 'gives name and e-mail address at userinfo only',
  userinfo_subject: 'answers another person at userinfo',
  keys_rotated: 'signs with a new key, and has forgotten the old one',
  invalid_grant: 'does not know its own code any more',
  token_error_200: 'answers an error with status 200',
  no_iss: 'leaves out the iss parameter that it promised',
  wrong_iss: 'answers with the iss parameter of another provider',
  error_text: 'answers an error with hostile text',
} as const;

/** Faults of the GitHub-like upstream. */
export const githubFaults = {
  unverified_email: 'has no verified e-mail address',
  no_email_scope: 'does not grant user:email',
  emails_forbidden: 'refuses /user/emails (403)',
  emails_missing: 'does not know /user/emails (404)',
  public_alias: 'shows a public address that is not the primary one',
  no_id: 'leaves the id out',
  text_id: 'sends the id as a text',
  renamed: 'has given the login name to somebody else',
  bad_verification_code: 'does not know its own code any more',
  error_text: 'answers an error with hostile text',
} as const;

const oidcEndpoints = ['discovery', 'token', 'jwks', 'userinfo'] as const;
export const githubEndpoints = ['token', 'user', 'emails'] as const;

export type OidcFault =
  | keyof typeof oidcFaults
  | `${(typeof oidcEndpoints)[number]}:${BrokenAnswer}`;
export type GithubFault =
  | keyof typeof githubFaults
  | `${(typeof githubEndpoints)[number]}:${BrokenAnswer}`;

export interface FaultChoice {
  value: string;
  text: string;
}

/** What the page offers: the named faults, and each endpoint's broken answers. */
export function faultChoices(
  named: Record<string, string>,
  endpoints: readonly string[],
): FaultChoice[] {
  const broken = endpoints.flatMap((endpoint) =>
    Object.entries(brokenAnswers).map(([how, text]) => ({
      value: `${endpoint}:${how}`,
      text: `${endpoint} ${text}`,
    })),
  );
  return [...Object.entries(named).map(([value, text]) => ({ value, text })), ...broken];
}

export const hostileText = `<script>alert('x')</script>\r\nSet-Cookie: a=b\u0007${'A'.repeat(2000)}`;

/** The broken answer that `fault` has for `endpoint`, or `''`. */
export function brokenAt(endpoint: string, fault: string | undefined): string {
  return fault?.startsWith(`${endpoint}:`) === true ? fault.slice(endpoint.length + 1) : '';
}
