/** Where the servers of the development world listen: neighbouring ports. */

import { createServer } from 'node:net';

export interface Ports {
  tollgate: number;
  upstreamOidc: number;
  upstreamGithub: number;
  oidcApp: number;
  linksApp: number;
  /** That of the services which the sample apps call. */
  service: number;
  partnerApp: number;
  logoutService: number;
  streamService: number;
  /** The simulated Stripe: its API and its pages. */
  stripe: number;
  /** Where e-mails end: the pages, and the mail server. */
  mail: number;
  smtp: number;
}

export const portCount = 12;

export function portsFrom(base: number): Ports {
  return {
    tollgate: base,
    upstreamOidc: base + 1,
    upstreamGithub: base + 2,
    oidcApp: base + 3,
    linksApp: base + 4,
    service: base + 5,
    partnerApp: base + 6,
    logoutService: base + 7,
    streamService: base + 8,
    stripe: base + 9,
    mail: base + 10,
    smtp: base + 11,
  };
}

/** Those of the ports that somebody else listens at. */
export async function takenPorts(ports: Partial<Ports>): Promise<number[]> {
  const all = Object.values(ports);
  const free = await Promise.all(all.map(isFree));
  return all.filter((_port, index) => free[index] !== true);
}

/** A base whose ports are all free. @throws {Error} where none is found */
export async function freePortBase(): Promise<number> {
  for (let attempt = 0; attempt < 50; attempt += 1) {
    // Below what systems give to outgoing connections.
    const base = 20_000 + Math.floor(Math.random() * 1000) * portCount;
    if ((await takenPorts(portsFrom(base))).length === 0) return base;
  }
  throw new Error(`No ${portCount} neighbouring ports are free.`);
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = createServer();
    probe.once('error', () => resolve(false));
    probe.listen(port, '127.0.0.1', () => probe.close(() => resolve(true)));
  });
}
