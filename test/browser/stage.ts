/** Where the stories of the browser play: the development world, a browser, and sites of others. */

import { createHash, randomBytes } from 'node:crypto';
import type { BrowserContext, BrowserContextOptions, Page } from 'playwright-core';
import { freePortBase, portsFrom } from '../../dev/ports.ts';
import { startWorld } from '../../dev/world.ts';
import type { World } from '../../dev/world.ts';
import { openBrowser } from '../kit/browser.ts';
import { recordingLog } from '../kit/server.ts';
import { startSites } from './sites.ts';
import type { Sites } from './sites.ts';

export interface Stage {
  world: World;
  sites: Sites;
  /** A browser that nobody has used. What goes wrong in it is kept for `endScene`. */
  person(options?: BrowserContextOptions): Promise<BrowserContext>;
  /** What the browser refuses in this story, and is meant to. */
  refuses(what: RegExp): void;
  /**
   * Closes what the story opened.
   * @returns what went wrong beside it, and what its pages showed at last
   */
  endScene(): Promise<{ troubles: string[]; pages: string[] }>;
  close(): Promise<void>;
}

/** Clients whose answers come to `sites`, and nobody's own: people are asked first. */
export const clientsElsewhere = { asked: 'traveller', trusted: 'guest' };

const clientsAt = (sites: Sites) =>
  Object.values(clientsElsewhere).map((id) => ({
    id,
    name: `The ${id}`,
    public: true,
    firstParty: id === clientsElsewhere.trusted,
    product: 'api',
    redirectUris: [`${sites.origin('client')}/callback`],
    postLogoutRedirectUris: [`${sites.origin('client')}/bye`],
  }));

export async function openStage(): Promise<Stage> {
  const sites = await startSites();
  const log = recordingLog();
  const world = await startWorld({
    ports: portsFrom(await freePortBase()),
    store: 'sqlite::memory:',
    clock: Date.now,
    log,
    more: { clients: clientsAt(sites), limits: { perAddressPerMinute: 1_000_000 } },
  });
  const browser = await openBrowser();
  const contexts: BrowserContext[] = [];
  let troubles: string[] = [];
  let refused: RegExp | undefined;
  return {
    world,
    sites,
    async person(options) {
      const context = await browser.newContext(options);
      contexts.push(context);
      await watch(context, (trouble) => troubles.push(trouble));
      return context;
    },
    refuses(what) {
      refused = what;
    },
    async endScene() {
      const errors = log.lines.filter(({ level }) => level === 'error');
      const all = [
        ...troubles.filter((trouble) => refused?.test(trouble) !== true),
        ...errors.map(({ message }) => `logged: ${message}`),
      ];
      const pages = await Promise.all(contexts.flatMap((context) => context.pages()).map(shown));
      await Promise.all(contexts.splice(0).map((context) => context.close()));
      troubles = [];
      refused = undefined;
      log.lines.length = 0;
      return { troubles: all, pages };
    },
    async close() {
      await browser.close();
      await world.close();
      await sites.close();
    },
  };
}

async function shown(page: Page): Promise<string> {
  const text = await page.innerText('body', { timeout: 1000 }).catch(String);
  return `${page.url()} shows: ${text.slice(0, 300)}`;
}

/** Policies that stop something, scripts that fail, and answers that no page should ever get. */
async function watch(context: BrowserContext, tell: (trouble: string) => void): Promise<void> {
  context.setDefaultTimeout(20_000);
  await context.addInitScript(() => {
    document.addEventListener('securitypolicyviolation', (event) => {
      reportError(new Error(`stopped by ${event.effectiveDirective}: ${event.blockedURI}`));
    });
  });
  context.on('console', (message) => {
    // That an answer was a refusal is what the stories are about.
    const refusal = message.text().startsWith('Failed to load resource');
    if (message.type() === 'error' && !refusal) tell(`${message.location().url} ${message.text()}`);
  });
  context.on('weberror', (error) => tell(String(error.error())));
  context.on('response', (response) => {
    if (response.status() >= 500) tell(`${response.status()} ${response.url()}`);
  });
}

/** A request for a code, as a client makes it. */
export function requestOf(
  { world, sites }: Stage,
  client: string,
  parameters: Record<string, string> = {},
): string {
  const verifier = randomBytes(32).toString('base64url');
  const query = new URLSearchParams({
    client_id: client,
    response_type: 'code',
    redirect_uri: `${sites.origin('client')}/callback`,
    scope: 'openid profile email',
    state: randomBytes(9).toString('base64url'),
    code_challenge: createHash('sha256').update(verifier).digest('base64url'),
    code_challenge_method: 'S256',
    ...parameters,
  });
  return `${world.issuer}/oauth2/authorize?${query}`;
}

/** The buttons on the way, by what they say or send. */
export const provider = (page: Page, name = 'Example ID') =>
  page.getByRole('button', { name: `Continue with ${name}` });
export const somebody = (page: Page, key: string) => page.locator(`[name=person][value=${key}]`);
export const account = (page: Page, id = 'acc_acme') => page.locator(`[name=account][value=${id}]`);
export const button = (page: Page, name: string) => page.getByRole('button', { name, exact: true });
export const heading = (page: Page, name: string | RegExp) =>
  page.getByRole('heading', { name, level: 1 });

/** From the choice of a provider to the choice of an account, and through it. */
export async function goThrough(page: Page, { as = 'ada', id = 'acc_acme' } = {}): Promise<void> {
  await provider(page).click();
  await somebody(page, as).click();
  await account(page, id).click();
}

/** Signs in to the sample app. */
export async function signIn(page: Page, app: string, choice = {}): Promise<void> {
  await page.goto(app);
  await button(page, 'Sign in').click();
  await goThrough(page, choice);
  await heading(page, /^Hello/).waitFor();
}

/** Whether Tollgate has somebody signed in at this browser. */
export async function isSignedIn(stage: Stage, context: BrowserContext): Promise<boolean> {
  const callback = stage.sites.put(`${stage.sites.origin('client')}/callback`, { page: '' });
  const page = await context.newPage();
  await page.goto(requestOf(stage, clientsElsewhere.trusted, { prompt: 'none' }));
  const { href, searchParams } = new URL(page.url());
  await page.close();
  if (!href.startsWith(callback)) throw new Error(`no answer came to the client: ${href}`);
  return searchParams.get('error') !== 'login_required';
}
