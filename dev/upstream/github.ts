/**
 * An OAuth 2.0 provider that behaves as GitHub does where that differs from the standard: the token
 * endpoint answers errors with status 200, as a form unless JSON is asked for; the subject is a
 * number at `/user`; verified addresses are at `/user/emails` and need the scope `user:email`. It
 * signs in anybody as anybody, on loopback only. The page and its fields: `page.ts`.
 */

import { createHash, randomBytes } from 'node:crypto';
import { everybody } from '../people.ts';
import type { Person } from '../people.ts';
import { answerBroken, brokenAt, faultChoices, githubEndpoints, githubFaults } from './faults.ts';
import { hostileText } from './faults.ts';
import type { GithubFault } from './faults.ts';
import type { UpstreamClient } from './clients.ts';
import { chosenPerson, refusalPage, signinPage } from './page.ts';
import { bearer, listen, redirect, remember, send, sendJson } from './server.ts';
import type { Exchange } from './server.ts';

export interface UpstreamGithubOptions {
  /** 0 picks a free one. */
  port: number;
  /** Shown on its page. */
  name?: string;
  people?: readonly Person[];
  clients: readonly UpstreamClient[];
  clock?: () => number;
}

export interface UpstreamGithub {
  url: string;
  /** What a provider's configuration needs beside its credentials to use this instead of GitHub. */
  endpoints: {
    issuer: string;
    authorizationEndpoint: string;
    tokenEndpoint: string;
    userinfoEndpoint: string;
    emailsEndpoint: string;
  };
  close(): Promise<void>;
  /** What goes wrong from now on, in every sign-in; nothing when left out. */
  behave(fault?: GithubFault): void;
  /** How often a path was asked for, such as `/user`. */
  requests(path: string): number;
}

interface Code {
  client: string;
  redirectUri: string;
  challenge: string | undefined;
  scopes: readonly string[];
  person: Person;
  fault: string | undefined;
  expiresAt: number;
}

interface State {
  name: string;
  people: readonly Person[];
  clients: readonly UpstreamClient[];
  clock: () => number;
  fault: string | undefined;
  codes: Map<string, Code>;
  tokens: Map<string, Code>;
  counts: Map<string, number>;
}

export async function startUpstreamGithub(options: UpstreamGithubOptions): Promise<UpstreamGithub> {
  const state: State = {
    name: options.name ?? 'Example Hub',
    people: options.people ?? everybody,
    clients: options.clients,
    clock: options.clock ?? Date.now,
    fault: undefined,
    codes: new Map(),
    tokens: new Map(),
    counts: new Map(),
  };
  const listening = await listen(options.port, (own) => ({
    handle: (exchange) => handle(state, exchange),
    hosts: [new URL(own).host, `localhost:${new URL(own).port}`],
  }));
  const { url } = listening;
  return {
    url,
    endpoints: {
      issuer: url,
      authorizationEndpoint: `${url}/login/oauth/authorize`,
      tokenEndpoint: `${url}/login/oauth/access_token`,
      userinfoEndpoint: `${url}/user`,
      emailsEndpoint: `${url}/user/emails`,
    },
    close: () => listening.close(),
    behave(fault) {
      state.fault = fault;
    },
    requests: (path) => state.counts.get(path) ?? 0,
  };
}

async function handle(state: State, exchange: Exchange): Promise<void> {
  const { request, response, url } = exchange;
  const route = `${request.method === 'POST' ? 'POST' : 'GET'} ${url.pathname}`;
  remember(state.counts, url.pathname, (state.counts.get(url.pathname) ?? 0) + 1);
  switch (route) {
    case 'GET /login/oauth/authorize':
    case 'POST /login/oauth/authorize':
      return authorize(state, exchange);
    case 'POST /login/oauth/access_token':
      return token(state, exchange);
    case 'GET /user':
      return user(state, exchange);
    case 'GET /user/emails':
      return emails(state, exchange);
    default:
      return sendJson(response, 404, { message: 'Not Found' });
  }
}

async function authorize(state: State, exchange: Exchange): Promise<void> {
  const { request, response, url } = exchange;
  const query = url.searchParams;
  const client = state.clients.find((known) => known.id === query.get('client_id'));
  const redirectUri = query.get('redirect_uri') ?? client?.redirectUris[0] ?? '';
  if (client === undefined || !client.redirectUris.includes(redirectUri)) {
    const sentence = 'The application or its callback address is not registered here.';
    return send(response, 400, 'text/html', refusalPage(state.name, sentence));
  }
  if (request.method !== 'POST') return showPage(state, exchange, client.id);

  const form = await exchange.form();
  const fault = form.get('fault') || state.fault;
  const person = chosenPerson(form, state.people);
  const refused = form.has('refuse');
  if (person === undefined && !refused) return showPage(state, exchange, client.id);
  const back = new URL(redirectUri);
  if (query.has('state')) back.searchParams.set('state', query.get('state') ?? '');
  if (fault === 'error_text') {
    back.searchParams.set('error', 'application_suspended');
    back.searchParams.set('error_description', hostileText);
  } else if (person === undefined || refused) {
    back.searchParams.set('error', 'access_denied');
    back.searchParams.set('error_description', 'The user has denied your application access.');
  } else {
    back.searchParams.set('code', issueCode(state, query, client.id, redirectUri, person, fault));
  }
  redirect(response, back.href);
}

