/**
 * Ending things: one place for the tombstones of sessions and grants, with the events that tell why.
 * The session's own end decides; its grants follow in the same request and again by the event's handler,
 * until all are dead.
 */

import type { Clock } from '../base/clock.ts';
import { newEvent } from '../events/types.ts';
import type { GrantEndReason, SessionEndReason } from '../events/types.ts';
import type { GrantDocument, SessionDocument } from '../storage/documents.ts';
import type { PendingEvent, Store } from '../storage/store.ts';
import type { Operation, UnitOfWork } from '../storage/work.ts';
import { endGrant } from './grants.ts';
import { clientsOfSession, endSession } from './sessions.ts';

const pageSize = 100;

export function endGrantOperation(
  id: string,
  reason: GrantEndReason,
  now: number,
): Operation<GrantDocument> {
  return endGrant(reason, now, ({ session, user, client, account }) =>
    newEvent(() => now, 'grant.revoked', {
      grant: id,
      session,
      user,
      client,
      ...(account === undefined ? {} : { account }),
      reason,
    }),
  );
}

export function endSessionOperation(
  uid: string,
  reason: SessionEndReason,
  now: number,
): Operation<SessionDocument> {
  return endSession(reason, now, (session) =>
    newEvent(() => now, 'session.ended', {
      session: uid,
      ...(session.user === undefined ? {} : { user: session.user }),
      reason,
      clients: clientsOfSession(session),
    }),
  );
}

export interface Endings {
  /** Ends the session, and then every grant that came from it. */
  session(uid: string, reason: SessionEndReason): Promise<void>;
  grant(id: string, reason: GrantEndReason): Promise<void>;
  /** Every living grant that came from this session, remembered by the library or not. */
  grantsOfSession(uid: string): Promise<void>;
  /** For the dispatcher: what follows from an ended session, user, membership or account. */
  handler: { name: string; types: readonly string[]; handle(event: PendingEvent): Promise<void> };
}

export function createEndings(deps: { store: Store; work: UnitOfWork; clock: Clock }): Endings {
  const { store, work, clock } = deps;

  const endOne = (id: string, reason: GrantEndReason) =>
    work.run((current) => {
      current.record('grant', id, endGrantOperation(id, reason, clock()));
      return Promise.resolve();
    });

  async function endGrantsBy(
    index: 'session' | 'user' | 'account',
    value: string,
    reason: GrantEndReason,
    concerns: (grant: GrantDocument) => boolean = () => true,
  ): Promise<void> {
    let after: string | undefined;
    for (;;) {
      const page = await store.find('grant', index, value, { after, limit: pageSize });
      for (const { id, document } of page) {
        if (document.ended === undefined && concerns(document)) await endOne(id, reason);
      }
      if (page.length < pageSize) return;
      after = page.at(-1)?.id;
    }
  }

  const endOneSession = (uid: string, reason: SessionEndReason) =>
    work.run((current) => {
      current.record('session', uid, endSessionOperation(uid, reason, clock()));
      return Promise.resolve();
    });

  async function endSessionsOfUser(user: string): Promise<void> {
    let after: string | undefined;
    for (;;) {
      const page = await store.find('session', 'user', user, { after, limit: pageSize });
      for (const { id, document } of page) {
        if (document.ended === undefined) await endOneSession(id, 'user_disabled');
      }
      if (page.length < pageSize) return;
      after = page.at(-1)?.id;
    }
  }

  const grantsOfSession = (uid: string) => endGrantsBy('session', uid, 'session_ended');

  async function handle({ type, data }: PendingEvent): Promise<void> {
    const text = (key: string) => String(data[key]);
    switch (type) {
      case 'session.ended':
        // A session that merely ran out leaves the apps' own tokens to their own lifetimes.
        if (data.reason !== 'expired') await grantsOfSession(text('session'));
        return;
      case 'user.disabled':
      case 'user.deleted':
        await endSessionsOfUser(text('user'));
        await endGrantsBy('user', text('user'), 'user_disabled');
        return;
      case 'member.removed':
        await endGrantsBy(
          'user',
          text('user'),
          'member_removed',
          (grant) => grant.account === data.account,
        );
        return;
      case 'account.closed':
        await endGrantsBy('account', text('account'), 'account_closed');
        return;
      default:
    }
  }

  return {
    async session(uid, reason) {
      await endOneSession(uid, reason);
      await grantsOfSession(uid);
    },
    grant: endOne,
    grantsOfSession,
    handler: {
      name: 'endings',
      types: ['session.ended', 'user.disabled', 'user.deleted', 'member.removed', 'account.closed'],
      handle,
    },
  };
}
