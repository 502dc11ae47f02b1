import { expect, test } from 'vitest';
import { deviceName, deviceOf, networkOf } from '../../src/oidc/device.ts';

const webkit = 'AppleWebKit/537.36 (KHTML, like Gecko)';

test.each([
  [
    'Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:150.0) Gecko/20100101 Firefox/150.0',
    'Firefox on Windows',
  ],
  [
    `Mozilla/5.0 (Windows NT 10.0; Win64; x64) ${webkit} Chrome/150.0.0.0 Safari/537.36 Edg/150.0.0.0`,
    'Edge on Windows',
  ],
  [`Mozilla/5.0 (X11; Linux x86_64) ${webkit} Chrome/150.0.0.0 Safari/537.36`, 'Chrome on Linux'],
  [
    `Mozilla/5.0 (Linux; Android 16; K) ${webkit} SamsungBrowser/29.0 Chrome/140.0.0.0 Mobile Safari/537.36`,
    'Samsung Internet on Android',
  ],
  [
    `Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) ${webkit} Version/19.0 Safari/605.1.15`,
    'Safari on Mac',
  ],
  [
    `Mozilla/5.0 (iPhone; CPU iPhone OS 19_0 like Mac OS X) ${webkit} CriOS/150.0 Mobile/15E148 Safari/604.1`,
    'Chrome on iPhone',
  ],
  [
    `Mozilla/5.0 (X11; CrOS x86_64 14541.0.0) ${webkit} Chrome/150.0.0.0 Safari/537.36 OPR/120.0`,
    'Opera on ChromeOS',
  ],
  ['curl/8.16.0', undefined],
  ['', undefined],
  ['<script>alert(1)</script> Windows', 'Windows'],
])('%s is %s', (userAgent, name) => {
  expect(deviceName(userAgent)).toBe(name);
});

test('a long one costs nothing, and says no more than a short one', () => {
  const before = performance.now();
  expect(deviceName(`${'Version/ '.repeat(1_000_000)}Firefox/1`)).toBeUndefined();
  expect(performance.now() - before).toBeLessThan(1000);
});

test.each([
  ['203.0.113.77', '203.0.113.0/24'],
  ['::ffff:203.0.113.77', '203.0.113.0/24'],
  ['2001:db8:1:2:3:4:5:6', '2001:db8:1::/48'],
  ['unknown', undefined],
  ['', undefined],
])('of the address %s the network is kept: %s', (ip, network) => {
  expect(networkOf(ip)).toBe(network);
});

test('what is not known is left out', () => {
  expect(deviceOf({ userAgent: '', ip: 'unknown' }, 5)).toEqual({ signedInAt: 5 });
});
