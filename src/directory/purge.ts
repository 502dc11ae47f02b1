/**
 * What is left of a person a day after their deletion goes: from every kind of row, and in the end their own. Each step
 * may be repeated, and what the next ones go by stays until they are done, so it goes on after a crash at any point. The
 * trail of what happened stays, by a pseudonym that nothing leads back from. `docs/privacy.md` has the table.
 */

import type { Clock } from '../base/clock.ts';
import { newId } from '../base/ids.ts';
import type { AccountDocument, AuditDocument, UserDocument } from '../storage/documents.ts';
import { eachFound } from '../storage/each.ts';
import type { Kind } from '../storage/kinds.ts';
import { Conflict } from '../storage/store.ts';
import type { EventPlace, Store } from '../storage/store.ts';
import { change } from './change.ts';

export interface PurgeOptions {
  store: Store;
  clock: Clock;
  /** Of the deletion itself. Idempotent. */
  finish: (user: string) => Promise<void>;
}

/** Somebody, and what stands for them from now on. */
interface Gone {
  id: string;
  pseudonym: string;
}

const pendingSize = 500;
const mostPending = 20;

/** @returns false: something that goes by them is still under way, so not yet */
export async function purge(options: PurgeOptions, id: string): Promise<boolean> {
  const { store, clock, finish } = options;
  const found = await store.get('user', id);
  if (found === undefined) return true;
  const { status, purgeAt } = found.document;
  if (status !== 'deleted' || purgeAt === undefined || purgeAt > clock()) return false;
  // Whoever is to hear of it has to be told first: by their id, which is known no more afterwards.
  if (await isTold(store, 'user', id)) await finish(id);
  else return false;
  const user = await nameGone(store, id);
  if (user === undefined) return false;
  const gone = { id, pseudonym: user.purge.pseudonym };
  if (!(await forgetHot(store, id))) return false;
  if (!(await forgetSignups(store, id))) return false;
  // What they did to others and to accounts is told by those: it would come into the trail by their id later.
  if (await isToBeTold(store, id)) return false;
  await forgetAll(store, 'consent', 'user', id);
  await forgetAll(store, 'mail', 'user', id);
  for (const invitation of user.purge.invitations ?? [])
    await forget(store, 'invitation', invitation);
  await forgetAll(store, 'invitation', 'candidate', id);
  for await (const invitation of eachFound(store, 'invitation', { index: 'by', value: id })) {
    await change(store, 'invitation', invitation.id, (present) =>
      present.by === id ? { document: { ...present, by: gone.pseudonym } } : undefined,
    );
  }
  await rewriteTrail(store, gone);
  await forget(store, 'user', id);
  return true;
}

async function isTold(store: Store, kind: Kind, id: string): Promise<boolean> {
  return (await store.pending(1, { of: { kind, id } })).length === 0;
}

/** Something that names them waits in the outbox; or so much waits there that it has to be waited for. */
async function isToBeTold(store: Store, id: string): Promise<boolean> {
  const name = JSON.stringify(id);
  let after: EventPlace | undefined;
  for (let page = 0; page < mostPending; page += 1) {
    const waiting = await store.pending(pendingSize, { after });
    if (waiting.some(({ data }) => JSON.stringify(data).includes(name))) return true;
    if (waiting.length < pendingSize) return false;
    after = waiting.at(-1);
  }
  return true;
}

/** Before anything goes by the pseudonym, so that there is one however often this begins. */
async function nameGone(
  store: Store,
  id: string,
): Promise<{ purge: NonNullable<UserDocument['purge']> } | undefined> {
  const changed = await change(store, 'user', id, (present) =>
    present.purge === undefined
      ? { document: { ...present, purge: { pseudonym: newId('gone') } } }
      : undefined,
  );
  const { purge: named, memberships } = changed?.document ?? {};
  return named === undefined || memberships !== undefined ? undefined : { purge: named };
}

