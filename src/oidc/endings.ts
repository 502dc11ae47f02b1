/**
 * Ending things: one place for the tombstones of sessions and grants, with the events that tell why.
 * What decides is one document: a session's own end, a user's or an account's state, a removed membership. What
 * follows from it is done in the same request and again by the event's handler, until all is dead.
 * `docs/events.md` has a row for each cause.
 */

import type { Clock } from '../base/clock.ts';
import { newEvent } from '../events/types.ts';
import type { GrantEndReason, SessionEndReason, Told } from '../events/types.ts';
import type { GrantDocument, SessionDocument } from '../storage/documents.ts';
import { eachFound } from '../storage/each.ts';
import type { PendingEvent, Store } from '../storage/store.ts';
import type { Operation, UnitOfWork } from '../storage/work.ts';
import { grantBegunAt, isToEnd, sessionBegunAt } from './begun.ts';
import { endGrant, sidOf } from './grant_end.ts';
import { clientsOfSession, endSession } from './sessions.ts';

export function endGrantOperation(
  id: string,
  reason: GrantEndReason,
  clock: Clock,
): Operation<GrantDocument> {
  return endGrant(reason, clock, (grant, now) => {
    const { session, user, client, account } = grant;
    const sid = sidOf(grant);
    return newEvent(() => now, 'grant.revoked', {
      grant: id,
      session,
      user,
      client,
      ...(account === undefined ? {} : { account }),
      ...(sid === undefined ? {} : { sid }),
      reason,
    });
  });
}

export function endSessionOperation(
  uid: string,
  reason: SessionEndReason,
  clock: Clock,
): Operation<SessionDocument> {
  return endSession(reason, clock, (session, now) =>
    newEvent(() => now, 'session.ended', {
      session: uid,
      ...(session.user === undefined ? {} : { user: session.user }),
      reason,
      clients: clientsOfSession(session),
    }),
  );
}

/** Why a user's sessions end, and their grants with them: each has its own word for it. */
type UserReason = SessionEndReason & GrantEndReason;

/** Which of a user's things are meant; all when not given. */
export interface Extent {
  /** Begun before this moment, in milliseconds. */
  before?: number;
  /** Grants of this client, and no session. */
  client?: string | undefined;
  /** Of this client: for this account alone. */
  account?: string | undefined;
}

export interface Endings {
  /** Ends the session, and then every grant that came from it. */
  session(uid: string, reason: SessionEndReason): Promise<void>;
  grant(id: string, reason: GrantEndReason): Promise<void>;
  /** Somebody signs out of one app at this browser: all of its grants there. The session goes on. */
  app(session: string, client: string): Promise<void>;
  /** Every living grant that came from this session, remembered by the library or not. */
  grantsOfSession(uid: string): Promise<void>;
  /** Every session of the user, and every grant. */
  user(user: string, reason: UserReason, extent?: Extent): Promise<void>;
  /** Every grant for the account. */
  account(account: string, reason: GrantEndReason, extent?: Extent): Promise<void>;
  /** For the dispatcher: what follows from an ended session, user, membership or account. */
  handler: { name: string; types: readonly string[]; handle(event: PendingEvent): Promise<void> };
}

interface Deps {
  store: Store;
  work: UnitOfWork;
  clock: Clock;
}

export function createEndings(deps: Deps): Endings {
  const endings = {
    async session(uid: string, reason: SessionEndReason): Promise<void> {
      await endOneSession(deps, uid, reason);
      await endings.grantsOfSession(uid);
    },
    grant: (id: string, reason: GrantEndReason) => endOneGrant(deps, id, reason),
    app: (session: string, client: string) =>
      endGrants(deps, { index: 'session', value: session }, 'signed_out', fits({ client })),
    grantsOfSession: (uid: string) =>
      endGrants(deps, { index: 'session', value: uid }, 'session_ended'),
    user: (user: string, reason: UserReason, extent: Extent = {}) =>
      endUser(deps, user, reason, extent),
    account: (account: string, reason: GrantEndReason, extent: Extent = {}) =>
      endGrants(deps, { index: 'account', value: account }, reason, fits(extent)),
  };
  return {
    ...endings,
    handler: {
      name: 'endings',
      types: [
        'session.ended',
        'user.disabled',
        'user.deleted',
        'user.revoked',
        'member.removed',
        'account.closed',
        'account.revoked',
        'consent.withdrawn',
      ],
      handle: (event) => follow(deps, endings, event),
    },
  };
}

