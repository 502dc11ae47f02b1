/**
 * Every kind of document, declared once: its type, what it is found by, what must be unique, when its
 * time comes and what happens then, and whether it is hot (may live in Redis) or kept.
 */

import { createHash } from 'node:crypto';
import { timeOrderedId } from '../base/ids.ts';
import type * as D from './documents.ts';
import type { NewEvent } from './store.ts';

export interface Documents {
  session: D.SessionDocument;
  grant: D.GrantDocument;
  interaction: D.InteractionDocument;
  transaction: D.TransactionDocument;
  par: D.ParDocument;
  token: D.TokenDocument;
  replay: D.ReplayDocument;
  lease: D.LeaseDocument;
  user: D.UserDocument;
  account: D.AccountDocument;
  consent: D.ConsentDocument;
  key: D.KeyDocument;
  audit: D.AuditDocument;
  notice: D.NoticeDocument;
  delivery: D.DeliveryDocument;
  receiver: D.ReceiverDocument;
  stream: D.StreamDocument;
  signup: D.SignupDocument;
  inbox: D.InboxDocument;
  invitation: D.InvitationDocument;
  mail: D.MailDocument;
  meta: D.MetaDocument;
}

export type Kind = keyof Documents;

export interface KindDeclaration<T> {
  hot: boolean;
  /** By name, the values that a document is found by; several for the elements of a list. */
  indexes?: Record<string, (document: T) => readonly string[]>;
  /** By name, the values that no other document of the kind may hold. */
  unique?: Record<string, (document: T) => readonly string[]>;
  /** The one time index: when the document wants attention, in milliseconds since the epoch. */
  due?: (document: T) => number | undefined;
  /** What `sweep` does when `due` has passed: `delete` it, or leave it to a worker (`keep`). */
  atDue?: 'delete' | 'keep';
  /** No event is ever written with one: a store may let it vanish by itself, long after its time. */
  eventless?: true;
  /** The event that goes out before `sweep` deletes the document, if it is to be announced. */
  announce?: (id: string, document: T, now: number) => NewEvent | undefined;
}

const invitationKeptMs = 30 * 24 * 60 * 60 * 1000;

const present = (value: string | undefined): readonly string[] =>
  value === undefined ? [] : [value];

/** Of fixed length and unambiguous, whatever characters issuer and subject hold. */
export function identityKey(issuer: string, subject: string): string {
  return createHash('sha256')
    .update(JSON.stringify([issuer, subject]))
    .digest('base64url');
}

/** @param who an address in lower case, or a user who waits */
export function invitationKey(account: string, who: string): string {
  return JSON.stringify([account, who]);
}

const expiring = {
  due: (document: { expiresAt: number }) => document.expiresAt,
  atDue: 'delete',
} as const;

export const kinds: { [K in Kind]: KindDeclaration<Documents[K]> } = {
  session: {
    hot: true,
    ...expiring,
    indexes: { user: (session) => present(session.user) },
    announce: (id, session, now) =>
      session.user === undefined || session.ended !== undefined
        ? undefined
        : {
            id: timeOrderedId('evt', now),
            type: 'session.ended',
            at: session.expiresAt,
            data: { session: id, user: session.user, reason: 'expired' },
          },
  },
  grant: {
    hot: true,
    ...expiring,
    indexes: {
      session: (grant) => [grant.session],
      user: (grant) => [grant.user],
      account: (grant) => present(grant.account),
    },
  },
  interaction: { hot: true, ...expiring, eventless: true },
  transaction: { hot: true, ...expiring, eventless: true },
  par: { hot: true, ...expiring, eventless: true },
  token: { hot: true, ...expiring, eventless: true },
  replay: { hot: true, ...expiring, eventless: true },
  lease: { hot: true },
  user: {
    hot: false,
    indexes: {
      account: (user) => (user.memberships ?? []).map((membership) => membership.account),
    },
    unique: {
      identity: (user) =>
        user.identities.map((identity) => identityKey(identity.issuer, identity.subject)),
    },
    due: (user) => user.purgeAt ?? user.deletion?.dueAt,
    atDue: 'keep',
  },
  account: {
    hot: false,
    due: (account) => account.closing?.endsAt,
    atDue: 'keep',
    unique: {
      customer: (account) => present(account.customer),
      domain: (account) =>
        account.status !== 'active'
          ? []
          : (account.domains ?? []).flatMap((one) =>
              one.provenAt === undefined ? [] : [one.domain],
            ),
    },
  },
  invitation: {
    hot: false,
    // Over, or run out: kept for a month, so that its link says what happened.
    due: (invitation) => invitation.expiresAt + invitationKeptMs,
    atDue: 'delete',
    indexes: {
      account: (invitation) => [invitation.account],
      live: ({ state, account }) => (state === 'open' || state === 'waiting' ? [account] : []),
      waiting: ({ state, account }) => (state === 'waiting' ? [account] : []),
      candidate: ({ candidate, joining }) => [...present(candidate), ...present(joining?.user)],
      by: (invitation) => present(invitation.by),
      email: (invitation) => present(invitation.email?.toLowerCase()),
    },
    // One at a time for each address or person and account: invited again is reminded.
    unique: {
      open: ({ state, account, email, candidate }) => {
        if (state !== 'open' && state !== 'waiting') return [];
        return [email?.toLowerCase(), candidate].flatMap((who) =>
          who === undefined ? [] : [invitationKey(account, who)],
        );
      },
    },
  },
  mail: {
    hot: false,
    due: (mail) => mail.dueAt,
    atDue: 'keep',
    indexes: {
      state: (mail) => (mail.state === 'sent' || mail.state === 'dropped' ? [] : [mail.state]),
      user: (mail) => present(mail.user),
    },
  },
  consent: { hot: false, indexes: { user: (consent) => [consent.user] } },
  key: { hot: false, indexes: { alg: (key) => [key.alg] } },
  audit: {
    hot: false,
    indexes: {
      user: (record) => present(record.user),
      account: (record) => present(record.account),
      // Who did it to somebody else: their trace as well, when they are gone.
      actor: ({ data, user }) =>
        typeof data.actor === 'string' && data.actor !== user ? [data.actor] : [],
    },
  },
  // All of them in one value: their ids are in the order of time.
  notice: { hot: false, ...expiring, indexes: { all: () => ['all'] } },
  delivery: {
    hot: false,
    due: (delivery) => delivery.dueAt,
    atDue: 'keep',
    indexes: {
      lane: (delivery) => (delivery.state === 'waiting' ? [delivery.lane] : []),
      // `webhook:crm waiting`, `webhook:crm dead`: what is in its way, and what was given up.
      receiver: (delivery) =>
        delivery.state === 'delivered' ? [] : [`${delivery.receiver} ${delivery.state}`],
      notice: (delivery) => [delivery.notice],
    },
  },
  receiver: { hot: false, indexes: { all: () => ['all'] } },
  stream: { hot: false, indexes: { all: () => ['all'], client: (stream) => [stream.client] } },
  signup: {
    hot: false,
    due: (signup) => signup.dueAt,
    atDue: 'keep',
    indexes: { user: (signup) => [signup.user], account: (signup) => [signup.account] },
    unique: {
      session: (signup) => [...present(signup.session), ...(signup.earlier ?? [])],
      customer: (signup) => (signup.isNew ? present(signup.customer) : []),
    },
  },
  inbox: {
    hot: false,
    due: (event) => event.dueAt,
    atDue: 'keep',
    indexes: { state: (event) => (event.state === 'done' ? [] : [event.state]) },
  },
  meta: { hot: false },
};
