/** A small world for stories: Tollgate, an upstream provider, people with accounts, and clients. */

import { createHash, randomBytes } from 'node:crypto';
import { createBrowser } from '../../dev/walk.ts';
import type { Browser, BrowserOptions, Page } from '../../dev/walk.ts';
import { people } from '../../dev/people.ts';
import type { PersonKey } from '../../dev/people.ts';
import { startUpstreamOidc } from '../../dev/upstream/oidc.ts';
import type { UpstreamOidc } from '../../dev/upstream/oidc.ts';
import type { ConfigInput } from '../../src/config.ts';
import type { Directory } from '../../src/directory/directory.ts';
import { postForm } from './post.ts';
import { startServer } from './server.ts';
import type { ConfigChanges, RunningServer, StartOptions } from './server.ts';

export const upstreamClient = { id: 'tollgate', secret: 'an upstream secret of tests' };
const secretOf = (name: string) => `a-client-secret-of-tests-for-the-${name}`;

/** Each has its own address that nobody listens at: the way ends there. */
export const addressOf = (client: string) => `https://${client}.example.com/callback`;

/** `app` and `other` are confidential, `spa` is public, `plain` wants only userinfo. */
export const clients: NonNullable<ConfigInput['clients']> = [
  ...['app', 'other', 'plain', 'strict', 'partner'].map((id) => ({
    id,
    name: `The ${id}`,
    secret: secretOf(id),
    redirectUris: [addressOf(id)],
    postLogoutRedirectUris: [`https://${id}.example.com/bye`],
    ...(id === 'plain' ? {} : { product: 'api' }),
    ...(id === 'strict' ? { refreshGraceSeconds: 0 } : {}),
    ...(id === 'partner' ? { firstParty: false } : {}),
  })),
  { id: 'spa', name: 'The spa', redirectUris: [addressOf('spa')], product: 'api' },
  {
    id: 'machine',
    name: 'The machine',
    secret: secretOf('machine'),
    grantTypes: ['client_credentials'],
    product: 'api',
  },
];

export interface World extends RunningServer {
  upstream: UpstreamOidc;
  browser(options?: BrowserOptions): Browser;
}

/** What the people of `dev/people.ts` have here. Ids are `acc_<name>` and `usr_<key>`. */
export async function seed(directory: Directory, upstreamIssuer: string): Promise<void> {
  for (const key of Object.keys(people) as PersonKey[]) {
    if (key === 'nora') continue;
    const { name, email, subject } = people[key];
    const identities = [{ provider: 'upstream', issuer: upstreamIssuer, subject }];
    await directory.createUser({ id: `usr_${key}`, name, email, identities });
  }
  const owners = { acme: 'ada', globex: 'ada', initech: 'grace', hooli: 'linus' };
  for (const [account, owner] of Object.entries(owners)) {
    const name = account[0]!.toUpperCase() + account.slice(1);
    await directory.createAccount({ id: `acc_${account}`, name, owner: `usr_${owner}` });
  }
  await directory.addMember('acc_initech', 'usr_ada', ['member']);
  await directory.closeAccount('acc_hooli', 'too expensive');
}

/** The part of the configuration that names the upstream and the clients. */
export function worldConfig(upstream: UpstreamOidc, changes: ConfigChanges = {}): ConfigChanges {
  return {
    providers: [
      {
        id: 'upstream',
        name: 'Example ID',
        issuer: upstream.issuer,
        clientId: upstreamClient.id,
        clientSecret: upstreamClient.secret,
        trustEmail: true,
      },
    ],
    clients,
    ...changes,
  };
}

export async function startWorld(
  options: Omit<StartOptions, 'config'> & { config?: ConfigChanges } = {},
): Promise<World> {
  // The upstream must know our callback, and we must know its issuer: any callback of ours is let in.
  const redirectUris: string[] = [];
  const upstream = await startUpstreamOidc({
    port: 0,
    clients: [{ ...upstreamClient, redirectUris }],
    clock: options.clock,
  });
  const running = await startServer({
    ...options,
    config: (issuer) => {
      redirectUris.push(`${issuer}/integrations/oauth2/callback`);
      return worldConfig(upstream, options.config);
    },
  });
  await seed(running.server.directory, upstream.issuer);
  await running.server.dispatcher.drain();
  return {
    ...running,
    upstream,
    browser: (browserOptions) =>
      createBrowser({ stopAt: (url) => url.hostname.endsWith('.example.com'), ...browserOptions }),
    async close() {
      await running.close();
      await upstream.close();
    },
  };
}

export interface Request {
  client: string;
  state: string;
  verifier: string;
  url: string;
}

