/** What an invitation rests on: its state, its end, its account, and the rights of who gave it. */

import { Problem } from '../base/errors.ts';
import type { AccountDocument, InvitationDocument } from '../storage/documents.ts';
import type { Store } from '../storage/store.ts';
import type { Access } from './access.ts';
import type { Invitation, Standing } from './invitation_types.ts';
import { mayGive } from './rights.ts';
import type { RoleTable } from './rights.ts';

/** For so long nobody else is let in by an invitation that somebody is taking up. */
export const joiningMs = 60 * 1000;

export interface StandingDeps {
  store: Store;
  clock: () => number;
  access: Access;
  roles: () => RoleTable;
}

export function isLive({ state }: InvitationDocument): boolean {
  return state === 'open' || state === 'waiting';
}

/** Somebody is being let in by it, at this moment. */
export function isTaken({ joining }: InvitationDocument, now: number): boolean {
  return joining !== undefined && joining.at + joiningMs > now;
}

export async function standingOf(
  deps: StandingDeps,
  { document }: Invitation,
  account?: AccountDocument,
): Promise<Standing> {
  const { store, clock } = deps;
  if (!isLive(document)) return document.state;
  const present = account ?? (await store.get('account', document.account))?.document;
  if (present?.status !== 'active') return 'closed';
  if (document.expiresAt <= clock()) return 'expired';
  // Somebody else with the right decides about who waits.
  if (document.state === 'waiting') return 'waiting';
  return (await mayInvite(deps, document, document.by)) ? 'open' : 'withdrawn';
}

/** Whether the user may (still) have somebody with these roles in the account. Operators may. */
export async function mayInvite(
  { access, roles: table }: Pick<StandingDeps, 'access' | 'roles'>,
  { account, roles }: Pick<InvitationDocument, 'account' | 'roles'>,
  by: string | undefined,
): Promise<boolean> {
  if (by === undefined) return true;
  const membership = await access.membership(by, account);
  return membership !== undefined && mayGive(membership.roles, roles, table());
}

export function notAllowed(): Problem {
  return new Problem('not_allowed', 403, 'You may not do this in this account.');
}

export function invitationUnknown(): Problem {
  return new Problem('invitation_unknown', 404, 'There is no such invitation.');
}

export function invitationOver(): Problem {
  return new Problem('invitation_over', 409, 'This invitation is of no use any more.');
}
