/**
 * IP addresses: parsing, ranges, and which are special-use. For the outgoing guard (which
 * addresses may be reached), for trusted proxies, and for the keys of rate limits.
 */

import { Problem } from './errors.ts';

export interface Address {
  family: 4 | 6;
  value: bigint;
}

export interface Range extends Address {
  prefix: number;
}

export interface AddressList {
  has(address: Address): boolean;
}

/** Canonical IPv4 (no octal, no missing parts) or IPv6, with or without brackets and zone. */
export function parseAddress(text: string): Address | undefined {
  if (text.length > 100) return undefined;
  const bare = text.startsWith('[') && text.endsWith(']') ? text.slice(1, -1) : text;
  if (!bare.includes(':')) return parseV4(bare);
  return parseV6(bare.split('%', 1)[0] ?? '');
}

function parseV4(text: string): Address | undefined {
  const parts = text.split('.');
  if (parts.length !== 4) return undefined;
  let value = 0n;
  for (const part of parts) {
    if (!/^(0|[1-9][0-9]{0,2})$/.test(part) || Number(part) > 255) return undefined;
    value = (value << 8n) | BigInt(part);
  }
  return { family: 4, value };
}

function parseV6(text: string): Address | undefined {
  const halves = text.split('::');
  if (halves.length > 2) return undefined;
  const [left, right] = halves.map(groups);
  if (!left || (halves.length === 2 && !right)) return undefined;
  const missing = 8 - left.length - (right?.length ?? 0);
  if (right ? missing < 1 : missing !== 0) return undefined;
  // A dotted part may only end the address: `1.2.3.4::` is none.
  if (right && halves[0]?.includes('.')) return undefined;
  const all = [...left, ...Array.from({ length: right ? missing : 0 }, () => 0), ...(right ?? [])];
  return { family: 6, value: all.reduce((value, group) => (value << 16n) | BigInt(group), 0n) };
}

function groups(text: string): number[] | undefined {
  if (text === '') return [];
  const result: number[] = [];
  const parts = text.split(':');
  for (const [index, part] of parts.entries()) {
    if (part.includes('.')) {
      const dotted = index === parts.length - 1 ? parseV4(part) : undefined;
      if (!dotted) return undefined;
      result.push(Number(dotted.value >> 16n), Number(dotted.value & 0xffffn));
    } else {
      if (!/^[0-9a-f]{1,4}$/i.test(part)) return undefined;
      result.push(Number.parseInt(part, 16));
    }
  }
  return result;
}

/** `10.0.0.0/8`, `fd00::/8`; a bare address is a range of one. Bits behind the prefix must be 0. */
export function parseRange(text: string): Range | undefined {
  const [host, bits, ...rest] = text.split('/');
  const address = parseAddress(host ?? '');
  if (!address || rest.length > 0) return undefined;
  const width = address.family === 4 ? 32 : 128;
  if (bits === undefined) return { ...address, prefix: width };
  if (!/^(0|[1-9][0-9]{0,2})$/.test(bits) || Number(bits) > width) return undefined;
  const range = { ...address, prefix: Number(bits) };
  return head(address, range.prefix) << BigInt(width - range.prefix) === address.value
    ? range
    : undefined;
}

function head(address: Address, prefix: number): bigint {
  return address.value >> BigInt((address.family === 4 ? 32 : 128) - prefix);
}

export function inRange(address: Address, range: Range): boolean {
  return (
    address.family === range.family && head(address, range.prefix) === head(range, range.prefix)
  );
}

/** `::ffff:192.0.2.1` is 192.0.2.1: sockets that listen on both families report it so. */
export function fold(address: Address): Address {
  if (address.family === 6 && address.value >> 32n === 0xffffn) {
    return { family: 4, value: address.value & 0xffffffffn };
  }
  return address;
}

/** The IPv4 address that `64:ff9b::/96` (RFC 6052) leads to. */
export function behindNat64(address: Address): Address | undefined {
  if (address.family !== 6 || address.value >> 32n !== 0x64ff9bn << 64n) return undefined;
  return { family: 4, value: address.value & 0xffffffffn };
}

