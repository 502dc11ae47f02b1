/** The whole development world in one process: Tollgate and everything around it, on loopback. */

import { createServer as createHttpServer } from 'node:http';
import type { Log } from '../src/base/log.ts';
import { createProject } from '../src/billing/projection.ts';
import type { Project } from '../src/billing/projection.ts';
import { configSchema } from '../src/config.ts';
import type { Config, ConfigInput } from '../src/config.ts';
import { announcing } from '../src/events/outbox.ts';
import { subscriptionClaims } from '../src/billing/claims.ts';
import { createServer } from '../src/server.ts';
import type { Server } from '../src/server.ts';
import type { Store } from '../src/storage/store.ts';
import { openStores } from '../src/stores.ts';
import { startLinksApp } from './app_links.ts';
import { startOidcApp } from './app_oidc.ts';
import { listen } from './listen.ts';
import { startMailSink } from './mail/sink.ts';
import type { MailSink } from './mail/sink.ts';
import { plans } from './plans.ts';
import type { Ports } from './ports.ts';
import { seed } from './seed.ts';
import { logoutAddress, serviceAddresses, servicesConfig, startServices } from './services/all.ts';
import type { Services } from './services/all.ts';
import type { TokenWords } from './stripe/pages/words.ts';
import type { StripeSimulator } from './stripe/simulator.ts';
import { startUpstreamGithub } from './upstream/github.ts';
import { startUpstreamOidc } from './upstream/oidc.ts';
import { openStripe } from './world_stripe.ts';

export interface WorldOptions {
  ports: Ports;
  /** As in the configuration: `sqlite:` and a path, or the address of a server. */
  store: string;
  hot?: string | undefined;
  clock: () => number;
  log: Log;
  /** Keeps what Stripe (the simulator) knows between starts; in memory when not given. */
  stripeFile?: string | undefined;
  /** More clients, whose apps are not started here, and other limits. */
  more?: Pick<ConfigInput, 'clients' | 'limits'>;
}

export interface World {
  /** Tollgate. */
  issuer: string;
  oidcApp: string;
  /** Of somebody else: people are asked before it may know them. */
  partnerApp: string;
  linksApp: string;
  /** That of the services which the apps call. */
  service: string;
  services: Services;
  /** The simulated Stripe, and its pages. */
  stripe: StripeSimulator;
  /** Where e-mails end, and its pages. */
  mail: MailSink;
  client: Client;
  partner: Client;
  server: Server;
  store: Store;
  /** Writes what Stripe does not say: for tests of what follows. */
  project: Project;
  /** What the sample apps' tokens are for. */
  product: string;
  close(): Promise<void>;
}

/** What an app is known by. */
export interface Client {
  id: string;
  name: string;
  secret: string;
  /** Where the app is. */
  url: string;
}

/** The secrets are good for nothing outside of this world. */
const clientsAt = (ports: Ports): { client: Client; partner: Client } => ({
  client: {
    id: 'app',
    name: 'Sample app',
    secret: 'the-secret-of-the-sample-app-for-development',
    url: `http://localhost:${ports.oidcApp}`,
  },
  partner: {
    id: 'partner',
    name: 'Partner app',
    secret: 'the-secret-of-the-partner-app-for-development',
    url: `http://localhost:${ports.partnerApp}`,
  },
});
const upstreamClient = {
  id: 'tollgate-dev',
  secret: 'the-secret-at-the-upstreams-for-development',
};
const secret = 'the-secret-of-tollgate-for-development-only';
const product = 'api';

const addresses = (ports: Ports) => ({
  issuer: `http://localhost:${ports.tollgate}`,
  linksApp: `http://localhost:${ports.linksApp}`,
  service: serviceAddresses(ports).webhooks,
});

