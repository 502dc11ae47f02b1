/**
 * The first middleware: who asks, by which name, under which id. What follows may believe
 * `ctx.protocol`, `ctx.host` and `ctx.ip`: the first two are the issuer's, whatever the headers say
 * (T73), because oidc-provider builds every address that it publishes from them; the third is
 * believed from proxies that the operator listed and from nobody else.
 */

import type { Middleware, ParameterizedContext } from 'koa';
import { createAddressList, fold, parseAddress, printAddress } from '../base/addresses.ts';
import type { AddressList } from '../base/addresses.ts';
import type { Clock } from '../base/clock.ts';
import { Problem } from '../base/errors.ts';
import { randomToken } from '../base/ids.ts';
import { withRequestId, type Log } from '../base/log.ts';

export interface RequestOptions {
  issuer: string;
  /** Ranges of the proxies whose `X-Forwarded-For` and `X-Forwarded-Proto` count. */
  trustedProxies: readonly string[];
  log: Log;
  clock: Clock;
}

/** What `ctx.state` holds behind this middleware. */
export interface RequestState {
  requestId: string;
  /** Printed canonically; `unknown` where the connection has none. For limits and the log. */
  clientIp: string;
  /** False only when a trusted proxy says that the browser came by plain http. */
  secure: boolean;
}

const maximumForwarded = 20;
const maximumUrl = 8 * 1024;
const maximumHeaders = 100;
const maximumHeaderBytes = 32 * 1024;
const healthPaths = '/health/';

export function requests({ issuer, trustedProxies, log, clock }: RequestOptions): Middleware {
  const own = new URL(issuer);
  const trusted = createAddressList(trustedProxies);
  return (ctx, next) => {
    const id = `req_${randomToken()}`;
    const startedAt = clock();
    const caller = callerOf(ctx, trusted);
    const state: RequestState = { requestId: id, clientIp: caller.ip, secure: caller.secure };
    Object.assign(ctx.state, state);
    ctx.set('X-Request-Id', id);
    const known = isOwnHost(ctx, own);
    pin(ctx, { protocol: own.protocol.slice(0, -1), host: own.host, ip: caller.ip, ips: [] });
    return withRequestId(id, async () => {
      try {
        if (!known && !ctx.path.startsWith(healthPaths)) return misdirected(ctx);
        if (own.protocol === 'https:' && !caller.secure) return upgrade(ctx, own);
        await next();
      } finally {
        const level = ctx.path.startsWith(healthPaths) ? 'debug' : 'info';
        log[level]('request', {
          method: ctx.method,
          path: ctx.path.slice(0, 200),
          status: ctx.status,
          ms: clock() - startedAt,
          ip: caller.ip,
        });
      }
    });
  };
}

/** Bounds that need the failure handler around them. T15: secrets in addresses end up in logs. */
export function requestBounds(): Middleware {
  return (ctx, next) => {
    if (ctx.originalUrl.length > maximumUrl) {
      throw new Problem('address_too_long', 414, 'The address is too long.');
    }
    if (isMisspelt(ctx.path)) {
      throw new Problem('not_found', 404, 'There is nothing at this address.');
    }
    const headers = ctx.req.rawHeaders;
    const bytes = headers.reduce((total, part) => total + part.length, 0);
    if (headers.length > 2 * maximumHeaders || bytes > maximumHeaderBytes) {
      throw new Problem('headers_too_large', 431, 'The request has too many headers.');
    }
    const names = new URLSearchParams(ctx.querystring).keys();
    const secret = names.find((name) => secretParameters.has(name.toLowerCase()));
    if (secret !== undefined) {
      throw new Problem('secret_in_address', 400, 'A secret must not be sent in the address.', {
        details: { parameter: secret },
      });
    }
    return next();
  };
}

/** Below these all is ours; below others stand ids. */
const fixedBelow = new Set(['oauth2', 'integrations', 'health', 'assets', 'ssf', '.well-known']);

/**
 * Routers take an address in any case of its letters; limits and rules by address must not be walked
 * around so. There is one spelling of each.
 */
function isMisspelt(path: string): boolean {
  const [, first = '', second = ''] = path.split('/');
  const room = first.toLowerCase();
  return first !== room || (fixedBelow.has(room) && second !== second.toLowerCase());
}

const secretParameters = new Set([
  'access_token',
  'refresh_token',
  'client_secret',
  'client_assertion',
  'code_verifier',
  'password',
]);

/** The names are getters on Koa's prototypes; `ctx` delegates to the request. */
function pin(ctx: ParameterizedContext, values: Record<string, unknown>): void {
  for (const [name, value] of Object.entries(values)) {
    Object.defineProperty(ctx.request, name, { value, configurable: true });
  }
}

/**
 * One Host header, with the issuer's host, and a path behind it: with the absolute form of a
 * request (`GET http://other/ HTTP/1.1`) Koa takes the host from there.
 */
function isOwnHost(ctx: ParameterizedContext, own: URL): boolean {
  const { rawHeaders } = ctx.req;
  const names = rawHeaders.filter((text, index) => index % 2 === 0 && /^host$/i.test(text));
  const host = ctx.req.headers[':authority'] ?? ctx.req.headers.host;
  if (names.length > 1 || typeof host !== 'string' || !ctx.originalUrl.startsWith('/'))
    return false;
  if (!/^[a-z0-9.:[\]-]{1,255}$/i.test(host)) return false;
  const url = `${own.protocol}//${host}`;
  return URL.canParse(url) && new URL(url).host === own.host;
}

/** RFC 9110 §15.5.20. Plain, because a page would show our name under a foreign one. */
function misdirected(ctx: ParameterizedContext): void {
  ctx.status = 421;
  ctx.type = 'text';
  ctx.set('Cache-Control', 'no-store');
  ctx.body = 'This server does not answer for this host.\n';
}

/** A proxy that we trust says that the browser came by http: nothing is done there. */
function upgrade(ctx: ParameterizedContext, own: URL): void {
  ctx.set('Cache-Control', 'no-store');
  ctx.type = 'text';
  if (ctx.method === 'GET' || ctx.method === 'HEAD') {
    ctx.status = 308;
    ctx.set('Location', `${own.origin}${ctx.originalUrl}`);
    ctx.body = 'Use https.\n';
  } else {
    ctx.status = 400;
    ctx.body = 'This server is to be used by https only.\n';
  }
}

interface Caller {
  ip: string;
  secure: boolean;
}

function callerOf(ctx: ParameterizedContext, trusted: AddressList): Caller {
  const { socket } = ctx.req;
  const peer = parseAddress(socket.remoteAddress ?? '');
  if (!peer) return { ip: 'unknown', secure: true };
  if (!trusted.has(peer)) return { ip: printAddress(fold(peer)), secure: true };
  // From the right: what our own proxies added. What stands before the first stranger is his word.
  const forwarded = ctx.get('X-Forwarded-For').split(',').slice(-maximumForwarded).toReversed();
  let address = peer;
  for (const text of forwarded) {
    const next = parseAddress(withoutPort(text.trim()));
    if (!next) break;
    address = next;
    if (!trusted.has(next)) break;
  }
  const protocol = ctx.get('X-Forwarded-Proto').split(',').at(-1)?.trim().toLowerCase();
  return { ip: printAddress(fold(address)), secure: protocol !== 'http' };
}

/** Some proxies write `192.0.2.1:4711` or `[2001:db8::1]:4711`. */
function withoutPort(text: string): string {
  return text.replace(/^(\d+\.\d+\.\d+\.\d+|\[[^\]]*\]):\d+$/, '$1');
}