/** @throws {Problem} `range_invalid`: an operator wrote something else than an address or a range */
export function createAddressList(ranges: readonly string[]): AddressList {
  const parsed = ranges.map((text) => {
    const range = parseRange(text);
    if (!range) throw new Problem('range_invalid', 500, `This is no address range: ${text}`);
    return range;
  });
  return {
    has: (address) =>
      parsed.some((range) => inRange(address, range) || inRange(fold(address), range)),
  };
}

export function printAddress(address: Address): string {
  if (address.family === 4) {
    return [24n, 16n, 8n, 0n].map((shift) => (address.value >> shift) & 255n).join('.');
  }
  const parts = Array.from({ length: 8 }, (_, index) =>
    ((address.value >> BigInt(112 - 16 * index)) & 0xffffn).toString(16),
  );
  return parts.join(':');
}

/**
 * Who counts as one caller in a limit: an IPv4 address, or the /64 of an IPv6 one, since whoever
 * has one address of a /64 has them all (CVE-2026-45364).
 */
export function addressKey(text: string): string {
  const parsed = parseAddress(text);
  if (!parsed) return 'unknown';
  const address = fold(parsed);
  if (address.family === 4) return printAddress(address);
  return `${printAddress({ family: 6, value: (address.value >> 64n) << 64n })}/64`;
}

/**
 * Why an address is not one of the public internet; `undefined` where it is.
 * IANA's registries of special-purpose addresses, with what is multicast, reserved or a tunnel.
 */
export function specialUse(address: Address): string | undefined {
  const entry = special.find(({ range }) => inRange(address, range));
  if (entry) return entry.name;
  if (address.family === 6 && address.value >> 125n !== 1n) return 'not global unicast';
  return undefined;
}

const special = [
  ['0.0.0.0/8', 'this network'],
  ['10.0.0.0/8', 'private'],
  ['100.64.0.0/10', 'shared address space'],
  ['127.0.0.0/8', 'loopback'],
  // A public-looking address that is every Azure machine's own platform service.
  ['168.63.129.16/32', 'platform service'],
  ['169.254.0.0/16', 'link-local'],
  ['172.16.0.0/12', 'private'],
  ['192.0.0.0/24', 'protocol assignments'],
  ['192.0.2.0/24', 'documentation'],
  ['192.31.196.0/24', 'AS112'],
  ['192.52.193.0/24', 'AMT'],
  ['192.88.99.0/24', '6to4 relay'],
  ['192.168.0.0/16', 'private'],
  ['192.175.48.0/24', 'AS112'],
  ['198.18.0.0/15', 'benchmarking'],
  ['198.51.100.0/24', 'documentation'],
  ['203.0.113.0/24', 'documentation'],
  ['224.0.0.0/4', 'multicast'],
  ['240.0.0.0/4', 'reserved'],
  ['::/128', 'unspecified'],
  ['::1/128', 'loopback'],
  ['::/96', 'IPv4-compatible'],
  ['::ffff:0:0/96', 'IPv4-mapped'],
  ['::ffff:0:0:0/96', 'IPv4-translated'],
  ['64:ff9b::/96', 'NAT64'],
  ['64:ff9b:1::/48', 'NAT64'],
  ['100::/64', 'discard'],
  ['100:0:0:1::/64', 'dummy'],
  ['2001::/32', 'Teredo'],
  ['2001::/23', 'protocol assignments'],
  ['2001:db8::/32', 'documentation'],
  ['2002::/16', '6to4'],
  ['2620:4f:8000::/48', 'AS112'],
  ['3fff::/20', 'documentation'],
  ['5f00::/16', 'segment routing'],
  ['fc00::/7', 'unique local'],
  ['fe80::/10', 'link-local'],
  ['fec0::/10', 'site-local'],
  ['ff00::/8', 'multicast'],
].flatMap(([text, name]) => {
  const range = parseRange(text ?? '');
  return range && name ? [{ range, name }] : [];
});
