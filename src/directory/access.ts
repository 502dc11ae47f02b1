/**
 * Who may act for which account now: the one answer that tokens and pages are made from. It takes a
 * user who is active, a membership, and an account that exists and is active; anything half made or
 * half undone reads as less.
 */

import type { AccountDocument, UserDocument } from '../storage/documents.ts';
import type { Store } from '../storage/store.ts';
import type { Account } from './accounts.ts';
import { effectiveRoles, membershipOf, ownsAccount } from './roles.ts';

export interface UsableAccount {
  id: string;
  name: string;
  roles: string[];
  document: AccountDocument;
}

/** Who a user is for an account. */
export interface Membership {
  user: UserDocument;
  account: Account;
  roles: string[];
}

export interface Access {
  /** Sorted by name. */
  usableAccounts: (user: string) => Promise<UsableAccount[]>;
  /** The id of the only one, where there is exactly one: no more is read than it takes to know. */
  onlyAccount: (user: string) => Promise<string | undefined>;
  membership: (user: string, account: string) => Promise<Membership | undefined>;
}

/** Accounts that are read at the same time. */
const batch = 20;

export function createAccess({ store }: { store: Store }): Access {
  return {
    async usableAccounts(id) {
      const usable: UsableAccount[] = [];
      for await (const some of usableOf(store, id, batch)) usable.push(...some);
      return usable.toSorted(byName);
    },

    async onlyAccount(id) {
      const usable: UsableAccount[] = [];
      for await (const some of usableOf(store, id, 2)) {
        usable.push(...some);
        if (usable.length > 1) return undefined;
      }
      return usable[0]?.id;
    },

    async membership(id, account) {
      const [user, stored] = await Promise.all([
        store.get('user', id),
        store.get('account', account),
      ]);
      const roles = rolesNow(id, user?.document, account, stored?.document);
      if (user === undefined || stored === undefined || roles === undefined) return undefined;
      return { user: user.document, account: { id: account, ...stored.document }, roles };
    },
  };
}

/** @param first so many are read at first; behind them as many at a time as may be */
async function* usableOf(store: Store, id: string, first: number): AsyncGenerator<UsableAccount[]> {
  const user = (await store.get('user', id))?.document;
  const memberships = user?.memberships ?? [];
  for (let start = 0, size = first; start < memberships.length; start += size, size = batch) {
    const some = memberships.slice(start, start + size);
    const accounts = await Promise.all(some.map(({ account }) => store.get('account', account)));
    yield accounts.flatMap((stored) => {
      const roles = rolesNow(id, user, stored?.id, stored?.document);
      if (stored === undefined || roles === undefined) return [];
      return [{ id: stored.id, name: stored.document.name, roles, document: stored.document }];
    });
  }
}

/** @returns `undefined` when the user may not act for the account */
export function rolesNow(
  id: string,
  user: UserDocument | undefined,
  accountId: string | undefined,
  account: AccountDocument | undefined,
): string[] | undefined {
  if (user?.status !== 'active' || account?.status !== 'active') return undefined;
  const membership = accountId === undefined ? undefined : membershipOf(user, accountId);
  if (membership === undefined) return undefined;
  const roles = effectiveRoles(membership.roles, ownsAccount(account, id));
  return roles.length === 0 ? undefined : roles;
}

function byName(left: UsableAccount, right: UsableAccount): number {
  return left.name.localeCompare(right.name, 'en') || (left.id < right.id ? -1 : 1);
}
