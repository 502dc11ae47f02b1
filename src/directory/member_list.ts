/** Everybody who belongs to an account, as tokens judge it. */

import type { AccountDocument, UserDocument } from '../storage/documents.ts';
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
  let after: string | undefined;
  for (;;) {
    const paging = { limit: pageSize, ...(after === undefined ? {} : { after }) };
    const page = await store.find('user', 'account', account, paging);
    for (const { id, document: user } of page) {
      if (belongs(id, user, account, document)) members.push(id);
    }
    after = page.at(-1)?.id;
    if (page.length < pageSize) return members;
  }
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
  let after: string | undefined;
  for (;;) {
    const paging = { limit: 100, ...(after === undefined ? {} : { after }) };
    const page = await store.find('user', 'account', account, paging);
    const others = page.filter(({ id }) => id !== but);
    if (others.some(({ id, document: user }) => belongs(id, user, account, document))) return true;
    after = page.at(-1)?.id;
    if (page.length < 100) return false;
  }
}
