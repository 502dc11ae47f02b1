/** Tollgate with two upstreams, all of whose talk goes over wires, and with its log as it is written. */

import { startUpstreamGithub } from '../../dev/upstream/github.ts';
import type { UpstreamGithub } from '../../dev/upstream/github.ts';
import { startUpstreamOidc } from '../../dev/upstream/oidc.ts';
import type { UpstreamOidc } from '../../dev/upstream/oidc.ts';
import { createLog } from '../../src/base/log.ts';
import { startServer } from '../kit/server.ts';
import type { ConfigChanges, RunningServer } from '../kit/server.ts';
import { clients, seed } from '../kit/world.ts';
import { startWire } from './wire.ts';

export interface WiredWorld extends Pick<RunningServer, 'issuer' | 'server' | 'store'> {
  upstream: UpstreamOidc;
  hub: UpstreamGithub;
  /** All records so far. */
  written(): string;
  /** All that went over the wires so far. */
  heard(): string;
  /** The clock of the server goes on by so much. */
  travel(ms: number): void;
  close(): Promise<void>;
}

export const upstreamSecret = 'a-secret-that-only-the-upstream-and-we-know';

export async function startWiredWorld(changes: ConfigChanges): Promise<WiredWorld> {
  const [front, toUpstream, toHub] = [await startWire(), await startWire(), await startWire()];
  const issuer = front.url;
  const redirectUris = [`${issuer}/integrations/oauth2/callback`];
  const client = { id: 'tollgate', secret: upstreamSecret, redirectUris };
  const upstream = await startUpstreamOidc({ port: 0, issuer: toUpstream.url, clients: [client] });
  const hub = await startUpstreamGithub({ port: 0, clients: [client] });
  toUpstream.leadTo(upstream.url);
  toHub.leadTo(hub.url, new URL(hub.url).host);
  let written = '';
  let aheadMs = 0;
  const write = (line: string) => {
    written += line;
  };
  const providers = providersAt(upstream.issuer, toHub.url);
  const running = await startServer({
    clock: () => Date.now() + aheadMs,
    log: createLog({ level: 'debug', clock: Date.now, write }),
    config: { issuer, clients, providers, ...changes },
  });
  front.leadTo(running.issuer);
  await seed(running.server.directory, upstream.issuer);
  await running.server.dispatcher.drain();
  const wires = [front, toUpstream, toHub];
  return {
    issuer,
    upstream,
    hub,
    server: running.server,
    store: running.store,
    written: () => written,
    heard: () => wires.map((wire) => wire.heard()).join('\n'),
    travel(ms) {
      aheadMs += ms;
    },
    async close() {
      await running.close();
      await Promise.all([upstream, hub, ...wires].map((one) => one.close()));
    },
  };
}

function providersAt(issuer: string, hub: string): NonNullable<ConfigChanges['providers']> {
  const common = { clientId: 'tollgate', clientSecret: upstreamSecret };
  return [
    { id: 'upstream', name: 'Example ID', issuer, trustEmail: true, ...common },
    {
      id: 'hub',
      preset: 'github',
      ...common,
      issuer: hub,
      authorizationEndpoint: `${hub}/login/oauth/authorize`,
      tokenEndpoint: `${hub}/login/oauth/access_token`,
      userinfoEndpoint: `${hub}/user`,
      emailsEndpoint: `${hub}/user/emails`,
    },
  ];
}