export async function startWorld(options: WorldOptions): Promise<World> {
  const { ports, clock, log } = options;
  const { issuer, linksApp, service } = addresses(ports);
  const { client, partner } = clientsAt(ports);
  const closing: (() => Promise<void>)[] = [];
  const close = async () => {
    for (const one of closing.splice(0).toReversed()) await one();
  };
  const opened = <T extends { close(): Promise<void> }>(one: T): T => {
    closing.push(() => one.close());
    return one;
  };
  try {
    const redirectUris = [`${issuer}/integrations/oauth2/callback`];
    const clients = [{ ...upstreamClient, redirectUris }];
    const oidc = opened(await startUpstreamOidc({ port: ports.upstreamOidc, clients, clock }));
    const hub = opened(await startUpstreamGithub({ port: ports.upstreamGithub, clients, clock }));
    const { stripeFile: file } = options;
    const stripe = opened(
      await openStripe({ port: ports.stripe, file, clock, log, issuer, product }),
    );
    const sinkPorts = { smtp: ports.smtp, pages: ports.mail };
    const mail = opened(await startMailSink({ ports: sinkPorts, clock }));
    const store = opened(await openStores(options, { clock, log }));
    const upstreams = { oidcIssuer: oidc.issuer, hub: hub.endpoints };
    const config = configOf(ports, upstreams, stripe.config, options.more);
    const server = await createServer({ config, store, clock, log });
    closing.push(() => server.stop());
    opened(await listen(createHttpServer(server.callback), ports.tollgate));
    const { directory, billing } = server;
    if (billing === undefined) throw new Error('The world sells something.');
    await seed({
      directory,
      store,
      billing,
      stripe: stripe.simulator,
      oidcIssuer: oidc.issuer,
      githubIssuer: hub.endpoints.issuer,
      product,
    });
    stripe.show({ store, tokens: () => tokensOf({ store, clock, config }) });
    const { id: clientId } = client;
    const origins = [linksApp];
    const services = opened(
      await startServices({ ports, issuer, audience: service, origins, clientId, clock }),
    );
    // Its workers run for as long as the services do, so that nobody is told who is not there.
    server.start();
    closing.push(() => server.stop());
    // What came of seeding, now rather than while somebody looks.
    await server.dispatcher.drain();
    opened(await startLinksApp({ port: ports.linksApp, url: linksApp, issuer, service }));
    const apps = { [ports.oidcApp]: client, [ports.partnerApp]: partner };
    for (const [port, { id, name, secret: clientSecret, url }] of Object.entries(apps)) {
      const app = { name, port: Number(port), url, clientId: id, clientSecret };
      const sells = id === client.id ? product : undefined;
      opened(await startOidcApp({ ...app, issuer, service, sells }));
    }
    const told = announcing(store, (events) => server.dispatcher.wake(events));
    return {
      issuer,
      oidcApp: client.url,
      partnerApp: partner.url,
      linksApp,
      service,
      services,
      stripe: stripe.simulator,
      mail,
      client,
      partner,
      server,
      store,
      project: createProject({ store: told, clock, config }),
      product,
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

/** What a token would say now of each account that Stripe knows. */
async function tokensOf({ store, clock, config }: Judging): Promise<TokenWords[]> {
  const found = await store.find('account', 'customer', 'cus_', { prefix: true, limit: 100 });
  return found.map(({ document }) => {
    const terms = { config, now: clock() };
    const {
      customer: _id,
      subscription: _other,
      ...claims
    } = subscriptionClaims(document, product, terms);
    return { account: document.name, claims };
  });
}

interface Judging {
  store: Store;
  clock: () => number;
  config: Config;
}

interface Upstreams {
  oidcIssuer: string;
  hub: Record<string, string>;
}

function configOf(
  ports: Ports,
  { oidcIssuer, hub }: Upstreams,
  stripe: NonNullable<ConfigInput['stripe']>,
  more: WorldOptions['more'] = {},
): Config {
  const { issuer, linksApp, service } = addresses(ports);
  const { client, partner } = clientsAt(ports);
  const services = servicesConfig(ports);
  const credentials = { clientId: upstreamClient.id, clientSecret: upstreamClient.secret };
  const own = [client, partner].map(({ id, name, secret: clientSecret, url }) => ({
    id,
    name,
    secret: clientSecret,
    product,
    firstParty: id !== partner.id,
    redirectUris: [`${url}/callback`],
    postLogoutRedirectUris: [`${url}/`],
    initiateLoginUri: `${url}/initiate`,
    ...(id === client.id ? { backchannelLogoutUri: logoutAddress(ports) } : {}),
  }));
  return configSchema.parse({
    issuer,
    port: ports.tollgate,
    secrets: [secret],
    // Somebody new signs up, and pays.
    registration: 'checkout',
    stripe,
    mail: { server: `smtp://127.0.0.1:${ports.smtp}`, from: 'Tollgate <id@example.com>' },
    signup: { success: `${linksApp}/`, canceled: `${linksApp}/`, failed: `${linksApp}/` },
    providers: [
      { id: 'example', name: 'Example ID', issuer: oidcIssuer, trustEmail: true, ...credentials },
      { id: 'hub', name: 'Example Hub', preset: 'github', ...hub, ...credentials },
    ],
    products: [
      {
        id: product,
        name: 'Sample API',
        audience: service,
        plans: [...plans],
        access: { freePlan: 'free' },
      },
    ],
    ...more,
    clients: [...own, ...services.clients, ...(more.clients ?? [])],
    receivers: services.receivers,
    signin: { success: `${linksApp}/`, failed: `${linksApp}/` },
    signout: { success: `${linksApp}/` },
    returnOrigins: [linksApp, client.url],
    // The upstreams are on this machine.
    outgoing: { allowPrivate: ['127.0.0.0/8', '::1/128'] },
  });
}
