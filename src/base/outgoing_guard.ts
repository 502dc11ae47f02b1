/** Which addresses an outgoing request may reach. */

import { lookup } from 'node:dns/promises';
import {
  behindNat64,
  parseAddress,
  printAddress,
  specialUse,
  type Address,
  type AddressList,
} from './addresses.ts';
import { refused, timedOut } from './outgoing_problems.ts';

/** All addresses of a name, in the order in which they are to be tried. */
export type Resolve = (host: string) => Promise<readonly string[]>;

/** Where a connection is to go. */
export interface Target {
  protocol: string;
  /** As in a URL, IPv6 in brackets or not. */
  hostname: string;
  port: string;
}

const publicPorts = new Set(['', '80', '443', '8443']);
const maximumAttempts = 3;
const maximumAddresses = 64;

/** @throws {Problem} `outgoing_refused` */
export function checkUrl(text: string): void {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (!url) throw refused('not an absolute URL');
  const known = url.protocol === 'https:' || url.protocol === 'http:';
  if (!known) throw refused(`scheme ${url.protocol}`);
  if (url.username !== '' || url.password !== '') throw refused('userinfo in the URL');
}

/** @throws {Problem} `outgoing_refused` when any of the addresses is not to be reached */
export async function judgedAddresses(
  target: Target,
  resolve: Resolve,
  allowed: AddressList,
  timeoutMs: number,
): Promise<Address[]> {
  const host = bareHost(target.hostname);
  const literal = parseAddress(host);
  const found = literal ? [host] : await withTimeout(resolve(host), timeoutMs);
  const addresses = found.slice(0, maximumAddresses).map((text) => {
    const address = parseAddress(text);
    if (!address) throw refused('the name has an unreadable address');
    const reason = judge(address, target, allowed);
    if (reason) throw refused(`${printAddress(address)}: ${reason}`);
    return address;
  });
  return addresses.slice(0, maximumAttempts);
}

/** Why this address is not to be reached in this way. */
function judge(address: Address, target: Target, allowed: AddressList): string | undefined {
  if (allowed.has(address)) {
    // A network that reaches IPv4 through NAT64 allows the prefix, not what may hide behind it.
    const inner = behindNat64(address);
    return inner && judge(inner, target, allowed);
  }
  const special = specialUse(address);
  if (special) return special;
  if (target.protocol !== 'https:') return 'only by https';
  if (!publicPorts.has(target.port)) return `port ${target.port}`;
  return undefined;
}

/** Without brackets and without the dot of the root. */
export function bareHost(host: string): string {
  const bare = host.startsWith('[') ? host.slice(1, -1) : host;
  return bare.endsWith('.') ? bare.slice(0, -1) : bare;
}

export async function systemResolve(host: string): Promise<string[]> {
  const found = await lookup(host, { all: true });
  return found.map(({ address }) => address);
}

async function withTimeout<T>(work: Promise<T>, timeoutMs: number): Promise<T> {
  const { promise, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => reject(timedOut(new Error('name resolution'))), timeoutMs);
  try {
    return await Promise.race([work, promise]);
  } finally {
    clearTimeout(timer);
  }
}
