/** What comes of a message at mail servers of all kinds, over real connections. */

import { once } from 'node:events';
import { createServer } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';
import { describe, expect, onTestFinished, test } from 'vitest';
import { smtpError } from '../../dev/mail/sink.ts';
import type { MailSinkOptions } from '../../dev/mail/sink.ts';
import { createSmtp, MailProblem } from '../../src/mail/smtp.ts';
import type { Message } from '../../src/mail/smtp.ts';
import { selfSigned } from '../base/certificate.ts';
import { openMailSink } from '../kit/mail_sink.ts';

const message: Message = {
  messageId: '<0123@id.example.com>',
  from: { name: 'Example', address: 'id@example.com' },
  replyTo: undefined,
  to: 'nora@example.net',
  subject: 'Hello',
  text: 'Hello.\n',
  html: '<p>Hello.</p>',
};

async function send(server: string, changes: Partial<Message> = {}, timeoutMs?: number) {
  const smtp = createSmtp({ server, ...(timeoutMs === undefined ? {} : { timeoutMs }) });
  onTestFinished(() => smtp.close());
  try {
    await smtp.send({ ...message, ...changes });
    return 'sent';
  } catch (error) {
    if (!(error instanceof MailProblem)) throw error;
    const { code, isFinal, isServer } = error;
    return { code, isFinal, isServer };
  }
}

/** A server that says these lines, one after each of the client's, and then is silent. */
async function scripted(lines: readonly string[], slowMs = 0): Promise<string> {
  const open = new Set<Socket>();
  const server = createServer((socket) => {
    open.add(socket);
    const rest = [...lines];
    const say = () => {
      const line = rest.shift();
      if (line !== undefined) socket.write(`${line}\r\n`);
    };
    say();
    socket.on('error', () => undefined);
    socket.on('data', say);
    if (slowMs > 0) {
      const timer = setInterval(() => socket.write('250-more\r\n'), slowMs);
      socket.on('close', () => clearInterval(timer));
    }
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    for (const socket of open) socket.destroy();
    server.close();
  });
  return `smtp://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

const refusing = (stage: 'onMailFrom' | 'onRcptTo', code: number, text: string) =>
  openMailSink({
    smtp: {
      [stage]: (_a: unknown, _s: unknown, done: (e: Error) => void) => done(smtpError(code, text)),
    },
  });

describe('a refusal', () => {
  test('of the address is this message’s own, and final; nothing that the server said is told', async () => {
    const sink = await refusing('onRcptTo', 550, '5.1.1 nora@example.net: nobody');
    const problem = await send(sink.server);
    expect(problem).toEqual({ code: 'smtp_550_5.1.1', isFinal: true, isServer: false });
  });

  test('of the address for now is tried again', async () => {
    const sink = await refusing('onRcptTo', 451, '4.7.1 greylisted');
    const problem = await send(sink.server);
    expect(problem).toEqual({ code: 'smtp_451_4.7.1', isFinal: false, isServer: false });
  });

  test('of the sender is the configuration’s', async () => {
    const sink = await refusing('onMailFrom', 553, 'not yours');
    expect(await send(sink.server)).toMatchObject({ isFinal: false, isServer: true });
  });

  test('of the whole message is final', async () => {
    const sink = await openMailSink({
      onMessage: () => {
        throw smtpError(554, 'spam');
      },
    });
    expect(await send(sink.server)).toMatchObject({ isFinal: true, isServer: false });
  });

  test('of the login is the configuration’s, and the password is not told', async () => {
    const onAuth: NonNullable<MailSinkOptions['smtp']>['onAuth'] = (_auth, _session, done) =>
      done(smtpError(535, '5.7.8 no'));
    const sink = await openMailSink({ smtp: { onAuth, allowInsecureAuth: true } });
    const server = sink.server.replace('//', '//name:pass%40word@');
    const problem = await send(server);
    expect(problem).toMatchObject({ isFinal: false, isServer: true });
    expect(JSON.stringify(problem)).not.toContain('pass');
  });
});

test('name and password are those of the address, decoded', async () => {
  const seen: unknown[] = [];
  const onAuth: NonNullable<MailSinkOptions['smtp']>['onAuth'] = (auth, _session, done) => {
    seen.push([auth.username, auth.password]);
    done(null, { user: 'one' });
  };
  const sink = await openMailSink({ smtp: { onAuth, allowInsecureAuth: true } });
  expect(await send(sink.server.replace('//', '//na%2Fme:100%@'))).toBe('sent');
  expect(seen).toEqual([['na/me', '100%']]);
});

describe('a server that is none, or silent', () => {
  test.each([
    ['nobody listens', () => Promise.resolve('smtp://127.0.0.1:1'), 'server_unreachable'],
    ['it never greets', () => scripted([]), 'timeout'],
    ['it hangs in the middle', () => scripted(['220 hello', '250 hello', '250 yes']), 'timeout'],
    ['it says a little now and then', () => scripted(['220 hello'], 50), 'timeout'],
    ['it is something else', () => scripted(['HTTP/1.1 400 Bad Request']), 'no_mail_server'],
  ])('%s', async (_what, open, code) => {
    const problem = await send(await open(), {}, 600);
    expect(problem).toEqual({ code, isFinal: false, isServer: true });
  });
});

describe('TLS', () => {
  const certificate = selfSigned(['localhost']);

  test('is taken where it is offered, whatever the certificate', async () => {
    const sink = await openMailSink({ smtp: { ...certificate, disabledCommands: [] } });
    expect(await send(sink.server)).toBe('sent');
    expect(sink.mails[0]?.secure).toBe(true);
  });

  test('smtps with a certificate that nobody vouches for: nothing is sent', async () => {
    const sink = await openMailSink({ smtp: { ...certificate, secure: true } });
    const problem = await send(`smtps://localhost:${sink.smtpPort}`);
    expect(problem).toEqual({ code: 'tls_failed', isFinal: false, isServer: true });
    expect(sink.mails).toEqual([]);
  });

  // To a system, 0.0.0.0 is this machine; to us it is no loopback address.
  test.each([
    ['without TLS', {}],
    ['with a certificate that nobody vouches for', { ...certificate, disabledCommands: [] }],
  ])('a password goes to no other machine %s', async (_how, smtp) => {
    let tried = false;
    const sink = await openMailSink({
      smtp: {
        ...smtp,
        allowInsecureAuth: true,
        onAuth(_auth, _session, done) {
          tried = true;
          done(null, { user: 'one' });
        },
      },
    });
    const problem = await send(`smtp://name:password@0.0.0.0:${sink.smtpPort}`);
    expect(problem).toEqual({ code: 'tls_failed', isFinal: false, isServer: true });
    expect([tried, sink.mails]).toEqual([false, []]);
  });
});

