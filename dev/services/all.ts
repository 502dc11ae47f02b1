/** The three services of the development world, what Tollgate has to know of them, and how each is started. */

import type { ConfigInput } from '../../src/config.ts';
import type { Listening } from '../listen.ts';
import type { Ports } from '../ports.ts';
import type { Service } from '../service.ts';
import type { Usage } from './usage.ts';
import { startLogoutService } from './logout.ts';
import { startStreamService } from './stream.ts';
import { startWebhookService } from './webhooks.ts';

export const serviceKinds = ['webhooks', 'logout', 'stream'] as const;
export type ServiceKind = (typeof serviceKinds)[number];

/** The secrets are good for nothing outside of this world. */
const webhookSecret = `whsec_${Buffer.from('the webhook secret of the sample').toString('base64')}`;
const streamClient = { id: 'monitor', secret: 'the-secret-of-the-sample-service-for-development' };
const streamAuthorization = 'Bearer what-tollgate-shows-to-the-sample-service';

export const serviceAddresses = (ports: Ports): Record<ServiceKind, string> => ({
  webhooks: `http://localhost:${ports.service}`,
  logout: `http://localhost:${ports.logoutService}`,
  stream: `http://localhost:${ports.streamService}`,
});

/** Where the sample app is told of the end of its sessions. Apps that check tokens in services give theirs. */
export const logoutAddress = (ports: Ports): string => `${serviceAddresses(ports).logout}/events`;

/** What an operator writes down for two of them; the third is an address at the app (`logoutAddress`). */
export function servicesConfig(ports: Ports): Required<Pick<ConfigInput, 'clients' | 'receivers'>> {
  const client = { ...streamClient, name: 'Sample service' };
  const url = `${serviceAddresses(ports).webhooks}/events`;
  return {
    clients: [{ ...client, grantTypes: ['client_credentials'], ssf: true }],
    receivers: [{ id: 'sample', url, secret: webhookSecret }],
  };
}

export interface ServicesOptions {
  ports: Ports;
  issuer: string;
  /** Of the product that they all belong to. */
  audience: string;
  origins: readonly string[];
  /** The sample app. */
  clientId: string;
  clock: () => number;
  /** Of the service with webhooks, which the sample apps call. */
  usage?: Usage;
}

export interface Services extends Pick<Listening, 'close'> {
  /** Those that run now. */
  present: Readonly<Record<ServiceKind, Service>>;
  /** Closes it, as a crash would, without a word to anybody. */
  stop(kind: ServiceKind): Promise<void>;
  /** Starts it anew, with an empty memory. */
  start(kind: ServiceKind): Promise<Service>;
}

export async function startServices(options: ServicesOptions): Promise<Services> {
  const { ports, issuer, audience, origins, clientId, clock, usage } = options;
  const metered = usage === undefined ? {} : { usage };
  const shared = { issuer, audience, origins, clock };
  const starters: Record<ServiceKind, () => Promise<Service>> = {
    webhooks: () =>
      startWebhookService({ ...shared, ...metered, port: ports.service, secret: webhookSecret }),
    logout: () => startLogoutService({ ...shared, port: ports.logoutService, clientId }),
    stream: () =>
      startStreamService({
        ...shared,
        port: ports.streamService,
        clientId: streamClient.id,
        clientSecret: streamClient.secret,
        authorization: streamAuthorization,
      }),
  };
  const running = new Map<ServiceKind, Service>();

  async function start(kind: ServiceKind): Promise<Service> {
    const service = await starters[kind]();
    running.set(kind, service);
    return service;
  }

  async function close(): Promise<void> {
    await Promise.all([...running.values()].map((service) => service.close()));
    running.clear();
  }

  try {
    for (const kind of serviceKinds) await start(kind);
  } catch (error) {
    await close();
    throw error;
  }
  return {
    get present() {
      return Object.fromEntries(running) as Record<ServiceKind, Service>;
    },
    async stop(kind) {
      await running.get(kind)?.close();
      running.delete(kind);
    },
    start,
    close,
  };
}
