import { isIP } from 'node:net';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  addressKey,
  createAddressList,
  inRange,
  parseAddress,
  parseRange,
  printAddress,
  specialUse,
} from '../../src/base/addresses.ts';

function special(text: string): string | undefined {
  const address = parseAddress(text);
  if (!address) throw new Error(`not an address: ${text}`);
  return specialUse(address);
}

describe('an address', () => {
  it('is read as the runtime reads it, and nothing else is', () => {
    const v4 = fc.ipV4();
    const v6 = fc.ipV6();
    const noise = fc.string({
      unit: fc.constantFrom(...'0123456789abcdef:.%/x '.split('')),
      maxLength: 45,
    });
    fc.assert(
      fc.property(fc.oneof(v4, v6, noise), (text) => {
        // With a zone (`fe80::1%eth0`) an address is read without it.
        fc.pre(!text.includes('%'));
        expect(parseAddress(text)?.family ?? 0).toBe(isIP(text));
      }),
      { numRuns: 2000 },
    );
  });

  it('is the same after printing', () => {
    fc.assert(
      fc.property(fc.oneof(fc.ipV4(), fc.ipV6()), (text) => {
        const address = parseAddress(text);
        expect(address && parseAddress(printAddress(address))).toEqual(address);
      }),
    );
  });

  it('may stand in brackets or name a zone', () => {
    expect(parseAddress('[::1]')).toEqual(parseAddress('::1'));
    expect(parseAddress('fe80::1%eth0')).toEqual(parseAddress('fe80::1'));
    expect(parseAddress('127.0.0.1%lo')).toBeUndefined();
  });
});

describe('a range', () => {
  it('is refused when it is no range', () => {
    for (const text of [
      '10.0.0.1/8',
      '10.0.0.0/33',
      '::/129',
      '10.0.0.0/8/8',
      '10.0.0.0/',
      '/8',
      'a',
      '10.0.0.0/08',
    ])
      expect(parseRange(text)).toBeUndefined();
    expect(() => createAddressList(['10.0.0.0/8', 'localhost'])).toThrow('localhost');
  });

  it('holds its own family, with mapped addresses folded', () => {
    const list = createAddressList(['10.0.0.0/8', 'fd00::/8', '192.0.2.7']);
    const has = (text: string) => {
      const address = parseAddress(text);
      return address !== undefined && list.has(address);
    };
    expect(['10.255.0.1', '::ffff:10.0.0.1', 'fdff::1', '192.0.2.7'].map(has)).toEqual(
      Array(4).fill(true),
    );
    expect(['11.0.0.0', 'fe00::1', '192.0.2.8', '::a00:1'].map(has)).toEqual(Array(4).fill(false));
  });

  it('of everything holds every address of its family', () => {
    const all = parseRange('0.0.0.0/0');
    fc.assert(
      fc.property(fc.ipV4(), (text) => {
        const address = parseAddress(text);
        expect(address && all && inRange(address, all)).toBe(true);
      }),
    );
  });
});

describe('O-9 special-use addresses', () => {
  it('are told from public ones at the edges of each range', () => {
    const edges: [string, boolean][] = [
      ['0.255.255.255', true],
      ['1.0.0.0', false],
      ['9.255.255.255', false],
      ['10.0.0.0', true],
      ['10.255.255.255', true],
      ['11.0.0.0', false],
      ['100.63.255.255', false],
      ['100.64.0.0', true],
      ['100.127.255.255', true],
      ['100.128.0.0', false],
      ['126.255.255.255', false],
      ['127.0.0.0', true],
      ['128.0.0.0', false],
      ['169.253.255.255', false],
      ['169.254.0.0', true],
      ['169.255.0.0', false],
      ['172.15.255.255', false],
      ['172.16.0.0', true],
      ['172.31.255.255', true],
      ['172.32.0.0', false],
      ['192.0.1.0', false],
      ['192.0.0.192', true],
      ['192.169.0.0', false],
      ['198.17.255.255', false],
      ['198.19.255.255', true],
      ['198.20.0.0', false],
      ['223.255.255.255', false],
      ['224.0.0.0', true],
      ['239.255.255.255', true],
      ['255.255.255.255', true],
      ['::', true],
      ['::1', true],
      ['::2', true],
      ['1::', true],
      ['1fff:ffff::', true],
      ['2000::', false],
      ['2001:1ff:ffff::', true],
      ['2001:200::', false],
      ['2001:db7:ffff::', false],
      ['2001:db8::', true],
      ['2001:db9::', false],
      ['2002::', true],
      ['2003::', false],
      ['2620:4f:8000::1', true],
      ['2606:4700::1111', false],
      ['3ffe:ffff::', false],
      ['3fff::', true],
      ['3fff:fff::', true],
      ['3fff:1000::', false],
      ['4000::', true],
      ['fbff::', true],
      ['fc00::', true],
      ['fe80::1', true],
      ['fec0::1', true],
      ['ff0e::1', true],
      ['::ffff:8.8.8.8', true],
      ['64:ff9b::808:808', true],
      ['64:ff9b:1::', true],
    ];
    for (const [text, expected] of edges) {
      expect([text, special(text) !== undefined]).toEqual([text, expected]);
    }
  });
});

describe('the key of a limit', () => {
  it('is an IPv4 address, however it is written', () => {
    expect(addressKey('192.0.2.1')).toBe('192.0.2.1');
    expect(addressKey('::ffff:192.0.2.1')).toBe('192.0.2.1');
    expect(addressKey('::FFFF:c000:201')).toBe('192.0.2.1');
    expect(addressKey('garbage')).toBe('unknown');
  });

  it('is one for all addresses of a /64', () => {
    const group = fc.integer({ min: 0, max: 0xffff });
    fc.assert(
      fc.property(fc.array(group, { minLength: 4, maxLength: 4 }), (groups) => {
        const tail = groups.map((value) => value.toString(16)).join(':');
        expect(addressKey(`2001:db8:1:2:${tail}`)).toBe(addressKey('2001:db8:1:2::1'));
      }),
    );
    expect(addressKey('2001:db8:1:2::1')).not.toBe(addressKey('2001:db8:1:3::1'));
  });
});
