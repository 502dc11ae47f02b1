/**
 * Text that people and upstreams give: normalised before it is looked at (T72), so that nothing
 * turns into something else later, and bounded. Ids are compared byte by byte and never repaired.
 */

import { Problem } from '../base/errors.ts';

const longestName = 120;
const longestEmail = 254;
/** Control characters, broken surrogates, line separators, and what turns the writing direction. */
const forbidden = /[\p{Cc}\p{Cs}\p{Zl}\p{Zp}\u061C\u200E\u200F\u202A-\u202E\u2066-\u2069\uFEFF]/u;
const emailPattern = /^[^\s@,;<>()[\]\\":\p{C}]+@[^\s@,;<>()[\]\\":\p{C}]+$/u;

/** @returns the name as it is kept, `undefined` when it cannot be one */
export function usableName(value: unknown): string | undefined {
  // Cut off before normalising: one character can become eighteen.
  if (typeof value !== 'string' || value.length > longestName * 4) return undefined;
  const name = value.normalize('NFKC').trim().replace(/ +/g, ' ');
  return name !== '' && Array.from(name).length <= longestName && !forbidden.test(name)
    ? name
    : undefined;
}

/** @throws {Problem} `name_invalid` */
export function requireName(value: unknown): string {
  const name = usableName(value);
  if (name === undefined) {
    throw new Problem('name_invalid', 400, `A name has 1 to ${longestName} printable characters.`, {
      details: { field: 'name' },
    });
  }
  return name;
}

/** No address whose `@` appears only by normalising, and no list of addresses (T72). */
export function usableEmail(value: unknown): string | undefined {
  if (typeof value !== 'string' || value.length > longestEmail) return undefined;
  const email = value.normalize('NFKC');
  const sameParts = email.split('@').length === value.split('@').length;
  return sameParts && email.length <= longestEmail && emailPattern.test(email) ? email : undefined;
}

export function usablePicture(value: unknown): string | undefined {
  if (typeof value !== 'string' || value.length > 2048 || !URL.canParse(value)) return undefined;
  return new URL(value).protocol === 'https:' ? value : undefined;
}

export function usableLocale(value: unknown): string | undefined {
  const isTag =
    typeof value === 'string' && value.length <= 35 && /^[a-z]{2,8}(-[a-z0-9]{1,8})*$/i.test(value);
  return isTag ? value : undefined;
}

/** `sub` is any ASCII string of 1 to 255 characters: people move in with their old ids. */
export function requireId(value: unknown): string {
  if (typeof value === 'string' && /^[!-~]{1,255}$/.test(value)) return value;
  throw new Problem('id_invalid', 400, 'An id has 1 to 255 ASCII characters without spaces.');
}

/** What an upstream calls somebody: kept as it is, or refused. */
export function isUpstreamName(value: unknown, longest: number): value is string {
  return (
    typeof value === 'string' && value !== '' && value.length <= longest && !/\p{C}/u.test(value)
  );
}
