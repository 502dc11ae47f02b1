/**
 * Addresses and names on their way into an e-mail (T72). All of it was looked at when it came in; here it is looked at
 * again, because here is where a line too many would be a header.
 */

import { usableDomain } from '../directory/addresses.ts';
import { usableEmail } from '../directory/names.ts';
import type { Mailbox } from './smtp.ts';

const longestName = 60;

/** @returns the address as mail servers know it, `undefined` where it is none */
export function addressOf(email: string | undefined): string | undefined {
  const usable = usableEmail(email);
  if (usable === undefined) return undefined;
  const at = usable.lastIndexOf('@');
  const domain = usableDomain(usable.slice(at + 1));
  return domain === undefined ? undefined : `${usable.slice(0, at)}@${domain}`;
}

/**
 * What somebody typed as a name, as we say it in our own sentences: one line, of bounded length, and no address of a page that
 * a stranger would then be sent by us.
 */
export function plainName(name: string): string {
  const line = name
    .replace(/[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]+/gu, ' ')
    .replace(/:\/\/|\bwww\./gi, ' ')
    .replace(/\s+/g, ' ')
    .trim();
  const letters = Array.from(line);
  return letters.length <= longestName ? line : `${letters.slice(0, longestName - 1).join('')}…`;
}

/** `a@b.example` or `Name <a@b.example>`, as the configuration has it. */
export function mailboxOf(sender: string): Mailbox {
  const [, name = '', address = sender] = /^([^<>]*)<([^<>]+)>$/.exec(sender) ?? [];
  return { name: name.trim().replace(/^"(.*)"$/, '$1'), address };
}
