/**
 * A web app that signs people in with OpenID Connect: a server with a client secret, and the library
 * `openid-client`. Tokens stay on the server; the browser has a cookie that names its session here.
 */

import { randomBytes } from 'node:crypto';
import { createServer } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import * as oidc from 'openid-client';
import { listen } from './listen.ts';
import type { Listening } from './listen.ts';
import { markup, page } from './look.ts';
import type { Markup } from './look.ts';

export interface OidcAppOptions {
  port: number;
  /** Where this app is; its redirect address is `/callback` there. */
  url: string;
  /** Tollgate, and what it knows this app by. */
  issuer: string;
  clientId: string;
  clientSecret: string;
  /** The service that is called. */
  service: string;
}

interface Session {
  /** Sign-ins that are under way, by state: one for each tab. */
  pending: Map<string, { nonce: string; verifier: string }>;
  tokens?: { access: string; refresh: string | undefined; id: string; claims: oidc.IDToken };
  /** What the service answered last. */
  answer?: unknown;
}

const cookieName = 'sample_oidc_app';
const mostSessions = 1000;
const mostPending = 10;

export async function startOidcApp(options: OidcAppOptions): Promise<Listening> {
  const { port, url, issuer, clientId, clientSecret, service } = options;
  const sessions = new Map<string, Session>();
  // Only for http on this machine; leave it out with https.
  const execute = [oidc.allowInsecureRequests];
  const tollgate = await oidc.discovery(new URL(issuer), clientId, clientSecret, undefined, {
    execute,
  });

  async function signIn(session: Session, prompt?: string): Promise<string> {
    const verifier = oidc.randomPKCECodeVerifier();
    const state = oidc.randomState();
    const nonce = oidc.randomNonce();
    keep(session.pending, state, { nonce, verifier }, mostPending);
    return oidc.buildAuthorizationUrl(tollgate, {
      redirect_uri: `${url}/callback`,
      scope: 'openid profile email',
      state,
      nonce,
      code_challenge: await oidc.calculatePKCECodeChallenge(verifier),
      code_challenge_method: 'S256',
      ...(prompt === undefined ? {} : { prompt }),
    }).href;
  }

  async function finishSignIn(session: Session, callback: URL): Promise<void> {
    const state = callback.searchParams.get('state') ?? '';
    const pending = session.pending.get(state);
    if (pending === undefined) throw new Error('This sign-in was not begun here. Start again.');
    session.pending.delete(state);
    const answer = await oidc.authorizationCodeGrant(tollgate, callback, {
      expectedState: state,
      expectedNonce: pending.nonce,
      pkceCodeVerifier: pending.verifier,
      idTokenExpected: true,
    });
    const claims = answer.claims();
    if (claims === undefined || answer.id_token === undefined) throw new Error('No ID token.');
    const { access_token: access, refresh_token: again, id_token: id } = answer;
    session.tokens = { access, refresh: again, id, claims };
    delete session.answer;
  }

  async function refresh(session: Session): Promise<void> {
    if (session.tokens?.refresh === undefined) return;
    try {
      const answer = await oidc.refreshTokenGrant(tollgate, session.tokens.refresh);
      session.tokens.access = answer.access_token;
      session.tokens.refresh = answer.refresh_token ?? session.tokens.refresh;
    } catch (error) {
      // The access has ended: signed out, revoked, or no member any more.
      if (!(error instanceof oidc.ResponseBodyError) || error.error !== 'invalid_grant')
        throw error;
      delete session.tokens;
    }
  }

  async function callService(session: Session): Promise<void> {
    const ask = () =>
      fetch(`${service}/api/me`, {
        headers: { authorization: `Bearer ${session.tokens?.access}` },
      });
    let response = await ask();
    if (response.status === 401) {
      await refresh(session);
      if (session.tokens !== undefined) response = await ask();
    }
    session.answer = await response.json();
  }

  /** Ends the session here and at Tollgate, which sends the browser back. */
  function signOut(id: string, session: Session): string {
    sessions.delete(id);
    return oidc.buildEndSessionUrl(tollgate, {
      post_logout_redirect_uri: `${url}/`,
      ...(session.tokens === undefined ? {} : { id_token_hint: session.tokens.id }),
    }).href;
  }

  async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { id, session } = sessionOf(sessions, request, response);
    const address = new URL(request.url ?? '/', url);
    switch (`${request.method} ${address.pathname}`) {
      case 'GET /':
        return send(response, 200, session.tokens ? home(session) : welcome());
      case 'GET /callback':
        await finishSignIn(session, address);
        // A new name, so that one that somebody knew before is of no use now (session fixation).
        sessions.delete(id);
        begin(sessions, session, response);
        await callService(session);
        return redirect(response, '/');
      case 'POST /sign-in':
        return redirect(response, await signIn(session));
      case 'POST /switch':
        return redirect(response, await signIn(session, 'select_account'));
      case 'POST /call':
        await callService(session);
        return redirect(response, '/');
      case 'POST /refresh':
        await refresh(session);
        return redirect(response, '/');
      case 'POST /sign-out':
        return redirect(response, signOut(id, session));
      default:
        return send(response, 404, failure('There is nothing here.'));
    }
  }

  const server = createServer((request, response) => {
    handle(request, response).catch((error: unknown) =>
      send(response, 400, failure(reason(error))),
    );
  });
  return listen(server, port);
}

