/**
 * What an upstream says about a person comes from a stranger. Each fact is taken in the one form
 * that it may have, or not at all; none of them decides who the person is.
 */

const maximumName = 200;
const maximumEmail = 254;
const maximumUrl = 2048;

/** Control, format (bidirectional marks too), private and unassigned characters. */
const invisible = /\p{C}/gu;
const emailPattern = /^[^\s@,;<>()[\]\\":\p{C}]+@[^\s@,;<>()[\]\\":\p{C}]+$/u;

export function cleanText(value: unknown, maximum = maximumName): string | undefined {
  if (typeof value !== 'string') return undefined;
  const start = value
    .slice(0, maximum * 4)
    .normalize('NFC')
    .slice(0, maximum);
  // Half of a character, where the cut fell into one, is invisible too.
  return start.replace(invisible, '').trim() || undefined;
}

/** Normalised before it is looked at, so that no letter turns into an `@` later (T72). */
export function cleanEmail(value: unknown): string | undefined {
  if (typeof value !== 'string' || value.length > maximumEmail) return undefined;
  const email = value.normalize('NFKC');
  const sameParts = email.split('@').length === value.split('@').length;
  return sameParts && email.length <= maximumEmail && emailPattern.test(email) ? email : undefined;
}

export function cleanPicture(value: unknown): string | undefined {
  if (typeof value !== 'string' || value.length > maximumUrl || !URL.canParse(value)) {
    return undefined;
  }
  const url = new URL(value);
  return url.protocol === 'https:' && url.username === '' && url.password === ''
    ? url.href
    : undefined;
}

export function cleanLocale(value: unknown): string | undefined {
  if (typeof value !== 'string' || value.length > 35) return undefined;
  return /^[a-z]{2,8}([-_][a-z0-9]{1,8})*$/i.test(value) ? value.replaceAll('_', '-') : undefined;
}

/** Methods (RFC 8176) as the upstream names them; at most ten. */
export function cleanMethods(value: unknown): string[] | undefined {
  if (!Array.isArray(value)) return undefined;
  const methods = value.filter((one) => typeof one === 'string' && /^[!-~]{1,64}$/.test(one));
  return methods.length === 0 ? undefined : methods.slice(0, 10).map(String);
}

/** A subject is compared byte by byte for ever: nothing about it is repaired. */
export function cleanSubject(value: unknown): string | undefined {
  const usable =
    typeof value === 'string' && value.length > 0 && value.length <= 255 && !/\p{C}/u.test(value);
  return usable ? value : undefined;
}

/** Text from outside that is fit for one line of the log. */
export function quoted(value: unknown, maximum = 200): string | undefined {
  if (typeof value !== 'string') return undefined;
  return value.slice(0, maximum).replace(/[^\x20-\x7e]/g, '?');
}

/** Without the facts that are not there. */
export function present<T extends object>(facts: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  const entries = Object.entries(facts).filter(([, value]) => value !== undefined);
  return Object.fromEntries(entries) as { [K in keyof T]?: Exclude<T[K], undefined> };
}
