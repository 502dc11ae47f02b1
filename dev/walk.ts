/**
 * A browser without script, for stories and tests: it goes where redirects and refreshing pages lead,
 * keeps cookies, fills in forms, and says of each request where it came from, as browsers do.
 */

import { request as httpRequest } from 'node:http';
import { request as httpsRequest } from 'node:https';
import type { IncomingHttpHeaders } from 'node:http';
import { createCookieJar, isSecurePlace } from './cookie_jar.ts';
import type { CookieJar } from './cookie_jar.ts';
import { readMarkup } from './markup.ts';
import type { Button, Form, Markup } from './markup.ts';

export interface Hop {
  method: string;
  url: string;
  status: number;
  /** Where the answer led. */
  location?: string;
}

export interface Page extends Omit<Markup, 'refresh'> {
  url: string;
  status: number;
  headers: IncomingHttpHeaders;
  /** The source. */
  text: string;
  /** All requests of this walk, oldest first. */
  history: Hop[];
  /** `stopAt` held: `url` was not fetched, the rest is of the answer that led there. */
  stopped: boolean;
}

export interface WalkOptions {
  /** Does not fetch such an address, and answers with it. */
  stopAt?: (url: URL) => boolean;
}

export interface GoOptions extends WalkOptions {
  /** The page with the link; without one somebody typed the address. */
  from?: Page;
}

