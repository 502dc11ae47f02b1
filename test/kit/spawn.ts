/**
 * Tollgate in processes of its own, as an operator runs it: `src/main.ts` with a configuration file and
 * secrets in the environment. For what a process alone can show: being killed, being stopped, sharing
 * the store with another.
 */

import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { createBrowser } from '../../dev/walk.ts';
import type { Browser, BrowserOptions } from '../../dev/walk.ts';
import { startUpstreamOidc } from '../../dev/upstream/oidc.ts';
import type { UpstreamOidc } from '../../dev/upstream/oidc.ts';
import type { ConfigInput } from '../../src/config.ts';
import { variableOf } from '../../src/config/environment.ts';
import { createDirectory } from '../../src/directory/directory.ts';
import { startBalancer } from './balancer.ts';
import type { Balancer } from './balancer.ts';
import { runtimeArguments } from './child.ts';
import { makePlace } from './places.ts';
import type { Place } from './places.ts';
import { recordingLog, testConfigInput } from './server.ts';
import type { ConfigChanges } from './server.ts';
import { seed, upstreamClient, worldConfig } from './world.ts';

export const main = fileURLToPath(new URL('../../src/main.ts', import.meta.url));
export const skewedMain = fileURLToPath(new URL('./skewed_main.ts', import.meta.url));
const longestStartMs = 30_000;

export interface SpawnOptions {
  config: ConfigInput;
  /** Any free one when not given. */
  port?: number;
  /** Another one than the test's: a name that is looked up in `PATH`. */
  runtime?: 'node' | 'deno';
  /** How far its clock is ahead of (or behind) the machine's. */
  clockAheadMs?: number;
  /** Of a clock that the test moves on while it runs (`skew.ts`). */
  clockFile?: string;
}

/** A line of the log; what could not be read as one is its message. */
export interface ChildLine {
  level: string;
  message: string;
  [field: string]: unknown;
}

export interface SpawnedServer {
  pid: number;
  port: number;
  /** Nothing happens when it is gone. */
  kill(signal?: NodeJS.Signals): void;
  /** Resolves when it is gone: its exit code, or the signal. */
  stopped: Promise<number | string>;
  logs: ChildLine[];
  /** Its configuration, which it looks at as long as it runs. */
  configFile: string;
  /** What else it was told, in its environment. */
  secrets: Record<string, string>;
}

/** Resolves when it listens. @throws with what it said when it does not */
async function spawnServer(options: SpawnOptions): Promise<SpawnedServer> {
  const folder = mkdtempSync(join(tmpdir(), 'tollgate-'));
  const { child, errors, configFile, secrets } = start(options, folder);
  // Whatever becomes of the test, the process does not outlive it.
  let gone = false;
  const kill = (signal: NodeJS.Signals = 'SIGKILL') => {
    // Not `child.kill`: on Deno it is reported as the reason of the end, whatever the process made of it.
    if (!gone && child.pid !== undefined) process.kill(child.pid, signal);
  };
  const end = () => kill();
  process.once('exit', end);
  const stopped = once(child, 'exit').then(([code, signal]) => {
    gone = true;
    process.off('exit', end);
    rmSync(folder, { recursive: true, force: true });
    return (code ?? signal) as number | string;
  });
  const logs: ChildLine[] = [];
  const { promise: listening, resolve, reject } = Promise.withResolvers<number>();
  createInterface({ input: child.stdout as Readable }).on('line', (text) => {
    const line = parse(text);
    logs.push(line);
    if (typeof line.port === 'number' && 'runtime' in line) resolve(line.port);
  });
  const told = () => `${errors.join('')}\n${logs.map((line) => JSON.stringify(line)).join('\n')}`;
  void stopped.then((how) => reject(new Error(`ended by ${how} before it listened: ${told()}`)));
  const timer = setTimeout(() => {
    reject(new Error(`does not listen after ${longestStartMs} ms: ${told()}`));
    kill();
  }, longestStartMs);
  try {
    const pid = child.pid ?? 0;
    return { pid, port: await listening, kill, stopped, logs, configFile, secrets };
  } finally {
    clearTimeout(timer);
  }
}

interface Started extends Pick<SpawnedServer, 'configFile' | 'secrets'> {
  child: ChildProcess;
  errors: string[];
}

function start(options: SpawnOptions, folder: string): Started {
  const { config, port = 0, runtime, clockAheadMs, clockFile } = options;
  const { written, secrets } = apart(config);
  const path = join(folder, 'tollgate.config.json');
  writeFileSync(path, JSON.stringify(written));
  const command = runtime ?? process.execPath;
  const first = clockAheadMs === undefined && clockFile === undefined ? main : skewedMain;
  const runs = runtime === undefined ? runtimeArguments(first) : argumentsOf(runtime, first);
  const child = spawn(command, [...runs, 'serve', '--config', path, '--port', String(port)], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: {
      ...process.env,
      NODE_OPTIONS: '',
      ...secrets,
      ...(clockAheadMs === undefined ? {} : { CLOCK_AHEAD_MS: String(clockAheadMs) }),
      ...(clockFile === undefined ? {} : { CLOCK_AHEAD_FILE: clockFile }),
    },
  });
  const errors: string[] = [];
  child.stderr?.on('data', (chunk: Buffer) => errors.push(chunk.toString()));
  return { child, errors, configFile: path, secrets };
}