export function authorizationRequest(
  issuer: string,
  client: string,
  parameters: Record<string, string> = {},
): Request {
  const state = randomBytes(9).toString('base64url');
  const verifier = randomBytes(32).toString('base64url');
  const url = new URL(`${issuer}/oauth2/authorize`);
  const values: Record<string, string> = {
    client_id: client,
    response_type: 'code',
    redirect_uri: addressOf(client),
    scope: 'openid profile email',
    state,
    nonce: `nonce-${state}`,
    code_challenge: createHash('sha256').update(verifier).digest('base64url'),
    code_challenge_method: 'S256',
    ...parameters,
  };
  for (const [name, value] of Object.entries(values)) {
    if (value !== '') url.searchParams.set(name, value);
  }
  return { client, state, verifier, url: url.href };
}

export interface SignIn {
  person?: PersonKey;
  client?: string;
  /** The one to choose where there are several. */
  account?: string;
  parameters?: Record<string, string>;
  /** Instead of one of the people: what the upstream's form is filled in with. */
  someone?: { subject: string; name: string; email: string };
}

/** Walks through whatever is asked until the way leaves for the client; answers its address. */
export async function goThrough(browser: Browser, first: Page, signIn: SignIn = {}): Promise<URL> {
  const { someone, account = 'acc_acme' } = signIn;
  const person = someone === undefined ? (signIn.person ?? 'ada') : 'someone';
  let page = first;
  for (let step = 0; step < 8; step += 1) {
    if (page.stopped) return new URL(page.url);
    const buttons = page.forms.flatMap((form) => form.buttons);
    const wanted = [`person=${person}`, 'provider=upstream', `account=${account}`, 'answer=allow'];
    const button = wanted.find((one) =>
      buttons.some(({ name, value }) => `${name}=${value}` === one),
    );
    if (button === undefined) throw new Error(`stuck at ${page.url}: ${page.text}`);
    const typed = button === 'person=someone' && someone !== undefined ? { fields: someone } : {};
    page = await browser.submit(page, { button, ...typed });
  }
  throw new Error(`no end at ${page.url}`);
}

export interface TokenAnswer {
  status: number;
  body: Record<string, string>;
  headers: Headers;
}

/** A request to the token endpoint, or one like it, as the client, which authenticates as it may. */
export async function token(
  issuer: string,
  client: string,
  parameters: Record<string, string>,
  path = '/oauth2/token',
): Promise<TokenAnswer> {
  const confidential = clients.some(({ id, secret }) => id === client && secret !== undefined);
  const form = new URLSearchParams({
    client_id: client,
    ...(confidential ? { client_secret: secretOf(client) } : {}),
    ...parameters,
  });
  const { status, headers, text } = await postForm(`${issuer}${path}`, form);
  const body = (text === '' ? {} : JSON.parse(text)) as Record<string, string>;
  return { status, body, headers };
}

export const refresh = (issuer: string, client: string, refreshToken = '') =>
  token(issuer, client, { grant_type: 'refresh_token', refresh_token: refreshToken });

export const revoke = (issuer: string, client: string, value = '') =>
  token(issuer, client, { token: value }, '/oauth2/revoke');

export interface Redemption extends Request {
  code: string;
}

/** Signs in as far as the code. */
export async function signInForCode(
  issuer: string,
  browser: Browser,
  signIn: SignIn = {},
): Promise<Redemption> {
  const { client = 'app' } = signIn;
  const request = authorizationRequest(issuer, client, signIn.parameters);
  const address = await goThrough(browser, await browser.get(request.url), signIn);
  const code = address.searchParams.get('code');
  if (code === null) throw new Error(`no code: ${address.search}`);
  return { ...request, code };
}

export const redeem = (issuer: string, { client, code, verifier }: Redemption) =>
  token(issuer, client, {
    grant_type: 'authorization_code',
    code,
    code_verifier: verifier,
    redirect_uri: addressOf(client),
  });

/** Signs in to the end. @throws when there are no tokens */
export async function signIn(
  issuer: string,
  browser: Browser,
  how: SignIn = {},
): Promise<Record<string, string>> {
  const { status, body } = await redeem(issuer, await signInForCode(issuer, browser, how));
  if (status !== 200) throw new Error(`no tokens: ${status} ${JSON.stringify(body)}`);
  return body;
}

/** What a JWT says, without checking it. */
export function claimsOf(jwt = ''): Record<string, unknown> {
  const [, payload = ''] = jwt.split('.');
  return JSON.parse(Buffer.from(payload, 'base64url').toString()) as Record<string, unknown>;
}
