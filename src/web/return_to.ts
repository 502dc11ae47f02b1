/**
 * Where a browser may be sent on to (T57, CVE-2026-41569). An address is read by the same parser
 * that browsers use, its origin is compared as a whole, and what parsers read differently is
 * refused before.
 */

import { Problem } from '../base/errors.ts';

export interface ReturnOptions {
  /** `https://app.example.com`: exact origins. */
  origins: readonly string[];
  /** For a request that names no address. */
  fallback: string;
}

const maximumLength = 2048;

/** @throws {Problem} `return_to_not_allowed` (400) */
export function resolveReturnTo(value: string | undefined, options: ReturnOptions): string {
  if (value === undefined || value === '') return options.fallback;
  const url = readAddress(value);
  const allowed = options.origins.some(
    (origin) => URL.canParse(origin) && new URL(origin).origin === url?.origin,
  );
  if (!url || !allowed) {
    const sentence =
      'The address to return to is not allowed: its origin has to be in `returnOrigins`.';
    throw new Problem('return_to_not_allowed', 400, sentence, {
      details: { parameter: 'return_to' },
    });
  }
  return url.href;
}

function readAddress(value: string): URL | undefined {
  if (value.length > maximumLength) return undefined;
  // Written out with both slashes, and in ASCII: no `//evil`, `https:evil`, `/\evil`, no tab, line
  // feed or backslash, which browsers drop or turn, no digits and dots of other scripts.
  const authority = /^https?:\/\/([a-z0-9.:[\]-]+)(?:[/?#][!-[\]-~]*)?$/i.exec(value)?.[1];
  if (authority === undefined || !URL.canParse(value)) return undefined;
  const url = new URL(value);
  if (url.username !== '' || url.password !== '') return undefined;
  // The host must be what was written: not `0x7f.1`, not what only normalises to an allowed one.
  const written = authority.toLowerCase().replace(url.protocol === 'https:' ? /:443$/ : /:80$/, '');
  return written === url.host ? url : undefined;
}
