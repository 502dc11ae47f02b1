/** The kinds of values that keys take: what is accepted, and the sentence for what is not. */

import { z } from 'zod';
import { parseRange } from '../base/addresses.ts';

/** A complaint, and what to do about it. */
export type Complaint = readonly [message: string, remedy?: string];

/** Adds a check to a schema: `complain` gives back `undefined` where all is well. */
export function checked<T extends z.ZodType>(
  schema: T,
  complain: (value: z.output<T>) => Complaint | undefined,
): T {
  return schema.superRefine((value, context) => {
    const complaint = complain(value);
    if (complaint === undefined) return;
    const [message, remedy] = complaint;
    context.addIssue({ code: 'custom', message, params: { remedy } });
  });
}

/** A name of this machine, for which plain http is no danger. */
export function isLoopback(hostname: string): boolean {
  return (
    hostname === 'localhost' ||
    hostname.endsWith('.localhost') ||
    hostname === '[::1]' ||
    /^127(\.\d{1,3}){3}$/.test(hostname)
  );
}

/** What a message shows of a value: bounded, and nothing that could steer a terminal. */
export function shown(value: string): string {
  return JSON.stringify(value.length > 200 ? `${value.slice(0, 200)}…` : value);
}

const secureRemedy = 'Begin it with https://. Plain http:// is for this machine only (localhost).';

/** https, or http on this machine; nothing that hides where it leads (T03). */
export function complainOfAddress(text: string): Complaint | undefined {
  const url = URL.parse(text);
  if (url === null || !/^[a-z][a-z0-9+.-]*:\/\//i.test(text)) {
    return [`${shown(text)} is no address.`, 'Write it out, such as https://app.example.com/path.'];
  }
  const plainly = url.protocol === 'http:' && isLoopback(url.hostname);
  if (url.protocol !== 'https:' && !plainly) {
    return [`${shown(text)} is not secure.`, secureRemedy];
  }
  return complainOfParts(text, url);
}

function complainOfParts(text: string, url: URL): Complaint | undefined {
  if (text.includes('#')) return [`${shown(text)} has a fragment.`, 'Remove the # and the rest.'];
  if (url.username !== '' || url.password !== '') {
    return [`The address at ${url.host} has a user name or a password.`, 'Remove them.'];
  }
  if (text.includes('*')) {
    return [`${shown(text)} has a wildcard.`, 'List each address: they are compared exactly.'];
  }
  if (/[\s\\]/.test(text)) return [`${shown(text)} has spaces or backslashes.`];
  return undefined;
}

/** Also on this machine (OpenID Connect Core §4). */
/** Also by plain http, which other rules confine to private networks. */
function complainOfReceiver(text: string): Complaint | undefined {
  return complainOfAddress(text.replace(/^http:/i, 'https:'));
}

function complainOfOrigin(text: string): Complaint | undefined {
  const complaint = complainOfAddress(text);
  if (complaint !== undefined) return complaint;
  const { origin } = new URL(text);
  if (text === origin) return undefined;
  return [`${shown(text)} is not a bare origin.`, `Write ${origin}, with nothing after it.`];
}

/** Those for which a native app may use any port. */
const loopbackNames = new Set(['127.0.0.1', '[::1]', 'localhost']);

/**
 * Where a native app is answered (RFC 8252): a loopback address, an https address claimed by the
 * app, or a scheme that is a domain name backwards, since any app may take a scheme without a dot.
 */
export function complainOfNativeAddress(text: string): Complaint | undefined {
  const url = URL.parse(text);
  if (url === null || url.protocol === 'https:') return complainOfAddress(text);
  if (url.protocol === 'http:') {
    return loopbackNames.has(url.hostname)
      ? complainOfAddress(text)
      : [
          `${shown(text)} is not on loopback.`,
          'Use http://127.0.0.1/…, http://[::1]/… or https://….',
        ];
  }
  if (!url.protocol.includes('.')) {
    return [
      `${shown(text)} has a scheme that is not the app's own.`,
      'Use http://127.0.0.1/…, https://…, or a domain name backwards, such as com.example.app:/….',
    ];
  }
  return complainOfParts(text, url);
}

function complainOfRange(text: string): Complaint | undefined {
  const range = parseRange(text);
  if (range === undefined) {
    return [`${shown(text)} is no range of addresses.`, 'Write it as 10.0.0.0/8 or fd00::/8.'];
  }
  const narrowest = range.family === 4 ? 8 : 7;
  if (range.prefix >= narrowest) return undefined;
  return [
    `${shown(text)} is a large part of the internet.`,
    'List the networks that are meant: whoever is in them is trusted.',
  ];
}

function complainOfContact(text: string): Complaint | undefined {
  if (/^[^\s@<>"']+@[^\s@<>"']+$/.test(text)) return undefined;
  return complainOfAddress(text) === undefined
    ? undefined
    : [`${shown(text)} is neither an e-mail address nor an https:// address.`];
}

const largestPicture = 64 * 1024;

/** Only pictures of our own: the security policy of the pages stops all others. */
function complainOfPicture(text: string): Complaint | undefined {
  if (text.length > largestPicture) {
    return [`It has ${text.length} characters.`, `At most ${largestPicture} are sent with a page.`];
  }
  if (/^data:image\/[a-z+.-]+(;base64)?,[^\s"<>]+$/.test(text)) return undefined;
  if (/^\/(?![/\\])[^\s"<>\\#]*$/.test(text)) return undefined;
  return [
    `${shown(text)} is no picture that pages may show.`,
    'Write it as data:image/png;base64,… or as a path of the issuer that your proxy answers.',
  ];
}

function complainOfAudience(text: string): Complaint | undefined {
  const url = URL.parse(text);
  if (url !== null && !/[\s#*\\]/.test(text)) return undefined;
  return [
    `${shown(text)} is no absolute URI.`,
    'Name the service, such as https://api.example.com (RFC 8707).',
  ];
}

export const id = z
  .string()
  .regex(/^[A-Za-z0-9._-]{1,64}$/, 'It may have 1 to 64 of A-Z a-z 0-9 . _ - and nothing else.');
export const text = z.string().min(1).max(200);
export const address = checked(z.string(), complainOfAddress);
export const receiverAddress = checked(z.string(), complainOfReceiver);
export const origin = checked(z.string(), complainOfOrigin);
export const range = checked(z.string(), complainOfRange);
export const contact = checked(z.string(), complainOfContact);
export const picture = checked(z.string(), complainOfPicture);
export const audience = checked(z.string(), complainOfAudience);
export const scope = z
  .string()
  .regex(/^[\x21\x23-\x5b\x5d-\x7e]+$/, 'A scope has no spaces, quotes or backslashes.');
export const role = z
  .string()
  .regex(/^[A-Za-z][A-Za-z0-9._:-]{0,63}$/, 'A role is a word of at most 64 characters.');
export const seconds = (least: number, most: number) => z.number().int().min(least).max(most);
