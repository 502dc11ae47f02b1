/** What the tests of the protocol share: a world with a few more clients, and requests by hand. */

import { createRemoteJWKSet, jwtVerify } from 'jose';
import type { JWTVerifyResult } from 'jose';
import { vi } from 'vitest';
import type { Browser } from '../../dev/walk.ts';
import type { ConfigInput } from '../../src/config.ts';
import {
  addressOf,
  authorizationRequest,
  clients,
  goThrough,
  signInForCode,
  startWorld,
} from '../kit/world.ts';
import type { Redemption, SignIn, World } from '../kit/world.ts';
import type { ConfigChanges, StartOptions } from '../kit/server.ts';

export const api = 'https://api.example.com';
export const billing = 'https://billing.example.com';

const ownSecretOf = (client: string) => `another-secret-of-tests-for-${client}`;

const more: NonNullable<ConfigInput['clients']> = [
  {
    id: 'billing',
    name: 'The billing app',
    secret: ownSecretOf('billing'),
    redirectUris: [addressOf('billing')],
    product: 'billing',
  },
  {
    id: 'cautious',
    name: 'The cautious',
    secret: ownSecretOf('cautious'),
    redirectUris: [addressOf('cautious')],
    product: 'api',
    requirePkce: true,
  },
  {
    id: 'ported',
    name: 'The one with a port',
    secret: ownSecretOf('ported'),
    redirectUris: ['https://ported.example.com:8443/callback?kept=1'],
    product: 'api',
  },
  {
    id: 'desk',
    name: 'The desktop app',
    applicationType: 'native',
    redirectUris: ['http://127.0.0.1/callback', 'http://[::1]/callback', 'com.example.desk:/done'],
    product: 'api',
  },
];

const everyClient = [...clients, ...more];

export const secretOf = (client: string): string =>
  everyClient.find(({ id }) => id === client)?.secret ?? '';

const products: NonNullable<ConfigInput['products']> = [
  { id: 'api', name: 'API', audience: api, scopes: ['read', 'write'] },
  { id: 'billing', name: 'Billing', audience: billing, scopes: ['invoices'] },
];

/** Its clock is the global one, which `travel` moves. @throws at its end if any answer was a 5xx */
export async function startProtocolWorld(
  changes: ConfigChanges = {},
  options: Omit<StartOptions, 'config'> = {},
): Promise<World> {
  const world = await startWorld({
    clock: () => Date.now(),
    ...options,
    config: { products, clients: everyClient, ...changes },
  });
  return {
    ...world,
    async close() {
      await world.close();
      const failed = world.log.lines.filter(
        ({ message, fields }) => message === 'server_error' || Number(fields.status) >= 500,
      );
      if (failed.length > 0) throw new Error(`it failed: ${JSON.stringify(failed)}`);
    },
  };
}

/** Moves the clock of the whole process; call `vi.useRealTimers()` afterwards. */
export function travel(seconds: number): void {
  vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + seconds * 1000 });
}

export interface Answer {
  status: number;
  headers: Headers;
  text: string;
  /** Empty where the answer is no JSON. */
  body: Record<string, string>;
}

export type Fields = Readonly<Record<string, string>> | readonly (readonly [string, string])[];

export async function read(answer: Promise<Response>): Promise<Answer> {
  const { status, headers, ...rest } = await answer.then(async (response) => ({
    status: response.status,
    headers: response.headers,
    text: await response.text(),
  }));
  const isJson = /^application\/([\w-]+\+)?json/.test(headers.get('content-type') ?? '');
  const body = isJson ? (JSON.parse(rest.text) as Record<string, string>) : {};
  return { status, headers, text: rest.text, body };
}

export function post(
  url: string,
  fields: Fields,
  headers: Record<string, string> = {},
): Promise<Answer> {
  const entries = Array.isArray(fields) ? fields : Object.entries(fields);
  const body = new URLSearchParams(entries.map(([name, value]) => [name, value]));
  return read(fetch(url, { method: 'POST', body, headers, redirect: 'manual' }));
}

export const get = (url: string, headers: Record<string, string> = {}): Promise<Answer> =>
  read(fetch(url, { headers, redirect: 'manual' }));

