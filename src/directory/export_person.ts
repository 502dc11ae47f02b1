/**
 * All that is kept about a person, as one JSON object, in pieces: a page of rows at a time, however many there are.
 * Ids, times and what they said themselves; no secret, and nothing that somebody could sign in by.
 */

import type { Clock } from '../base/clock.ts';
import type {
  AuditDocument,
  ConsentDocument,
  GrantDocument,
  InvitationDocument,
  MailDocument,
  SessionDocument,
  SignupDocument,
  UserDocument,
} from '../storage/documents.ts';
import type { Kind } from '../storage/kinds.ts';
import { eachFound } from '../storage/each.ts';
import type { Store, Stored } from '../storage/store.ts';
import { verifiedAddresses } from './addresses.ts';
import { effectiveRoles, ownsAccount } from './roles.ts';
import { userUnknown } from './users.ts';

export async function* exportPerson(
  { store, clock }: { store: Store; clock: Clock },
  user: string,
): AsyncGenerator<string> {
  const person = (await store.get('user', user))?.document;
  if (person === undefined) throw userUnknown();
  const of = <K extends Kind>(kind: K, index: string, value = user) =>
    eachFound(store, kind, { index, value });
  yield `{"exportedAt":${JSON.stringify(time(clock()))},"person":${JSON.stringify(profile(user, person))}`;
  yield* list('accounts', memberships(store, user, person));
  yield* list('sessions', of('session', 'user'), session);
  yield* list('apps', of('grant', 'user'), grant);
  yield* list('consents', of('consent', 'user'), consent);
  yield* list('signUps', of('signup', 'user'), signup);
  yield* list('invitationsSent', of('invitation', 'by'), (one) => invitation(one, false));
  yield* list('invitationsAnswered', of('invitation', 'candidate'), (one) =>
    invitation(one, false),
  );
  const addresses = person.status === 'deleted' ? [] : verifiedAddresses(person);
  if (addresses.length > 0) {
    const toThem = ofEach(addresses, (address) => of('invitation', 'email', address));
    yield* list('invitationsToYourAddress', toThem, (one) => invitation(one, true));
  }
  yield* list('mails', of('mail', 'user'), mail);
  yield* list('record', of('audit', 'user'), record);
  yield* list('recordOfWhatYouDidToOthers', of('audit', 'actor'), record);
  yield '}\n';
}

/** The name and its rows. Without `shape` they are as they come. */
async function* list<Row>(
  name: string,
  found: AsyncIterable<Row>,
  shape: (row: Row) => unknown = (row) => row,
): AsyncGenerator<string> {
  yield `,\n${JSON.stringify(name)}:[`;
  let separator = '';
  for await (const row of found) {
    yield `${separator}\n${JSON.stringify(shape(row))}`;
    separator = ',';
  }
  yield ']';
}

async function* ofEach<Row>(
  values: readonly string[],
  of: (value: string) => AsyncIterable<Row>,
): AsyncGenerator<Row> {
  for (const value of values) yield* of(value);
}

function profile(id: string, person: UserDocument): object {
  const { memberships: _listed, createdAt, signedInAt, deletion, ...rest } = person;
  const { revokedBefore, purge: _purge, purgeAt: _purgeAt, identities, ...kept } = rest;
  return {
    id,
    ...kept,
    identities: identities.map(({ linkedAt, ...one }) => ({ ...one, linkedAt: time(linkedAt) })),
    createdAt: time(createdAt),
    signedInAt: time(signedInAt),
    signedOutEverywhereAt: time(revokedBefore),
    deletion: deletion && { askedAt: time(deletion.askedAt), dueAt: time(deletion.dueAt) },
  };
}

async function* memberships(
  store: Store,
  user: string,
  person: UserDocument,
): AsyncGenerator<object> {
  for (const { account, roles, since, usedAt } of person.memberships ?? []) {
    const document = (await store.get('account', account))?.document;
    if (document === undefined) continue;
    yield {
      account,
      name: document.name,
      status: document.status,
      roles: effectiveRoles(roles, ownsAccount(document, user)),
      since: time(since),
      usedAt: time(usedAt),
      seat: document.seats?.includes(user) === true ? true : undefined,
    };
  }
}

/** A key, a salt or what the library keeps for itself is nothing about the person. */
function session({ id, document }: Stored<SessionDocument>): object {
  const { device, ended, expiresAt, payload } = document;
  return {
    id,
    signedInAt: time(device?.signedInAt ?? seconds(payload.loginTs)),
    device: device?.name,
    network: device?.network,
    ended: ended && { at: time(ended.at), reason: ended.reason },
    expiresAt: time(expiresAt),
  };
}

function grant({ id, document }: Stored<GrantDocument>): object {
  const { client, account, session: from, ended, expiresAt, payload } = document;
  return {
    id,
    app: client,
    account,
    session: from,
    since: time(seconds(payload.iat)),
    ended: ended && { at: time(ended.at), reason: ended.reason },
    expiresAt: time(expiresAt),
  };
}

function consent({ document }: Stored<ConsentDocument>): object {
  const { client, account, scopes, claims, at } = document;
  return { app: client, account, scopes, claims, at: time(at) };
}

function signup({ document }: Stored<SignupDocument>): object {
  const { account, product, plan, period, quantity, locale, state, customer, createdAt } = document;
  const chosen = { product, plan, period, quantity, locale };
  return { account, ...chosen, state, customer, createdAt: time(createdAt) };
}

/** @param isTheirs the address: not that of somebody whom they invited, or who handed the link on */
function invitation({ id, document }: Stored<InvitationDocument>, isTheirs: boolean): object {
  const { account, way, email, roles, state, createdAt, expiresAt } = document;
  const times = { createdAt: time(createdAt), expiresAt: time(expiresAt) };
  return { id, account, way, email: isTheirs ? email : undefined, roles, state, ...times };
}

function mail({ document }: Stored<MailDocument>): object {
  const { template, to, account, invitation: about, state, createdAt, sentAt } = document;
  const times = { createdAt: time(createdAt), sentAt: time(sentAt) };
  return { template, to, account, invitation: about, state, ...times };
}

function record({ document }: Stored<AuditDocument>): object {
  const { type, at, data } = document;
  return { type, at: time(at), data };
}

const seconds = (value: unknown) => (typeof value === 'number' ? value * 1000 : undefined);

const time = (at: number | undefined) =>
  at === undefined ? undefined : new Date(at).toISOString();
