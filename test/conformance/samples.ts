/** Documents and events for tests of stores: small, valid, and different where asked for. */

import { identityKey } from '../../src/storage/kinds.ts';
import type * as D from '../../src/storage/documents.ts';
import type { NewEvent } from '../../src/storage/store.ts';
import { startOfTime } from './suite.ts';

export function session(changes: Partial<D.SessionDocument> = {}): D.SessionDocument {
  return { payload: {}, generation: 1, expiresAt: startOfTime + 60_000, ...changes };
}

export function grant(changes: Partial<D.GrantDocument> = {}): D.GrantDocument {
  return {
    payload: {},
    user: 'usr_1',
    client: 'app',
    session: 'session-1',
    salt: 'salt',
    expiresAt: startOfTime + 60_000,
    ...changes,
  };
}

/** @param subjects one identity each, all from one issuer */
export function user(
  subjects: readonly string[] = [],
  accounts: readonly string[] = [],
): D.UserDocument {
  const identities = subjects.map((subject) => ({
    provider: 'upstream',
    issuer: 'https://upstream.example',
    subject,
    linkedAt: startOfTime,
  }));
  const memberships = accounts.map((account) => ({
    account,
    roles: ['member'],
    since: startOfTime,
  }));
  return { status: 'active', identities, memberships, createdAt: startOfTime };
}

export const identityOf = (subject: string) => identityKey('https://upstream.example', subject);

export function account(changes: Partial<D.AccountDocument> = {}): D.AccountDocument {
  return {
    name: 'Example',
    status: 'active',
    owners: ['usr_1'],
    createdAt: startOfTime,
    ...changes,
  };
}

export function audit(changes: Partial<D.AuditDocument> = {}): D.AuditDocument {
  return { type: 'test', at: startOfTime, data: {}, ...changes };
}

export function event(id: string, changes: Partial<NewEvent> = {}): NewEvent {
  return { id: `evt_${id}`, type: 'user.registered', at: startOfTime, data: { id }, ...changes };
}
