/**
 * The servers that `--store` asks for: those of the environment (`TOLLGATE_STORE`, `TOLLGATE_HOT`), or ones that are
 * started here, where the machine has them.
 */

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { accessSync, constants } from 'node:fs';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { freePortBase } from './ports.ts';

export const demoStores = ['sqlite', 'mongodb', 'redis'] as const;
export type DemoStore = (typeof demoStores)[number];

/** What is missing, and what to do: told without a stack. */
export class ServerMissing extends Error {}

export interface Databases {
  /** As in the configuration. */
  store: string;
  hot?: string;
  /** Ends what was started. What was there before goes on. */
  close(): Promise<void>;
}

export interface DatabasesOptions {
  kind: DemoStore;
  /** Where servers that are started here keep what they have; for one run when not given. */
  folder: string | undefined;
  /** The SQLite file, or `:memory:`. */
  file: string;
  /** Of the database, and of the keys in Redis. */
  name: string;
  env: NodeJS.ProcessEnv;
}

/** @throws {ServerMissing} */
export async function startDatabases(options: DatabasesOptions): Promise<Databases> {
  const { kind, file, name, env } = options;
  const sqlite = `sqlite:${file}`;
  if (kind === 'sqlite') return { store: sqlite, close: async () => {} };
  if (kind === 'mongodb') {
    const given = env['TOLLGATE_STORE'];
    if (given !== undefined) return { store: ownPlace(given, options), close: async () => {} };
    const { port, close } = await start('mongod', options, (folder) => ['--dbpath', folder]);
    return { store: `mongodb://127.0.0.1:${port}/${name}`, close };
  }
  const given = env['TOLLGATE_HOT'];
  if (given !== undefined) {
    return { store: sqlite, hot: ownPlace(given, options), close: async () => {} };
  }
  const durable = ['--appendonly', 'yes', '--save', '', '--maxmemory-policy', 'noeviction'];
  const { port, close } = await start('redis-server', options, (folder) => [
    '--dir',
    folder,
    '--bind',
    '127.0.0.1',
    ...durable,
  ]);
  return { store: sqlite, hot: `redis://127.0.0.1:${port}?prefix=${name}`, close };
}

/** What is kept for one run only must not meet what is there. */
function ownPlace(given: string, { folder, name }: DatabasesOptions): string {
  if (folder !== undefined) return given;
  const url = new URL(given);
  if (url.protocol.startsWith('mongodb')) url.pathname = `/${name}`;
  else url.searchParams.set('prefix', name);
  return url.href;
}

const longestStartMs = 20_000;

async function start(
  program: 'mongod' | 'redis-server',
  { folder, kind, env }: DatabasesOptions,
  more: (folder: string) => string[],
): Promise<{ port: number; close(): Promise<void> }> {
  if (!isThere(program, env)) throw new ServerMissing(missing(program, kind));
  const place = folder ?? (await mkdtemp(join(tmpdir(), 'tollgate-demo-')));
  await mkdir(place, { recursive: true });
  const port = await freePortBase();
  const child = spawn(program, ['--port', String(port), ...more(place)], { stdio: 'ignore' });
  const ended = once(child, 'exit');
  const kill = () => void child.kill('SIGKILL');
  process.once('exit', kill);
  const close = async () => {
    process.off('exit', kill);
    child.kill('SIGTERM');
    await ended;
    if (folder === undefined) await rm(place, { recursive: true, force: true });
  };
  const giveUpAt = performance.now() + longestStartMs;
  while (!(await answers(port))) {
    if (child.exitCode !== null || performance.now() > giveUpAt) {
      kill();
      throw new ServerMissing(`${program} does not start in ${place}.`);
    }
    await delay(50);
  }
  return { port, close };
}

const examples = {
  mongod: 'TOLLGATE_STORE=mongodb://127.0.0.1:27017/tollgate_demo npm run demo -- --store mongodb',
  'redis-server': 'TOLLGATE_HOT=redis://127.0.0.1:6379 npm run demo -- --store redis',
};

function missing(program: keyof typeof examples, kind: DemoStore): string {
  return `--store ${kind} starts ${program}, and there is none on this machine. Install it, or name a server that runs:

  ${examples[program]}`;
}

function isThere(program: string, env: NodeJS.ProcessEnv): boolean {
  return (env['PATH'] ?? '').split(delimiter).some((folder) => {
    try {
      accessSync(join(folder, program), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    const end = (answered: boolean) => {
      socket.destroy();
      resolve(answered);
    };
    socket.once('connect', () => end(true)).once('error', () => end(false));
  });
}
