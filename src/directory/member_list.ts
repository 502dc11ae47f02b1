/** Everybody who belongs to an account, as tokens judge it. */

import type { AccountDocument, UserDocument } from '../storage/documents.ts';
import { eachFound } from '../storage/each.ts';
import type { Store } from '../storage/store.ts';
import { effectiveRoles, membershipOf, ownsAccount } from './roles.ts';

const pageSize = 1000;

/** Of any status but deleted: who is disabled may come back to their place. */
export async function memberIds(
  store: Store,
  account: string,
  document: AccountDocument,
): Promise<string[]> {
  const members: string[] = [];
  const all = eachFound(store, 'user', { index: 'account', value: account }, { pageSize });
  for await (const { id, document: user } of all) {
    if (belongs(id, user, account, document)) members.push(id);
  }
  return members;
}

/** How many, up to `most`, and whether there are more. */
export async function countMembers(
  store: Store,
  account: string,
  document: AccountDocument,
  most: number,
): Promise<{ count: number; isMore: boolean }> {
  const page = await store.find('user', 'account', account, { limit: most + 1 });
  const { length } = page.filter(({ id, document: user }) => belongs(id, user, account, document));
  return { count: Math.min(length, most), isMore: page.length > most };
}

export function belongs(
  id: string,
  user: UserDocument,
  accountId: string,
  account: AccountDocument,
): boolean {
  const membership = user.status === 'deleted' ? undefined : membershipOf(user, accountId);
  if (membership === undefined) return false;
  return effectiveRoles(membership.roles, ownsAccount(account, id)).length > 0;
}

/** @param where `but`: whoever is left out */
export async function hasOtherMembers(
  store: Store,
  where: { account: string; document: AccountDocument; but: string },
): Promise<boolean> {
  const { account, document, but } = where;
  for await (const one of eachFound(store, 'user', { index: 'account', value: account })) {
    if (one.id !== but && belongs(one.id, one.document, account, document)) return true;
  }
  return false;
}
