/** A line against all others and against the store: whether it can be written, is there already, or is in the way of something. */

import { restsOnOwnership } from '../directory/roles.ts';
import { identityKey } from '../storage/kinds.ts';
import type { Store } from '../storage/store.ts';
import { differencesOfAccount, differencesOfUser, isSomebodyElse } from './import_compare.ts';
import type { FileIndex } from './import_index.ts';
import type { Complaint } from './record_fields.ts';
import type { AccountRecord, ImportRecord, UserRecord } from './records.ts';

export interface CheckDeps {
  store: Store;
  /** No user has one of these ids. */
  reservedIds: ReadonlySet<string>;
}

export interface Checked {
  state: 'new' | 'unchanged' | 'different' | 'wrong';
  complaints: Complaint[];
  /** Fields that are other by now. */
  fields: string[];
}

export async function check(
  deps: CheckDeps,
  index: FileIndex,
  record: ImportRecord,
): Promise<Checked> {
  return record.type === 'user'
    ? checkUser(deps, index, record)
    : checkAccount(deps, index, record);
}

async function checkUser(deps: CheckDeps, index: FileIndex, record: UserRecord): Promise<Checked> {
  const { store, reservedIds } = deps;
  const complaints: Complaint[] = [];
  const complain = (field: string, problem: string) => void complaints.push({ field, problem });
  const { id, fields } = record;
  if (reservedIds.has(id)) complain('id', 'This is the id of a client.');
  const there = (await store.get('user', id))?.document;
  for (const [position, membership] of (fields.memberships ?? []).entries()) {
    const name = `memberships[${position}]`;
    const owners = await ownersOf(store, index, membership.account);
    if (owners === undefined) {
      complain(`${name}.account`, 'There is no such account, neither in the file nor here.');
    } else if (restsOnOwnership(membership) && !owners.includes(id)) {
      complain(`${name}.roles`, "It says owner, and the account's owners do not have them.");
    }
  }
  if (there === undefined) {
    for (const [position, { issuer, subject }] of (fields.identities ?? []).entries()) {
      const key = identityKey(issuer, subject);
      const [holder] = await store.find('user', 'identity', key, { limit: 1 });
      if (holder !== undefined) {
        complain(`identities[${position}]`, `It belongs to the user ${holder.id}.`);
      }
    }
    return outcome(complaints);
  }
  if (there.status === 'deleted') {
    complain('id', 'A deleted user had this id, and does not come back.');
  } else if (isSomebodyElse(record, there)) {
    complain('id', 'Somebody with other identities has this id.');
  }
  return outcome(complaints, differencesOfUser(record, there));
}

async function checkAccount(
  { store }: CheckDeps,
  index: FileIndex,
  record: AccountRecord,
): Promise<Checked> {
  const complaints: Complaint[] = [];
  const complain = (field: string, problem: string) => void complaints.push({ field, problem });
  const { id, fields } = record;
  for (const [position, owner] of fields.owners.entries()) {
    if (index.users.has(owner)) continue;
    const user = (await store.get('user', owner))?.document;
    if (user === undefined || user.status === 'deleted') {
      complain(`owners[${position}]`, 'There is no such user, neither in the file nor here.');
    }
  }
  const there = (await store.get('account', id))?.document;
  if (there !== undefined) return outcome(complaints, differencesOfAccount(record, there));
  const find = async (field: string, name: 'customer' | 'domain', value: string) => {
    const [holder] = await store.find('account', name, value, { limit: 1 });
    if (holder !== undefined) complain(field, `It belongs to the account ${holder.id}.`);
  };
  if (fields.customer !== undefined) await find('customer', 'customer', fields.customer);
  for (const { domain, provenAt } of fields.domains ?? []) {
    if (provenAt !== undefined) await find('domains', 'domain', domain);
  }
  return outcome(complaints);
}

/** @param differences absent: it is not there yet */
function outcome(complaints: Complaint[], differences?: string[]): Checked {
  const fields = differences ?? [];
  if (complaints.length > 0) return { state: 'wrong', complaints, fields };
  if (differences === undefined) return { state: 'new', complaints, fields };
  return { state: fields.length > 0 ? 'different' : 'unchanged', complaints, fields };
}

async function ownersOf(
  store: Store,
  { accounts }: FileIndex,
  id: string,
): Promise<readonly string[] | undefined> {
  // What is there already is not changed: its owners are those that it has.
  const stored = accounts.get(id)?.owners ?? (await store.get('account', id))?.document.owners;
  return stored;
}
