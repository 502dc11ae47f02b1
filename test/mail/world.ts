/** A server that sends to a mail sink, and people whose addresses are verified. */

import { expect, onTestFinished } from 'vitest';
import type { CaughtMail } from '../../dev/mail/caught.ts';
import type { MailSink, MailSinkOptions } from '../../dev/mail/sink.ts';
import type { MailDocument } from '../../src/storage/documents.ts';
import type { Store } from '../../src/storage/store.ts';
import { openMailSink } from '../kit/mail_sink.ts';
import { startServer } from '../kit/server.ts';
import type { ConfigChanges, RunningServer } from '../kit/server.ts';

const sender = 'Example <id@example.com>';

export interface MailWorld extends RunningServer {
  sink: MailSink;
  now: number;
  /** All that is to happen has happened. */
  settle(): Promise<void>;
  mails(): Promise<MailDocument[]>;
}

interface Options extends Pick<MailSinkOptions, 'smtp' | 'onMessage'> {
  config?: ConfigChanges;
}

export async function openMailWorld({ config = {}, ...how }: Options = {}): Promise<MailWorld> {
  const sink = await openMailSink(how);
  const time = { now: Date.now() };
  const running = await startServer({
    config: {
      mail: { server: sink.server, from: sender },
      brand: { name: 'Example' },
      ...config,
    },
    clock: () => time.now,
  });
  onTestFinished(() => running.close());
  const { directory, dispatcher, mail } = running.server;
  for (const id of ['ada', 'grace', 'nora']) {
    const name = `${id[0]?.toUpperCase()}${id.slice(1)}`;
    await directory.createUser({ id: `usr_${id}`, name, email: `${id}@example.org` });
    if (id !== 'nora') await verify(running.store, `usr_${id}`);
  }
  await directory.createAccount({ id: 'acc_acme', name: 'Acme', owner: 'usr_ada' });
  await directory.addMember('acc_acme', 'usr_grace', ['owner']);
  await dispatcher.drain();
  return Object.assign(time, {
    ...running,
    sink,
    async settle() {
      await dispatcher.drain();
      await mail?.drain();
    },
    mails: async () => (await running.store.list('mail')).map(({ document }) => document),
  });
}

/** As an upstream would have said. */
export async function verify(store: Store, user: string): Promise<void> {
  const found = await store.get('user', user);
  if (found === undefined) throw new Error(`no ${user}`);
  await store.write('user', user, { ...found.document, emailVerified: true }, { expect: 'any' });
}

/** The only one. */
export function single(mails: readonly CaughtMail[]): CaughtMail {
  expect(mails).toHaveLength(1);
  const [mail] = mails;
  if (mail === undefined) throw new Error('no e-mail');
  return mail;
}
