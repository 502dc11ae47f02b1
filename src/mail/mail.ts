/**
 * The room of e-mails. It is only built where the configuration has `mail`; who sends none never loads the library that
 * speaks to mail servers, and nothing is written for one.
 */

import type { Clock } from '../base/clock.ts';
import type { Log } from '../base/log.ts';
import type { Measures } from '../base/measures.ts';
import type { Config } from '../config.ts';
import type { Handler } from '../events/handlers.ts';
import type { Store } from '../storage/store.ts';
import { mailboxOf } from './addresses.ts';
import { createCompose } from './compose.ts';
import type { MailDirectory } from './compose.ts';
import { mailHandler } from './handler.ts';
import { MailOutbox } from './outbox.ts';
import { createMailWorker } from './worker.ts';
import type { MailWorker } from './worker.ts';

export interface MailOptions {
  /** The one of now: how pages look may change while the process runs. */
  config: () => Config;
  /** The one that the process began with. */
  first: Config;
  store: Store;
  clock: Clock;
  log: Log;
  measures: Measures;
  /** Names this process. */
  owner: string;
  directory: MailDirectory;
  random?: () => number;
}

/** What the dispatcher calls, and what sends. */
export interface MailRoom extends MailWorker {
  handlers: Handler[];
}

export async function openMail(options: MailOptions): Promise<MailRoom | undefined> {
  const { first, store, clock, log, measures, owner, directory, random = Math.random } = options;
  const { mail, issuer } = first;
  if (mail === undefined) return undefined;
  const { createSmtp } = await import('./smtp.ts');
  const outbox = new MailOutbox({ store, clock, random, owner });
  const worker = createMailWorker({
    outbox,
    compose: createCompose({ directory, config: options.config }),
    smtp: createSmtp({ server: mail.server }),
    from: mailboxOf(mail.from),
    replyTo: mail.replyTo === undefined ? undefined : mailboxOf(mail.replyTo),
    host: new URL(issuer).hostname,
    clock,
    log,
    measures,
  });
  return { ...worker, handlers: [mailHandler({ directory, outbox })] };
}
