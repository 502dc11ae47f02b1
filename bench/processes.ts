/** Server processes on either runtime, and what the operating system says that they cost (Linux). */

import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { request, Agent } from 'node:http';
import { join } from 'node:path';

export type Runtime = 'node' | 'deno';

const root = join(import.meta.dirname, '..');
const binary = (runtime: Runtime) => join(root, 'node_modules', '.bin', runtime);

export interface Process {
  pid: number;
  stop(): Promise<void>;
}

export function start(
  runtime: Runtime,
  file: string,
  parameters: readonly string[],
  environment: Record<string, string>,
): Process {
  const flags =
    runtime === 'deno' ? ['run', '-A', '--quiet'] : ['--disable-warning=ExperimentalWarning'];
  const child: ChildProcess = spawn(binary(runtime), [...flags, join(root, file), ...parameters], {
    stdio: ['ignore', 'ignore', 'inherit'],
    env: { ...process.env, ...environment },
  });
  const { pid } = child;
  if (pid === undefined) throw new Error(`${runtime} does not start`);
  const ended = once(child, 'exit');
  return {
    pid,
    async stop() {
      child.kill('SIGTERM');
      await ended;
    },
  };
}

/** CPU time of a process so far, user and system, in microseconds. */
export function cpuMicroseconds(pid: number): number {
  const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
  // Behind the name, which may hold anything: utime and stime, in ticks of 10 ms.
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) * 10_000;
}

export function residentMegabytes(pid: number): number {
  const text = readFileSync(`/proc/${pid}/status`, 'utf8');
  return Number(/VmRSS:\s+(\d+)/.exec(text)?.[1]) / 1024;
}

const agent = new Agent({ keepAlive: true, maxSockets: 64 });

export interface Answer {
  status: number;
  text: string;
}

/** @param issuer its host is what the server is asked as, when that is not the port's own */
export function post(
  port: number,
  path: string,
  form: Record<string, string>,
  issuer?: string,
): Promise<Answer> {
  const body = new URLSearchParams(form).toString();
  return send(port, 'POST', path, body, issuer);
}

export function get(port: number, path: string): Promise<Answer> {
  return send(port, 'GET', path);
}

function send(
  port: number,
  method: string,
  path: string,
  body?: string,
  issuer?: string,
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const headers = {
      ...(issuer === undefined ? {} : { host: new URL(issuer).host }),
      ...(body === undefined
        ? {}
        : {
            'content-type': 'application/x-www-form-urlencoded',
            'content-length': String(Buffer.byteLength(body)),
          }),
    };
    const options = { host: '127.0.0.1', port, path, method, headers, agent };
    const outgoing = request(options, (incoming) => {
      let text = '';
      incoming.setEncoding('utf8');
      incoming.on('data', (chunk: string) => {
        text += chunk;
      });
      incoming.on('end', () => resolve({ status: incoming.statusCode ?? 0, text }));
      incoming.on('error', reject);
    });
    outgoing.on('error', reject);
    outgoing.end(body);
  });
}

/** Milliseconds until the server answers 200 there. */
export async function untilReady(port: number, path: string): Promise<number> {
  const startedAt = performance.now();
  for (;;) {
    const answer = await get(port, path).catch(() => undefined);
    if (answer?.status === 200) return performance.now() - startedAt;
    if (performance.now() - startedAt > 30_000) throw new Error(`nothing answers at ${port}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

export function closeConnections(): void {
  agent.destroy();
}

export const median = (values: readonly number[]): number =>
  values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
