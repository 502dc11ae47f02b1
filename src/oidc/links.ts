/**
 * What the link endpoints (`src/links/`) need of the provider: the token endpoint within the same request,
 * the browser's session, and ways to end things. There is one implementation of issuing, and this calls it.
 */

import type { Middleware, ParameterizedContext } from 'koa';
import type { Provider } from 'oidc-provider';
import type { UnitOfWork } from '../storage/work.ts';
import { lockedKey } from './authorization.ts';
import { sessionBegunAt } from './begun.ts';
import { invitationReturnPath, linkClientId, signupClientId } from './clients.ts';
import type { SessionEndReason } from '../events/types.ts';
import type { Clients } from './clients.ts';
import type { Clock } from '../base/clock.ts';
import type { Endings } from './endings.ts';
import { findSubject } from './live_subject.ts';
import type { FoundSubject } from './live_subject.ts';
import type { Tokens } from './tokens.ts';
import { outcomeOf, refusalBody, takeFailure } from './work_middleware.ts';

/** Set in `ctx.state` by a request that ended the browser's session. */
export const signedOutKey = 'signedOut';

export interface TokenAnswer {
  status: number;
  body: Record<string, unknown>;
  /** The bearer is known, but may not act for this account (any more). */
  accountLocked: boolean;
}

export interface LinkOidc {
  readonly clientId: string;
  readonly redirectUri: string;
  /** The other one, for sign-ups. */
  readonly signup: { readonly clientId: string; readonly redirectUri: string };
  /** The same, on the way to an invitation. */
  readonly invitation: { readonly clientId: string; readonly redirectUri: string };
  /**
   * Runs the token endpoint for the link client, inside this request and its unit of work; what it did is
   * written when this resolves. Once a request.
   */
  token(ctx: ParameterizedContext, parameters: Record<string, string>): Promise<TokenAnswer>;
  session(ctx: ParameterizedContext): Promise<{ uid: string; user: string } | undefined>;
  /** When somebody last signed in at this session, in milliseconds; undefined where it is over. */
  signedInAt(session: string): Promise<number | undefined>;
  /** Ends the browser's session with every grant that came from it, and clears its cookie. */
  endSession(ctx: ParameterizedContext, reason: SessionEndReason): Promise<void>;
  /** Ends what the links have of the browser's session; that and what other apps have go on. */
  endLinks(ctx: ParameterizedContext): Promise<void>;
  /** Whose session it is, also where it has ended, by the cookies of the request. */
  subject(
    ctx: ParameterizedContext,
    refreshToken: string | undefined,
  ): Promise<FoundSubject | undefined>;
  /** Ends the grant of a refresh token of the link client, if it is a true one. */
  revoke(refreshToken: string): Promise<void>;
}

export interface LinkDependencies {
  provider: Provider;
  /** The library's own routes, without what is mounted before them. */
  library: Middleware;
  work: UnitOfWork;
  tokens: Tokens;
  clients: Clients;
  clock: Clock;
  endings: Endings;
  linkSecret: string;
}

export function createLinkOidc(dependencies: LinkDependencies): LinkOidc {
  const { provider, work, tokens, endings } = dependencies;
  return {
    clientId: linkClientId,
    redirectUri: `${provider.issuer}/signin/return`,
    signup: { clientId: signupClientId, redirectUri: `${provider.issuer}/signup/return` },
    invitation: {
      clientId: signupClientId,
      redirectUri: `${provider.issuer}${invitationReturnPath}`,
    },

    async token(ctx, parameters) {
      await asTokenRequest(dependencies, ctx, parameters);
      // The link endpoint answers in its own words.
      takeFailure(ctx);
      let { status } = ctx;
      let body = (ctx.body ?? {}) as Record<string, unknown>;
      try {
        await work.current().flush(outcomeOf(status));
      } catch (error) {
        const refusal = refusalBody(error);
        if (refusal === undefined) throw error;
        ({ status } = refusal);
        body = refusal.body as Record<string, unknown>;
      }
      ctx.body = null;
      ctx.status = 404;
      return { status, body, accountLocked: ctx.state[lockedKey] === true };
    },

    async session(ctx) {
      const { uid, accountId } = await provider.Session.get(ctx);
      return accountId === undefined ? undefined : { uid, user: accountId };
    },

    async signedInAt(uid) {
      const session = await work.current().read('session', uid);
      if (session === undefined || session.ended !== undefined) return undefined;
      return sessionBegunAt(session) * 1000;
    },

    async endSession(ctx, reason) {
      const session = await provider.Session.get(ctx);
      if (session.accountId !== undefined) await endings.session(session.uid, reason);
      ctx.cookies.set(provider.cookieName('session'), null, { path: '/', signed: false });
    },

    async endLinks(ctx) {
      const { uid, accountId } = await provider.Session.get(ctx);
      if (accountId !== undefined) await endings.app(uid, linkClientId);
    },

    subject: (ctx, refreshToken) => findSubject(dependencies, ctx, refreshToken),

    async revoke(refreshToken) {
      const parts = tokens.parseRefreshToken(refreshToken);
      if (parts === undefined) return;
      const grant = await work.current().read('grant', parts.grant);
      if (grant?.client !== linkClientId) return;
      if (!tokens.verifyRefreshToken(parts, grant.salt)) return;
      await endings.grant(parts.grant, 'revocation_endpoint');
    },
  };
}

/** The request as the token endpoint wants it, and back. */
async function asTokenRequest(
  { library, linkSecret }: Pick<LinkDependencies, 'library' | 'linkSecret'>,
  ctx: ParameterizedContext,
  parameters: Record<string, string>,
): Promise<void> {
  const { req } = ctx;
  const { method, url, headers } = req;
  const body = Buffer.from(
    new URLSearchParams({
      ...parameters,
      client_id: linkClientId,
      client_secret: linkSecret,
    }).toString(),
  );
  // The browser's Origin is the link endpoint's business, which has judged it.
  const { authorization: _authorization, origin: _origin, dpop: _dpop, ...kept } = headers;
  Object.assign(req, {
    method: 'POST',
    url: '/oauth2/token',
    headers: {
      ...kept,
      'content-type': 'application/x-www-form-urlencoded',
      'content-length': String(body.length),
      accept: 'application/json',
    },
  });
  // Whatever is left of the browser's own body is not the token endpoint's.
  const stream = { readable: true, iterator: () => [body][Symbol.iterator]() };
  for (const [name, value] of Object.entries(stream)) {
    Object.defineProperty(req, name, { value, configurable: true });
  }
  try {
    await library(ctx, () => Promise.resolve());
  } finally {
    Object.assign(req, { method, url, headers });
    for (const name of Object.keys(stream)) Reflect.deleteProperty(req, name);
  }
}
