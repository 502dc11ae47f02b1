/**
 * Roles. Who owns an account is written on the account, so that "never the last owner" is one
 * document's business; all other roles are in the user's membership. A membership that names `owner`
 * rests on the ownership: without it, it gives nothing.
 */

import { Problem } from '../base/errors.ts';
import type { AccountDocument, MembershipEntry, UserDocument } from '../storage/documents.ts';

export const ownerRole = 'owner';
const plainRole = 'member';
const mostRoles = 20;
const rolePattern = /^[A-Za-z][A-Za-z0-9._:-]{0,63}$/;

/** @throws {Problem} `role_invalid` */
export function requireRoles(value: unknown): string[] {
  const given: unknown[] = Array.isArray(value) && value.length <= mostRoles ? value : [];
  const roles = given.filter(
    (role): role is string => typeof role === 'string' && rolePattern.test(role),
  );
  if (roles.length === 0 || roles.length < given.length) {
    throw new Problem('role_invalid', 400, 'Roles are 1 to 20 words of at most 64 characters.', {
      details: { field: 'roles' },
    });
  }
  return [...new Set(roles)];
}

/** What a membership keeps: the roles beside `owner`, and never none. */
export function rolesToKeep(roles: readonly string[]): string[] {
  const rest = roles.filter((role) => role !== ownerRole);
  return rest.length === 0 ? [plainRole] : rest;
}

/** What somebody may do in an account that they belong to: nothing when the list is empty. */
export function effectiveRoles(stored: readonly string[], isOwner: boolean): string[] {
  if (!isOwner) return stored.includes(ownerRole) ? [] : [...stored];
  return [ownerRole, ...stored.filter((role) => role !== ownerRole && role !== plainRole)];
}

export function restsOnOwnership(membership: MembershipEntry): boolean {
  return membership.roles.includes(ownerRole);
}

/** These roles for as long as somebody is an owner. */
export function restingOnOwnership(roles: readonly string[]): string[] {
  return [ownerRole, ...roles.filter((role) => role !== ownerRole)];
}

export function membershipOf(user: UserDocument, account: string): MembershipEntry | undefined {
  return user.memberships?.find((membership) => membership.account === account);
}

/** The user with this membership, or without one. */
export function withMembership(
  user: UserDocument,
  account: string,
  membership: MembershipEntry | undefined,
): UserDocument {
  const { memberships = [], sentAway = [], ...rest } = user;
  const others = memberships.filter((other) => other.account !== account);
  const next = membership === undefined ? others : [...others, membership];
  // Let in again: forgotten.
  const away = sentAway.filter((other) => other !== account);
  return {
    ...rest,
    ...(next.length > 0 && { memberships: next }),
    ...(away.length > 0 && { sentAway: away }),
  };
}

export function ownsAccount(account: AccountDocument, user: string): boolean {
  return account.owners.includes(user);
}
