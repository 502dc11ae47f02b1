/**
 * Which security events (CAEP 1.0, RISC 1.0) a notice is, and about whom. Services take `session-revoked` for "refuse
 * every token that all parts of the subject fit": that is why a session that merely ran out is none, for the
 * apps' own tokens live on.
 */

import type { NoticeDocument } from '../../storage/documents.ts';
import type { Told } from '../types.ts';
import { whyOf } from './reasons.ts';
import { setTypes } from './set_types.ts';
import type { SetType } from './set_types.ts';
import { complexSubject, opaqueSubject, userSubject } from './subjects.ts';
import type { Parts, Subject } from './subjects.ts';

export interface SecurityEvent {
  type: SetType;
  subject: Subject;
  payload: Record<string, unknown>;
}

/** What is told to one stream alone; nobody else hears of it. */
export type StreamTold =
  | { type: 'stream.verification'; data: { stream: string; state?: string } }
  | { type: 'stream.updated'; data: { stream: string; status: string; reason?: string } };

type Notice = Pick<NoticeDocument, 'type' | 'at' | 'data'>;

interface Making {
  issuer: string;
  told: Told;
  /** Milliseconds. */
  at: number;
}

/** The same list in the same order each time: a delivery names its place in it. */
export function setsOf(issuer: string, notice: Notice): SecurityEvent[] {
  const own = streamEvent(notice as unknown as StreamTold);
  return own === undefined ? eventsOf(issuer, notice) : [own];
}

function eventsOf(issuer: string, notice: Notice): SecurityEvent[] {
  const told = notice as unknown as Told;
  const making = { issuer, told, at: notice.at };
  const revoked = (parts: Parts) =>
    event(making, setTypes.sessionRevoked, complexSubject(issuer, parts));
  const changed = (parts: Parts, claims: object) =>
    event(making, setTypes.tokenClaimsChange, complexSubject(issuer, parts), { claims });
  switch (told.type) {
    case 'session.ended': {
      const { user, reason, clients = [] } = told.data;
      if (reason === 'expired') return [];
      return clients.map(({ sid }) => revoked({ user, session: sid }));
    }
    case 'grant.revoked': {
      const { user, account, sid } = told.data;
      // Without one no token was made of it, and all others of the user are not meant.
      if (sid === undefined) return [];
      return [revoked({ user, tenant: account, session: sid })];
    }
    case 'member.removed':
      return [revoked({ user: told.data.user, tenant: told.data.account })];
    case 'user.revoked':
      return [revoked({ user: told.data.user })];
    case 'account.closed':
    case 'account.revoked':
      return [revoked({ tenant: told.data.account })];
    case 'member.changed': {
      const { user, account, roles } = told.data;
      return [changed({ user, tenant: account }, { roles })];
    }
    case 'subscription.changed':
      return [changed({ tenant: told.data.account }, told.data.claims)];
    default:
      return personalEvents(making);
  }
}

/** About a person at large: RISC, and CAEP's of the ways to sign in. */
function personalEvents(making: Making): SecurityEvent[] {
  const { issuer, told } = making;
  const about = (type: SetType, user: string, more?: object) => [
    event(making, type, userSubject(issuer, user), more),
  ];
  switch (told.type) {
    case 'user.disabled':
      return about(setTypes.accountDisabled, told.data.user);
    case 'user.enabled':
      return about(setTypes.accountEnabled, told.data.user);
    case 'user.deleted':
      return about(setTypes.accountPurged, told.data.user);
    case 'identity.linked':
    case 'identity.unlinked':
      return about(setTypes.credentialChange, told.data.user, {
        // Of the words that CAEP 1.0 §3.3 has, the nearest to "another provider vouches for them".
        credential_type: 'app',
        change_type: told.type === 'identity.linked' ? 'create' : 'delete',
        friendly_name: told.data.provider,
      });
    default:
      return [];
  }
}

function event(
  { told, at }: Making,
  type: SetType,
  subject: Subject,
  more: object = {},
): SecurityEvent {
  const { by, sentence } = whyOf(told);
  const payload = {
    ...more,
    event_timestamp: Math.floor(at / 1000),
    initiating_entity: by,
    reason_admin: { en: sentence },
  };
  return { type, subject, payload };
}

/** SSF 1.0 §8.1.4.1 and §8.1.5. */
function streamEvent({ type, data }: StreamTold): SecurityEvent | undefined {
  switch (type) {
    case 'stream.verification': {
      const payload = data.state === undefined ? {} : { state: data.state };
      return { type: setTypes.verification, subject: opaqueSubject(data.stream), payload };
    }
    case 'stream.updated': {
      const { stream, status, reason } = data;
      const payload = { status, ...(reason === undefined ? {} : { reason }) };
      return { type: setTypes.streamUpdated, subject: opaqueSubject(stream), payload };
    }
    default:
      return undefined;
  }
}
