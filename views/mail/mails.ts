/** The e-mails that there are: from what is true when one is sent to its words. */

import type { Brand } from '../layout.ts';
import { renderMail, type RenderedMail } from './letter.ts';
import { mailTexts } from './texts.ts';

/** An account in an e-mail, with the address that its button leads to. */
interface AboutAccount {
  account: string;
  url: string;
}

export interface InvitationMail extends AboutAccount {
  /** Who invites; absent: nobody whose name we know. */
  by: string | undefined;
  /** By the names that pages say. */
  roles: readonly string[];
  /** To whom it goes. */
  email: string;
  /** Milliseconds, as all times here. */
  until: number;
}

export function invitationMail(view: InvitationMail, brand: Brand): RenderedMail {
  const { by, account, roles, email, url } = view;
  const { invitation: words, facts } = mailTexts;
  const until = day(view.until);
  return renderMail(
    {
      subject: words.subject(by, account),
      preheader: words.preheader(brand.name, until),
      heading: words.heading(account),
      paragraphs: [words.sentence(by, account, brand.name), words.how(email)],
      facts: [
        [facts.account, account],
        ...(roles.length === 0 ? [] : [[facts.role, roles.join(', ')] as const]),
        ...(by === undefined ? [] : [[facts.by, by] as const]),
        [facts.until, until],
      ],
      button: { label: words.button, url },
      after: [words.unexpected],
    },
    brand,
  );
}

export interface WaitingMail extends AboutAccount {
  /** Who wants in. */
  name: string | undefined;
  email: string | undefined;
  roles: readonly string[];
}

export function waitingMail(view: WaitingMail, brand: Brand): RenderedMail {
  const { name, email, account, roles, url } = view;
  const { waiting: words, facts } = mailTexts;
  const who = name ?? email ?? words.somebody;
  return renderMail(
    {
      subject: words.subject(who, account),
      preheader: words.preheader,
      heading: words.heading(account),
      paragraphs: [words.sentence(who, account)],
      facts: [
        ...(name === undefined ? [] : [[facts.who, name] as const]),
        ...(email === undefined ? [] : [[facts.address, email] as const]),
        [facts.account, account],
        ...(roles.length === 0 ? [] : [[facts.role, roles.join(', ')] as const]),
      ],
      button: { label: words.button, url },
      after: [words.advice],
    },
    brand,
  );
}

export interface LetInMail extends AboutAccount {
  roles: readonly string[];
}

export function letInMail({ account, roles, url }: LetInMail, brand: Brand): RenderedMail {
  const { letIn: words, facts } = mailTexts;
  return renderMail(
    {
      subject: words.subject(account),
      preheader: words.preheader,
      heading: words.heading(account),
      paragraphs: [words.sentence(account, brand.name)],
      facts: [
        [facts.account, account],
        ...(roles.length === 0 ? [] : [[facts.role, roles.join(', ')] as const]),
      ],
      button: { label: words.button, url },
    },
    brand,
  );
}

export interface ClosingMail extends AboutAccount {
  by: string | undefined;
  at: number;
}

export function closingMail({ by, account, at, url }: ClosingMail, brand: Brand): RenderedMail {
  const { closing: words, facts } = mailTexts;
  const on = day(at);
  return renderMail(
    {
      subject: words.subject(account, on),
      preheader: words.preheader,
      heading: words.heading(account),
      paragraphs: [words.sentence(by, account, on), words.advice],
      facts: [
        [facts.account, account],
        [facts.on, on],
      ],
      button: { label: words.button, url },
    },
    brand,
  );
}

export function closedMail(view: { account: string; at: number }, brand: Brand): RenderedMail {
  const { closed: words } = mailTexts;
  return renderMail(
    {
      subject: words.subject(view.account),
      preheader: words.preheader,
      heading: words.heading(view.account),
      paragraphs: [words.sentence(view.account, day(view.at)), words.advice],
    },
    brand,
  );
}

export function deletionMail({ at, url }: { at: number; url: string }, brand: Brand): RenderedMail {
  const { deletion: words } = mailTexts;
  const on = day(at);
  return renderMail(
    {
      subject: words.subject(brand.name, on),
      preheader: words.preheader,
      heading: words.heading,
      paragraphs: [words.sentence(brand.name, on), words.advice],
      button: { label: words.button, url },
    },
    brand,
  );
}

/** In UTC, as on our pages: nobody knows where the reader is. */
function day(at: number): string {
  const options = { dateStyle: 'long', timeZone: 'UTC' } as const;
  return new Intl.DateTimeFormat(mailTexts.language, options).format(at);
}
