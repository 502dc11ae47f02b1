/**
 * Who belongs to an account. The user's membership decides; an ownership is decided on the account,
 * before it where an owner comes or goes. Every step may be repeated, and whatever is found half done
 * is read in favour of less access.
 */

import type { Clock } from '../base/clock.ts';
import { Problem } from '../base/errors.ts';
import { newEvent } from '../events/types.ts';
import type { UserDocument } from '../storage/documents.ts';
import type { Store } from '../storage/store.ts';
import {
  accountUnknown,
  mostMemberships,
  requireAnotherOwner,
  requireOpen,
  tooManyAccounts,
} from './accounts.ts';
import type { Accounts } from './accounts.ts';
import { change } from './change.ts';
import {
  effectiveRoles,
  membershipOf,
  ownerRole,
  ownsAccount,
  requireRoles,
  restsOnOwnership,
  rolesToKeep,
  withMembership,
} from './roles.ts';

export interface Members {
  /** @returns whether somebody came: a member stays as they are, with the roles that they have */
  add(account: string, user: string, roles: readonly string[]): Promise<boolean>;
  /** @returns whether somebody went. @throws {Problem} `last_owner` (409) */
  remove(account: string, user: string): Promise<boolean>;
  /** @returns the roles as they are now. @throws {Problem} `member_unknown` (404), `last_owner` (409) */
  setRoles(account: string, user: string, roles: readonly string[]): Promise<string[]>;
  /** The membership of an owner who went. Idempotent. */
  finishRemoval(account: string, user: string): Promise<void>;
}

interface Deps {
  store: Store;
  clock: Clock;
  accounts: Accounts;
}

