/**
 * What an app's page is told of the session that it lives by: that it has ended, or which part of what its tokens say
 * is different. Pure. It is computed from the documents each time, so it is the same at every process, and a page that
 * was away is told what it missed by comparing two states.
 */

import { sha256 } from '../base/secrets.ts';
import { rolesNow } from '../directory/access.ts';
import type {
  AccountDocument,
  GrantDocument,
  SessionDocument,
  UserDocument,
} from '../storage/documents.ts';

/** By which cookie somebody listens: the links' (then there is a Grant, for an account), or the session's alone. */
export interface LiveSubject {
  /** The session's uid. */
  session: string;
  user: string;
  grant?: string;
}

export interface LiveDocuments {
  session: SessionDocument | undefined;
  grant: GrantDocument | undefined;
  user: UserDocument | undefined;
  account: AccountDocument | undefined;
}

/** What the words mean is in `docs/links.md`. They are only ever added to. */
export const liveParts = ['account', 'roles', 'plan', 'entitlements'] as const;
export const liveEndReasons = [
  'signed_out',
  'expired',
  'replaced',
  'user_disabled',
  'member_removed',
  'account_closed',
  'revoked',
  'security',
] as const;

export type LivePart = (typeof liveParts)[number];
export type LiveEndReason = (typeof liveEndReasons)[number];

export type LiveState =
  | { ended: LiveEndReason }
  | { ended?: undefined; parts: Record<LivePart, string> };

/** Those that only an operator understands are one word to a page. */
const otherReasons: Record<string, LiveEndReason> = {
  session_ended: 'signed_out',
  refresh_token_reuse: 'security',
  code_reuse: 'security',
  key_compromise: 'security',
};

function endReason(reason: string): LiveEndReason {
  return liveEndReasons.find((one) => one === reason) ?? otherReasons[reason] ?? 'revoked';
}

/**
 * Tombstones decide that it has ended. A membership or an account that is gone is followed by one in a moment; in
 * between it reads as fewer roles, which half done changes do too.
 */
export function liveState(subject: LiveSubject, documents: LiveDocuments, now: number): LiveState {
  const { session, grant } = documents;
  if (session?.ended !== undefined) return { ended: endReason(session.ended.reason) };
  // Somebody else signed in at this browser.
  if (session !== undefined && session.user !== subject.user) return { ended: 'replaced' };
  if (grant?.ended !== undefined) return { ended: endReason(grant.ended.reason) };
  // The links' tokens outlive a session that merely ran out.
  const deciding = subject.grant === undefined ? session : grant;
  if (deciding === undefined || deciding.expiresAt <= now) return { ended: 'expired' };
  return { parts: partsOf(subject, documents) };
}

function partsOf(
  { session, user: id }: LiveSubject,
  { grant, user, account }: LiveDocuments,
): Record<LivePart, string> {
  const accountId = grant?.account;
  const memberships = user?.memberships?.map((one) => [one.account, ...one.roles]);
  const values: Record<LivePart, unknown> = {
    account: [accountId, account?.name, account?.status],
    roles: accountId === undefined ? memberships : rolesNow(id, user, accountId, account),
    plan: [account?.customer, account?.subscriptions],
    entitlements: account?.entitlements?.toSorted(),
  };
  const told = Object.entries(values).map(([part, value]) => [
    part,
    // Short: it tells two states apart, and nothing about them.
    sha256(JSON.stringify([session, part, sorted(value)])).slice(0, 8),
  ]);
  return Object.fromEntries(told) as Record<LivePart, string>;
}

/** The same for the same content, whatever the order in which a driver gives back its fields. */
function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== 'object' || value === null) return value ?? null;
  const entries = Object.entries(value).filter(([, field]) => field !== undefined);
  return entries
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, field]) => [key, sorted(field)]);
}

/** As the id of an event, which a browser sends back when it connects again. */
export function stateId(parts: Record<LivePart, string>): string {
  return liveParts.map((part) => parts[part]).join('.');
}

/** @param before an id; one of another form, such as another version's, differs in all */
export function changedParts(before: string, now: Record<LivePart, string>): LivePart[] {
  const old = before.split('.');
  return liveParts.filter((part, index) => old[index] !== now[part]);
}

/**
 * Which of the Grants of this session the browser's cookie is of by now: somebody may have switched the account in
 * another tab. That is the one whose tokens were given out last.
 */
export function isLater(
  grant: GrantDocument | undefined,
  than: GrantDocument | undefined,
): boolean {
  if (grant === undefined || than === undefined) return false;
  if (grant.ended !== undefined || grant.client !== than.client) return false;
  return begunAt(grant) >= begunAt(than);
}

function begunAt({ families = {} }: GrantDocument): number {
  const times = Object.values(families).map(({ payload }) => Number(payload.iiat ?? 0));
  return Math.max(-Infinity, ...times);
}
