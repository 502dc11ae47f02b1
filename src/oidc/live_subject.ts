/** Whose session the cookies of a request open, or opened before it ended. Reads, and changes nothing. */

import type { ParameterizedContext } from 'koa';
import type { Provider } from 'oidc-provider';
import type { Clock } from '../base/clock.ts';
import type { UnitOfWork } from '../storage/work.ts';
import { linkClientId } from './clients.ts';
import type { Clients } from './clients.ts';
import type { LiveSubject } from './live_state.ts';
import { decideRotation } from './rotation.ts';
import { cookieIsGood } from './sessions.ts';
import type { Tokens } from './tokens.ts';

export interface FoundSubject {
  subject: LiveSubject;
  /** Of the refresh token of the links; a session has none. */
  account?: string;
  /** It has ended, and nothing will change that. */
  over: boolean;
}

export interface SubjectDependencies {
  provider: Provider;
  work: UnitOfWork;
  tokens: Tokens;
  clients: Clients;
  clock: Clock;
}

/** @returns by the refresh token of the links where it is one, otherwise by the session's cookie */
export async function findSubject(
  deps: SubjectDependencies,
  ctx: ParameterizedContext,
  refreshToken: string | undefined,
): Promise<FoundSubject | undefined> {
  const linked = refreshToken === undefined ? undefined : await byLink(deps, refreshToken);
  return linked ?? bySession(deps, ctx);
}

/**
 * A token that /refresh would refuse is no proof of who is there. Nothing dies of it here: it is judged where it is
 * used.
 */
async function byLink(
  { work, tokens, clients, clock }: SubjectDependencies,
  refreshToken: string,
): Promise<FoundSubject | undefined> {
  const parts = tokens.parseRefreshToken(refreshToken);
  if (parts === undefined) return undefined;
  const grant = await work.current().read('grant', parts.grant);
  if (grant?.client !== linkClientId) return undefined;
  if (!tokens.verifyRefreshToken(parts, grant.salt)) return undefined;
  const subject = { session: grant.session, user: grant.user, grant: parts.grant };
  const account = grant.account === undefined ? {} : { account: grant.account };
  if (grant.ended !== undefined) return { subject, ...account, over: true };
  const family = grant.families?.[parts.family];
  const now = clock();
  if (family === undefined || family.expiresAt <= now) return undefined;
  const policy = clients.rotationPolicy(linkClientId);
  const decision = decideRotation(family, parts.generation, policy, now);
  if (decision !== 'rotate' && decision !== 'repeat') return undefined;
  return { subject, ...account, over: false };
}

async function bySession(
  { provider, work, tokens, clock }: SubjectDependencies,
  ctx: ParameterizedContext,
): Promise<FoundSubject | undefined> {
  const cookie = ctx.cookies.get(provider.cookieName('session'), { signed: false });
  const parts = cookie === undefined ? undefined : tokens.parseSessionCookie(cookie);
  if (parts === undefined) return undefined;
  const session = await work.current().read('session', parts.uid);
  if (session?.user === undefined) return undefined;
  if (!tokens.verifySessionCookie(parts, session.payload)) return undefined;
  const subject = { session: parts.uid, user: session.user };
  if (session.ended !== undefined) return { subject, over: true };
  return cookieIsGood(session, parts.generation, clock()) ? { subject, over: false } : undefined;
}
