/** Tollgate as it is run: `src/main.ts serve` on a store of its own, with one person and one account. */

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createBrowser } from '../dev/walk.ts';
import { people } from '../dev/people.ts';
import { startUpstreamOidc } from '../dev/upstream/oidc.ts';
import type { ConfigInput } from '../src/config.ts';
import { createSecrets } from '../src/base/secrets.ts';
import { createDirectory } from '../src/directory/directory.ts';
import type { Directory } from '../src/directory/directory.ts';
import { algorithms, ensureKeys, openKey } from '../src/oidc/keys.ts';
import type { Store } from '../src/storage/store.ts';
import { makePlace } from '../test/kit/places.ts';
import type { StoreName } from '../test/kit/store_names.ts';
import { post, start, untilReady } from './processes.ts';
import type { Process, Runtime } from './processes.ts';

export const secret = 'a secret of the benchmark with more than 32 bytes';
export const clientSecret = 'client-secret-of-the-benchmark-32-bytes';
const upstreamSecret = 'upstream-secret-of-the-benchmark';
const callback = 'https://app.example.com/callback';

export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

export interface Installation {
  port: number;
  issuer: string;
  /** JSON Web Keys, so that the bare library signs with the same. */
  keys: string;
  /** @param at another port than the issuer's, for a process beside the first one */
  run(runtime: Runtime, at?: number): Promise<{ process: Process; startMs: number }>;
  /** A whole sign-in through the upstream provider. */
  signIn(): Promise<{ refresh: string; access: string }>;
  close(): Promise<void>;
}

export const quiet = { debug() {}, info() {}, warn() {}, error() {} };

/** What a benchmark wants beside the app, and of it. */
export interface More {
  app?: { backchannelLogoutUri: string };
  clients?: NonNullable<ConfigInput['clients']>;
  receivers?: NonNullable<ConfigInput['receivers']>;
  products?: NonNullable<ConfigInput['products']>;
  stripe?: NonNullable<ConfigInput['stripe']>;
  /** Stripe's: the first is that of the person's account, each other one has an account of its own. */
  customers?: readonly string[];
}

export async function install(storeName: StoreName, more: More = {}): Promise<Installation> {
  const folder = mkdtempSync(join(tmpdir(), 'tollgate-bench-'));
  const place = await makePlace(storeName);
  const port = await freePort();
  const issuer = `http://127.0.0.1:${port}`;
  const upstream = await startUpstreamOidc({
    port: 0,
    clients: [
      {
        id: 'tollgate',
        secret: upstreamSecret,
        redirectUris: [`${issuer}/integrations/oauth2/callback`],
      },
    ],
  });
  const store = await place.open(Date.now);
  const secrets = createSecrets([secret]);
  const keyring = { store, secrets, clock: Date.now };
  const slots = await Promise.all(algorithms.map((alg) => ensureKeys(keyring, alg)));
  const keys = slots.flat().map((slot) => openKey(secrets, slot));
  const directory = createDirectory({
    store,
    clock: Date.now,
    log: quiet,
    registration: 'invitation',
  });
  const identity = {
    provider: 'upstream',
    issuer: upstream.issuer,
    subject: people.grace.subject,
  };
  await directory.createUser({ id: 'usr_grace', name: 'Grace', identities: [identity] });
  await directory.createAccount({ id: 'acc_bench', name: 'Bench', owner: 'usr_grace' });
  await giveCustomers(directory, store, more.customers ?? []);
  await store.close();
  const file = join(folder, 'config.json');
  writeFileSync(
    file,
    JSON.stringify({
      issuer,
      host: '127.0.0.1',
      port,
      ...place.address,
      providers: [
        {
          id: 'upstream',
          name: 'Upstream',
          issuer: upstream.issuer,
          clientId: 'tollgate',
          clientSecret: upstreamSecret,
        },
      ],
      products: more.products ?? [{ id: 'api', name: 'API', audience: 'https://api.example.com' }],
      ...(more.stripe === undefined ? {} : { stripe: more.stripe }),
      clients: [
        {
          id: 'app',
          name: 'App',
          secret: clientSecret,
          product: 'api',
          redirectUris: [callback],
          ...more.app,
        },
        ...(more.clients ?? []),
      ],
      receivers: more.receivers ?? [],
      signin: { success: 'https://app.example.com/' },
      signout: { success: 'https://app.example.com/' },
      outgoing: { allowPrivate: ['127.0.0.0/8'] },
      limits: { perAddressPerMinute: 1_000_000 },
    }),
  );

  return {
    port,
    issuer,
    keys: JSON.stringify({ keys }),
    async run(runtime, at = port) {
      const parameters = ['serve', '--config', file, '--port', String(at)];
      const process = start(runtime, 'src/main.ts', parameters, { TOLLGATE_SECRET: secret });
      return { process, startMs: await untilReady(at, '/health/ready') };
    },
    async signIn() {
      const browser = createBrowser({ stopAt: (url) => url.origin === 'https://app.example.com' });
      const query = new URLSearchParams({
        client_id: 'app',
        response_type: 'code',
        redirect_uri: callback,
        scope: 'openid',
        state: 'bench',
      });
      let page = await browser.get(`${issuer}/oauth2/authorize?${query}`);
      if (!page.stopped) page = await browser.submit(page, { button: 'person=grace' });
      const code = new URL(page.url).searchParams.get('code') ?? '';
      const { text } = await post(port, '/oauth2/token', {
        client_id: 'app',
        client_secret: clientSecret,
        grant_type: 'authorization_code',
        code,
        redirect_uri: callback,
      });
      const tokens = JSON.parse(text) as { refresh_token?: string; access_token?: string };
      const { refresh_token: refresh, access_token: access } = tokens;
      if (refresh === undefined || access === undefined) throw new Error(`no tokens: ${text}`);
      return { refresh, access };
    },
    async close() {
      await upstream.close();
      await place.discard();
      rmSync(folder, { recursive: true });
    },
  };
}

async function giveCustomers(
  directory: Directory,
  store: Store,
  customers: readonly string[],
): Promise<void> {
  const owner = 'usr_other';
  if (customers.length > 1) await directory.createUser({ id: owner });
  for (const [index, customer] of customers.entries()) {
    const id = index === 0 ? 'acc_bench' : `acc_bench_${index}`;
    if (index > 0) await directory.createAccount({ id, name: `Bench ${index}`, owner });
    const stored = await store.get('account', id);
    if (stored === undefined) throw new Error(`there is no account ${id}`);
    const { document, version } = stored;
    await store.write('account', id, { ...document, customer }, { expect: version });
  }
}
