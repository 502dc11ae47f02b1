/**
 * `GET /session/events`: an app's page hears that the session has ended, or that its tokens would say something else by
 * now, without asking again and again. It is told no more than which: the rest is in its next token. What is said at
 * first is the present state, so nothing is missed between two connections.
 */

import type { ParameterizedContext } from 'koa';
import type { Problem } from '../base/errors.ts';
import type { Config } from '../config.ts';
import type { LinkOidc } from '../oidc/links.ts';
import type { LiveSessions } from '../oidc/live_sessions.ts';
import { changedParts, stateId } from '../oidc/live_state.ts';
import type { LiveEndReason, LivePart, LiveState } from '../oidc/live_state.ts';
import { linkCookie } from '../web/cookies.ts';
import type { Cookies } from '../web/cookies.ts';
import { allowOrigin } from './cors.ts';
import { linkProblem } from './errors.ts';
import type { EventStream, EventStreams } from './event_streams.ts';

export interface SessionEventsDependencies {
  config: Config;
  oidc: LinkOidc;
  cookies: Cookies;
  live: LiveSessions;
  streams: EventStreams;
}

export const sessionEventsMethods = 'GET, OPTIONS';
/** The id of the event that says so: a browser that sends it back has heard it. */
const endedId = 'ended';
const longestId = 200;
const fullRetrySeconds = 30;
const failedRetrySeconds = 5;

export async function sessionEvents(
  ctx: ParameterizedContext,
  { config, oidc, cookies, live, streams }: SessionEventsDependencies,
): Promise<void> {
  allowOrigin(ctx, config);
  ctx.set('Access-Control-Expose-Headers', 'Retry-After, X-Request-Id');
  const known = ctx.get('Last-Event-ID').slice(0, longestId);
  const refreshToken = cookies.read(ctx, linkCookie);
  const found = await oidc.subject(ctx, refreshToken).catch((cause: unknown) => {
    throw unavailable(failedRetrySeconds, cause);
  });
  if (found === undefined && known === '') throw linkProblem('login_required');
  // 204 ends a browser's attempts to connect again (HTML §9.2.3).
  if (found?.over !== false && known === endedId) return void (ctx.status = 204);
  announce(ctx);
  // An answer to HEAD would never end.
  if (ctx.method === 'HEAD') return void (ctx.body = '');
  const stream = streams.open(found?.subject.session ?? '');
  if (stream === undefined) throw unavailable(fullRetrySeconds);
  ctx.body = stream.body;
  // Here somebody was signed in when the connection broke off, and a page cannot read the status of an answer.
  if (found === undefined) return tellEnd(stream, 'signed_out');
  const stop = live.listen(found.subject, follow(stream, known));
  stream.onEnd(stop);
}

function announce(ctx: ParameterizedContext): void {
  ctx.status = 200;
  ctx.type = 'text/event-stream';
  // Neither kept nor held back nor compressed by anything in between, nginx by name.
  ctx.set('Cache-Control', 'no-store, no-transform');
  ctx.set('X-Accel-Buffering', 'no');
}

/** @param known the state that the page was told last, empty for none */
function follow(stream: EventStream, known: string): (state: LiveState) => void {
  let told = known;
  return (state) => {
    if (state.ended !== undefined) return tellEnd(stream, state.ended);
    const id = stateId(state.parts);
    if (id === told) return;
    const what = told === '' ? [] : changedParts(told, state.parts);
    told = id;
    stream.send(what.length === 0 ? { id } : changed(id, what));
  };
}

const changed = (id: string, what: readonly LivePart[]) => ({
  name: 'changed',
  id,
  data: { what },
});

function tellEnd(stream: EventStream, reason: LiveEndReason): void {
  stream.send({ name: 'ended', id: endedId, data: { reason } });
  stream.end();
}

function unavailable(retryAfterSeconds: number, cause?: unknown): Problem {
  return linkProblem('temporarily_unavailable', { cause, retryAfterSeconds });
}
