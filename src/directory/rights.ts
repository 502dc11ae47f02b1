/**
 * What roles may do in their account. An owner may do everything; what the others may is in the configuration. Nobody
 * gives, or takes away, more than they have themselves, and only owners make owners (T75).
 */

import { ownerRole } from './roles.ts';

export type Right = 'members' | 'settings' | 'activity' | 'billing';

/** The roles of the configuration: what each may do. */
export type RoleTable = readonly { id: string; may: readonly Right[] }[];

const all: readonly Right[] = ['members', 'settings', 'activity', 'billing'];

export function isOwner(roles: readonly string[]): boolean {
  return roles.includes(ownerRole);
}

export function rightsOf(roles: readonly string[], table: RoleTable): ReadonlySet<Right> {
  if (isOwner(roles)) return new Set(all);
  return new Set(table.filter(({ id }) => roles.includes(id)).flatMap(({ may }) => may));
}

/**
 * Whether somebody with the roles `mine` may have somebody with the roles `theirs`: invite them, give these roles, take
 * them away. A role that the configuration does not know gives no rights here, but may mean something to an app: it is left to owners.
 */
export function mayGive(
  mine: readonly string[],
  theirs: readonly string[],
  table: RoleTable,
): boolean {
  if (isOwner(mine)) return true;
  const own = rightsOf(mine, table);
  if (!own.has('members') || isOwner(theirs)) return false;
  const isKnown = theirs.every(
    (role) => mine.includes(role) || table.some(({ id }) => id === role),
  );
  return isKnown && [...rightsOf(theirs, table)].every((right) => own.has(right));
}
