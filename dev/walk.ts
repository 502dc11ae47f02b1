/**
 * A browser without script, for stories and tests: it goes where redirects and refreshing pages lead,
 * keeps cookies, fills in forms, and says of each request where it came from, as browsers do.
 */

import type { IncomingHttpHeaders } from 'node:http';
import { createCookieJar } from './cookie_jar.ts';
import type { CookieJar } from './cookie_jar.ts';
import { readMarkup } from './markup.ts';
import type { Button, Form, Markup } from './markup.ts';
import { navigate, scriptFetch } from './walk_requests.ts';
import type { Agent, Answer, Fetched, FetchOptions, Step } from './walk_requests.ts';

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

interface Browsing extends Agent {
  stopAt: (url: URL) => boolean;
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
    async follow(page, text, go = {}) {
      const link = page.links.find((known) => known.text === text || known.href === text);
      if (link === undefined) throw notThere('link', text, page);
      return browser.get(new URL(link.href, page.url).href, { ...go, from: page });
    },
    submit: async (page, go = {}) => walk(walking(go), submission(page, go)),
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
    const answer = await navigate(browsing, step);
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