export function createMembers({ store, clock, accounts }: Deps): Members {
  const read = async (account: string) => (await store.get('account', account))?.document;

  async function add(account: string, user: string, given: readonly string[]): Promise<boolean> {
    const roles = requireRoles(given);
    const owners = requireOpen(await read(account)).owners;
    const document = (await store.get('user', user))?.document;
    if (!admissible(document, account)) return false;
    if (isMember(document, account, owners.includes(user))) return false;
    if (roles.includes(ownerRole)) {
      const event = newEvent(clock, 'member.added', { user, account, roles });
      const added = await accounts.addOwner(account, user, event);
      await accounts.finishOwner(account, user);
      if (!added) return false;
      if (roles.length > 1) await keepRoles({ account, user, roles, owns: true, announced: false });
      return true;
    }
    const { written } = await change(store, 'user', user, (present) => {
      if (!admissible(present, account)) return undefined;
      if (isMember(present, account, owners.includes(user))) return undefined;
      const membership = { account, roles, since: clock() };
      return {
        document: withMembership(present, account, membership),
        events: [newEvent(clock, 'member.added', { user, account, roles })],
      };
    });
    return written;
  }

  async function remove(account: string, user: string): Promise<boolean> {
    const document = await read(account);
    if (document === undefined) throw accountUnknown();
    if (!ownsAccount(document, user)) {
      const gone = await dropMembership(account, user, 'tell');
      if (gone) await dropLateOwnership(account, user);
      return gone;
    }
    requireAnotherOwner(document, user);
    // From here on the membership rests on the ownership, and ends with it.
    const { stored } = await change(store, 'user', user, (present) => {
      const membership = present === undefined ? undefined : membershipOf(present, account);
      if (membership === undefined || restsOnOwnership(membership)) return undefined;
      const resting = { ...membership, roles: [ownerRole] };
      return { document: withMembership(present!, account, resting) };
    });
    const ending = stored === undefined ? undefined : membershipOf(stored.document, account);
    const event = newEvent(clock, 'member.removed', { user, account });
    const removed = await accounts.removeOwner(account, user, event);
    const dropped = await dropMembership(account, user, removed ? 'told' : 'tell', ending?.since);
    return removed || dropped;
  }

  /**
   * @param since of the membership that ends; another one is of somebody who was let in again
   * @returns whether it gave something until now
   */
  async function dropMembership(
    account: string,
    user: string,
    news: 'tell' | 'told',
    since?: number,
  ): Promise<boolean> {
    let gave = false;
    await change(store, 'user', user, (present) => {
      const membership = present === undefined ? undefined : membershipOf(present, account);
      gave = false;
      if (membership === undefined) return undefined;
      if (since !== undefined && membership.since !== since) return undefined;
      // One that rests on an ownership ended with it, and the account has told of it.
      gave = !restsOnOwnership(membership);
      const event = newEvent(clock, 'member.removed', { user, account });
      return {
        document: withMembership(present!, account, undefined),
        events: news === 'tell' && gave ? [event] : [],
      };
    });
    return gave;
  }

  /** Somebody made them an owner in the moment in which they were removed: the removal holds. */
  async function dropLateOwnership(account: string, user: string): Promise<void> {
    try {
      const event = newEvent(clock, 'member.removed', { user, account });
      await accounts.removeOwner(account, user, event);
    } catch (error) {
      // The last owner by now: then the removal does not hold.
      await accounts.finishOwner(account, user);
      throw error;
    }
  }

  async function setRoles(
    account: string,
    user: string,
    given: readonly string[],
  ): Promise<string[]> {
    const roles = requireRoles(given);
    const document = requireOpen(await read(account));
    const owns = ownsAccount(document, user);
    const shallOwn = roles.includes(ownerRole);
    if (owns && !shallOwn) requireAnotherOwner(document, user);
    await keepRoles({ account, user, roles, owns, announced: owns === shallOwn });
    const event = newEvent(clock, 'member.changed', { user, account, roles });
    if (owns && !shallOwn) await accounts.removeOwner(account, user, event);
    if (!owns && shallOwn) {
      await accounts.addOwner(account, user, event);
      await takeBackIfGone(account, user);
    }
    return effectiveRoles(rolesToKeep(roles), shallOwn);
  }

  /** The roles beside `owner`. Until the account has decided, they change nothing for an owner. */
  async function keepRoles(wanted: {
    account: string;
    user: string;
    roles: string[];
    owns: boolean;
    announced: boolean;
  }): Promise<void> {
    const { account, user, roles, owns, announced } = wanted;
    const kept = rolesToKeep(roles);
    await change(store, 'user', user, (present) => {
      if (!isMember(present, account, owns)) throw memberUnknown();
      const membership = membershipOf(present, account)!;
      const before = announced ? effectiveRoles(membership.roles, owns) : membership.roles;
      const after = announced ? effectiveRoles(kept, owns) : kept;
      if (sameRoles(before, after)) return undefined;
      const event = newEvent(clock, 'member.changed', { user, account, roles });
      return {
        document: withMembership(present, account, { ...membership, roles: kept }),
        events: announced ? [event] : [],
      };
    });
  }

  /** Removed in the moment in which they became an owner: the removal holds. */
  async function takeBackIfGone(account: string, user: string): Promise<void> {
    const present = (await store.get('user', user))?.document;
    if (present !== undefined && membershipOf(present, account) !== undefined) return;
    const event = newEvent(clock, 'member.removed', { user, account });
    await accounts.removeOwner(account, user, event);
    throw memberUnknown();
  }

  async function finishRemoval(account: string, user: string): Promise<void> {
    const document = await read(account);
    if (document === undefined || ownsAccount(document, user)) return;
    // Somebody who was let in again meanwhile has a membership that rests on roles.
    await change(store, 'user', user, (present) => {
      const membership = present === undefined ? undefined : membershipOf(present, account);
      if (membership === undefined || !restsOnOwnership(membership)) return undefined;
      return { document: withMembership(present!, account, undefined) };
    });
  }

  return { add, remove, setRoles, finishRemoval };
}

/** Whether the user can be let in at all. @throws {Problem} why not */
function admissible(user: UserDocument | undefined, account: string): user is UserDocument {
  if (user === undefined || user.status === 'deleted') {
    throw new Problem('user_unknown', 404, 'There is no such user.');
  }
  const others = (user.memberships ?? []).filter((membership) => membership.account !== account);
  if (others.length >= mostMemberships) throw tooManyAccounts();
  return true;
}

function isMember(
  user: UserDocument | undefined,
  account: string,
  isOwner: boolean,
): user is UserDocument {
  const membership = user === undefined ? undefined : membershipOf(user, account);
  return membership !== undefined && effectiveRoles(membership.roles, isOwner).length > 0;
}

function sameRoles(left: readonly string[], right: readonly string[]): boolean {
  return left.length === right.length && left.every((role) => right.includes(role));
}

function memberUnknown(): Problem {
  return new Problem('member_unknown', 404, 'This user does not belong to the account.');
}
