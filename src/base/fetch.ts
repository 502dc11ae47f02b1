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

import { lookup } from 'node:dns/promises';
import { Agent, buildConnector, fetch as undiciFetch } from 'undici';
import {
  createAddressList,
  parseAddress,
  printAddress,
  specialUse,
  type Address,
  type AddressList,
} from './addresses.ts';
import { Problem } from './errors.ts';
import type { Log } from './log.ts';

/** All addresses of a name, in the order in which they are to be tried. */
export type Resolve = (host: string) => Promise<readonly string[]>;

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

const publicPorts = new Set(['', '80', '443', '8443']);
const maximumAttempts = 3;
const maximumAddresses = 64;

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
        redirects: (init.redirect ?? request.redirect) === 'manual',
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

function checkUrl(text: string): void {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (!url) throw refused('not an absolute URL');
  if (url.protocol !== 'https:' && url.protocol !== 'http:')
    throw refused(`scheme ${url.protocol}`);
  if (url.username !== '' || url.password !== '') throw refused('userinfo in the URL');
}

async function exchange(
  dispatcher: Agent,
  request: Request,
  signal: AbortSignal,
  limits: { maxBytes: number; redirects: boolean },
): Promise<Response> {
  const body = request.body === null ? undefined : await request.arrayBuffer();
  const headers = [...request.headers].filter(([name]) => name !== 'host');
  const answer = await undiciFetch(request.url, {
    method: request.method,
    headers,
    body,
    redirect: 'manual',
    signal,
    dispatcher,
  });
  if (isRedirect(answer.status) && !limits.redirects) {
    await answer.body?.cancel();
    throw refused(`a redirect (${answer.status})`);
  }
  const bytes = await readBounded(answer.body, limits.maxBytes);
  const copied = new Headers();
  for (const [name, value] of answer.headers) {
    // The body is decompressed by now.
    if (name !== 'content-encoding' && name !== 'content-length') copied.append(name, value);
  }
  const bodiless = answer.status === 204 || answer.status === 205 || answer.status === 304;
  const response = new Response(bodiless ? null : bytes, {
    status: answer.status,
    statusText: answer.statusText,
    headers: copied,
  });
  Object.defineProperty(response, 'url', { value: request.url });
  return response;
}

function isRedirect(status: number): boolean {
  return status >= 300 && status < 400 && status !== 304;
}

async function readBounded(
  body: AsyncIterable<Uint8Array> | null,
  maxBytes: number,
): Promise<Uint8Array<ArrayBuffer>> {
  const chunks: Uint8Array[] = [];
  let received = 0;
  for await (const chunk of body ?? []) {
    received += chunk.byteLength;
    // Leaving the loop cancels the body, and with it the connection.
    if (received > maxBytes) throw failed(new Error(`the body has more than ${maxBytes} bytes`));
    chunks.push(chunk);
  }
  const all = new Uint8Array(received);
  let offset = 0;
  for (const chunk of chunks) {
    all.set(chunk, offset);
    offset += chunk.byteLength;
  }
  return all;
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

/** @throws {Problem} `outgoing_refused` when any of the addresses is not to be reached */
async function judgedAddresses(
  target: buildConnector.Options,
  resolve: Resolve,
  allowed: AddressList,
  timeoutMs: number,
): Promise<Address[]> {
  const host = bareHost(target.hostname);
  const literal = parseAddress(host);
  const found = literal ? [host] : await withTimeout(resolve(host), timeoutMs);
  const addresses = found.slice(0, maximumAddresses).map((text) => {
    const address = parseAddress(text);
    if (!address) throw refused('the name has an unreadable address');
    const reason = judge(address, target, allowed);
    if (reason) throw refused(`${printAddress(address)}: ${reason}`);
    return address;
  });
  return addresses.slice(0, maximumAttempts);
}

/** Why this address is not to be reached in this way. */
function judge(
  address: Address,
  target: buildConnector.Options,
  allowed: AddressList,
): string | undefined {
  if (allowed.has(address)) return undefined;
  const special = specialUse(address);
  if (special) return special;
  if (target.protocol !== 'https:') return 'only by https';
  if (!publicPorts.has(target.port ?? '')) return `port ${target.port}`;
  return undefined;
}

function bareHost(host: string): string {
  const bare = host.startsWith('[') ? host.slice(1, -1) : host;
  return bare.endsWith('.') ? bare.slice(0, -1) : bare;
}

async function systemResolve(host: string): Promise<string[]> {
  const found = await lookup(host, { all: true });
  return found.map(({ address }) => address);
}

async function withTimeout<T>(work: Promise<T>, timeoutMs: number): Promise<T> {
  const { promise, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => reject(timedOut(new Error('name resolution'))), timeoutMs);
  try {
    return await Promise.race([work, promise]);
  } finally {
    clearTimeout(timer);
  }
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

function refused(reason: string): Problem {
  return new Problem('outgoing_refused', 502, 'A request to another server was not allowed.', {
    cause: new Error(reason),
  });
}

function failed(cause: unknown): Problem {
  return new Problem('outgoing_failed', 502, 'A request to another server failed.', { cause });
}

function timedOut(cause: unknown): Problem {
  return new Problem('outgoing_timeout', 504, 'Another server did not answer in time.', { cause });
}
