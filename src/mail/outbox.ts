/**
 * E-mails from the event that asks for one until they are forgotten: what may become of one, each by one conditional
 * write. A process claims what it sends; a claim ends by itself, so that a process which dies leaves it to others.
 */

import { bare, retryDelay, WorkQueue } from '../events/work_queue.ts';
import type { WorkQueueOptions } from '../events/work_queue.ts';
import type { MailDocument } from '../storage/documents.ts';
import type { Stored } from '../storage/store.ts';

export type Mail = Stored<MailDocument>;
export type NewMail = Pick<MailDocument, 'template' | 'invitation' | 'account' | 'user'>;

const minute = 60_000;
const day = 24 * 60 * minute;
/** Longer than a message may take. */
const claimMs = 2 * minute;
const keepMs = 30 * day;
const firstDelayMs = 10_000;
const longestDelayMs = 60 * minute;
/** Three days, more or less. */
const mostAttempts = 80;
const mostRounds = 3;

export class MailOutbox extends WorkQueue<'mail'> {
  constructor(options: WorkQueueOptions) {
    super('mail', claimMs, options);
  }

  /** Any number of times. @param at when what it tells of happened */
  async add(id: string, mail: NewMail, at: number): Promise<void> {
    const state = { state: 'waiting', attempts: 0, createdAt: at } as const;
    const document = { ...mail, ...state, dueAt: this.options.clock() };
    if ((await this.write(id, document, 'absent')) !== undefined) this.arrived();
  }

  /** Also what another process has begun again, or given up: it is not sent a third time. */
  sent(mail: Mail): Promise<Mail | undefined> {
    return this.settle(mail, (document) => {
      if (document.state === 'sent') return undefined;
      const now = this.options.clock();
      return { ...bare(document), state: 'sent', sentAt: now, dueAt: now + keepMs };
    });
  }

  /** There is nothing to say any more, or nobody to say it to. */
  drop(mail: Mail, problem: string): Promise<Mail | undefined> {
    return this.#end(mail, 'dropped', problem);
  }

  /** The mail server wants no such message. */
  giveUp(mail: Mail, problem: string): Promise<Mail | undefined> {
    return this.#end(mail, 'dead', problem);
  }

  #end(mail: Mail, state: 'dropped' | 'dead', problem: string): Promise<Mail | undefined> {
    const dueAt = this.options.clock() + keepMs;
    return this.write(mail.id, { ...bare(mail.document), state, problem, dueAt }, mail.version);
  }

  /** An attempt failed. @returns what it is now, and `undefined` where another one has it */
  async fail(mail: Mail, problem: string): Promise<Mail | undefined> {
    const attempts = mail.document.attempts + 1;
    const tried = { ...mail, document: { ...mail.document, attempts } };
    if (attempts >= mostAttempts) return this.giveUp(tried, problem);
    const dueAt = this.options.clock() + this.delay(attempts - 1);
    return this.write(mail.id, { ...bare(tried.document), problem, dueAt }, mail.version);
  }

  /** 10 s, 20 s, 40 s, … 1 h. */
  delay(attempts: number, firstMs = firstDelayMs, longestMs = longestDelayMs): number {
    return retryDelay(attempts, this.options.random, { firstMs, longestMs });
  }

  /** An operator wants it tried again, from the beginning. @returns whether it was given up, or waits */
  async retry(id: string): Promise<boolean> {
    for (let round = 1; round <= mostRounds; round += 1) {
      const present = await this.options.store.get('mail', id);
      const state = present?.document.state;
      if (present === undefined || (state !== 'dead' && state !== 'waiting')) return false;
      // Somebody is at it.
      const { claim } = present.document;
      if (claim !== undefined && claim.until > this.options.clock()) return true;
      const fresh = { state: 'waiting', attempts: 0, dueAt: this.options.clock() } as const;
      const document = { ...bare(present.document), ...fresh };
      if ((await this.write(id, document, present.version)) !== undefined) return true;
    }
    return true;
  }

  waiting() {
    return this.count(({ createdAt }) => createdAt);
  }
}