/** @returns false where one has not ended yet, or its end is not told yet */
async function forgetHot(store: Store, id: string): Promise<boolean> {
  let isOver = true;
  for (const kind of ['grant', 'session'] as const) {
    const theirs = eachFound(store, kind, { index: 'user', value: id });
    for await (const { id: one, document } of theirs) {
      if (document.ended !== undefined && (await isTold(store, kind, one))) {
        await forget(store, kind, one);
      } else isOver = false;
    }
  }
  return isOver;
}

/** @returns false while somebody could still pay for one: money has to find where it belongs */
async function forgetSignups(store: Store, id: string): Promise<boolean> {
  let isOver = true;
  for await (const signup of eachFound(store, 'signup', { index: 'user', value: id })) {
    const { state } = signup.document;
    if (state === 'paying' || state === 'pending') isOver = false;
    else await forget(store, 'signup', signup.id);
  }
  return isOver;
}

/** All accounts that they ever had to do with are in the trail, so they are looked at before it is rewritten. */
async function rewriteTrail(store: Store, gone: Gone): Promise<void> {
  const clean = new Set<string>();
  for (const index of ['user', 'actor']) {
    const records = eachFound(store, 'audit', { index, value: gone.id });
    for await (const { id, document } of records) {
      const { account } = document;
      if (account !== undefined && !clean.has(account)) {
        await cleanAccount(store, account, gone);
        clean.add(account);
      }
      await change(store, 'audit', id, (record) => ({ document: rewritten(record, gone) }));
    }
  }
}

function rewritten(record: AuditDocument, gone: Gone): AuditDocument {
  const data = replaced(record.data, gone) as AuditDocument['data'];
  return record.user === gone.id ? { ...record, user: gone.pseudonym, data } : { ...record, data };
}

function replaced(value: unknown, gone: Gone): unknown {
  if (value === gone.id) return gone.pseudonym;
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map((one) => replaced(one, gone));
  return Object.fromEntries(
    Object.entries(value).map(([name, one]) => [name, replaced(one, gone)]),
  );
}

async function cleanAccount(store: Store, account: string, gone: Gone): Promise<void> {
  await change(store, 'account', account, (present) => {
    const document = withoutPerson(present, gone);
    return JSON.stringify(document) === JSON.stringify(present) ? undefined : { document };
  });
}

function withoutPerson(present: AccountDocument, { id, pseudonym }: Gone): AccountDocument {
  const { seats, arriving, closing, closed, ...rest } = present;
  const others = (seats ?? []).filter((seat) => seat !== id);
  const waiting = Object.entries(arriving ?? {}).filter(([user]) => user !== id);
  const owners = present.owners.filter((owner) => owner !== id);
  const name = <By extends { by?: string }>(decided: By): By =>
    decided.by === id ? { ...decided, by: pseudonym } : decided;
  return {
    ...rest,
    // One who was the last owner is so by the pseudonym: an operator finds the account, and gives it to another.
    owners: owners.length === 0 && present.owners.length > 0 ? [pseudonym] : owners,
    ...(others.length === 0 ? {} : { seats: others }),
    ...(waiting.length === 0 ? {} : { arriving: Object.fromEntries(waiting) }),
    ...(closing === undefined ? {} : { closing: name(closing) }),
    ...(closed === undefined ? {} : { closed: name(closed) }),
  };
}

async function forgetAll(
  store: Store,
  kind: 'consent' | 'mail' | 'invitation',
  index: string,
  value: string,
): Promise<void> {
  for await (const { id } of eachFound(store, kind, { index, value }))
    await forget(store, kind, id);
}

/** Whatever it says by now: nobody writes it any more but who tidies up. */
async function forget(store: Store, kind: Kind, id: string): Promise<void> {
  const present = await store.get(kind, id);
  if (present === undefined) return;
  try {
    await store.write(kind, id, null, { expect: present.version });
  } catch (error) {
    if (!(error instanceof Conflict)) throw error;
    await forget(store, kind, id);
  }
}
