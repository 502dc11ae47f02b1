/**
 * A real load balancer before several processes, set up as operators do: each request goes to the next
 * one that says that it is ready, whoever asks.
 */

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { setTimeout as delay } from 'node:timers/promises';
import type { Balancer } from './balancer.ts';
import { freePort } from './redis/process.ts';

const program = '/usr/sbin/haproxy';
const slots = ['first', 'second', 'third', 'fourth'];
const longestStartMs = 20_000;

/**
 * Whether it is installed. Without it what needs it is left out, visibly; where everything is required
 * (`TOLLGATE_TEST_REQUIRE=all`), that is a failure.
 */
export function haproxyIsThere(): boolean {
  if (existsSync(program)) return true;
  if (process.env.TOLLGATE_TEST_REQUIRE === 'all') {
    throw new Error(`There is no HAProxy at ${program}, and all tests are required.`);
  }
  process.stderr.write(`\nNOT TESTED: processes behind HAProxy. There is none at ${program}.\n\n`);
  return false;
}

export interface Haproxy extends Balancer {
  /** By place: whether requests are sent there, as the health checks left it. */
  states(): Promise<string[]>;
}

function configuration(port: number, controls: string): string {
  const servers = slots.map(
    (name) => `  server ${name} 127.0.0.1:1 check inter 100ms fall 1 rise 1 disabled`,
  );
  return `global
  stats socket ${controls} level admin
  maxconn 1000
defaults
  mode http
  timeout connect 5s
  timeout client 60s
  timeout server 60s
  timeout check 5s
  retries 3
  option redispatch 1
  option forwardfor
frontend everybody
  bind 127.0.0.1:${port}
  http-request set-header X-Forwarded-Proto http
  default_backend processes
backend processes
  balance roundrobin
  option httpchk
  http-check send meth GET uri /health/ready ver HTTP/1.1 hdr Host balancer
  http-check expect status 200
${servers.join('\n')}
`;
}

export async function startHaproxy(): Promise<Haproxy> {
  const folder = await mkdtemp(join(tmpdir(), 'tollgate-haproxy-'));
  const controls = join(folder, 'controls');
  const file = join(folder, 'haproxy.cfg');
  const port = await freePort();
  await writeFile(file, configuration(port, controls));
  const child = spawn(program, ['-db', '-f', file], { stdio: ['ignore', 'ignore', 'pipe'] });
  let complaints = '';
  child.stderr.on('data', (chunk: Buffer) => (complaints += chunk.toString()));
  let gone = false;
  const end = () => {
    if (!gone && child.pid !== undefined) process.kill(child.pid, 'SIGKILL');
  };
  // Whatever becomes of the test, the process does not outlive it.
  process.once('exit', end);
  const ended = once(child, 'exit').then(() => {
    gone = true;
    process.off('exit', end);
  });

  const command = async (words: string) => {
    const socket = connect(controls);
    await once(socket, 'connect');
    socket.write(`${words}\n`);
    return text(socket);
  };

  async function states(): Promise<string[]> {
    const [head = '', ...rows] = (await command('show stat')).replace(/^# /, '').split('\n');
    const names = head.split(',');
    const byName = new Map(
      rows
        .map((row) => row.split(','))
        .filter((row) => row[names.indexOf('pxname')] === 'processes')
        .map((row) => [row[names.indexOf('svname')], row[names.indexOf('status')] ?? '']),
    );
    return slots.map((name) => byName.get(name) ?? '');
  }

  async function until(condition: () => Promise<boolean>, what: string): Promise<void> {
    const latest = Date.now() + longestStartMs;
    while (!(await condition().catch(() => false))) {
      if (gone || Date.now() > latest) throw new Error(`HAProxy: ${what}: ${complaints}`);
      await delay(20);
    }
  }

  async function close() {
    end();
    await ended;
    await rm(folder, { recursive: true, force: true });
  }

  try {
    await until(async () => (await states()).length > 0, 'it does not start');
  } catch (error) {
    await close();
    throw error;
  }
  return {
    port,
    states,
    close,
    async setBackends(ports) {
      const words = slots.flatMap((name, place) => {
        const server = `set server processes/${name}`;
        const target = ports[place];
        const off = `${server} state maint`;
        if (target === undefined) return [off];
        return [`${server} addr 127.0.0.1 port ${target}`, `${server} state ready`];
      });
      await command(words.join('; '));
      const isRight = async () => {
        const present = await states();
        return slots.every((_name, place) =>
          ports[place] === undefined
            ? present[place] === 'MAINT'
            : present[place]?.startsWith('UP') === true,
        );
      };
      await until(isRight, `the processes at ${ports.join(', ')} do not come up`);
    },
  };
}