describe('T72: nothing that is in a message becomes another header or another recipient', () => {
  test.each([
    ['the subject', { subject: 'Hi\r\nBcc: evil@example.net\r\n\r\nbody' }],
    [
      'the sender’s name',
      { from: { name: 'A\r\nBcc: evil@example.net', address: 'id@example.com' } },
    ],
    [
      'the answer address',
      { replyTo: { name: 'A", <evil@example.net>', address: 'help@example.com' } },
    ],
    ['the Message-ID', { messageId: '<1@x>\r\nBcc: evil@example.net' }],
  ])('%s', async (_what, changes) => {
    const sink = await openMailSink();
    expect(await send(sink.server, changes)).toBe('sent');
    const [mail] = sink.mails;
    expect(mail?.envelope.to).toEqual(['nora@example.net']);
    const names = mail?.headers.map(({ name }) => name) ?? [];
    expect(names).not.toContain('bcc');
    expect(
      names.filter((name) => ['to', 'from', 'reply-to', 'cc'].includes(name)).toSorted(),
    ).toEqual('replyTo' in changes ? ['from', 'reply-to', 'to'] : ['from', 'to']);
    expect(mail?.to).toBe('nora@example.net');
  });
});

test('files and addresses are never fetched, whatever the text says', async () => {
  const sink = await openMailSink();
  const html = '<img src="file:///etc/passwd"><img src="http://127.0.0.1:1/x.png">';
  expect(await send(sink.server, { html })).toBe('sent');
  expect(sink.mails[0]?.html).toContain('file:///etc/passwd');
});
