/** The requests of `walk.ts`: what a browser says of itself and of where a request comes from. */

import { request as httpRequest } from 'node:http';
import { request as httpsRequest } from 'node:https';
import type { IncomingHttpHeaders } from 'node:http';
import { isSecurePlace } from './cookie_jar.ts';
import type { CookieJar } from './cookie_jar.ts';

const maximumBytes = 5_000_000;
const timeoutMs = 30_000;

/** Who asks. */
export interface Agent {
  userAgent: string;
  jar: CookieJar;
}

/** One request of a navigation. */
export interface Step {
  method: 'GET' | 'POST';
  url: URL;
  body?: string;
  /** Undefined when a person typed the address. */
  initiator?: { origin: string; noReferrer: boolean };
  /** Addresses of this navigation before this one, for `Sec-Fetch-Site`. */
  chain: URL[];
}

export interface FetchOptions {
  /** The origin of the page whose script asks. */
  origin: string;
  method?: string;
  headers?: Readonly<Record<string, string>>;
  body?: string;
  /** `include` when not given. */
  credentials?: 'include' | 'omit';
}

export interface Fetched {
  status: number;
  headers: IncomingHttpHeaders;
  text: string;
  /** Whether the script gets to see the answer (CORS). */
  readable: boolean;
}

export interface Answer {
  status: number;
  headers: IncomingHttpHeaders;
  text: string;
}

type Site = 'none' | 'same-origin' | 'same-site' | 'cross-site';

export async function navigate({ userAgent, jar }: Agent, step: Step): Promise<Answer> {
  const { method, url, body, initiator, chain } = step;
  const site = initiator === undefined ? 'none' : siteOf(initiator.origin, [...chain, url]);
  const cookie = jar.header({
    url,
    sameSite: site !== 'cross-site',
    topLevelGet: method === 'GET',
  });
  const posts = body === undefined ? {} : formHeaders(body, initiator);
  const answer = await exchange(url, method, body, {
    'User-Agent': userAgent,
    Accept: 'text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8',
    'Accept-Language': 'en',
    'Upgrade-Insecure-Requests': '1',
    ...fetchMetadata(url, site, 'navigate', 'document'),
    ...posts,
    ...(cookie === '' ? {} : { Cookie: cookie }),
  });
  jar.take(url, answer.headers['set-cookie'] ?? []);
  return answer;
}

function formHeaders(body: string, initiator: Step['initiator']): Record<string, string> {
  return {
    'Content-Type': 'application/x-www-form-urlencoded',
    'Content-Length': String(Buffer.byteLength(body)),
    // Fetch §3.2: without a referrer the origin is not told either.
    Origin: initiator === undefined || initiator.noReferrer ? 'null' : initiator.origin,
  };
}

/** Fetch Metadata: only told to secure places. */
function fetchMetadata(
  url: URL,
  site: Site,
  mode: string,
  destination: string,
): Record<string, string> {
  if (!isSecurePlace(url)) return {};
  return {
    'Sec-Fetch-Site': site,
    'Sec-Fetch-Mode': mode,
    'Sec-Fetch-Dest': destination,
    ...(mode === 'navigate' ? { 'Sec-Fetch-User': '?1' } : {}),
  };
}

/** The farthest of all hops counts. */
function siteOf(origin: string, chain: readonly URL[]): Site {
  let site: Site = 'same-origin';
  for (const url of chain) {
    if (url.origin === origin) continue;
    if (siteName(url) !== siteName(new URL(origin))) return 'cross-site';
    site = 'same-site';
  }
  return site;
}

/** Scheme and registrable domain; crude: the last two labels. */
function siteName({ protocol, hostname }: URL): string {
  const isAddress = /^[\d.]+$|^\[/.test(hostname);
  return `${protocol}//${isAddress ? hostname : hostname.split('.').slice(-2).join('.')}`;
}

export async function scriptFetch(
  { userAgent, jar }: Agent,
  url: URL,
  options: FetchOptions,
): Promise<Fetched> {
  const { origin, method = 'GET', body, credentials = 'include' } = options;
  const site = siteOf(origin, [url]);
  const withCookies = credentials === 'include';
  const cookie = withCookies
    ? jar.header({ url, sameSite: site !== 'cross-site', topLevelGet: false })
    : '';
  const tellsOrigin = site !== 'same-origin' || (method !== 'GET' && method !== 'HEAD');
  const answer = await exchange(url, method, body, {
    'User-Agent': userAgent,
    Accept: '*/*',
    ...fetchMetadata(url, site, 'cors', 'empty'),
    ...(tellsOrigin ? { Origin: origin } : {}),
    ...(body === undefined ? {} : { 'Content-Length': String(Buffer.byteLength(body)) }),
    ...(cookie === '' ? {} : { Cookie: cookie }),
    ...options.headers,
  });
  if (withCookies) jar.take(url, answer.headers['set-cookie'] ?? []);
  const allowed = answer.headers['access-control-allow-origin'];
  const readable =
    site === 'same-origin' ||
    (withCookies
      ? allowed === origin && answer.headers['access-control-allow-credentials'] === 'true'
      : allowed === origin || allowed === '*');
  return { ...answer, readable };
}

/** `node:http`, because `fetch` keeps for itself what a browser says of a request. */
function exchange(
  url: URL,
  method: string,
  body: string | undefined,
  headers: Record<string, string>,
): Promise<Answer> {
  const { promise, resolve, reject } = Promise.withResolvers<Answer>();
  const begin = url.protocol === 'https:' ? httpsRequest : httpRequest;
  const options = { method, headers, agent: false, timeout: timeoutMs };
  const request = begin(url, options, (response) => {
    const chunks: Buffer[] = [];
    let received = 0;
    response.on('data', (chunk: Buffer) => {
      received += chunk.length;
      if (received > maximumBytes) request.destroy(new Error(`${url.href} answers too much`));
      else chunks.push(chunk);
    });
    response.on('error', reject);
    response.on('end', () =>
      resolve({
        status: response.statusCode ?? 0,
        headers: response.headers,
        text: Buffer.concat(chunks).toString('utf8'),
      }),
    );
  });
  request.on('timeout', () => request.destroy(new Error(`${url.href} does not answer`)));
  request.on('error', reject);
  request.end(body);
  return promise;
}
