/**
 * Where the e-mails of the development world end: a mail server on loopback that takes everything and sends nothing on,
 * with a page that shows the last two hundred.
 */

import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { SMTPServer } from 'smtp-server';
import type { SMTPServerDataStream, SMTPServerOptions, SMTPServerSession } from 'smtp-server';
import { listen } from '../upstream/server.ts';
import { readMail } from './caught.ts';
import type { CaughtMail } from './caught.ts';
import { mailPages } from './pages.ts';

export interface MailSinkOptions {
  /** Of the mail server, and of its pages; 0 is a free one. */
  ports: { smtp: number; pages: number };
  clock: () => number;
  /** TLS, users, refusals: for tests of what follows. */
  smtp?: SMTPServerOptions;
  /** Called when a whole message is there, before it is kept. What it throws is the answer. */
  onMessage?: (mail: CaughtMail) => Promise<void> | void;
}

export interface MailSink {
  /** For `mail.server`: `smtp://127.0.0.1:…` */
  server: string;
  smtpPort: number;
  /** Its pages. */
  url: string;
  /** The oldest first. */
  readonly mails: readonly CaughtMail[];
  close(): Promise<void>;
}

const mostKept = 200;
const largestBytes = 1024 * 1024;

export async function startMailSink(options: MailSinkOptions): Promise<MailSink> {
  const { ports, clock, onMessage } = options;
  const mails: CaughtMail[] = [];
  let count = 0;

  async function take(stream: SMTPServerDataStream, session: SMTPServerSession): Promise<void> {
    const source = await readAll(stream);
    if (source === undefined) throw smtpError(552, 'The message is too large.');
    const { mailFrom, rcptTo } = session.envelope;
    const from = mailFrom === false ? '' : mailFrom.address;
    const to = rcptTo.map(({ address }) => address);
    count += 1;
    const about = { id: String(count), at: clock(), envelope: { from, to } };
    const mail = await readMail(source, { ...about, secure: session.secure });
    await onMessage?.(mail);
    mails.push(mail);
    if (mails.length > mostKept) mails.shift();
  }

  const smtp = new SMTPServer({
    banner: 'a mail sink for development',
    size: largestBytes,
    authOptional: true,
    disableReverseLookup: true,
    // TLS needs a certificate, and there is none that anybody would believe.
    disabledCommands: ['STARTTLS'],
    maxClients: 50,
    socketTimeout: 60_000,
    closeTimeout: 100,
    onAuth: (_given, _session, callback) => callback(null, { user: 'anybody' }),
    onData(stream, session, callback) {
      take(stream, session).then(
        () => callback(null, 'kept'),
        (error: unknown) => callback(error instanceof Error ? error : new Error(String(error))),
      );
    },
    ...options.smtp,
  });
  // Whoever hangs up in the middle is no business of the sink.
  smtp.on('error', () => undefined);
  const server = smtp.listen(ports.smtp, '127.0.0.1');
  await once(server, 'listening');
  const stopSmtp = () => new Promise<void>((resolve) => smtp.close(() => resolve()));
  const smtpPort = (server.address() as AddressInfo).port;
  try {
    const pages = await listen(ports.pages, (address) => {
      const { host, port } = new URL(address);
      return { handle: mailPages({ mails }), hosts: [host, `localhost:${port}`] };
    });
    return {
      server: `smtp://127.0.0.1:${smtpPort}`,
      smtpPort,
      url: pages.url.replace('127.0.0.1', 'localhost'),
      mails,
      async close() {
        await Promise.all([pages.close(), stopSmtp()]);
      },
    };
  } catch (error) {
    await stopSmtp();
    throw error;
  }
}

/** A refusal, as the mail server says it. */
export function smtpError(responseCode: number, message: string): Error {
  return Object.assign(new Error(message), { responseCode });
}

/** @returns nothing where it is too large; read to its end all the same, for who still sends would not hear the answer */
async function readAll(stream: SMTPServerDataStream): Promise<Uint8Array | undefined> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of stream as AsyncIterable<Buffer>) {
    length += chunk.length;
    if (length <= largestBytes) chunks.push(chunk);
  }
  return length > largestBytes ? undefined : Buffer.concat(chunks);
}
