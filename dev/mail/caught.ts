/** One e-mail that the sink caught: decoded, and cut to what a page can show. */

import PostalMime from 'postal-mime';

export interface CaughtMail {
  /** 1 for the first one since the start. */
  id: string;
  /** Milliseconds since the epoch. */
  at: number;
  /** As the envelope says it (RFC 5321), whatever the headers say. */
  envelope: { from: string; to: string[] };
  from: string;
  to: string;
  subject: string;
  messageId: string;
  text: string;
  html: string;
  headers: { name: string; value: string }[];
  /** The addresses that its text names, for programs that follow them. */
  links: string[];
  /** It came by TLS. */
  secure: boolean;
}

const longestPart = 200_000;
const mostHeaders = 100;
const longestHeader = 2000;

export async function readMail(
  source: Uint8Array,
  about: Pick<CaughtMail, 'id' | 'at' | 'envelope' | 'secure'>,
): Promise<CaughtMail> {
  const email = await PostalMime.parse(source);
  const text = (email.text ?? '').slice(0, longestPart);
  const headers = email.headers.slice(0, mostHeaders).map(({ key, value }) => ({
    name: key,
    value: value.slice(0, longestHeader),
  }));
  const header = (wanted: string) => headers.find(({ name }) => name === wanted)?.value ?? '';
  return {
    ...about,
    from: header('from'),
    to: header('to'),
    subject: (email.subject ?? '').slice(0, longestHeader),
    messageId: header('message-id'),
    text,
    html: (email.html ?? '').slice(0, longestPart),
    headers,
    links: [...text.matchAll(/\bhttps?:\/\/[^\s<>"]+/g)].slice(0, 20).map(([link]) => link),
  };
}
