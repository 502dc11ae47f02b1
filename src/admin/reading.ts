/** How commands read the store: all of a kind, page by page, and when something was last used. */

import { moment } from '../command_store.ts';
import { rolesNow } from '../directory/access.ts';
import { unusedSince } from '../directory/last_use.ts';
import { membershipOf, effectiveRoles, ownsAccount } from '../directory/roles.ts';
import type { AccountDocument, UserDocument } from '../storage/documents.ts';
import type { Documents, Kind } from '../storage/kinds.ts';
import { eachListed } from '../storage/each.ts';
import type { Store, Stored } from '../storage/store.ts';

const pageSize = 1000;

export interface Listed<D> {
  rows: Stored<D>[];
  /** The id to go on behind. */
  next?: string;
}

/** All that fit, in the order of their ids, up to `limit`. */
export async function filtered<K extends Kind>(
  store: Store,
  kind: K,
  {
    fits,
    limit,
    after,
  }: { fits: (document: Documents[K]) => boolean; limit: number; after: string | undefined },
): Promise<Listed<Documents[K]>> {
  const rows: Stored<Documents[K]>[] = [];
  for await (const stored of eachListed(store, kind, { after, pageSize })) {
    if (!fits(stored.document)) continue;
    if (rows.length === limit) return { rows, next: rows.at(-1)?.id ?? '' };
    rows.push(stored);
  }
  return { rows };
}

/** When they were last there: signed in, or a token was issued for them; else when they came. */
export function lastUseOfUser({ memberships = [], signedInAt, createdAt }: UserDocument): number {
  const uses = memberships.map(({ usedAt = 0 }) => usedAt);
  return unusedSince({ usedAt: Math.max(signedInAt ?? 0, ...uses), createdAt });
}

export function lastUseOfAccount(account: AccountDocument): number {
  return unusedSince(account);
}

/** As tokens would say them, also of who is disabled. */
export function rolesIn(
  id: string,
  user: UserDocument,
  account: Stored<AccountDocument>,
): string[] {
  const now = rolesNow(id, { ...user, status: 'active' }, account.id, account.document);
  const membership = membershipOf(user, account.id);
  if (now !== undefined || membership === undefined) return now ?? [];
  return effectiveRoles(membership.roles, ownsAccount(account.document, id));
}

/** Times are for people and programs alike. */
export function times<K extends string>(
  given: Record<K, number | undefined>,
): Partial<Record<K, string>> {
  const there = Object.entries<number | undefined>(given).flatMap(([name, value]) =>
    value === undefined ? [] : [[name, moment(value)] as const],
  );
  return Object.fromEntries(there) as Partial<Record<K, string>>;
}

/** For programs: nothing that is not there. */
export function known(fields: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
}

export function more(next: string | undefined): string {
  return next === undefined ? '' : `\nMore: --after ${next}\n`;
}
