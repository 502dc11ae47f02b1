/**
 * An OpenID Connect provider for laptops and tests: discovery, authorization code flow with PKCE,
 * `iss` in the answer (RFC 9207), userinfo, keys. It signs in anybody as anybody, on loopback only,
 * and goes wrong on request (`faults.ts`). The page and its fields: `page.ts`.
 */

import { createHash, randomBytes } from 'node:crypto';
import { everybody } from '../people.ts';
import type { Person } from '../people.ts';
import { answerBroken, brokenAt, faultChoices, hostileText, oidcFaults } from './faults.ts';
import type { OidcFault } from './faults.ts';
import { authenticated } from './clients.ts';
import type { UpstreamClient } from './clients.ts';
import { discovery, idTokenClaims, profileClaims } from './claims.ts';
import { newSigningKey, signIdToken } from './keys.ts';
import type { SigningKey } from './keys.ts';
import { chosenPerson, refusalPage, signinPage } from './page.ts';
import { bearer, listen, redirect, remember, requireLoopback, send, sendJson } from './server.ts';
import type { Exchange } from './server.ts';

export interface UpstreamOidcOptions {
  /** 0 picks a free one. */
  port: number;
  /** Where it says that it is, when not at its own address; on loopback too. */
  issuer?: string;
  /** Shown on its page. */
  name?: string;
  people?: readonly Person[];
  clients: readonly UpstreamClient[];
  clock?: () => number;
}

export interface UpstreamOidc {
  url: string;
  issuer: string;
  close(): Promise<void>;
  /** What goes wrong from now on, in every sign-in; nothing when left out. */
  behave(fault?: OidcFault): void;
  /** Signs with a new key from now on; the old one leaves the key set at once. */
  rotateKeys(): Promise<void>;
  /** How often a path was asked for, such as `/token`. */
  requests(path: string): number;
}

interface Code {
  client: string;
  redirectUri: string;
  challenge: string;
  nonce: string | undefined;
  scopes: readonly string[];
  person: Person;
  fault: string | undefined;
  authenticatedAt: number;
  expiresAt: number;
}

interface AccessToken {
  person: Person;
  scopes: readonly string[];
  fault: string | undefined;
  expiresAt: number;
}

interface State {
  name: string;
  issuer: string;
  people: readonly Person[];
  clients: readonly UpstreamClient[];
  clock: () => number;
  key: SigningKey;
  fault: string | undefined;
  /** A fault of the next answer with keys, chosen on the page. */
  nextKeysFault: string;
  codes: Map<string, Code>;
  tokens: Map<string, AccessToken>;
  counts: Map<string, number>;
}

export async function startUpstreamOidc(options: UpstreamOidcOptions): Promise<UpstreamOidc> {
  if (options.issuer !== undefined) requireLoopback(options.issuer);
  const state: State = {
    name: options.name ?? 'Example ID',
    issuer: options.issuer ?? '',
    people: options.people ?? everybody,
    clients: options.clients,
    clock: options.clock ?? Date.now,
    key: await newSigningKey(),
    fault: undefined,
    nextKeysFault: '',
    codes: new Map(),
    tokens: new Map(),
    counts: new Map(),
  };
  const listening = await listen(options.port, (url) => {
    state.issuer ||= url;
    return {
      handle: (exchange) => handle(state, exchange),
      hosts: [new URL(url).host, new URL(state.issuer).host],
    };
  });
  return {
    url: listening.url,
    issuer: state.issuer,
    close: () => listening.close(),
    behave(fault) {
      state.fault = fault;
    },
    async rotateKeys() {
      state.key = await newSigningKey();
    },
    requests: (path) => state.counts.get(path) ?? 0,
  };
}

async function handle(state: State, exchange: Exchange): Promise<void> {
  const { request, response, url } = exchange;
  const route = `${request.method === 'POST' ? 'POST' : 'GET'} ${url.pathname}`;
  remember(state.counts, url.pathname, (state.counts.get(url.pathname) ?? 0) + 1);
  switch (route) {
    case 'GET /.well-known/openid-configuration':
      if (answerBroken(response, brokenAt('discovery', state.fault))) return;
      return sendJson(response, 200, discovery(state.issuer));
    case 'GET /jwks':
      return sendKeys(state, exchange);
    case 'GET /authorize':
    case 'POST /authorize':
      return authorize(state, exchange);
    case 'POST /token':
      return token(state, exchange);
    case 'GET /userinfo':
    case 'POST /userinfo':
      return userinfo(state, exchange);
    default:
      return send(response, 404, 'text/plain', 'There is nothing here.\n');
  }
}

function sendKeys(state: State, { response }: Exchange): void {
  const broken = state.nextKeysFault || brokenAt('jwks', state.fault);
  state.nextKeysFault = '';
  if (answerBroken(response, broken)) return;
  sendJson(response, 200, { keys: [state.key.publicJwk] });
}

