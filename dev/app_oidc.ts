/**
 * A web app that signs people in with OpenID Connect: a server with a client secret, and the library
 * `openid-client`. Tokens stay on the server; the browser has a cookie that names its session here.
 */

import { createServer } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import * as oidc from 'openid-client';
import { failurePage, homePage, welcomePage } from './app_oidc_pages.ts';
import type { BillingLinks } from './app_oidc_pages.ts';
import { createSessions, keep } from './app_oidc_sessions.ts';
import type { Session } from './app_oidc_sessions.ts';
import { listen } from './listen.ts';
import type { Listening } from './listen.ts';
import { page } from './look.ts';
import type { Markup } from './look.ts';

export interface OidcAppOptions {
  /** Such as `Sample app`. */
  name: string;
  port: number;
  /** Where this app is; its redirect address is `/callback` there. */
  url: string;
  /** Tollgate, and what it knows this app by. */
  issuer: string;
  clientId: string;
  clientSecret: string;
  /** The service that is called. */
  service: string;
  /** Shows links to sign up, to pay and to change the plan of this product. */
  sells?: string | undefined;
}

const mostPending = 10;

interface SignIn {
  prompt?: string;
  account?: string;
  /** The path to go on to. */
  after?: string;
}

export async function startOidcApp(options: OidcAppOptions): Promise<Listening> {
  const { name, port, url, issuer, clientId, clientSecret, service, sells } = options;
  const billing = sells === undefined ? undefined : billingLinks(issuer, sells, `${url}/`);
  const sessions = createSessions(`session_${clientId}`);
  // Only for http on this machine; leave it out with https.
  const execute = [oidc.allowInsecureRequests];
  const tollgate = await oidc.discovery(new URL(issuer), clientId, clientSecret, undefined, {
    execute,
  });

  async function signIn(session: Session, { after = '/', ...more }: SignIn = {}): Promise<string> {
    const verifier = oidc.randomPKCECodeVerifier();
    const state = oidc.randomState();
    const nonce = oidc.randomNonce();
    keep(session.pending, state, { nonce, verifier, after }, mostPending);
    return oidc.buildAuthorizationUrl(tollgate, {
      redirect_uri: `${url}/callback`,
      scope: 'openid profile email',
      state,
      nonce,
      code_challenge: await oidc.calculatePKCECodeChallenge(verifier),
      code_challenge_method: 'S256',
      ...more,
    }).href;
  }

  /**
   * Tollgate sends somebody here who opens this app from its list (OpenID Connect Core §4). Anybody can write such a
   * link, so it does no more than a click on "Sign in" does, and ends at a page of this app.
   */
  function signInAsAsked(session: Session, asked: URLSearchParams): Promise<string> {
    if (asked.get('iss') !== issuer) throw new Error('This sign-in is not from our Tollgate.');
    const target = URL.parse(asked.get('target_link_uri') ?? `${url}/`);
    if (target?.origin !== new URL(url).origin) throw new Error('This page is not of this app.');
    const account = asked.get('account');
    const after = `${target.pathname}${target.search}`;
    return signIn(session, { after, ...(account !== null && { account }) });
  }

  /** @returns where the person wanted to go */
  async function finishSignIn(session: Session, callback: URL): Promise<string> {
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
    return pending.after;
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
  function signOut(session: Session): string {
    sessions.end(session);
    return oidc.buildEndSessionUrl(tollgate, {
      post_logout_redirect_uri: `${url}/`,
      ...(session.tokens === undefined ? {} : { id_token_hint: session.tokens.id }),
    }).href;
  }

  async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const session = sessions.of(request, response);
    const address = new URL(request.url ?? '/', url);
    switch (`${request.method} ${address.pathname}`) {
      case 'GET /':
        return send(
          response,
          200,
          session.tokens ? homePage(session, billing) : welcomePage(name, billing),
        );
      case 'GET /initiate':
        return redirect(response, await signInAsAsked(session, address.searchParams));
      case 'GET /callback': {
        const after = await finishSignIn(session, address);
        sessions.rename(session, response);
        await callService(session);
        return redirect(response, after);
      }
      case 'POST /sign-in':
        return redirect(response, await signIn(session));
      case 'POST /switch':
        return redirect(response, await signIn(session, { prompt: 'select_account' }));
      case 'POST /call':
        await callService(session);
        return redirect(response, '/');
      case 'POST /refresh':
        await refresh(session);
        return redirect(response, '/');
      case 'POST /sign-out':
        return redirect(response, signOut(session));
      default:
        return send(response, 404, failurePage('There is nothing here.'));
    }
  }

  function send(response: ServerResponse, status: number, body: Markup): void {
    response.writeHead(status, {
      'content-type': 'text/html; charset=utf-8',
      'cache-control': 'no-store',
    });
    response.end(page(name, body));
  }

  const server = createServer((request, response) => {
    handle(request, response).catch((error: unknown) =>
      send(response, 400, failurePage(reason(error))),
    );
  });
  return listen(server, port);
}

function billingLinks(issuer: string, product: string, back: string): BillingLinks {
  const query = (fields: Record<string, string>) =>
    new URLSearchParams({ ...fields, return_to: back }).toString();
  return {
    signUp: `${issuer}/signup?${query({ product })}`,
    changePlan: `${issuer}/account/switch/${product}?${query({ plan: 'business', period: 'month' })}`,
    billing: `${issuer}/account/billing?${query({})}`,
  };
}

/** Errors of the authorization endpoint come back to `/callback`. */
function reason(error: unknown): string {
  if (error instanceof oidc.AuthorizationResponseError) {
    return error.error === 'access_denied' ? 'You did not sign in.' : `Tollgate: ${error.error}`;
  }
  return error instanceof Error ? error.message : String(error);
}

function redirect(response: ServerResponse, location: string): void {
  response.writeHead(303, { location, 'cache-control': 'no-store' });
  response.end();
}
