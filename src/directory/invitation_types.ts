/** Invitations, as other rooms and commands see them. */

import type { InvitationDocument, UserDocument } from '../storage/documents.ts';
import type { Stored } from '../storage/store.ts';
import type { Account } from './accounts.ts';

export type Invitation = Stored<InvitationDocument>;

export interface NewInvitation {
  account: string;
  /** The user who invites; absent: an operator. */
  by?: string;
  /** Without one it is a link that may be handed on, and is good for one person. */
  email?: string;
  /** By default the last role of the configuration. */
  roles?: readonly string[];
  locale?: string;
}

export interface Page<T> {
  rows: T[];
  /** The id to go on behind; absent at the end. */
  next?: string;
}

export interface Paging {
  after?: string | undefined;
  /** 50 when not given. */
  limit?: number;
}

/**
 * How one stands now, by all that it rests on. `expired`: run out; `withdrawn` also where whoever invited may not any
 * more; `closed`: the account is.
 */
export type Standing = Invitation['document']['state'] | 'expired' | 'closed';

/** An invitation, and the account that it is to. */
export interface InvitationOffer {
  invitation: Invitation;
  account: Account;
}

/** What following a link came to. */
export type Joined = 'joined' | 'waiting' | 'member';

export interface InvitationPaging extends Paging {
  /** Those alone that wait for a confirmation. */
  state?: 'waiting';
}

export interface Invitations {
  /**
   * Who is invited already is reminded: the same invitation, with a new end and these roles.
   * @throws {Problem} `email_invalid`, `role_invalid` (400), `not_allowed` (403): `by` may not give these roles;
   *   `account_unknown` (404), `account_closed`, `too_many_invitations` (409)
   */
  invite(input: NewInvitation): Promise<{ invitation: Invitation; isNew: boolean }>;
  /** Sends its e-mail again, with a new end. @throws {Problem} `invitation_unknown` (404), `invitation_over` (409) */
  resend(account: string, invitation: string, by?: string): Promise<Invitation>;
  /** @returns whether it was of use until now. @throws {Problem} `invitation_unknown` (404) */
  withdraw(account: string, invitation: string, by?: string): Promise<boolean>;
  /**
   * Lets the candidate in who waits.
   * @throws {Problem} `invitation_unknown` (404), `invitation_over` (409), `not_allowed` (403), and what `addMember` throws
   */
  confirm(account: string, invitation: string, by?: string): Promise<void>;
  /** The candidate is not let in. */
  decline(account: string, invitation: string, by?: string): Promise<void>;
  /** Those that are open or wait for a confirmation, newest first. Run out ones are left out. */
  list(account: string, paging?: InvitationPaging): Promise<Page<Invitation>>;
  /** How many wait for a confirmation, up to 100. */
  waiting(account: string): Promise<number>;
  get(invitation: string): Promise<Invitation | undefined>;

  /** The token of its link (`/invitation/<token>`), the same each time. */
  token(invitation: string): string;
  /** The invitation of a token that we made, of any state. */
  byToken(token: string): Promise<Invitation | undefined>;
  /**
   * The user takes it up. Bound to its address where it was sent to one: somebody whose upstream has not verified that
   * address waits for a confirmation. Any number of times, by two tabs too.
   * @throws {Problem} `invitation_over` (409), and what `addMember` throws (`seats_full` 402, …)
   */
  accept(invitation: string, user: string): Promise<Joined>;
  /**
   * The user does not want it, or waits no longer. Only who it was sent to, or who waits, can do so.
   * @returns whether it was theirs to refuse
   */
  refuse(invitation: string, user: string): Promise<boolean>;
  /**
   * For pages and e-mails: whether it is still of use is not in its state alone.
   * @param how `atOnce`: to whom it was sent, who needs no confirmation, though somebody else waits for one
   */
  standing(invitation: Invitation, how?: { atOnce?: boolean }): Promise<Standing>;
  /** Whether it was sent to an address that is known to be the user's. */
  isFor(invitation: Invitation, user: UserDocument): boolean;
  /** Those sent to one of the user's verified addresses, and those on which they wait. At most 50. */
  of(user: string): Promise<{ open: InvitationOffer[]; waiting: InvitationOffer[] }>;
}