async function follow(
  deps: Deps,
  endings: Omit<Endings, 'handler'>,
  event: PendingEvent,
): Promise<void> {
  const told = event as unknown as Told;
  switch (told.type) {
    case 'session.ended':
      // A session that merely ran out leaves the apps' own tokens to their own lifetimes.
      if (told.data.reason !== 'expired') await endings.grantsOfSession(told.data.session);
      return;
    case 'user.disabled':
    case 'user.deleted':
      return endings.user(told.data.user, 'user_disabled');
    case 'user.revoked':
      // They may have come back meanwhile: only what is from before.
      return endings.user(told.data.user, told.data.reason, { before: event.at });
    case 'member.removed': {
      const { user, account } = told.data;
      const concerns = (grant: GrantDocument) => grant.account === account;
      return endGrants(deps, { index: 'user', value: user }, 'member_removed', concerns);
    }
    case 'account.closed': {
      const { account } = told.data;
      // Opened again meanwhile: only what is from before.
      const isOpen = (await deps.store.get('account', account))?.document.status === 'active';
      return endings.account(account, 'account_closed', isOpen ? { before: event.at } : {});
    }
    case 'account.revoked':
      return endings.account(told.data.account, 'operator', { before: event.at });
    case 'consent.withdrawn': {
      const { user, client, account } = told.data;
      // They may have allowed it again meanwhile.
      return endings.user(user, 'signed_out', { client, account, before: event.at });
    }
    default:
  }
}

const fits =
  ({ before, client, account }: Extent) =>
  (grant: GrantDocument): boolean =>
    (client === undefined || grant.client === client) &&
    (account === undefined || grant.account === account) &&
    (before === undefined || isToEnd(grantBegunAt(grant), before));

/** A session goes with its own grants, so that each app is told once, by the session's end. */
async function endUser(
  deps: Deps,
  user: string,
  reason: UserReason,
  extent: Extent,
): Promise<void> {
  const { before, client } = extent;
  if (client === undefined) {
    const by = { index: 'user', value: user };
    for await (const { id: uid, document: session } of eachFound(deps.store, 'session', by)) {
      if (session.ended !== undefined) continue;
      if (before !== undefined && !isToEnd(sessionBegunAt(session), before)) continue;
      await endOneSession(deps, uid, reason);
      await endGrants(deps, { index: 'session', value: uid }, 'session_ended');
    }
  }
  await endGrants(deps, { index: 'user', value: user }, reason, fits(extent));
}

async function endGrants(
  deps: Deps,
  by: { index: 'session' | 'user' | 'account'; value: string },
  reason: GrantEndReason,
  concerns: (grant: GrantDocument) => boolean = () => true,
): Promise<void> {
  for await (const { id, document: grant } of eachFound(deps.store, 'grant', by)) {
    if (grant.ended === undefined && concerns(grant)) await endOneGrant(deps, id, reason);
  }
}

function endOneSession({ work, clock }: Deps, uid: string, reason: SessionEndReason) {
  return work.run((current) => {
    current.record('session', uid, endSessionOperation(uid, reason, clock));
    return Promise.resolve();
  });
}

function endOneGrant({ work, clock }: Deps, id: string, reason: GrantEndReason) {
  return work.run((current) => {
    current.record('grant', id, endGrantOperation(id, reason, clock));
    return Promise.resolve();
  });
}
