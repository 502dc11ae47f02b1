/**
 * What is there already, beside what a line says. Only what the line says is compared: an import that was stopped goes on
 * where it was, and what people changed since then stays as they have it.
 */

import { isDeepStrictEqual } from 'node:util';
import type { AccountDocument, UserDocument } from '../storage/documents.ts';
import type { AccountRecord, UserRecord } from './records.ts';

/** @returns the fields that are other by now */
export function differencesOfUser({ fields }: UserRecord, user: UserDocument): string[] {
  const { identities, memberships, createdAt: _made, signedInAt: _seen, ...plain } = fields;
  const others = Object.entries(plain).filter(
    ([name, value]) => !isDeepStrictEqual(value, user[name as keyof UserDocument]),
  );
  // When a line does not say since when, that is the time of the import.
  const hasRoles = memberships?.every(({ account, roles }) => {
    const present = user.memberships?.find((one) => one.account === account);
    return present !== undefined && isDeepStrictEqual(present.roles, roles);
  });
  return [
    ...others.map(([name]) => name),
    ...(hasRoles === false ? ['memberships'] : []),
    ...(identities === undefined || sameIdentities(identities, user) ? [] : ['identities']),
  ];
}

/** Somebody else has this id: an identity of the line, and none of theirs is the same. */
export function isSomebodyElse({ fields }: UserRecord, user: UserDocument): boolean {
  const { identities = [] } = fields;
  if (identities.length === 0 || user.identities.length === 0) return false;
  return !identities.some((one) => user.identities.some((other) => isSame(one, other)));
}

export function differencesOfAccount(
  { fields }: AccountRecord,
  account: AccountDocument,
): string[] {
  const { createdAt: _made, usedAt: _used, owners, domains, ...plain } = fields;
  const others = Object.entries(plain).filter(
    ([name, value]) => !isDeepStrictEqual(value, account[name as keyof AccountDocument]),
  );
  const names = (list: AccountDocument['domains']) => (list ?? []).map(({ domain }) => domain);
  const hasDomains = names(domains).every((domain) => names(account.domains).includes(domain));
  const sameOwners = isDeepStrictEqual(new Set(owners), new Set(account.owners));
  return [
    ...others.map(([name]) => name),
    ...(sameOwners ? [] : ['owners']),
    ...(hasDomains ? [] : ['domains']),
  ];
}

type Identity = Pick<UserDocument['identities'][number], 'issuer' | 'subject'>;

const isSame = (one: Identity, other: Identity) =>
  one.issuer === other.issuer && one.subject === other.subject;

function sameIdentities(identities: readonly Identity[], user: UserDocument): boolean {
  return (
    identities.length === user.identities.length &&
    identities.every((one) => user.identities.some((other) => isSame(one, other)))
  );
}
