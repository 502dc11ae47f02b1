/** Which invitation a request is about, and who is there: read afresh for each request. */

import type { ParameterizedContext } from 'koa';
import { roleName } from '../../views/account/members.ts';
import type { Config } from '../config.ts';
import type { Account } from '../directory/accounts.ts';
import type { Directory } from '../directory/directory.ts';
import type { Invitation, Standing } from '../directory/invitation_types.ts';
import type { StoredUser } from '../directory/users.ts';
import type { LinkOidc } from '../oidc/links.ts';
import type { HeldInvitations } from './held_invitations.ts';
import { activeUser } from './signup.ts';

export interface Invited {
  invitation: Invitation;
  standing: Standing;
  account: Account | undefined;
  user: string | undefined;
  person: StoredUser['document'] | undefined;
  /** It was sent to an address that is known to be theirs. */
  isTheirs: boolean;
  isMember: boolean;
  /** They wait to be confirmed. */
  waits: boolean;
}

interface Deps {
  oidc: LinkOidc;
  directory: Directory;
  held: HeldInvitations;
}

/**
 * One whose link was opened at this browser, or that is for who is signed in. Without a name the newest of the browser.
 * @returns nothing for all others, as for those that there are not (T74)
 */
export async function findInvited(
  ctx: ParameterizedContext,
  deps: Deps,
  wanted: string | undefined,
): Promise<Invited | undefined> {
  const { directory, held } = deps;
  const { invitations } = directory;
  const ids = held.all(ctx);
  const id = wanted ?? ids[0];
  const invitation = id === undefined ? undefined : await invitations.get(id);
  if (invitation === undefined) return undefined;
  const user = await activeUser(ctx, deps);
  const person = user === undefined ? undefined : (await directory.user(user))?.document;
  const { account, state, candidate } = invitation.document;
  const isTheirs = person !== undefined && invitations.isFor(invitation, person);
  const isCandidate = user !== undefined && candidate === user;
  if (!ids.includes(invitation.id) && !isTheirs && !isCandidate) return undefined;
  const membership = user === undefined ? undefined : await directory.membership(user, account);
  const mayBeTheirs = user === undefined || (isTheirs && !isCandidate);
  return {
    invitation,
    standing: await invitations.standing(invitation, { atOnce: mayBeTheirs }),
    account: await directory.account(account),
    user,
    person,
    isTheirs,
    isMember: membership !== undefined,
    waits: state === 'waiting' && isCandidate,
  };
}

/** How whoever invites is called, where that is somebody who is still there. */
export async function inviterOf(
  directory: Pick<Directory, 'user'>,
  by: string | undefined,
): Promise<string | undefined> {
  const inviter = by === undefined ? undefined : (await directory.user(by))?.document;
  return inviter?.status === 'active' ? (inviter.name ?? inviter.email) : undefined;
}

/** As pages call them. */
export function roleNames(roles: readonly string[], config: Config): string {
  return roles.map((role) => roleName(role, config.roles)).join(', ');
}
