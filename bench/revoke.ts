/**
 * How long services go on taking a token whose access has ended: from the answer to the revocation to the last
 * answer in which any of three services took it, while they have other things to do, and while one of very many
 * receivers never answers. Tollgate, the services and what asks them are a process each.
 */

import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import type { StoreName } from '../test/kit/store_names.ts';
import { cpuMicroseconds, post, start, untilReady } from './processes.ts';
import type { Runtime } from './processes.ts';
import { closeTraffic, lastTaken, probeEveryMs, startTraffic } from './revoke_traffic.ts';
import type { Target } from './revoke_traffic.ts';
import { clientSecret, freePort, install } from './tollgate.ts';
import type { Installation } from './tollgate.ts';

export interface RevokeOptions {
  storeName: StoreName;
  runtime: Runtime;
  /** Requests a second with good tokens, over all services. */
  rate: number;
  revocations: number;
  seconds: number;
  receivers: number;
}

/** For `revoke_services.ts`, in its environment. */
export interface RevokeServices {
  issuer: string;
  audience: string;
  ports: { logout: number; webhooks: number; stream: number };
  secret: string;
  stream: { clientId: string; clientSecret: string; authorization: string };
}

const audience = 'https://api.example.com';
/** One for each receiver. */
const newSecret = () => `whsec_${randomBytes(32).toString('base64')}`;
const stream = {
  clientId: 'monitor',
  clientSecret: 'stream-client-secret-of-the-benchmark-32',
  authorization: 'Bearer of-the-benchmark',
};
const goodTokens = 24;
const signInsAtOnce = 8;
const types = ['session.ended', 'grant.revoked'];

export async function measureRevocations(options: RevokeOptions): Promise<void> {
  const closing: (() => unknown)[] = [];
  try {
    await measure(options, (close) => closing.push(close));
  } finally {
    for (const close of closing.toReversed()) await close();
  }
}

/** @param opened what is to be closed in the end, the last first */
async function measure(options: RevokeOptions, opened: (close: () => unknown) => void) {
  const { storeName, runtime, rate, revocations, seconds, receivers } = options;
  const secret = newSecret();
  const others = await startOthers();
  opened(() => others.close());
  const ports = { logout: await freePort(), webhooks: await freePort(), stream: await freePort() };
  // Three that are live, one that is not, and those whom it does not concern.
  const quiet = Math.max(0, receivers - 4);
  const installation = await install(storeName, {
    app: { backchannelLogoutUri: `http://127.0.0.1:${ports.logout}/events` },
    clients: [
      {
        id: stream.clientId,
        name: 'Monitor',
        secret: stream.clientSecret,
        ssf: true,
        grantTypes: ['client_credentials'],
      },
    ],
    receivers: [
      { id: 'live', url: `http://127.0.0.1:${ports.webhooks}/events`, types, secret },
      { id: 'dead', url: `${others.url}/dead`, types, secret: newSecret() },
      ...Array.from({ length: quiet }, (_, index) => ({
        id: `quiet-${index}`,
        url: `${others.url}/quiet`,
        types: ['key.removed'],
        secret: newSecret(),
      })),
    ],
  });
  opened(() => installation.close());
  const tollgate = (await installation.run(runtime)).process;
  opened(() => tollgate.stop());
  const { issuer } = installation;
  const given: RevokeServices = { issuer, audience, ports, secret, stream };
  const services = start(runtime, 'bench/revoke_services.ts', [], {
    BENCH_SERVICES: JSON.stringify(given),
  });
  opened(() => services.stop());
  const targets = Object.entries(ports).map(([name, port]): Target => ({ name, port }));
  for (const { port } of targets) await untilReady(port, '/');

  console.log(`Revocations: ${revocations} over ${seconds} s, ${rate} requests a second with good tokens, ${storeName}, ${runtime}.
  receivers                ${receivers}: each revocation is told to three services (a logout token, a webhook, a stream by push)
                           and to one that never answers; the other ${quiet} are webhooks that want other events
  each token               is shown to each service on and on, ${probeEveryMs} ms after each answer, from the revocation's answer to the refusal`);
  const tokens = await signIns(installation, revocations + goodTokens);
  const pids = { tollgate: tollgate.pid, services: services.pid, 'this process': process.pid };
  const cpuBefore = Object.values(pids).map(cpuMicroseconds);
  const startedAt = performance.now();
  const good = tokens.splice(0, goodTokens).map(({ access }) => access);
  const traffic = startTraffic(targets, good, rate);
  const taken = await revokeAll(installation, targets, tokens, seconds);
  await traffic.stop();
  const took = (performance.now() - startedAt) / 1000;
  const cpu = Object.entries(pids).map(([name, pid], index) => {
    const share = (cpuMicroseconds(pid) - (cpuBefore[index] ?? 0)) / 10_000 / took;
    return `${name} ${share.toFixed(0)} %`;
  });
  console.log(`  good requests            ${(traffic.answered / took).toFixed(0)} a second were answered over ${took.toFixed(0)} s; ${traffic.notSent} were not sent, ${JSON.stringify(traffic.refused)} refused
  CPU, of one core         ${cpu.join(', ')}
  asked of the dead one    ${others.counts.dead}; of those whom it does not concern ${others.counts.quiet}`);
  print(
    'until no service took it',
    taken.map((one) => Math.max(...one)),
  );
  for (const [index, { name }] of targets.entries()) {
    print(
      `  … the one by ${name}`,
      taken.map((one) => one[index] ?? Infinity),
    );
  }
  closeTraffic();
}

/** Spread evenly; each is followed until all services refuse it. */
async function revokeAll(
  { port }: Installation,
  targets: readonly Target[],
  tokens: readonly { refresh: string; access: string }[],
  seconds: number,
): Promise<number[][]> {
  const startedAt = performance.now();
  const everyMs = (seconds * 1000) / tokens.length;
  return Promise.all(
    tokens.map(async ({ refresh, access }, index) => {
      await delay(Math.max(0, startedAt + index * everyMs - performance.now()));
      const { status } = await post(port, '/oauth2/revoke', {
        client_id: 'app',
        client_secret: clientSecret,
        token: refresh,
      });
      const since = performance.now();
      if (status !== 200) throw new Error(`a revocation was answered ${status}`);
      return Promise.all(targets.map(async (target) => lastTaken(target, access, since)));
    }),
  );
}

async function signIns(installation: Installation, count: number) {
  const tokens: { refresh: string; access: string }[] = [];
  let left = count;
  const worker = async () => {
    while (left > 0) {
      left -= 1;
      tokens.push(await installation.signIn());
    }
  };
  await Promise.all(Array.from({ length: signInsAtOnce }, worker));
  return tokens;
}

/** All receivers but the three: one never answers, the rest should hear of nothing. */
async function startOthers() {
  const counts = { dead: 0, quiet: 0 };
  const server = createServer((request, response) => {
    request.resume();
    if (request.url === '/dead') {
      counts.dead += 1;
      return;
    }
    counts.quiet += 1;
    response.writeHead(204).end();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    counts,
    close() {
      server.close();
      server.closeAllConnections();
    },
  };
}

function print(name: string, values: readonly number[]): void {
  const sorted = values.toSorted((a, b) => a - b);
  const at = (part: number) => (sorted[Math.ceil(sorted.length * part) - 1] ?? 0).toFixed(0);
  console.log(`  ${name.padEnd(24)} p50 ${at(0.5)} ms, p99 ${at(0.99)} ms, max ${at(1)} ms`);
}
