/**
 * Every event, by type. An event says what took effect, with ids and never with secrets; it is
 * written together with the document that it is about. Receivers know these words: they are only
 * ever added to.
 */

import type { Clock } from '../base/clock.ts';
import { timeOrderedId } from '../base/ids.ts';
import type { NewEvent } from '../storage/store.ts';

export type SessionEndReason =
  | 'signed_out'
  | 'expired'
  | 'replaced'
  | 'user_disabled'
  | 'key_compromise'
  | 'operator';

export type GrantEndReason =
  | 'refresh_token_reuse'
  | 'code_reuse'
  | 'revocation_endpoint'
  | 'session_ended'
  | 'signed_out'
  | 'member_removed'
  | 'account_closed'
  | 'user_disabled'
  | 'key_compromise'
  | 'operator';

export type StreamStatus = 'enabled' | 'paused' | 'disabled';

/** A type alias for each shape, so that it is also a plain record of JSON values. */
export type EventData = {
  /** Somebody is here for the first time. `account` is the personal account that is made next. */
  'user.registered': { user: string; account?: string; name?: string };
  'user.signed_in': { user: string; provider: string; session?: string };
  'user.disabled': { user: string };
  'user.enabled': { user: string };
  'user.deleted': { user: string };
  /** All sessions and grants of before are ended; they may come back. */
  'user.revoked': { user: string; reason: 'operator' | 'signed_out' };
  /** What they typed about themselves is different. */
  'user.changed': { user: string };
  /** They will be deleted at `at` (milliseconds), unless they take it back. */
  'user.deletion_asked': { user: string; at: number };
  'user.deletion_withdrawn': { user: string };
  'identity.linked': { user: string; provider: string; issuer: string };
  'identity.unlinked': { user: string; provider: string; issuer: string };
  'account.created': { account: string; name: string; owner: string };
  /** `actor`, here and below: the user who did it; absent: an operator, or nobody. */
  'account.renamed': { account: string; name: string; actor?: string };
  /** It will be closed at `at` (milliseconds), unless that is taken back. `feedback`: Stripe's word. */
  'account.closing': {
    account: string;
    at: number;
    feedback?: string;
    reason?: string;
    actor?: string;
  };
  'account.closing_withdrawn': { account: string; actor?: string };
  'account.closed': { account: string; feedback?: string; reason?: string; actor?: string };
  'account.reopened': { account: string };
  'account.domain_proven': { account: string; domain: string; actor?: string };
  'account.domain_removed': { account: string; domain: string; actor?: string };
  /** All grants of before for this account are ended. */
  'account.revoked': { account: string; reason: 'operator' };
  'member.added': { user: string; account: string; roles: string[]; actor?: string };
  'member.changed': { user: string; account: string; roles: string[]; actor?: string };
  'member.removed': { user: string; account: string; actor?: string };
  'invitation.created': { invitation: string; account: string; roles: string[]; actor?: string };
  /** Its e-mail goes out again. */
  'invitation.resent': { invitation: string; account: string; actor?: string };
  /** Somebody wants in, and has to be confirmed. */
  'invitation.waiting': { invitation: string; account: string; user: string };
  'invitation.accepted': { invitation: string; account: string; user: string; actor?: string };
  'invitation.declined': { invitation: string; account: string; user: string; actor?: string };
  'invitation.withdrawn': { invitation: string; account: string; actor?: string };
  /** On the way out: `member.removed` follows. */
  'owner.removed': { user: string; account: string; actor?: string };
  'session.ended': {
    session: string;
    user?: string;
    reason: SessionEndReason;
    clients?: { client: string; sid: string }[];
  };
  'grant.revoked': {
    grant: string;
    session: string;
    user: string;
    client: string;
    account?: string;
    /** The session at this client, as in its tokens. */
    sid?: string;
    reason: GrantEndReason;
  };
  /** `claims`: those of access tokens that are different now, with their new values; null for one that is gone. */
  'subscription.changed': {
    account: string;
    product: string;
    claims: Record<string, string | number | string[] | null>;
  };
  /** Everything from before `before` (milliseconds), or all that one app has of it, is ended, one after the other. */
  'tokens.revoked_before': {
    before: number;
    client?: string;
    reason: 'key_compromise' | 'operator';
  };
  /** So far the one before has come: on from the user `after`. */
  'cutoff.continued': { scope: string; before: number; after: string };
  /** `client`: whose stream it is. */
  'stream.created': { stream: string; client: string };
  /** Its configuration or its status, as its owner wished. */
  'stream.changed': { stream: string; client: string; status: StreamStatus };
  'stream.removed': { stream: string; client: string };
  /** On its way to this stream alone. `state`: its owner asked for it. */
  'stream.verification': { stream: string; state?: string };
  /** We changed its status, or lost something of it. */
  'stream.updated': { stream: string; status: StreamStatus; reason?: string };
  'consent.given': { user: string; client: string; account?: string; scopes: string[] };
  /** Of this app, or of this app for one account. */
  'consent.withdrawn': { user: string; client: string; account?: string };
  'key.created': { kid: string; alg: string };
  /** Nothing that it signed is good any more. */
  'key.removed': { kid: string; alg: string };
};

export type EventType = keyof EventData;

/** A new event of now, with an id of its own. Make it once: a repeated write must repeat the id. */
export function newEvent<Type extends EventType>(
  clock: Clock,
  type: Type,
  data: EventData[Type],
): NewEvent & { type: Type; data: EventData[Type] } {
  const at = clock();
  return { id: timeOrderedId('evt', at), type, at, data };
}

/** Tells the compiler what a handler registered for `type` knows already. */
export function isEvent<Type extends EventType>(
  event: NewEvent,
  type: Type,
): event is NewEvent & { type: Type; data: EventData[Type] } {
  return event.type === type;
}

/** What an event says, by its type: for what is made from stored ones. */
export type Told = { [Type in EventType]: { type: Type; data: EventData[Type] } }[EventType];

const endings: ReadonlySet<string> = new Set<EventType>([
  'session.ended',
  'grant.revoked',
  'member.removed',
  'account.closed',
  'user.disabled',
  'user.deleted',
  'user.revoked',
  'account.revoked',
  'tokens.revoked_before',
]);

/** Whether it takes access from somebody, and so must not wait behind what merely informs. */
export function endsAccess({
  type,
  data,
}: {
  type: string;
  data: Record<string, unknown>;
}): boolean {
  return endings.has(type) && !(type === 'session.ended' && data.reason === 'expired');
}
