/**
 * What an e-mail says, and to whom: made when it is sent, of what is true then. What is not true any more is not said.
 * Only addresses that an upstream has verified are written to, but for an invitation, whose address is its own.
 */

import type { Config } from '../config.ts';
import type { Directory } from '../directory/directory.ts';
import type { Invitations } from '../directory/invitation_types.ts';
import { ownerRole } from '../directory/roles.ts';
import type { MailDocument, UserDocument } from '../storage/documents.ts';
import {
  closedMail,
  closingMail,
  deletionMail,
  invitationMail,
  letInMail,
  waitingMail,
} from '../../views/mail/mails.ts';
import type { RenderedMail } from '../../views/mail/letter.ts';
import { addressOf, plainName } from './addresses.ts';

/** What this room asks of the directory. */
export type MailDirectory = Pick<Directory, 'user' | 'account'> & {
  invitations: Pick<Invitations, 'get' | 'token' | 'standing'>;
};

export interface ComposeDeps {
  directory: MailDirectory;
  /** The one of now. */
  config: () => Config;
}

export interface Composed extends RenderedMail {
  to: string;
}

/** A word for the log and the command: why there is nothing to send. */
export type Composing = Composed | { dropped: string };

export type Compose = (mail: MailDocument) => Promise<Composing>;

/** One that was written before the invitation was sent again is said by that one. */
const sameMomentMs = 60_000;

export function createCompose(deps: ComposeDeps): Compose {
  return (mail) => {
    switch (mail.template) {
      case 'invitation':
        return invitation(deps, mail);
      case 'invitation_waiting':
        return waiting(deps, mail);
      case 'let_in':
        return letIn(deps, mail);
      case 'account_closing':
      case 'account_closed':
        return closing(deps, mail);
      case 'deletion':
        return deletion(deps, mail);
    }
  };
}

async function invitation(deps: ComposeDeps, mail: MailDocument): Promise<Composing> {
  const { directory } = deps;
  const { issuer, brand } = deps.config();
  const found = await findInvitation(deps, mail);
  if (found === undefined) return { dropped: 'invitation_unknown' };
  const { id, document } = found;
  // Whom it is sent to needs no confirmation, though somebody else may wait for one.
  const standing = await directory.invitations.standing(found, { atOnce: true });
  if (standing === 'closed') return { dropped: 'account_closed' };
  if (standing !== 'open' && standing !== 'waiting') return { dropped: 'invitation_over' };
  if (mail.createdAt + sameMomentMs < (document.sentAt ?? 0)) return { dropped: 'sent_again' };
  const account = await directory.account(document.account);
  if (account === undefined) return { dropped: 'account_unknown' };
  const to = addressOf(document.email);
  if (to === undefined) return { dropped: 'no_address' };
  const view = {
    account: plainName(account.name),
    by: await nameOf(deps, document.by),
    roles: roleNames(deps, document.roles),
    email: to,
    until: document.expiresAt,
    url: `${issuer}/invitation/${directory.invitations.token(id)}`,
  };
  return { to, ...invitationMail(view, brand) };
}

async function waiting(deps: ComposeDeps, mail: MailDocument): Promise<Composing> {
  const { directory } = deps;
  const { issuer, brand } = deps.config();
  const found = await findInvitation(deps, mail);
  if (found === undefined) return { dropped: 'invitation_unknown' };
  const { candidate, roles, account: id } = found.document;
  const isWaiting = (await directory.invitations.standing(found)) === 'waiting';
  if (!isWaiting || candidate === undefined) return { dropped: 'invitation_over' };
  const account = await directory.account(id);
  if (account?.status !== 'active') return { dropped: 'account_closed' };
  const to = await ownerAddress(deps, account, mail.user);
  if (to === undefined) return { dropped: 'no_address' };
  const person = (await directory.user(candidate))?.document;
  if (person?.status !== 'active') return { dropped: 'user_gone' };
  const view = {
    account: plainName(account.name),
    name: person.name === undefined ? undefined : plainName(person.name),
    email: addressOf(person.email),
    roles: roleNames(deps, roles),
    url: `${issuer}/account/members?account=${encodeURIComponent(id)}`,
  };
  return { to, ...waitingMail(view, brand) };
}