/** In memory: a restart signs everybody out of this app. */
function sessionOf(
  sessions: Map<string, Session>,
  request: IncomingMessage,
  response: ServerResponse,
): { id: string; session: Session } {
  const pattern = new RegExp(`(?:^|; )${cookieName}=([\\w-]+)`);
  const known = pattern.exec(request.headers.cookie ?? '')?.[1] ?? '';
  const present = sessions.get(known);
  if (present !== undefined) return { id: known, session: present };
  const session: Session = { pending: new Map() };
  return { id: begin(sessions, session, response), session };
}

function begin(sessions: Map<string, Session>, session: Session, response: ServerResponse): string {
  const id = randomBytes(16).toString('base64url');
  keep(sessions, id, session, mostSessions);
  // Behind https add `; Secure`, and call it `__Host-…`.
  response.setHeader('set-cookie', `${cookieName}=${id}; Path=/; HttpOnly; SameSite=Lax`);
  return id;
}

/** The oldest go. */
function keep<T>(map: Map<string, T>, key: string, value: T, most: number): void {
  map.set(key, value);
  const [oldest] = map.keys();
  if (map.size > most && oldest !== undefined) map.delete(oldest);
}

// --- pages ---

const form = (action: string, label: string, primary = '') =>
  markup`<form method="post" action="${action}"><button class="${primary}">${label}</button></form>`;

function welcome(): Markup {
  return markup`<h1>Sample app</h1>
<p>A web app with a server, on OpenID Connect. Nobody is signed in.</p>
${form('/sign-in', 'Sign in', 'primary')}`;
}

function home({ tokens, answer }: Session): Markup {
  const { name, email, account, roles } = (tokens?.claims ?? {}) as Record<string, unknown>;
  const { plan, subscription_status: status } = (answer ?? {}) as Record<string, unknown>;
  const row = (term: string, value: unknown) =>
    markup`<dt>${term}</dt><dd>${typeof value === 'string' ? value : '–'}</dd>`;
  return markup`<h1>Hello, ${typeof name === 'string' ? name : 'you'}</h1>
<p>${typeof email === 'string' ? email : ''}</p>
<dl>${[
    row('Account', account),
    row('Role', Array.isArray(roles) ? roles.join(', ') : undefined),
    row('Plan', plan),
    row('Subscription', status),
  ]}</dl>
<nav>${form('/call', 'Call the service', 'primary')}${form('/refresh', 'Refresh the token')}
${form('/switch', 'Switch account')}${form('/sign-out', 'Sign out')}</nav>
<h2>What the service read in the access token</h2>
<pre>${JSON.stringify(answer ?? null, undefined, 2)}</pre>`;
}

function failure(text: string): Markup {
  return markup`<h1>That did not work</h1><p>${text}</p><a class="button" href="/">Back</a>`;
}

/** Errors of the authorization endpoint come back to `/callback`. */
function reason(error: unknown): string {
  if (error instanceof oidc.AuthorizationResponseError) {
    return error.error === 'access_denied' ? 'You did not sign in.' : `Tollgate: ${error.error}`;
  }
  return error instanceof Error ? error.message : String(error);
}

function send(response: ServerResponse, status: number, body: Markup): void {
  response.writeHead(status, {
    'content-type': 'text/html; charset=utf-8',
    'cache-control': 'no-store',
  });
  response.end(page('Sample app', body));
}

function redirect(response: ServerResponse, location: string): void {
  response.writeHead(303, { location, 'cache-control': 'no-store' });
  response.end();
}
