/**
 * Every request that leaves the server goes through here, on Node and on Deno alike: to upstream
 * providers, to the addresses that clients registered, to receivers of events. Whoever can write
 * such an address must not reach our own network with it (SSRF).
 *
 * A name is resolved once for each connection, all its addresses are judged, and the connection is
 * made to an address that was judged, so that a name server cannot change its mind in between
 * (rebinding). Redirects are never followed. Time, size of headers and size of the body, counted
 * after decompression, are bounded. No proxy is read from the environment.
 */

import { Agent, buildConnector } from 'undici';
import { createAddressList, parseAddress, printAddress, type Address } from './addresses.ts';
import { Problem } from './errors.ts';
import type { Log } from './log.ts';
import { failed, refused, timedOut } from './outgoing_problems.ts';
import {
  bareHost,
  checkUrl,
  judgedAddresses,
  systemResolve,
  type Resolve,
} from './outgoing_guard.ts';
import { decompressed, discard, readBounded } from './response_body.ts';

export interface OutgoingOptions {
  /** Ranges that may be reached although they are private, also by http and on any port. */
  allowPrivate: readonly string[];
  /** Of a response's body, after decompression. 1 MiB when not given. */
  maxBytes?: number;
  /** For the whole exchange, to the last byte. 5 s when not given. */
  timeoutMs?: number;
  /** For the name and one connection. 3 s when not given. */
  connectTimeoutMs?: number;
  resolve?: Resolve;
  /** PEM certificates that are trusted instead of the runtime's. */
  certificateAuthorities?: readonly string[];
  log?: Log;
}

export interface OutgoingInit extends RequestInit {
  /** Smaller bounds for one request. */
  maxBytes?: number;
  timeoutMs?: number;
  /** Only the status and the headers are wanted: a body that is too long, slow or broken is no failure. */
  discardBody?: boolean;
}

/**
 * Usable wherever `fetch` is expected. The body of the answer has been read already. A redirect is
 * answered as it is with `redirect: 'manual'`, and refused otherwise.
 * @throws {Problem} `outgoing_refused` (502): the address is not one to reach; `outgoing_failed`
 *   (502): no answer, or one beyond the bounds; `outgoing_timeout` (504). The caller's own abort is
 *   thrown as it is.
 */
export interface OutgoingFetch {
  (input: string | URL | Request, init?: OutgoingInit): Promise<Response>;
  /** Ends all connections. */
  close(): Promise<void>;
}

/** How long a body that nobody wants is read, for the sake of its connection. */
const discardMs = 200;

export function createFetch(options: OutgoingOptions): OutgoingFetch {
  const bounds = {
    maxBytes: options.maxBytes ?? 1024 * 1024,
    timeoutMs: options.timeoutMs ?? 5000,
    connectTimeoutMs: options.connectTimeoutMs ?? 3000,
  };
  const agent = new Agent({
    connect: guardedConnector(options, bounds.connectTimeoutMs),
    allowH2: false,
    connections: 16,
    pipelining: 1,
    maxHeaderSize: 16 * 1024,
    keepAliveTimeout: 4000,
    keepAliveMaxTimeout: 30_000,
  });
  const send = async (input: string | URL | Request, init: OutgoingInit = {}) => {
    const maxBytes = Math.min(init.maxBytes ?? bounds.maxBytes, bounds.maxBytes);
    const timeoutMs = Math.min(init.timeoutMs ?? bounds.timeoutMs, bounds.timeoutMs);
    checkUrl(input instanceof Request ? input.url : String(input));
    const request = new Request(input, init);
    const deadline = createDeadline(timeoutMs, request.signal);
    try {
      return await exchange(agent, request, deadline.signal, {
        maxBytes,
        redirects: request.redirect === 'manual',
        discardBody: init.discardBody === true,
      });
    } catch (error) {
      const problem = asProblem(error, request.signal);
      options.log?.info('outgoing request failed', { url: new URL(request.url), error: problem });
      throw problem;
    } finally {
      deadline.clear();
    }
  };
  return Object.assign(send, { close: () => agent.destroy() });
}

/**
 * With the library's `request`, not its `fetch`: on Deno the body of the latter neither ends with the
 * connection nor with the signal, and whoever reads it waits for ever.
 */
