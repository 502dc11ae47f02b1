/** Requests to services: good ones at a rate, and one token asked about until it is refused. */

import { Agent, request } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';

export interface Target {
  name: string;
  port: number;
}

const agent = new Agent({ keepAlive: true, maxSockets: 64 });
const tickMs = 10;
/** More than this are not sent: what waits in this process is no load of a service's. */
const mostUnderWay = 256;
export const probeEveryMs = 10;
const longestProbeMs = 30_000;

/** @returns the status; 0 where there is no answer */
export async function ask(target: Target, token: string): Promise<number> {
  const { status, isReused } = await askOnce(target, token);
  // The connection had been closed by the other side meanwhile: clients send it again (RFC 9112 §9.3.1).
  return status === 0 && isReused ? (await askOnce(target, token)).status : status;
}

function askOnce({ port }: Target, token: string): Promise<{ status: number; isReused: boolean }> {
  const { promise, resolve } = Promise.withResolvers<{ status: number; isReused: boolean }>();
  const headers = { authorization: `Bearer ${token}` };
  const outgoing = request({ host: '127.0.0.1', port, path: '/api/me', headers, agent });
  const end = (status: number) => resolve({ status, isReused: outgoing.reusedSocket });
  outgoing.on('response', (incoming) => {
    incoming.resume().on('end', () => end(incoming.statusCode ?? 0));
    incoming.on('error', () => end(0));
  });
  outgoing.on('error', () => end(0));
  outgoing.end();
  return promise;
}

export interface Traffic {
  answered: number;
  /** By status, those that were not 200. */
  refused: Record<number, number>;
  notSent: number;
  stop(): Promise<void>;
}

export function startTraffic(
  targets: readonly Target[],
  tokens: readonly string[],
  perSecond: number,
): Traffic {
  const startedAt = performance.now();
  const underWay = new Set<Promise<void>>();
  let planned = 0;
  const traffic: Traffic = {
    answered: 0,
    refused: {},
    notSent: 0,
    async stop() {
      clearInterval(timer);
      await Promise.all(underWay);
    },
  };

  async function send(number: number): Promise<void> {
    const target = targets[number % targets.length];
    const token = tokens[number % tokens.length];
    if (target === undefined || token === undefined) return;
    const status = await ask(target, token);
    traffic.answered += 1;
    if (status !== 200) traffic.refused[status] = (traffic.refused[status] ?? 0) + 1;
  }

  const timer = setInterval(() => {
    const due = Math.floor(((performance.now() - startedAt) / 1000) * perSecond);
    for (; planned < due; planned += 1) {
      if (underWay.size >= mostUnderWay) {
        traffic.notSent += 1;
        continue;
      }
      const sent: Promise<void> = send(planned).finally(() => underWay.delete(sent));
      underWay.add(sent);
    }
  }, tickMs);
  return traffic;
}

/** @returns milliseconds from `since` to its last answer that took the token; 0 where there was none */
export async function lastTaken(target: Target, token: string, since: number): Promise<number> {
  let last = 0;
  while (performance.now() - since < longestProbeMs) {
    const status = await ask(target, token);
    if (status === 401) return last;
    if (status === 200) last = performance.now() - since;
    await delay(probeEveryMs);
  }
  return Infinity;
}

export function closeTraffic(): void {
  agent.destroy();
}
