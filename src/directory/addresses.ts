/**
 * E-mail addresses as somebody is known by one: for whom an invitation is. Two are equal only if they are the same
 * letters in the same mailbox name and the same domain; what merely looks alike, or becomes the same by a rule of
 * Unicode, never is (T72).
 */

import { domainToASCII, domainToUnicode } from 'node:url';
import { Problem } from '../base/errors.ts';
import type { UserDocument } from '../storage/documents.ts';
import { usableEmail } from './names.ts';

const mailbox = /^[!#$%&'*+/=?^_`{|}~.\w-]{1,64}$/;
const asciiDomain =
  /^(?=.{4,253}$)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z][a-z0-9-]{0,61}[a-z0-9]$/;

/** @returns the domain in ASCII (`xn--…`) and lower case; nothing for what is none, or has letters that vanish */
export function usableDomain(value: unknown): string | undefined {
  if (typeof value !== 'string' || value.length > 253) return undefined;
  const plain = value.normalize('NFKC').trim().toLowerCase();
  const ascii = domainToASCII(plain);
  if (!asciiDomain.test(ascii)) return undefined;
  // What Unicode's table for host names drops or changes would be another name than the one that was read.
  return plain === ascii || domainToUnicode(ascii) === plain ? ascii : undefined;
}

/** What two spellings of one address have in common; nothing where an address is none that can be compared. */
export function addressKey(email: string): string | undefined {
  const at = email.lastIndexOf('@');
  const name = email.slice(0, Math.max(0, at));
  const domain = usableDomain(email.slice(at + 1));
  if (domain === undefined || !mailbox.test(name)) return undefined;
  return `${name.toLowerCase()}@${domain}`;
}

/**
 * An address to write to: as it was typed, its domain in ASCII, so that a look-alike shows.
 * @throws {Problem} `email_invalid` (400)
 */
export function requireAddress(value: unknown): string {
  const email = usableEmail(typeof value === 'string' ? value.trim() : value);
  const key = email === undefined ? undefined : addressKey(email);
  if (email !== undefined && key !== undefined) {
    return `${email.slice(0, email.lastIndexOf('@'))}@${key.slice(key.lastIndexOf('@') + 1)}`;
  }
  throw new Problem('email_invalid', 400, 'This is not an e-mail address that can be invited.', {
    details: { field: 'email' },
  });
}

/** The keys of the addresses of which one of their providers said that they are theirs. */
export function verifiedAddresses(user: UserDocument): string[] {
  const { email, emailVerified, identities } = user;
  const verified = [
    ...(emailVerified === true ? [email] : []),
    ...identities.flatMap((one) => (one.emailVerified === true ? [one.email] : [])),
  ];
  const keys = verified.flatMap((one) => (one === undefined ? [] : [addressKey(one)]));
  return [...new Set(keys.filter((key) => key !== undefined))];
}

export function domainOf(key: string): string {
  return key.slice(key.lastIndexOf('@') + 1);
}
