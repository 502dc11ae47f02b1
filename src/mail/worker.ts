/**
 * Sends what is in the outbox, in every process: at once what this one wrote, and every few seconds what others left.
 * While the mail server cannot be reached nothing is begun, in growing steps.
 *
 * A server may have a message though its answer was lost, or the process died before it wrote that down. Then it is
 * sent again under the same `Message-ID`, by which mail servers know what they have.
 */

import { createHash } from 'node:crypto';
import type { Clock } from '../base/clock.ts';
import type { Log } from '../base/log.ts';
import type { Measures } from '../base/measures.ts';
import { repeat } from '../base/repeat.ts';
import { eachOf } from '../events/each_of.ts';
import { createPause, createRounds } from '../events/rounds.ts';
import type { Compose } from './compose.ts';
import type { Mail, MailOutbox } from './outbox.ts';
import { MailProblem } from './smtp.ts';
import type { Mailbox, Smtp } from './smtp.ts';

export interface MailWorkerOptions {
  outbox: MailOutbox;
  compose: Compose;
  smtp: Smtp;
  from: Mailbox;
  replyTo: Mailbox | undefined;
  /** Of the `Message-ID`: the host of the issuer. */
  host: string;
  clock: Clock;
  log: Log;
  measures: Measures;
  everyMs?: number;
}

export interface MailWorker {
  start(): void;
  stop(): Promise<void>;
  /** Looks now, and resolves when all that was due is sent or put off. */
  drain(): Promise<void>;
}

const mostAtOnce = 4;
const pageSize = 100;
const writesAtOnce = 16;
const firstPauseMs = 1000;
const longestPauseMs = 60_000;
const measuredEveryMs = 15_000;
/** What the server has not answered by then is cut off, and sent again later. */
const longestStopMs = 5000;

/** The same each time that this e-mail is sent. */
function messageIdOf(id: string, host: string): string {
  const hash = createHash('sha256').update(id).digest('hex').slice(0, 40);
  return `<${hash}@${host}>`;
}

export function createMailWorker(options: MailWorkerOptions): MailWorker {
  const { outbox, clock, log, measures, everyMs = 3000 } = options;
  let stopped = false;
  const pause = createPause(clock, (failures) =>
    outbox.delay(failures, firstPauseMs, longestPauseMs),
  );
  const isOpen = () => !stopped && pause.isOver();
  const rounds = createRounds({ isOpen, lookOnce });

  async function lookOnce(): Promise<void> {
    const page = await outbox.due(pageSize);
    const over = page.filter(({ document }) => document.state !== 'waiting');
    await eachOf(over, writesAtOnce, (mail) => outbox.forget(mail));
    for (const mail of page) {
      // What is left is looked for when one of these ends.
      if (rounds.running.size >= mostAtOnce || !isOpen()) return;
      if (mail.document.state !== 'waiting' || rounds.running.has(mail.id)) continue;
      rounds.begin(mail.id, take(mail));
    }
    if (over.length === pageSize) rounds.lookOn();
  }

  /** Never throws: what fails is tried again. */
  async function take(mail: Mail): Promise<void> {
    try {
      const mine = await outbox.claim(mail);
      if (mine !== undefined) await attempt(options, mine, pause.tell);
    } catch (error) {
      log.error('an e-mail could not be worked on', { mail_id: mail.id, error });
      pause.tell(true);
    }
  }

  async function measure(): Promise<void> {
    const { count, since } = await outbox.waiting();
    const oldest = since === undefined ? 0 : Math.max(0, clock() - since) / 1000;
    measures.set('tollgate_mails_waiting', {}, count);
    measures.set('tollgate_mails_oldest_seconds', {}, oldest);
  }

  const poll = repeat(rounds.look, { name: 'looking for e-mails', everyMs, log });
  const watch = repeat(measure, { name: 'counting e-mails', everyMs: measuredEveryMs, log });
  outbox.onArrival(rounds.wake);
  return {
    start() {
      rounds.wake();
      poll.start();
      watch.start();
    },
    async stop() {
      stopped = true;
      await Promise.allSettled([poll.stop(), watch.stop(), rounds.looked()]);
      await rounds.ended(longestStopMs);
      options.smtp.close();
      // What was cut off is written down as not sent while there is a store.
      await rounds.ended(longestStopMs / 5);
    },
    drain: rounds.drain,
  };
}

/** @param tell is told whether the mail server is down */
async function attempt(
  options: MailWorkerOptions,
  mail: Mail,
  tell: (isDown: boolean) => void,
): Promise<void> {
  const { outbox, compose, smtp, log, measures } = options;
  const about = { mail_id: mail.id, template: mail.document.template };
  const count = (outcome: string) => measures.count('tollgate_mails_total', { outcome });
  try {
    const composed = await compose(mail.document);
    if ('dropped' in composed) {
      await outbox.drop(mail, composed.dropped);
      count('dropped');
      log.info('an e-mail is not sent', { ...about, problem: composed.dropped });
      return;
    }
    const { from, replyTo, host } = options;
    await smtp.send({ ...composed, from, replyTo, messageId: messageIdOf(mail.id, host) });
    tell(false);
    await outbox.sent(mail);
    count('sent');
    log.info('an e-mail is sent', about);
  } catch (error) {
    const isKnown = error instanceof MailProblem;
    const problem = isKnown ? error.code : 'defect';
    const why = isKnown ? { problem } : { problem, error };
    // A refusal is an answer: the server is there.
    tell(isKnown && error.isServer);
    const after =
      isKnown && error.isFinal
        ? await outbox.giveUp(mail, problem)
        : await outbox.fail(mail, problem);
    if (after?.document.state === 'dead') {
      count('dead');
      log.error('an e-mail was given up', { ...about, ...why });
      return;
    }
    count('failed');
    log.warn('an e-mail waits for another attempt', { ...about, ...why });
  }
}
