/**
 * Where somebody signed in, so that they recognise it: `Firefox on Windows`, and the network. What a browser says of
 * itself, and its address, tell more than that and are not kept.
 */

import { fold, parseAddress, printAddress } from '../base/addresses.ts';
import type { SessionDevice } from '../storage/documents.ts';

/** The first that fits: most say that they are several others as well. */
const browserNames: readonly (readonly [RegExp, string])[] = [
  [/\bEdg(e|A|iOS)?\//, 'Edge'],
  [/\b(OPR|Opera|OPT)\//, 'Opera'],
  [/\bSamsungBrowser\//, 'Samsung Internet'],
  [/\bVivaldi\//, 'Vivaldi'],
  [/\bDuckDuckGo\//, 'DuckDuckGo'],
  [/\b(Firefox|FxiOS)\//, 'Firefox'],
  [/\b(Chrome|Chromium|CriOS|HeadlessChrome)\//, 'Chrome'],
  [/\bVersion\/\S+ .*\bSafari\//, 'Safari'],
];

const systemNames: readonly (readonly [RegExp, string])[] = [
  [/\biPhone\b/, 'iPhone'],
  [/\biPad\b/, 'iPad'],
  [/\bAndroid\b/, 'Android'],
  [/\bCrOS\b/, 'ChromeOS'],
  [/\bWindows\b/, 'Windows'],
  [/\bMac OS X\b|\bMacintosh\b/, 'Mac'],
  [/\bLinux\b|\bX11\b/, 'Linux'],
];

const longestLooked = 512;

/** @param userAgent the header, in any state. @returns words of our own lists, or nothing */
export function deviceName(userAgent: string): string | undefined {
  const text = userAgent.slice(0, longestLooked);
  const browser = browserNames.find(([pattern]) => pattern.test(text))?.[1];
  const system = systemNames.find(([pattern]) => pattern.test(text))?.[1];
  if (browser !== undefined && system !== undefined) return `${browser} on ${system}`;
  return browser ?? system;
}

/** A /24 of IPv4, a /48 of IPv6: about a place, and nobody's line. */
export function networkOf(ip: string): string | undefined {
  const parsed = parseAddress(ip);
  if (parsed === undefined) return undefined;
  const address = fold(parsed);
  const groups = printAddress(address).split(address.family === 4 ? '.' : ':');
  return address.family === 4
    ? `${groups.slice(0, 3).join('.')}.0/24`
    : `${groups.slice(0, 3).join(':')}::/48`;
}

/** Of the request that signs in. */
export interface SignInRequest {
  userAgent: string;
  ip: string;
  provider?: string | undefined;
}

export function deviceOf(
  { userAgent, ip, provider }: SignInRequest,
  signedInAt: number,
): SessionDevice {
  const name = deviceName(userAgent);
  const network = networkOf(ip);
  return {
    ...(name === undefined ? {} : { name }),
    ...(network === undefined ? {} : { network }),
    ...(provider === undefined ? {} : { provider }),
    signedInAt,
  };
}