async function letIn(deps: ComposeDeps, mail: MailDocument): Promise<Composing> {
  const { issuer, brand } = deps.config();
  const id = mail.account ?? '';
  const account = await deps.directory.account(id);
  if (account?.status !== 'active') return { dropped: 'account_closed' };
  const person = await findUser(deps, mail.user);
  if (person?.status !== 'active') return { dropped: 'user_gone' };
  const membership = person.memberships?.find((one) => one.account === id);
  if (membership === undefined) return { dropped: 'member_gone' };
  const to = verifiedAddress(person);
  if (to === undefined) return { dropped: 'no_address' };
  const view = {
    account: plainName(account.name),
    roles: roleNames(deps, membership.roles),
    url: `${issuer}/account/select?account=${encodeURIComponent(id)}`,
  };
  return { to, ...letInMail(view, brand) };
}

/** Of closing and of closed, whichever of both it is about and is true. */
async function closing(deps: ComposeDeps, mail: MailDocument): Promise<Composing> {
  const { issuer, brand } = deps.config();
  const id = mail.account ?? '';
  const account = await deps.directory.account(id);
  if (account === undefined) return { dropped: 'account_unknown' };
  const to = await ownerAddress(deps, account, mail.user);
  if (to === undefined) return { dropped: 'no_address' };
  const name = plainName(account.name);
  if (mail.template === 'account_closed') {
    if (account.status !== 'closed') return { dropped: 'account_open' };
    return {
      to,
      ...closedMail({ account: name, at: account.closed?.at ?? mail.createdAt }, brand),
    };
  }
  if (account.status !== 'active') return { dropped: 'account_closed' };
  if (account.closing === undefined) return { dropped: 'account_open' };
  const { by, endsAt } = account.closing;
  const url = `${issuer}/account/close?account=${encodeURIComponent(id)}`;
  const view = { account: name, by: await nameOf(deps, by), at: endsAt, url };
  return { to, ...closingMail(view, brand) };
}

async function deletion(deps: ComposeDeps, mail: MailDocument): Promise<Composing> {
  const { issuer, brand } = deps.config();
  const person = await findUser(deps, mail.user);
  if (person === undefined || person.status === 'deleted') return { dropped: 'user_gone' };
  if (person.deletion === undefined) return { dropped: 'deletion_withdrawn' };
  const to = verifiedAddress(person);
  if (to === undefined) return { dropped: 'no_address' };
  const view = { at: person.deletion.dueAt, url: `${issuer}/account/data` };
  return { to, ...deletionMail(view, brand) };
}

function findInvitation({ directory }: ComposeDeps, { invitation: id }: MailDocument) {
  return id === undefined ? Promise.resolve(undefined) : directory.invitations.get(id);
}

async function findUser(
  { directory }: ComposeDeps,
  id: string | undefined,
): Promise<UserDocument | undefined> {
  return id === undefined ? undefined : (await directory.user(id))?.document;
}

/** Whoever owns it still, and can be written to. */
async function ownerAddress(
  deps: ComposeDeps,
  account: { owners: readonly string[] },
  user: string | undefined,
): Promise<string | undefined> {
  if (user === undefined || !account.owners.includes(user)) return undefined;
  const person = await findUser(deps, user);
  return person?.status === 'active' ? verifiedAddress(person) : undefined;
}

/** Who typed an address into an upstream's profile need not be the one who reads what comes there. */
export function verifiedAddress(user: UserDocument): string | undefined {
  const { email, emailVerified, identities } = user;
  if (emailVerified === true) return addressOf(email);
  return addressOf(identities.find((one) => one.emailVerified === true)?.email);
}

async function nameOf(deps: ComposeDeps, user: string | undefined): Promise<string | undefined> {
  const person = await findUser(deps, user);
  const { status, name } = person ?? {};
  return name === undefined || status === 'deleted' ? undefined : plainName(name);
}

function roleNames({ config }: ComposeDeps, ids: readonly string[]): string[] {
  const { roles } = config();
  return ids.slice(0, 20).map((id) => {
    if (id === ownerRole) return 'Owner';
    return roles.find((role) => role.id === id)?.name ?? id;
  });
}