export interface SubmitOptions extends WalkOptions {
  /** What stands on it, its name, its value or `name=value`. The first one when not given. */
  button?: string;
  /** Instead of what the form holds; `false` unticks. */
  fields?: Readonly<Record<string, string | false>>;
  /** Its place on the page, its id, or a part of its action. */
  form?: number | string;
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

export interface Browser {
  get(url: string, options?: GoOptions): Promise<Page>;
  /** Follows the link with this text, or this address. */
  follow(page: Page, link: string, options?: WalkOptions): Promise<Page>;
  submit(page: Page, options?: SubmitOptions): Promise<Page>;
  /** Posts a form that nobody showed; `from` is the page that does it. */
  post(url: string, fields: Readonly<Record<string, string>>, options?: GoOptions): Promise<Page>;
  /** What a script on a page does. */
  fetch(url: string, options: FetchOptions): Promise<Fetched>;
  cookies: CookieJar;
}

export interface BrowserOptions extends WalkOptions {
  userAgent?: string;
  clock?: () => number;
}

const maximumHops = 25;
const maximumBytes = 5_000_000;
const timeoutMs = 30_000;

interface Browsing {
  userAgent: string;
  jar: CookieJar;
  stopAt: (url: URL) => boolean;
}

interface Step {
  method: 'GET' | 'POST';
  url: URL;
  body?: string;
  /** Undefined when a person typed the address. */
  initiator?: { origin: string; noReferrer: boolean };
  /** Addresses of this navigation before this one, for `Sec-Fetch-Site`. */
  chain: URL[];
}

export function createBrowser(options: BrowserOptions = {}): Browser {
  const browsing: Browsing = {
    userAgent: options.userAgent ?? 'Mozilla/5.0 (walk; no script)',
    jar: createCookieJar(options.clock ?? Date.now),
    stopAt: options.stopAt ?? (() => false),
  };
  const walking = ({ stopAt }: WalkOptions): Browsing =>
    stopAt === undefined ? browsing : { ...browsing, stopAt };
  const browser: Browser = {
    cookies: browsing.jar,
    get: (url, go = {}) =>
      walk(walking(go), { method: 'GET', url: new URL(url), chain: [], ...initiatedBy(go.from) }),
    follow(page, text, go = {}) {
      const link = page.links.find((known) => known.text === text || known.href === text);
      if (link === undefined) throw notThere('link', text, page);
      return browser.get(new URL(link.href, page.url).href, { ...go, from: page });
    },
    submit: (page, go = {}) => walk(walking(go), submission(page, go)),
    post: (url, fields, go = {}) =>
      walk(walking(go), {
        method: 'POST',
        url: new URL(url),
        body: new URLSearchParams(fields).toString(),
        chain: [],
        ...initiatedBy(go.from),
      }),
    fetch: (url, go) => scriptFetch(browsing, new URL(url), go),
  };
  return browser;
}

function initiatedBy(page: Page | undefined): Pick<Step, 'initiator'> {
  if (page === undefined) return {};
  const noReferrer = page.headers['referrer-policy'] === 'no-referrer';
  return { initiator: { origin: new URL(page.url).origin, noReferrer } };
}

async function walk(browsing: Browsing, first: Step): Promise<Page> {
  const history: Hop[] = [];
  let step = first;
  while (history.length < maximumHops) {
    const answer = await send(browsing, step);
    const page = pageOf(step, answer, history);
    const redirect = answer.status >= 300 && answer.status < 400 && answer.headers.location;
    const target = redirect || page.refresh;
    history.push({
      method: step.method,
      url: step.url.href,
      status: answer.status,
      ...(target ? { location: target } : {}),
    });
    if (!target) return page.page;
    const url = new URL(target, step.url);
    if (url.hash === '' && redirect) url.hash = step.url.hash;
    if (browsing.stopAt(url)) return { ...page.page, url: url.href, stopped: true };
    if (url.protocol !== 'http:' && url.protocol !== 'https:') {
      throw new Error(`${step.url.href} leads to ${url.href}, where this browser cannot go`);
    }
    step = redirect ? redirected(step, url, answer.status) : onwards(page.page, url);
  }
  const path = history.map((hop) => `${hop.status} ${hop.method} ${hop.url}`).join('\n  ');
  throw new Error(`more than ${maximumHops} steps:\n  ${path}`);
}

/** Fetch §4.4: 303, and 301 and 302 after a POST, go on by GET. */
function redirected(step: Step, url: URL, status: number): Step {
  const chain = [...step.chain, step.url];
  const keeps = status === 307 || status === 308;
  if (keeps) return { ...step, url, chain };
  const { body: _dropped, ...rest } = step;
  return { ...rest, method: 'GET', url, chain };
}

/** A page that refreshes begins a new navigation. */
function onwards(page: Page, url: URL): Step {
  return { method: 'GET', url, chain: [], ...initiatedBy(page) };
}

function pageOf(
  step: Step,
  answer: Answer,
  history: Hop[],
): { page: Page; refresh: string | undefined } {
  const isHtml = (answer.headers['content-type'] ?? '').startsWith('text/html');
  const empty: Markup = { title: '', visible: '', forms: [], links: [] };
  const { refresh, ...markup } = isHtml ? readMarkup(answer.text) : empty;
  const page = { ...markup, ...answer, url: step.url.href, history, stopped: false };
  return { page, refresh };
}

// --- forms ---

function submission(page: Page, options: SubmitOptions): Step {
  const { form, button } = chosen(page, options);
  const fields = filledIn(page, form, options.fields ?? {});
  if (button?.name !== undefined) fields.append(button.name, button.value);
  const url = new URL(button?.action ?? form.action, page.url);
  const method = button?.method === undefined ? form.method : button.method.toUpperCase();
  const common = { url, chain: [], ...initiatedBy(page) };
  if (method === 'POST') return { ...common, method: 'POST', body: fields.toString() };
  url.search = fields.toString();
  return { ...common, method: 'GET' };
}

function chosen(page: Page, options: SubmitOptions): { form: Form; button: Button | undefined } {
  const { form: wanted, button: label } = options;
  const forms = page.forms.filter((form, index) => {
    if (wanted === undefined) return true;
    if (typeof wanted === 'number') return wanted === index;
    return form.id === wanted || form.action.includes(wanted);
  });
  for (const form of forms) {
    if (label === undefined) return { form, button: form.buttons[0] };
    const button = form.buttons.find(
      ({ text, name, value }) =>
        text === label || name === label || value === label || `${name}=${value}` === label,
    );
    if (button !== undefined) return { form, button };
  }
  throw notThere(label === undefined ? 'form' : 'button', String(label ?? wanted ?? ''), page);
}

function filledIn(
  page: Page,
  form: Form,
  values: Readonly<Record<string, string | false>>,
): URLSearchParams {
  const fields = new URLSearchParams();
  for (const field of form.fields) {
    const value = values[field.name];
    const isChoice = field.type === 'radio' || (field.type === 'checkbox' && value !== undefined);
    const sent = value === undefined || !isChoice ? field.sent : value === field.value;
    if (sent && value !== false) fields.append(field.name, value ?? field.value);
  }
  for (const [name, value] of Object.entries(values)) {
    const known = form.fields.filter((field) => field.name === name);
    const offered = known.flatMap((field) =>
      field.type === 'radio' ? [field.value] : (field.options ?? []),
    );
    const takes = known.length > 0 && (offered.length === 0 || offered.includes(String(value)));
    if (value !== false && !takes) throw notThere('field', `${name}=${value}`, page);
  }
  return fields;
}

function notThere(what: string, which: string, page: Page): Error {
  const buttons = page.forms.flatMap((form) => form.buttons.map((button) => button.text));
  const links = page.links.map((link) => link.text);
  return new Error(
    `no ${what} "${which}" at ${page.url} (${page.status}): "${page.visible.slice(0, 300)}"; ` +
      `buttons: ${buttons.join(', ')}; links: ${links.join(', ')}`,
  );
}

// --- requests ---

interface Answer {
  status: number;
  headers: IncomingHttpHeaders;
  text: string;
}

type Site = 'none' | 'same-origin' | 'same-site' | 'cross-site';

async function send({ userAgent, jar }: Browsing, step: Step): Promise<Answer> {
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

async function scriptFetch(
  { userAgent, jar }: Browsing,
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
