/** Documents and events for tests of stores: small, valid, and different where asked for. */

import type * as D from '../../src/storage/documents.ts';
import { identityKey } from '../../src/storage/kinds.ts';
import type { Documents, Kind } from '../../src/storage/kinds.ts';
import type { EventPlace, NewEvent, Store, Stored } from '../../src/storage/store.ts';
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

/** Where `event(id)` waits. */
export const placeOf = (kind: Kind, document: string, id: string): EventPlace => ({
  id: `evt_${id}`,
  kind,
  document,
});

/** What holds for all kinds is tried with a kept one and a hot one: they may be in different stores. */
export interface Subject {
  kind: Kind;
  make(label?: string): Documents[Kind];
  /** The label that a document was made with. */
  labelOf(document: Documents[Kind] | undefined): string | undefined;
}

export const subjects: readonly Subject[] = [
  {
    kind: 'account',
    make: (label = 'Example') => account({ name: label }),
    labelOf: (document) => (document as D.AccountDocument | undefined)?.name,
  },
  {
    kind: 'grant',
    make: (label = 'app') => grant({ client: label }),
    labelOf: (document) => (document as D.GrantDocument | undefined)?.client,
  },
];

/** For processes that write side by side: a number that counts, and documents of which there are many. */
export interface Tasks {
  number: { kind: Kind; make(value: number): Documents[Kind]; valueOf(document: unknown): number };
  lane: {
    kind: Kind;
    make(name: string): Documents[Kind];
    /** Those of all lanes, behind this one. */
    page(store: Store, after: string | undefined): Promise<Stored<unknown>[]>;
  };
}

export const keptTasks: Tasks = {
  number: {
    kind: 'meta',
    make: (value) => ({ value }),
    valueOf: (document) => Number((document as D.MetaDocument).value),
  },
  lane: {
    kind: 'account',
    make: (name) => account({ name, customer: name }),
    page: (store, after) =>
      store.find('account', 'customer', '', { prefix: true, limit: 1000, after }),
  },
};

export const hotTasks: Tasks = {
  number: {
    kind: 'session',
    make: (value) => session({ generation: value }),
    valueOf: (document) => (document as D.SessionDocument).generation,
  },
  lane: {
    kind: 'grant',
    make: (name) => grant({ client: name }),
    page: (store, after) => store.find('grant', 'user', 'usr_1', { limit: 1000, after }),
  },
};
