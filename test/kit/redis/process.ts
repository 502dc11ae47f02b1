/** Servers of Redis as processes: on free loopback ports, in folders of their own, gone with the test. */

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';

const executable = '/usr/bin/redis-server';
const longestStartMs = 15_000;

/**
 * Whether there is a Redis. Without one its tests are left out, visibly; where everything is required
 * (`TOLLGATE_TEST_REQUIRE=all`), that is a failure.
 */
export function redisIsThere(): boolean {
  if (existsSync(executable)) return true;
  if (process.env.TOLLGATE_TEST_REQUIRE === 'all') {
    throw new Error(`There is no Redis at ${executable}, and all tests are required.`);
  }
  process.stderr.write(`\nNOT TESTED: the Redis store. There is no Redis at ${executable}.\n\n`);
  return false;
}

export interface RedisProcess {
  port: number;
  /** Without a password. */
  address: string;
  /** Ends it as a power cut would. Its files stay. */
  kill(): Promise<void>;
  /** Stops it for a while, as a machine that hangs. */
  pause(): void;
  resume(): void;
  /** Starts it again with the same files, at the same port. */
  restart(): Promise<void>;
  /** Ends it for good. */
  stop(): Promise<void>;
}

export interface RedisProcessOptions {
  /** As on the command line: `{ appendonly: 'yes' }`. */
  settings?: Record<string, string>;
  port?: number;
  sentinel?: boolean;
}

/** @throws when it does not answer in time */
export async function startRedis(options: RedisProcessOptions = {}): Promise<RedisProcess> {
  const folder = mkdtempSync(join(tmpdir(), 'tollgate-redis-'));
  const port = options.port ?? (await freePort());
  const settings = {
    port: String(port),
    bind: '127.0.0.1',
    dir: folder,
    logfile: join(folder, 'redis.log'),
    ...(options.sentinel === true ? {} : { save: '', appendonly: 'no' }),
    ...options.settings,
  };
  // Sentinels and clusters write to their file.
  const file = join(folder, 'redis.conf');
  const lines = Object.entries(settings).map(
    ([name, value]) => `${name} ${value === '' ? '""' : value}`,
  );
  writeFileSync(file, `${lines.join('\n')}\n`, { mode: 0o600 });
  const parameters = options.sentinel === true ? [file, '--sentinel'] : [file];
  let running = await launch(parameters, port);
  return {
    port,
    address: `redis://127.0.0.1:${port}`,
    kill: () => running.kill(),
    pause: () => void process.kill(running.pid, 'SIGSTOP'),
    resume: () => void process.kill(running.pid, 'SIGCONT'),
    restart: async () => {
      running = await launch(parameters, port);
    },
    stop: async () => {
      await running.kill();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** Outlives nobody: when whoever started it is gone, however, its standard input ends, and so does it. */
const guarded = `"$@" </dev/null >/dev/null 2>&1 & child=$!; echo $child; cat >/dev/null; kill -9 $child 2>/dev/null`;

async function launch(parameters: readonly string[], port: number) {
  const guard = spawn('/bin/sh', ['-c', guarded, 'sh', executable, ...parameters], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const ended = once(guard, 'exit');
  const [pid] = (await once(createInterface({ input: guard.stdout }), 'line')) as [string];
  const kill = async () => {
    guard.stdin.end();
    await ended;
  };
  const giveUpAt = performance.now() + longestStartMs;
  while (!(await answers(port))) {
    if (performance.now() > giveUpAt) {
      await kill();
      throw new Error(`redis-server did not start at port ${port}`);
    }
    await delay(20);
  }
  return { pid: Number(pid), kill };
}

/** Anything but "still loading" will do: where a password is asked for, that is an answer too. */
async function answers(port: number): Promise<boolean> {
  const socket = connect(port, '127.0.0.1');
  try {
    socket.write('PING\r\n');
    const signal = AbortSignal.timeout(1000);
    const [data] = (await once(socket, 'data', { signal })) as [Buffer];
    return !data.toString().startsWith('-LOADING');
  } catch {
    return false;
  } finally {
    socket.on('error', () => {});
    socket.destroy();
  }
}

/**
 * Below the ports that outgoing connections take, and with the one of a cluster's bus, which is at 10000
 * more.
 */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = 10_000 + Math.floor(Math.random() * 12_000);
    if ((await isFree(port)) && (await isFree(port + 10_000))) return port;
  }
}

async function isFree(port: number): Promise<boolean> {
  const server = createServer();
  try {
    server.listen(port, '127.0.0.1');
    await once(server, 'listening');
    server.close();
    await once(server, 'close');
    return true;
  } catch {
    return false;
  }
}
