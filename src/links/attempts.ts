/**
 * Sign-ins that this browser has begun: what is needed to finish them, sealed, in a cookie for each,
 * so that several tabs do not take each other's away. Nothing of them is kept on the server. The
 * cookie is what ties an answer to the browser that asked (F7).
 */

import type { ParameterizedContext } from 'koa';
import type { Clock } from '../base/clock.ts';
import { randomToken } from '../base/ids.ts';
import { sha256 } from '../base/secrets.ts';
import type { Secrets } from '../base/secrets.ts';
import type { CookieKind, Cookies } from '../web/cookies.ts';

/** What the link asked for. */
export interface SigninRequest {
  returnTo: string;
  provider?: string | undefined;
  product?: string | undefined;
  account?: string | undefined;
  loginHint?: string | undefined;
  prompt?: string | undefined;
  /** It is a second try, made without being asked. There is no third. */
  again?: boolean;
}

export interface Attempt<Request = SigninRequest> {
  state: string;
  /** PKCE (RFC 7636). */
  verifier: string;
  nonce: string;
  request: Request;
  startedAt: number;
}

export interface Attempts<Request = SigninRequest> {
  begin(ctx: ParameterizedContext, request: Request): Attempt<Request>;
  /** Ends the attempt with this state: it can be taken once. */
  take(ctx: ParameterizedContext, state: string): Attempt<Request> | undefined;
}

export interface AttemptsOptions {
  cookies: Cookies;
  secrets: Secrets;
  clock: Clock;
  lifetimeSeconds: number;
  /** Of what: the cookies of one are not those of another. */
  of: 'signin' | 'signup' | 'invitation';
}

const mostAttempts = 5;
// Browsers and servers refuse requests whose headers grow too large.
const mostCharacters = 6000;
const tagLength = 8;

export function createAttempts<Request = SigninRequest>(
  options: AttemptsOptions,
): Attempts<Request> {
  const { cookies, secrets, clock, lifetimeSeconds, of } = options;
  const label = `link_${of}`;
  const cookieBase = `tollgate_${of}_`;
  const kindOf = (state: string): CookieKind => ({
    name: `${cookieBase}${state.slice(0, tagLength)}`,
    prefix: '__Host-',
  });

  function open(ctx: ParameterizedContext, kind: CookieKind): Attempt<Request> | undefined {
    const sealed = cookies.read(ctx, kind);
    if (sealed === undefined) return undefined;
    try {
      const attempt = JSON.parse(secrets.open(label, sealed, kind.name)) as Attempt<Request>;
      return attempt.startedAt + lifetimeSeconds * 1000 > clock() ? attempt : undefined;
    } catch {
      // Somebody else's, altered, or sealed with a secret that is gone.
      return undefined;
    }
  }

  /** The oldest go: an app that loops, or a page that opens many, fills nobody's browser. */
  function makeRoom(ctx: ParameterizedContext, length: number): void {
    const kept = tagsIn(ctx, cookies, cookieBase)
      .map((tag) => kindOf(tag))
      .map((kind) => ({
        kind,
        startedAt: open(ctx, kind)?.startedAt ?? 0,
        length: cookies.read(ctx, kind)?.length ?? 0,
      }))
      .toSorted((a, b) => b.startedAt - a.startedAt);
    let room = mostCharacters - length;
    for (const [index, { kind, startedAt, length: used }] of kept.entries()) {
      room -= used;
      if (startedAt === 0 || index >= mostAttempts - 1 || room < 0) cookies.clear(ctx, kind);
    }
  }

  return {
    begin(ctx, request) {
      const attempt: Attempt<Request> = {
        state: randomToken(),
        verifier: randomToken(32),
        nonce: randomToken(),
        request,
        startedAt: clock(),
      };
      const kind = kindOf(attempt.state);
      const sealed = secrets.seal(label, JSON.stringify(attempt), kind.name);
      makeRoom(ctx, sealed.length);
      cookies.write(ctx, kind, sealed, lifetimeSeconds);
      return attempt;
    },
    take(ctx, state) {
      if (!/^[A-Za-z0-9_-]{22}$/.test(state)) return undefined;
      const kind = kindOf(state);
      const attempt = open(ctx, kind);
      if (attempt?.state !== state) return undefined;
      cookies.clear(ctx, kind);
      return attempt;
    },
  };
}

/** RFC 7636 §4.2 */
export function challengeOf({ verifier }: Pick<Attempt, 'verifier'>): string {
  return sha256(verifier);
}

function tagsIn(ctx: ParameterizedContext, cookies: Cookies, cookieBase: string): string[] {
  const base = cookies.nameOf({ name: cookieBase, prefix: '__Host-' });
  return ctx
    .get('Cookie')
    .split(';')
    .map((pair) => pair.split('=')[0]?.trim() ?? '')
    .filter((name) => name.startsWith(base))
    .map((name) => name.slice(base.length))
    .filter((tag) => /^[A-Za-z0-9_-]{8}$/.test(tag));
}