function showPage(state: State, { response, url }: Exchange, client: string): void {
  const hint = url.searchParams.get('login') ?? '';
  const page = signinPage({
    upstream: state.name,
    client,
    people: state.people,
    faults: faultChoices(githubFaults, githubEndpoints),
    loginHint: state.people.find((person) => person.github.login === hint)?.email ?? hint,
  });
  send(response, 200, 'text/html', page);
}

function issueCode(
  state: State,
  query: URLSearchParams,
  client: string,
  redirectUri: string,
  person: Person,
  fault: string | undefined,
): string {
  const code = randomBytes(10).toString('hex');
  remember(state.codes, code, {
    client,
    redirectUri,
    challenge: query.get('code_challenge') ?? undefined,
    scopes: (query.get('scope') ?? '').split(/[ ,]+/).filter((scope) => scope !== ''),
    person,
    fault,
    expiresAt: state.clock() + 600_000,
  });
  return code;
}

async function token(state: State, exchange: Exchange): Promise<void> {
  const form = await exchange.form();
  const name = form.get('code') ?? '';
  const code = state.codes.get(name);
  state.codes.delete(name);
  const fault = code?.fault ?? state.fault;
  if (answerBroken(exchange.response, brokenAt('token', fault))) return;
  const client = state.clients.find(
    (known) => known.id === form.get('client_id') && known.secret === form.get('client_secret'),
  );
  if (client === undefined) {
    return sendTokenAnswer(exchange, {
      error: 'incorrect_client_credentials',
      error_description: 'The client_id and/or client_secret passed are incorrect.',
    });
  }
  const valid =
    code !== undefined &&
    code.client === client.id &&
    code.redirectUri === (form.get('redirect_uri') ?? code.redirectUri) &&
    (code.challenge === undefined || code.challenge === challengeOf(form.get('code_verifier'))) &&
    code.expiresAt > state.clock() &&
    fault !== 'bad_verification_code';
  if (!valid) {
    return sendTokenAnswer(exchange, {
      error: 'bad_verification_code',
      error_description: 'The code passed is incorrect or expired.',
    });
  }
  const scopes =
    fault === 'no_email_scope' ? code.scopes.filter((one) => one !== 'user:email') : code.scopes;
  const accessToken = `gho_${randomBytes(18).toString('hex')}`;
  remember(state.tokens, accessToken, { ...code, scopes, fault });
  sendTokenAnswer(exchange, {
    access_token: accessToken,
    scope: scopes.join(','),
    token_type: 'bearer',
  });
}

function challengeOf(verifier: string | null): string {
  return createHash('sha256')
    .update(verifier ?? '')
    .digest('base64url');
}

/** Always 200, errors too; JSON only for those who ask for it. */
function sendTokenAnswer({ request, response }: Exchange, answer: Record<string, string>): void {
  if ((request.headers.accept ?? '').includes('json')) return sendJson(response, 200, answer);
  const text = new URLSearchParams(answer).toString();
  send(response, 200, 'application/x-www-form-urlencoded', text);
}

function user(state: State, { request, response }: Exchange): void {
  const found = state.tokens.get(bearer(request));
  if (found === undefined) return sendJson(response, 401, { message: 'Bad credentials' });
  if (answerBroken(response, brokenAt('user', found.fault))) return;
  const { name, email, github } = found.person;
  const answer: Record<string, unknown> = {
    login: found.fault === 'renamed' ? 'somebody-new' : github.login,
    id: found.fault === 'text_id' ? String(github.id) : github.id,
    type: 'User',
    name,
    // The public address: anything that the person likes to show, or nothing.
    email: found.fault === 'public_alias' ? `alias+${email}` : null,
  };
  if (found.fault === 'no_id') delete answer['id'];
  sendJson(response, 200, answer);
}

function emails(state: State, { request, response }: Exchange): void {
  const found = state.tokens.get(bearer(request));
  if (found === undefined) return sendJson(response, 401, { message: 'Bad credentials' });
  const { fault, person } = found;
  if (answerBroken(response, brokenAt('emails', fault))) return;
  if (fault === 'emails_forbidden') return sendJson(response, 403, { message: 'Forbidden' });
  if (fault === 'emails_missing' || !found.scopes.includes('user:email')) {
    return sendJson(response, 404, { message: 'Not Found' });
  }
  const verified = person.emailVerified && fault !== 'unverified_email';
  sendJson(response, 200, [
    { email: `old+${person.email}`, primary: false, verified: true, visibility: null },
    { email: person.email, primary: true, verified, visibility: 'private' },
  ]);
}