async function exchange(
  dispatcher: Agent,
  request: Request,
  signal: AbortSignal,
  limits: { maxBytes: number; redirects: boolean; discardBody: boolean },
): Promise<Response> {
  const url = new URL(request.url);
  const answer = await dispatcher.request({
    origin: url.origin,
    path: `${url.pathname}${url.search}`,
    method: request.method,
    headers: headersOf(request),
    body: request.body === null ? null : Buffer.from(await request.arrayBuffer()),
    signal,
  });
  const headers = responseHeaders(answer.headers);
  try {
    if (isRedirect(answer.statusCode) && !limits.redirects) {
      throw refused(`a redirect (${answer.statusCode})`);
    }
    const bytes = limits.discardBody
      ? await discard(answer.body, limits.maxBytes, discardMs).then(() => null)
      : await readBounded(
          decompressed(answer.body, headers.get('content-encoding')),
          limits.maxBytes,
        );
    headers.delete('content-encoding');
    headers.delete('content-length');
    const { statusCode: status } = answer;
    const bodiless = status === 204 || status === 205 || status === 304;
    const response = new Response(bodiless ? null : bytes, { status, headers });
    Object.defineProperty(response, 'url', { value: request.url });
    return response;
  } finally {
    // Destroying it unread is an error of the stream, which nobody is waiting for.
    answer.body.on('error', () => undefined).destroy();
  }
}

function headersOf(request: Request): Record<string, string> {
  // Nobody chooses the host apart from the address. An empty name is taken out as well: some
  // servers, GitHub's among them, refuse whoever does not name himself.
  const given = [...request.headers].filter(([name, value]) => name !== 'host' && value !== '');
  return {
    'user-agent': 'tollgate',
    'accept-encoding': 'gzip, deflate, br',
    ...Object.fromEntries(given),
  };
}

function responseHeaders(given: Record<string, string | string[] | undefined>): Headers {
  const headers = new Headers();
  for (const [name, values] of Object.entries(given)) {
    for (const value of [values ?? []].flat()) headers.append(name, value);
  }
  return headers;
}

function isRedirect(status: number): boolean {
  return status >= 300 && status < 400 && status !== 304;
}

/** Opens a connection to an address that was judged, under the name that was asked for. */
function guardedConnector(options: OutgoingOptions, timeoutMs: number): buildConnector.connector {
  const allowed = createAddressList(options.allowPrivate);
  const resolve = options.resolve ?? systemResolve;
  const connect = buildConnector({
    timeout: timeoutMs,
    allowH2: false,
    ...(options.certificateAuthorities ? { ca: [...options.certificateAuthorities] } : {}),
  });
  return (target, callback) => {
    judgedAddresses(target, resolve, allowed, timeoutMs).then(
      (addresses) => dial(connect, target, addresses, callback),
      (error: unknown) => callback(error instanceof Error ? error : failed(error), null),
    );
  };
}

function dial(
  connect: buildConnector.connector,
  target: buildConnector.Options,
  [address, ...others]: readonly Address[],
  callback: buildConnector.Callback,
): void {
  if (!address) return callback(failed(new Error('the name has no address')), null);
  const name = bareHost(target.hostname);
  const literal = parseAddress(name) !== undefined;
  const pinned = {
    ...target,
    hostname: printAddress(address),
    // The certificate must be the name's, not the address's.
    ...(target.protocol === 'https:' && !literal
      ? { servername: name }
      : { servername: undefined }),
  };
  connect(pinned, (...outcome) => {
    if (outcome[0] && others.length > 0) dial(connect, target, others, callback);
    else callback(...outcome);
  });
}

/** Aborts when the time is over or the caller wants it. */
function createDeadline(timeoutMs: number, caller: AbortSignal) {
  const controller = new AbortController();
  const forward = () => controller.abort(caller.reason);
  const timer = setTimeout(() => {
    controller.abort(timedOut(new Error(`no complete answer within ${timeoutMs} ms`)));
  }, timeoutMs);
  if (caller.aborted) forward();
  caller.addEventListener('abort', forward, { once: true });
  return {
    signal: controller.signal,
    clear: () => {
      clearTimeout(timer);
      caller.removeEventListener('abort', forward);
    },
  };
}

function asProblem(error: unknown, caller: AbortSignal): unknown {
  if (caller.aborted) return caller.reason;
  // The library wraps what the connector said.
  for (let at = error, depth = 0; at instanceof Error && depth < 5; at = at.cause, depth += 1) {
    if (at instanceof Problem) return at;
    if (/Timeout/.test(at.name)) return timedOut(error);
  }
  return failed(error);
}