/** The client with its secret in the body, if it has one. */
export function credentials(client: string): Record<string, string> {
  const secret = secretOf(client);
  return { client_id: client, ...(secret === '' ? {} : { client_secret: secret }) };
}

export const basic = (client: string, secret = secretOf(client)) => ({
  authorization: `Basic ${Buffer.from(`${client}:${secret}`).toString('base64')}`,
});

export const token = (
  issuer: string,
  client: string,
  fields: Record<string, string>,
  headers: Record<string, string> = {},
): Promise<Answer> =>
  post(`${issuer}/oauth2/token`, { ...credentials(client), ...fields }, headers);

/** With changes to what would be right; an empty one leaves the parameter out. */
export function redeem(
  issuer: string,
  { client, code, verifier }: Redemption,
  changes: Record<string, string> = {},
  headers: Record<string, string> = {},
): Promise<Answer> {
  const fields = {
    grant_type: 'authorization_code',
    code,
    code_verifier: verifier,
    redirect_uri: addressOf(client),
    ...changes,
  };
  const sent = Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== ''));
  return token(issuer, client, sent, headers);
}

export const refresh = (
  issuer: string,
  client: string,
  refreshToken = '',
  fields: Record<string, string> = {},
  headers: Record<string, string> = {},
) =>
  token(
    issuer,
    client,
    { grant_type: 'refresh_token', refresh_token: refreshToken, ...fields },
    headers,
  );

export type Tokens = Record<'access_token' | 'id_token' | 'refresh_token' | 'scope', string> & {
  expires_in: number;
  token_type: string;
};

export async function signIn(issuer: string, browser: Browser, how: SignIn = {}): Promise<Tokens> {
  const { status, body, text } = await redeem(issuer, await signInForCode(issuer, browser, how));
  if (status !== 200) throw new Error(`no tokens: ${status} ${text}`);
  return body as unknown as Tokens;
}

/** A silent request; answers the parameters that the client gets. */
export async function silently(
  issuer: string,
  browser: Browser,
  client: string,
  parameters: Record<string, string> = {},
): Promise<{ request: Redemption; parameters: URLSearchParams }> {
  const request = authorizationRequest(issuer, client, { prompt: 'none', ...parameters });
  const page = await browser.get(request.url);
  if (!page.stopped) throw new Error(`it stays at ${page.url}: ${page.status} ${page.visible}`);
  const answer = new URL(page.url).searchParams;
  return { request: { ...request, code: answer.get('code') ?? '' }, parameters: answer };
}

/** Signs in with a request that is given, and answers the address of the client. */
export const walkThrough = async (browser: Browser, url: string, how: SignIn = {}): Promise<URL> =>
  goThrough(browser, await browser.get(url), how);

/** What a service does with a token, as the README shows it. */
export function serviceFor(
  issuer: string,
  audience = api,
): (jwt?: string) => Promise<JWTVerifyResult> {
  const keys = createRemoteJWKSet(new URL(`${issuer}/oauth2/jwks`));
  return (jwt = '') =>
    jwtVerify(jwt, keys, {
      issuer,
      audience,
      typ: 'at+jwt',
      algorithms: ['ES256', 'RS256'],
      requiredClaims: ['exp', 'sub', 'account'],
    });
}

/** What an app does with an ID token. */
export function appFor(issuer: string, client: string): (jwt?: string) => Promise<JWTVerifyResult> {
  const keys = createRemoteJWKSet(new URL(`${issuer}/oauth2/jwks`));
  return (jwt = '') => jwtVerify(jwt, keys, { issuer, audience: client, algorithms: ['RS256'] });
}

export const userinfo = (issuer: string, accessToken = '', scheme = 'Bearer') =>
  get(`${issuer}/oauth2/userinfo`, { authorization: `${scheme} ${accessToken}` });

export const json = (part = ''): Record<string, unknown> =>
  JSON.parse(Buffer.from(part, 'base64url').toString()) as Record<string, unknown>;

export const encode = (value: unknown): string =>
  Buffer.from(JSON.stringify(value)).toString('base64url');

/** What a redirect tells the client, wherever in the address. */
export function toldBy(answer: Answer): Record<string, string> {
  const { search, hash } = new URL(answer.headers.get('location') ?? 'about:blank');
  return Object.fromEntries(new URLSearchParams(search === '' ? hash.slice(1) : search));
}
