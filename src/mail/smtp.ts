/**
 * The mail server: the only file that knows nodemailer. What came of a message is one of two things: the server has it,
 * or there was a problem, which is either this message's own or the server's of now.
 *
 * `smtps:` is TLS from the start, and its certificate is checked. `smtp:` takes TLS where it is offered (RFC 7435): whoever
 * can put in another certificate could leave the offer out as well. A password goes to another machine by checked TLS only.
 */

import { createTransport } from 'nodemailer';
import type { MailConfig } from '../config.ts';

export interface SmtpOptions {
  /** `smtps://name:password@host`, `smtp://host:587` */
  server: MailConfig['server'];
  /** From the beginning of a message to its end. */
  timeoutMs?: number;
}

/** Of one message; the text of both parts is ours. */
export interface Message {
  /** In angle brackets, the same each time. */
  messageId: string;
  from: Mailbox;
  replyTo: Mailbox | undefined;
  /** One address, without a name. */
  to: string;
  subject: string;
  text: string;
  html: string;
}

export interface Mailbox {
  name: string;
  address: string;
}

export interface Smtp {
  /** @throws {MailProblem} */
  send(message: Message): Promise<void>;
  close(): void;
}

export class MailProblem extends Error {
  /** Such as `smtp_550_5.1.1` or `server_unreachable`. For the log: nothing of what the server said about people. */
  readonly code: string;
  /** The server wants no such message: not now, and not later. */
  readonly isFinal: boolean;
  /** The server, and not this message, is what it is about. */
  readonly isServer: boolean;

  constructor(code: string, { isFinal = false, isServer = false } = {}) {
    super(code);
    this.name = 'MailProblem';
    this.code = code;
    this.isFinal = isFinal;
    this.isServer = isServer;
  }
}

const usualTimeoutMs = 60_000;
/** Most servers let a small sender have two or three. */
const mostConnections = 2;

/** @throws {TypeError} `server` is no address: the configuration was checked */
export function createSmtp({ server, timeoutMs = usualTimeoutMs }: SmtpOptions): Smtp {
  const transport = createTransport({
    ...connectionOf(new URL(server)),
    pool: true,
    maxConnections: mostConnections,
    maxMessages: 100,
    // Of those that failed we know ourselves; but an idle connection may have been closed at the other end.
    maxRequeues: 1,
    idleTimeout: 10_000,
    dnsTimeout: timeoutMs / 4,
    connectionTimeout: timeoutMs / 4,
    greetingTimeout: timeoutMs / 2,
    socketTimeout: timeoutMs / 2,
    maxResponseSize: 64 * 1024,
    disableFileAccess: true,
    disableUrlAccess: true,
  });

  async function send({ messageId, from, replyTo, to, subject, text, html }: Message) {
    // A server that says a little now and then would never be silent for long enough.
    const signal = AbortSignal.timeout(timeoutMs);
    try {
      await transport.sendMail({
        messageId,
        from,
        ...(replyTo === undefined ? {} : { replyTo }),
        to: { name: '', address: to },
        // Said here, so that nothing is ever read out of a header.
        envelope: { from: from.address, to: [to] },
        subject,
        text,
        html,
        // RFC 3834: no holiday notices in answer.
        headers: { 'Auto-Submitted': 'auto-generated' },
        signal,
      });
    } catch (error) {
      throw problemOf(error);
    }
  }

  return {
    send,
    close: () => transport.close({ force: true }),
  };
}

function connectionOf({ protocol, hostname, port, username, password }: URL) {
  const secure = protocol === 'smtps:';
  const host = hostname.replace(/^\[|\]$/g, '');
  const hasPassword = username !== '' || password !== '';
  const needsTls = hasPassword && !isLoopback(host);
  return {
    host,
    port: port === '' ? (secure ? 465 : 587) : Number(port),
    secure,
    requireTLS: !secure && needsTls,
    tls: { rejectUnauthorized: secure || needsTls },
    ...(hasPassword ? { auth: { user: decoded(username), pass: decoded(password) } } : {}),
  };
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127(\.\d{1,3}){3}$/.test(host);
}

/** A `%` that encodes nothing stands for itself. */
function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** What nodemailer says, in words of ours. The server's own sentence holds addresses as often as not. */
function problemOf(error: unknown): MailProblem {
  const { code, responseCode, response, command, message = '' } = detailsOf(error);
  const isOwn = code === 'EENVELOPE' || code === 'EMESSAGE';
  // A certificate that is not believed is a socket's error like any other, but for its sentence.
  const isTls =
    code === 'ETLS' || (code === 'ESOCKET' && /certificate|\b(?:tls|ssl)\b/i.test(message));
  if (isTls) return new MailProblem('tls_failed', { isServer: true });
  if (responseCode !== undefined) {
    const enhanced = /^\d{3}[ -](\d\.\d{1,3}\.\d{1,3})\b/.exec(response ?? '')?.[1];
    const word = `smtp_${responseCode}${enhanced === undefined ? '' : `_${enhanced}`}`;
    // A sender that is refused is a mistake of the configuration: that can be put right, and then it goes.
    const isSender = command === 'MAIL FROM';
    const isFinal = isOwn && !isSender && responseCode >= 500;
    return new MailProblem(word, { isFinal, isServer: !isOwn || isSender || responseCode === 421 });
  }
  // It was not even sent: an address that this server cannot take.
  if (code === 'EENVELOPE') return new MailProblem('address_refused', { isFinal: true });
  return new MailProblem(words[code ?? ''] ?? 'server_unreachable', { isServer: true });
}

const words: Record<string, string> = {
  EABORT: 'timeout',
  ETIMEDOUT: 'timeout',
  EAUTH: 'login_refused',
  ENOAUTH: 'login_refused',
  EDNS: 'server_unknown',
  EPROTOCOL: 'no_mail_server',
};

interface Details {
  code?: string;
  responseCode?: number;
  response?: string;
  command?: string;
  message?: string;
}

function detailsOf(error: unknown): Details {
  return error instanceof Error ? error : {};
}
