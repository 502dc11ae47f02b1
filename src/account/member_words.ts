/** What all pages about members call somebody, and where they lead. */

import { membersTexts } from '../../views/account/members_texts.ts';
import type { MemberVisit } from './visit.ts';

type OfAccount = Pick<MemberVisit, 'account'>;

/** The list of the members of this account. */
export function toMembers({ account }: OfAccount): string {
  return `/account/members?${new URLSearchParams({ account: account.id })}`;
}

export function leaveAddress({ account }: OfAccount): string {
  return `/account/accounts/leave?${new URLSearchParams({ account: account.id })}`;
}

export function displayName({ name, email }: { name?: string; email?: string }): string {
  return name ?? email ?? membersTexts.nameless;
}
