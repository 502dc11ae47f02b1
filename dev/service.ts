/**
 * A service as its developer writes it: `tollgate/verify` checks access tokens without asking anybody, and hears of it
 * when access ends before they do. The rest is a small web server. The services in `services/` are three of
 * these, and differ in how they are told.
 */

import { randomUUID } from 'node:crypto';
import { createServer } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
// In a program of yours: from 'tollgate/verify'.
import { expressEvents, verifier, VerifyError } from '../src/verify/index.ts';
import type {
  AccessClaims,
  ReceivedEvent,
  Verifier,
  VerifierOptions,
  Warning,
} from '../src/verify/index.ts';
import { listen } from './listen.ts';
import type { Listening } from './listen.ts';
import { page } from './look.ts';
import type { Usage } from './services/usage.ts';
import { servicePage } from './service_page.ts';

export interface ServiceOptions extends Pick<VerifierOptions, 'issuer' | 'audience'> {
  /** Such as `Service with webhooks`, and a sentence about how it hears. */
  name: string;
  about: string;
  port: number;
  /** Origins of browser apps that may call this service. */
  origins: readonly string[];
  /** Milliseconds since the epoch. */
  clock: () => number;
  /** Where a report that is made is paid for: metered use. */
  usage?: Usage;
}

/** What a service remembers of late, for its page. */
export interface Lately {
  heard: (Pick<ReceivedEvent, 'type' | 'subject' | 'denies'> & { heardAt: number })[];
  refused: { code: string; refusedAt: number }[];
  warnings: Warning['code'][];
}

export interface Service extends Listening {
  tollgate: Verifier;
  lately: Lately;
}

const mostShown = 50;

/** @param how it is told: what `verifier` wants for that */
export async function startService(
  options: ServiceOptions,
  how: Omit<VerifierOptions, 'issuer' | 'audience' | 'now' | 'onEvent' | 'onWarning'> = {},
): Promise<Service> {
  const { issuer, audience, port, origins, name, clock, usage } = options;
  const lately: Lately = { heard: [], refused: [], warnings: [] };
  const tollgate = verifier({
    ...how,
    issuer,
    audience,
    now: clock,
    onEvent({ type, subject, denies, heartbeat }) {
      const what = denies === undefined ? { type, subject } : { type, subject, denies };
      if (!heartbeat) keep(lately.heard, { ...what, heardAt: clock() });
    },
    onWarning: ({ code }) => keep(lately.warnings, code),
  });
  const events = expressEvents(tollgate);

  /** Calls `work` with what the token says, or answers why not. */
  async function checked(
    request: IncomingMessage,
    response: ServerResponse,
    work: (claims: AccessClaims) => void,
  ): Promise<void> {
    try {
      work(await tollgate.check(request.headers));
    } catch (error) {
      if (!(error instanceof VerifyError)) throw error;
      keep(lately.refused, { code: error.code, refusedAt: clock() });
      const refusal = error.response();
      response.writeHead(refusal.status, Object.fromEntries(refusal.headers));
      response.end(await refusal.text());
    }
  }

  const me = (request: IncomingMessage, response: ServerResponse) =>
    checked(request, response, (claims) => send(response, 200, claims));

  /** Each report is paid for. Who repeats a request, because its answer was lost, pays once. */
  const report = (request: IncomingMessage, response: ServerResponse) =>
    checked(request, response, (claims) => {
      const key = request.headers['idempotency-key'];
      const id = typeof key === 'string' && key !== '' ? key : randomUUID();
      const billed = usage?.record(claims, id) ?? false;
      send(response, 201, { report: `A report for ${claims.account ?? claims.sub}`, billed });
    });

  async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    allowOrigin(origins, request, response);
    if (request.method === 'OPTIONS') {
      response.writeHead(204).end();
      return;
    }
    switch (`${request.method} ${request.url}`) {
      case 'GET /api/me':
        return me(request, response);
      case 'POST /api/reports':
        return report(request, response);
      case 'POST /events':
        return events(request, response, () => send(response, 500, { error: 'event_failed' }));
      case 'GET /':
        response.writeHead(200, { 'content-type': 'text/html; charset=utf-8' });
        response.end(page(name, servicePage(options, lately)));
        return;
      default:
        send(response, 404, { error: 'not_found' });
    }
  }

  const server = createServer((request, response) => {
    handle(request, response).catch(() => send(response, 500, { error: 'failed' }));
  });
  return { ...(await listen(server, port)), tollgate, lately };
}

/** Browser apps are on other origins than their service (CORS). */
function allowOrigin(
  origins: readonly string[],
  request: IncomingMessage,
  response: ServerResponse,
): void {
  const { origin } = request.headers;
  response.setHeader('vary', 'origin');
  if (origin === undefined || !origins.includes(origin)) return;
  response.setHeader('access-control-allow-origin', origin);
  response.setHeader('access-control-allow-headers', 'authorization, idempotency-key');
  response.setHeader('access-control-expose-headers', 'www-authenticate');
}

function send(response: ServerResponse, status: number, body: unknown): void {
  if (response.headersSent) return;
  response.writeHead(status, { 'content-type': 'application/json', 'cache-control': 'no-store' });
  response.end(JSON.stringify(body));
}

/** The latest first; the oldest go. */
function keep<T>(list: T[], one: T): void {
  list.unshift(one);
  list.splice(mostShown);
}
