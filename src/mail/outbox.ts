/**
 * E-mails from the event that asks for one until they are forgotten: what may become of one, each by one conditional
 * write. A process claims what it sends; a claim ends by itself, so that a process which dies leaves it to others.
 */

import type { Clock } from '../base/clock.ts';
import type { MailDocument } from '../storage/documents.ts';
import { Conflict } from '../storage/store.ts';
import type { Store, Stored } from '../storage/store.ts';

export type Mail = Stored<MailDocument>;
export type NewMail = Pick<MailDocument, 'template' | 'invitation' | 'account' | 'user'>;

export interface MailOutboxOptions {
  store: Store;
  clock: Clock;
  random: () => number;
  /** Names this process. */
  owner: string;
}

const minute = 60_000;
const day = 24 * 60 * minute;
/** Longer than a message may take. What a dead process had waits so long. */
const claimMs = 2 * minute;
const keepMs = 30 * day;
const firstDelayMs = 10_000;
const longestDelayMs = 60 * minute;
/** Three days, more or less. */
const mostAttempts = 80;
const mostRounds = 3;
/** Of what waits so many are counted. */
const mostCounted = 1000;

export class MailOutbox {
  readonly #options: MailOutboxOptions;
  #listener: () => void = () => undefined;

  constructor(options: MailOutboxOptions) {
    this.#options = options;
  }

  /** Whoever sends hears at once of what this process wrote. */
  onArrival(listener: () => void): void {
    this.#listener = listener;
  }

  /** Any number of times. @param at when what it tells of happened */
  async add(id: string, mail: NewMail, at: number): Promise<void> {
    const state = { state: 'waiting', attempts: 0, createdAt: at } as const;
    const document = { ...mail, ...state, dueAt: this.#options.clock() };
    if ((await this.#write(id, document, 'absent')) !== undefined) this.#listener();
  }

  /** What is to be sent, or to be forgotten, now; what waits longest first. */
  due(limit: number): Promise<Mail[]> {
    return this.#options.store.due('mail', this.#options.clock(), limit);
  }

  /** @returns `undefined` when somebody else was faster, like all that follow */
  claim(mail: Mail): Promise<Mail | undefined> {
    const until = this.#options.clock() + claimMs;
    const claim = { owner: this.#options.owner, until };
    return this.#write(mail.id, { ...mail.document, claim, dueAt: until }, mail.version);
  }

  /**
   * Whoever has sent it says so, even where it took longer than the claim and another process has begun it again: it is not
   * sent a third time.
   */
  async sent(mail: Mail): Promise<Mail | undefined> {
    let present: Mail | undefined = mail;
    for (let round = 1; round <= mostRounds; round += 1) {
      if (present === undefined || present.document.state === 'sent') return undefined;
      const now = this.#options.clock();
      const times = { sentAt: now, dueAt: now + keepMs };
      const document = { ...bare(present.document), state: 'sent', ...times } as const;
      const done = await this.#write(mail.id, document, present.version);
      if (done !== undefined) return done;
      present = await this.#options.store.get('mail', mail.id);
    }
    return undefined;
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
    const dueAt = this.#options.clock() + keepMs;
    return this.#write(mail.id, { ...bare(mail.document), state, problem, dueAt }, mail.version);
  }

  /** An attempt failed. @returns what it is now, and `undefined` where another one has it */
  async fail(mail: Mail, problem: string): Promise<Mail | undefined> {
    const attempts = mail.document.attempts + 1;
    const tried = { ...mail, document: { ...mail.document, attempts } };
    if (attempts >= mostAttempts) return this.giveUp(tried, problem);
    const dueAt = this.#options.clock() + this.delay(attempts - 1);
    return this.#write(mail.id, { ...bare(tried.document), problem, dueAt }, mail.version);
  }

  /** After so many attempts that failed: 10 s, 20 s, 40 s, … 1 h, and jitter, so that all does not come back at once. */
  delay(attempts: number, firstMs = firstDelayMs, longestMs = longestDelayMs): number {
    const step = Math.min(longestMs, firstMs * 2 ** Math.min(attempts, 20));
    return step * (0.5 + this.#options.random());
  }

  async forget(mail: Mail): Promise<void> {
    await this.#write(mail.id, null, mail.version);
  }

  /** An operator wants it tried again, from the beginning. @returns whether it was given up, or waits */
  async retry(id: string): Promise<boolean> {
    for (let round = 1; round <= mostRounds; round += 1) {
      const present = await this.#options.store.get('mail', id);
      const state = present?.document.state;
      if (present === undefined || (state !== 'dead' && state !== 'waiting')) return false;
      // Somebody is at it.
      const { claim } = present.document;
      if (claim !== undefined && claim.until > this.#options.clock()) return true;
      const fresh = { state: 'waiting', attempts: 0, dueAt: this.#options.clock() } as const;
      const document = { ...bare(present.document), ...fresh };
      if ((await this.#write(id, document, present.version)) !== undefined) return true;
    }
    return true;
  }

  /** @param after the id to go on behind */
  find(state: 'waiting' | 'dead', options: { after?: string | undefined; limit: number }) {
    const { after, limit } = options;
    return this.#options.store.find('mail', 'state', state, {
      limit,
      ...(after === undefined ? {} : { after }),
    });
  }

  /** For the metrics. @returns how many wait, up to 1000, and since when the oldest of them does */
  async waiting(): Promise<{ count: number; since: number | undefined }> {
    const found = await this.find('waiting', { limit: mostCounted });
    const times = found.map(({ document }) => document.createdAt);
    return { count: found.length, since: times.length === 0 ? undefined : Math.min(...times) };
  }

  async #write(
    id: string,
    document: MailDocument | null,
    expect: number | 'absent',
  ): Promise<Mail | undefined> {
    try {
      const version = await this.#options.store.write('mail', id, document, { expect });
      return document === null ? undefined : { id, version, document };
    } catch (error) {
      if (error instanceof Conflict) return undefined;
      throw error;
    }
  }
}

/** Without what is about this attempt. */
function bare(document: MailDocument): MailDocument {
  const { claim: _claim, problem: _problem, ...rest } = document;
  return rest;
}
