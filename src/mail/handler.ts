/**
 * From events to e-mails on their way. The id of each is made of the event's, so that an event that is handled twice is one
 * e-mail; it says what it is about, and neither an address nor a word of it.
 */

import type { Handler } from '../events/handlers.ts';
import { isEvent } from '../events/types.ts';
import type { PendingEvent } from '../storage/store.ts';
import { verifiedAddress } from './compose.ts';
import type { MailDirectory } from './compose.ts';
import type { MailOutbox, NewMail } from './outbox.ts';

/** Who confirms a newcomer: one of them is enough. */
const mostConfirming = 5;
const mostOwners = 20;

export interface MailHandlerDeps {
  directory: MailDirectory;
  outbox: MailOutbox;
}

export function mailHandler({ directory, outbox }: MailHandlerDeps): Handler {
  async function invite(event: PendingEvent, invitation: string): Promise<void> {
    const found = await directory.invitations.get(invitation);
    if (found?.document.way !== 'email') return;
    const { account } = found.document;
    await outbox.add(event.id, { template: 'invitation', invitation, account }, event.at);
  }

  /** To each a letter of their own: nobody sees the others' addresses. */
  async function toOwners(
    event: PendingEvent,
    mail: NewMail & { account: string },
    most: number,
  ): Promise<void> {
    const owners = (await directory.account(mail.account))?.owners ?? [];
    let count = 0;
    for (const user of owners) {
      if (count >= most) return;
      const person = (await directory.user(user))?.document;
      if (person?.status !== 'active' || verifiedAddress(person) === undefined) continue;
      count += 1;
      await outbox.add(`${event.id}.${user}`, { ...mail, user }, event.at);
    }
  }

  async function handle(event: PendingEvent): Promise<void> {
    if (isEvent(event, 'invitation.created') || isEvent(event, 'invitation.resent')) {
      await invite(event, event.data.invitation);
    } else if (isEvent(event, 'invitation.waiting')) {
      const { invitation, account } = event.data;
      const mail = { template: 'invitation_waiting', invitation, account } as const;
      await toOwners(event, mail, mostConfirming);
    } else if (isEvent(event, 'invitation.accepted')) {
      const { account, user, actor } = event.data;
      // Whoever took it up themselves knows.
      if (actor === undefined || actor === user) return;
      await outbox.add(event.id, { template: 'let_in', account, user }, event.at);
    } else if (isEvent(event, 'account.closing')) {
      const { account } = event.data;
      await toOwners(event, { template: 'account_closing', account }, mostOwners);
    } else if (isEvent(event, 'account.closed')) {
      const { account } = event.data;
      await toOwners(event, { template: 'account_closed', account }, mostOwners);
    } else if (isEvent(event, 'user.deletion_asked')) {
      await outbox.add(event.id, { template: 'deletion', user: event.data.user }, event.at);
    }
  }

  return {
    name: 'mail',
    types: [
      'invitation.created',
      'invitation.resent',
      'invitation.waiting',
      'invitation.accepted',
      'account.closing',
      'account.closed',
      'user.deletion_asked',
    ],
    handle,
  };
}
