/** The mail sink: what it keeps, what it shows, and what it refuses. */

import { request } from 'node:http';
import { connect } from 'node:net';
import { once } from 'node:events';
import { describe, expect, onTestFinished, test } from 'vitest';
import { createSmtp } from '../../src/mail/smtp.ts';
import { openMailSink } from '../kit/mail_sink.ts';

const evil = `<script>alert(1)</script>`;

async function sendTo(server: string, count = 1, subject = 'Hello') {
  const smtp = createSmtp({ server });
  onTestFinished(() => smtp.close());
  for (let index = 1; index <= count; index += 1) {
    await smtp.send({
      messageId: `<${index}@id.example.com>`,
      from: { name: '', address: 'id@example.com' },
      replyTo: undefined,
      to: 'nora@example.net',
      subject: `${subject} ${index}`,
      text: `Look: http://localhost:4400/invitation/${index}\n`,
      html: `<p>Look ${evil}</p>`,
    });
  }
}

test('programs read what came, the newest first, with the addresses that it names', async () => {
  const sink = await openMailSink();
  await sendTo(sink.server, 2);
  const list: unknown = await (await fetch(`${sink.url}/messages.json`)).json();
  expect(list).toMatchObject([
    { id: '2', to: ['nora@example.net'], subject: 'Hello 2' },
    { id: '1', links: ['http://localhost:4400/invitation/1'] },
  ]);
  const one: unknown = await (await fetch(`${sink.url}/messages/1.json`)).json();
  expect(one).toMatchObject({ subject: 'Hello 1', envelope: { from: 'id@example.com' } });
  expect((await fetch(`${sink.url}/messages/3.json`)).status).toBe(404);
});

describe('the pages', () => {
  test('show it, and nothing of it runs', async () => {
    const sink = await openMailSink();
    await sendTo(sink.server, 1, evil);
    const list = await (await fetch(sink.url)).text();
    const answer = await fetch(`${sink.url}/messages/1`);
    const page = await answer.text();
    for (const text of [list, page]) expect(text).not.toContain('<script');
    expect(page).toContain('sandbox="allow-popups allow-popups-to-escape-sandbox"');
    expect(answer.headers.get('content-security-policy')).toContain("default-src 'none'");
  });

  test('are for this machine: another name, as of a page elsewhere, is refused', async () => {
    const sink = await openMailSink();
    const { port } = new URL(sink.url);
    const asked = request({ host: '127.0.0.1', port, headers: { host: 'evil.example' } });
    asked.end();
    const [answer] = (await once(asked, 'response')) as [{ statusCode: number; resume(): void }];
    answer.resume();
    expect(answer.statusCode).toBe(421);
  });
});

test('the last two hundred are kept', async () => {
  const sink = await openMailSink();
  await sendTo(sink.server, 203);
  expect(sink.mails).toHaveLength(200);
  expect([sink.mails[0]?.id, sink.mails.at(-1)?.id]).toEqual(['4', '203']);
});

test('what is too large is refused, and who hangs up in the middle stops nothing', async () => {
  const sink = await openMailSink();
  const socket = connect(sink.smtpPort, '127.0.0.1');
  socket.write('EHLO x\r\nMAIL FROM:<a@b.example>\r\n');
  await once(socket, 'data');
  socket.destroy();
  const smtp = createSmtp({ server: sink.server });
  onTestFinished(() => smtp.close());
  const message = {
    messageId: '<1@x>',
    from: { name: '', address: 'id@example.com' },
    replyTo: undefined,
    to: 'nora@example.net',
    subject: 'Much',
    text: 'much '.repeat(300_000),
    html: '',
  };
  await expect(smtp.send(message)).rejects.toMatchObject({ isFinal: true });
  await sendTo(sink.server);
  expect(sink.mails).toHaveLength(1);
});