function argumentsOf(runtime: 'node' | 'deno', file: string): string[] {
  return runtime === 'deno' ? ['run', '-A', '--quiet', file] : [file];
}

function parse(text: string): ChildLine {
  try {
    return JSON.parse(text) as ChildLine;
  } catch {
    return { level: 'unknown', message: text };
  }
}

/** What stands in the file, and what an operator keeps out of it. */
function apart(config: ConfigInput): { written: object; secrets: Record<string, string> } {
  const secrets: Record<string, string> = { TOLLGATE_SECRET: config.secrets.join(',') };
  const providers = config.providers.map(({ clientSecret, ...provider }) => {
    if (clientSecret !== undefined) secrets[variableOf('PROVIDER', provider.id)] = clientSecret;
    return provider;
  });
  const clients = config.clients?.map(({ secret, ...client }) => {
    if (secret === undefined) return { ...client, public: true };
    secrets[variableOf('CLIENT', client.id)] = secret;
    return client;
  });
  const { secrets: _secrets, ...rest } = config;
  return { written: { ...rest, providers, clients }, secrets };
}

export interface ClusterOptions {
  processes?: number;
  config?: ConfigChanges;
  /** By process, read at each start. */
  clocksAheadMs?: readonly number[];
  runtimes?: readonly ('node' | 'deno')[];
  /** The clock of them all, where the test moves it on (`skew.ts`). */
  clockFile?: string;
  /** One that hands on connections, when not given. It is closed with the cluster. */
  balancer?: Balancer;
}

export interface Cluster {
  /** The balancer's address. */
  issuer: string;
  config: ConfigInput;
  place: Place;
  upstream: UpstreamOidc;
  balancer: Balancer;
  /** Those that run, by place. */
  members: readonly SpawnedServer[];
  /** Starts a process at this place; the one before is left to itself. */
  restart(place: number): Promise<SpawnedServer>;
  browser(options?: BrowserOptions): Browser;
  close(): Promise<void>;
}

/** Several processes on one store behind one address. The upstream is in the test's process. */
export async function startCluster(options: ClusterOptions = {}): Promise<Cluster> {
  const place = await makePlace();
  const balancer = options.balancer ?? (await startBalancer());
  const issuer = `http://127.0.0.1:${balancer.port}`;
  const upstream = await startUpstreamOidc({
    port: 0,
    clients: [{ ...upstreamClient, redirectUris: [`${issuer}/integrations/oauth2/callback`] }],
  });
  const changes = worldConfig(upstream, {
    limits: { perAddressPerMinute: 1_000_000 },
    ...options.config,
  });
  const config = testConfigInput(issuer, { ...changes, ...place.address });
  await seedPlace(place, upstream.issuer);
  const members: SpawnedServer[] = [];
  const all: SpawnedServer[] = [];

  async function restart(position: number): Promise<SpawnedServer> {
    const clockAheadMs = options.clocksAheadMs?.[position];
    const runtime = options.runtimes?.[position];
    const member = await spawnServer({
      config,
      ...(clockAheadMs === undefined ? {} : { clockAheadMs }),
      ...(runtime === undefined ? {} : { runtime }),
      ...(options.clockFile === undefined ? {} : { clockFile: options.clockFile }),
    });
    all.push(member);
    members[position] = member;
    await balancer.setBackends(members.map(({ port }) => port));
    return member;
  }

  async function close() {
    for (const member of all) member.kill();
    await Promise.all(all.map(({ stopped }) => stopped));
    await Promise.all([balancer.close(), upstream.close()]);
    await place.discard();
  }

  try {
    for (let count = 0; count < (options.processes ?? 2); count += 1) await restart(count);
  } catch (error) {
    await close();
    throw error;
  }
  const browser = (more: BrowserOptions = {}) =>
    createBrowser({ stopAt: (url) => url.hostname.endsWith('.example.com'), ...more });
  return { issuer, config, place, upstream, balancer, members, restart, browser, close };
}

/** Before any process has the store: what this one writes is theirs to go on with. */
async function seedPlace(place: Place, upstreamIssuer: string): Promise<void> {
  const log = recordingLog();
  const store = await place.open(Date.now, log);
  try {
    const options = { store, clock: Date.now, log, registration: 'invitation' } as const;
    await seed(createDirectory(options), upstreamIssuer);
  } finally {
    await store.close();
  }
}