async function authorize(state: State, exchange: Exchange): Promise<void> {
  const { request, response, url } = exchange;
  const query = url.searchParams;
  const client = state.clients.find((known) => known.id === query.get('client_id'));
  const redirectUri = query.get('redirect_uri') ?? '';
  if (client === undefined || !client.redirectUris.includes(redirectUri)) {
    const sentence = 'The client or its redirect address is not registered here.';
    return send(response, 400, 'text/html', refusalPage(state.name, sentence));
  }
  const back = new URL(redirectUri);
  const requested = query.get('state');
  if (requested !== null) back.searchParams.set('state', requested);
  if (state.fault === 'wrong_iss') back.searchParams.set('iss', 'https://elsewhere.example');
  else if (state.fault !== 'no_iss') back.searchParams.set('iss', state.issuer);
  const error = requestError(query);
  if (error !== undefined) return goBack(exchange, back, { error });
  if (request.method !== 'POST') return showPage(state, exchange, client.id);

  const form = await exchange.form();
  const fault = form.get('fault') || state.fault;
  if (fault === 'wrong_iss') back.searchParams.set('iss', 'https://elsewhere.example');
  if (fault === 'no_iss') back.searchParams.delete('iss');
  if (form.has('refuse')) return goBack(exchange, back, { error: 'access_denied' });
  if (fault === 'error_text') {
    return goBack(exchange, back, { error: 'server_error', error_description: hostileText });
  }
  const person = chosenPerson(form, state.people);
  if (person === undefined) return showPage(state, exchange, client.id);
  goBack(exchange, back, { code: issueCode(state, query, client.id, person, fault) });
}

function requestError(query: URLSearchParams): string | undefined {
  const scopes = (query.get('scope') ?? '').split(' ');
  if (query.get('response_type') !== 'code') return 'unsupported_response_type';
  if (!scopes.includes('openid')) return 'invalid_scope';
  if (query.get('code_challenge_method') !== 'S256') return 'invalid_request';
  if (!/^[\w-]{43}$/.test(query.get('code_challenge') ?? '')) return 'invalid_request';
  if ((query.get('prompt') ?? '').split(' ').includes('none')) return 'login_required';
  return undefined;
}

function showPage(state: State, { response, url }: Exchange, client: string): void {
  const page = signinPage({
    upstream: state.name,
    client,
    people: state.people,
    faults: faultChoices(oidcFaults, ['token', 'jwks', 'userinfo']),
    loginHint: url.searchParams.get('login_hint') ?? undefined,
  });
  send(response, 200, 'text/html', page);
}

function goBack({ response }: Exchange, back: URL, answer: Record<string, string>): void {
  for (const [name, value] of Object.entries(answer)) back.searchParams.set(name, value);
  redirect(response, back.href);
}

function issueCode(
  state: State,
  query: URLSearchParams,
  client: string,
  person: Person,
  fault: string | undefined,
): string {
  const code = randomBytes(16).toString('base64url');
  remember(state.codes, code, {
    client,
    redirectUri: query.get('redirect_uri') ?? '',
    challenge: query.get('code_challenge') ?? '',
    nonce: query.get('nonce') ?? undefined,
    scopes: (query.get('scope') ?? '').split(' '),
    person,
    fault,
    authenticatedAt: state.clock(),
    expiresAt: state.clock() + 60_000,
  });
  return code;
}

async function token(state: State, exchange: Exchange): Promise<void> {
  const { response } = exchange;
  const form = await exchange.form();
  const client = authenticated(state.clients, exchange.request, form);
  if (client === undefined) return sendJson(response, 401, { error: 'invalid_client' });
  if (form.get('grant_type') !== 'authorization_code') {
    return sendJson(response, 400, { error: 'unsupported_grant_type' });
  }
  const name = form.get('code') ?? '';
  const code = state.codes.get(name);
  state.codes.delete(name);
  const fault = code?.fault ?? state.fault;
  if (answerBroken(response, brokenAt('token', fault))) return;
  const challenge = createHash('sha256')
    .update(form.get('code_verifier') ?? '')
    .digest('base64url');
  const valid =
    code !== undefined &&
    code.client === client.id &&
    code.redirectUri === form.get('redirect_uri') &&
    code.challenge === challenge &&
    code.expiresAt > state.clock() &&
    fault !== 'invalid_grant';
  if (fault === 'token_error_200') return sendJson(response, 200, { error: 'invalid_grant' });
  if (!valid) return sendJson(response, 400, { error: 'invalid_grant' });
  if (fault === 'keys_rotated' || brokenAt('jwks', code.fault) !== '') {
    state.key = await newSigningKey();
    state.nextKeysFault = brokenAt('jwks', code.fault);
  }
  sendJson(response, 200, await tokens(state, client, code, fault));
}

async function tokens(
  state: State,
  client: UpstreamClient,
  code: Code,
  fault: string | undefined,
): Promise<Record<string, unknown>> {
  const accessToken = randomBytes(16).toString('base64url');
  remember(state.tokens, accessToken, {
    person: code.person,
    scopes: code.scopes,
    fault,
    expiresAt: state.clock() + 300_000,
  });
  const claims = idTokenClaims(code, {
    issuer: state.issuer,
    now: state.clock(),
    accessToken,
    fault,
  });
  const idToken = await signIdToken(claims, state.key, client.secret ?? '', fault);
  return {
    access_token: accessToken,
    token_type: 'Bearer',
    expires_in: 300,
    scope: code.scopes.join(' '),
    ...(fault === 'no_id_token' ? {} : { id_token: idToken }),
  };
}

function userinfo(state: State, { request, response }: Exchange): void {
  const found = state.tokens.get(bearer(request));
  if (found === undefined || found.expiresAt <= state.clock()) {
    return sendJson(response, 401, { error: 'invalid_token' });
  }
  if (answerBroken(response, brokenAt('userinfo', found.fault))) return;
  const subject = found.fault === 'userinfo_subject' ? 'somebody-else' : found.person.subject;
  sendJson(response, 200, { sub: subject, ...profileClaims(found, found.fault) });
}
