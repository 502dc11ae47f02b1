/** A federation over real upstreams on loopback, with a clock and a log that the test holds. */

import { createFetch } from '../../src/base/fetch.ts';
import { createSecrets } from '../../src/base/secrets.ts';
import { Problem } from '../../src/base/errors.ts';
import type { LogFields } from '../../src/base/log.ts';
import { configSchema } from '../../src/config.ts';
import type { ConfigInput } from '../../src/config.ts';
import { createFederation } from '../../src/federation/federation.ts';
import type { Federation, StartOptions } from '../../src/federation/federation.ts';
import type { Fetch } from '../../src/federation/upstream.ts';
import { openSqlite } from '../../src/storage/sqlite.ts';
import type { Store } from '../../src/storage/store.ts';
import { startUpstreamGithub } from '../../dev/upstream/github.ts';
import type { UpstreamGithub } from '../../dev/upstream/github.ts';
import { startUpstreamOidc } from '../../dev/upstream/oidc.ts';
import type { UpstreamOidc } from '../../dev/upstream/oidc.ts';

const issuer = 'https://id.example.com';
export const callback = `${issuer}/integrations/oauth2/callback`;

export type ProviderInput = ConfigInput['providers'][number];

export interface LogLine {
  level: string;
  message: string;
  fields: LogFields;
}

export interface World {
  oidc: UpstreamOidc;
  other: UpstreamOidc;
  github: UpstreamGithub;
  store: Store;
  log: LogLine[];
  /** Milliseconds that the clock is ahead of the real one. */
  ahead: number;
  providers: Record<'example' | 'other' | 'hub', ProviderInput>;
  federation: Federation;
  /** Another process, or the same one started again with other providers. */
  again(providers: readonly ProviderInput[], fetch?: Fetch, exchangeMs?: number): Federation;
  close(): Promise<void>;
}

const client = { id: 'tollgate', secret: 'upstream-secret.1', redirectUris: [callback] };

export async function startWorld(): Promise<World> {
  const secrets = createSecrets(['0123456789abcdef0123456789abcdef']);
  const fetch = createFetch({ allowPrivate: ['127.0.0.0/8'] });
  const clock = () => Date.now() + world.ahead;
  const store = await openSqlite({ path: ':memory:', clock });
  const lines: LogLine[] = [];
  const record =
    (level: string) =>
    (message: string, fields: LogFields = {}) => {
      lines.push({ level, message, fields });
    };
  const log = {
    debug: record('debug'),
    info: record('info'),
    warn: record('warn'),
    error: record('error'),
  };
  const oidc = await startUpstreamOidc({ port: 0, clients: [client], clock });
  const other = await startUpstreamOidc({ port: 0, clients: [client], clock });
  const github = await startUpstreamGithub({ port: 0, clients: [client], clock });
  const common = { clientId: client.id, clientSecret: client.secret };
  const providers = {
    example: { id: 'example', issuer: oidc.issuer, trustEmail: true, ...common },
    other: { id: 'other', issuer: other.issuer, ...common },
    hub: { id: 'hub', preset: 'github' as const, ...github.endpoints, ...common },
  };
  const again = (list: readonly ProviderInput[], itsFetch: Fetch = fetch, exchangeMs = 5000) =>
    createFederation({
      config: configSchema.parse({
        issuer,
        secrets: ['0123456789abcdef0123456789abcdef'],
        providers: [...list],
        signin: { success: 'https://app.example.com/' },
        signout: { success: 'https://app.example.com/' },
      }),
      store,
      secrets,
      fetch: itsFetch,
      exchangeMs,
      clock,
      log,
    });
  const world: World = {
    oidc,
    other,
    github,
    store,
    log: lines,
    ahead: 0,
    providers,
    federation: again(Object.values(providers)),
    again,
    async close() {
      await Promise.all([oidc.close(), other.close(), github.close(), fetch.close()]);
      await store.close();
    },
  };
  return world;
}

/** What the person does at the upstream's page: the fields of `dev/upstream/page.ts`. */
export type Choice = Record<string, string>;

/** Begins, goes through the upstream's page, and comes back with the callback's query. */
export async function goThrough(
  federation: Federation,
  provider: string,
  choice: Choice = { person: 'ada' },
  options: Partial<Extract<StartOptions, { interaction: string }>> = {},
): Promise<URLSearchParams> {
  const { url } = await federation.start(provider, {
    interaction: 'interaction-1',
    browser: 'browser-1',
    ...options,
  });
  return answerAt(url, choice);
}

/** Posts the upstream's form. @returns the query that the browser is sent back with */
export async function answerAt(url: string, choice: Choice): Promise<URLSearchParams> {
  const response = await fetch(url, {
    method: 'POST',
    body: new URLSearchParams(choice),
    redirect: 'manual',
  });
  const location = response.headers.get('location');
  await response.body?.cancel();
  if (location === null) throw new Error(`no redirect from ${url}: ${response.status}`);
  return new URL(location).searchParams;
}

/** The whole way, at the first try. */
export async function signIn(
  federation: Federation,
  provider: string,
  choice?: Choice,
): Promise<Awaited<ReturnType<Federation['finish']>>> {
  return federation.finish(await goThrough(federation, provider, choice), 'browser-1');
}

/** The Problem that `work` ends with; anything else is a failure of the test. */
export async function problemFrom(work: Promise<unknown>): Promise<Problem> {
  try {
    await work;
  } catch (error) {
    if (error instanceof Problem) return error;
    throw error;
  }
  throw new Error('there was no Problem');
}
