/** What an invitation rests on: its state, its end, its account, and the rights of who gave it. */

import { Problem } from '../base/errors.ts';
import type { AccountDocument, InvitationDocument } from '../storage/documents.ts';
import type { Store } from '../storage/store.ts';
import type { Access } from './access.ts';
import { notAllowed } from './authority.ts';
import type { Invitation, Standing } from './invitation_types.ts';
import { mayGive } from './rights.ts';
import type { RoleTable } from './rights.ts';

/** For so long nobody else is let in by an invitation that somebody is taking up. */
const joiningMs = 60 * 1000;

export interface StandingDeps {
  store: Store;
  clock: () => number;
  access: Access;
  settings: () => { roles: RoleTable; invitationDays: number };
}

export function isLive({ state }: InvitationDocument): boolean {
  return state === 'open' || state === 'waiting';
}

/** Somebody is being let in by it, at this moment. */
export function isTaken({ joining }: InvitationDocument, now: number): boolean {
  return joining !== undefined && joining.at + joiningMs > now;
}

/** @param how `atOnce`: for somebody who would come in without a confirmation, though another one waits for it */
export async function standingOf(
  deps: StandingDeps,
  { document }: Invitation,
  { account, atOnce = false }: { account?: AccountDocument; atOnce?: boolean } = {},
): Promise<Standing> {
  const { store, clock } = deps;
  if (!isLive(document)) return document.state;
  const present = account ?? (await store.get('account', document.account))?.document;
  if (present?.status !== 'active') return 'closed';
  if (document.expiresAt <= clock()) return 'expired';
  // Somebody else with the right decides about who waits.
  if (document.state === 'waiting' && !atOnce) return 'waiting';
  return (await mayInvite(deps, document, document.by)) ? document.state : 'withdrawn';
}

/** Whether the user may (still) have somebody with these roles in the account. Operators may. */
export async function mayInvite(
  { access, settings }: Pick<StandingDeps, 'access' | 'settings'>,
  { account, roles }: Pick<InvitationDocument, 'account' | 'roles'>,
  by: string | undefined,
): Promise<boolean> {
  if (by === undefined) return true;
  const membership = await access.membership(by, account);
  return membership !== undefined && mayGive(membership.roles, roles, settings().roles);
}

export interface Named {
  account: string;
  id: string;
  by: string | undefined;
}

/** An invitation of this account, by somebody who may. @throws {Problem} `invitation_unknown`, `not_allowed` */
export async function requireNamed(
  deps: StandingDeps,
  { account, id, by }: Named,
): Promise<Invitation> {
  const present = await deps.store.get('invitation', id);
  if (present?.document.account !== account) throw invitationUnknown();
  if (!(await mayInvite(deps, present.document, by))) throw notAllowed();
  return present;
}

export function invitationUnknown(): Problem {
  return new Problem('invitation_unknown', 404, 'There is no such invitation.');
}

export function invitationOver(): Problem {
  return new Problem('invitation_over', 409, 'This invitation is of no use any more.');
}
