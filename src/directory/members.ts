/**
 * Who belongs to an account. The user's membership decides; an ownership is decided on the account,
 * before it where an owner comes or goes. Every step may be repeated, and whatever is found half done
 * is read in favour of less access.
 */

import type { Clock } from '../base/clock.ts';
import { Problem } from '../base/errors.ts';
import { newEvent } from '../events/types.ts';
import type { AccountDocument, MembershipEntry, UserDocument } from '../storage/documents.ts';
import type { NewEvent } from '../storage/store.ts';
import {
  accountUnknown,
  mostMemberships,
  requireAnotherOwner,
  requireOpen,
  tooManyAccounts,
} from './accounts.ts';
import type { Accounts, Place } from './accounts.ts';
import { actorOf, authorityOf, notAllowed } from './authority.ts';
import type { AuthorityDeps, By } from './authority.ts';
import { change } from './change.ts';
import type { Changed } from './change.ts';
import { ownersWho } from './owners.ts';
import { isOwner } from './rights.ts';
import {
  effectiveRoles,
  membershipOf,
  ownerRole,
  ownsAccount,
  requireRoles,
  restingOnOwnership,
  restsOnOwnership,
  rolesToKeep,
  withMembership,
} from './roles.ts';
import type { Seats } from './seats.ts';
import { userUnknown } from './users.ts';

export interface Members {
  /** @returns whether somebody came: a member stays as they are, with the roles that they have */
  add: (account: string, user: string, roles: readonly string[], by?: By) => Promise<boolean>;
  /** @returns whether somebody went. @throws {Problem} `last_owner` (409), `not_allowed` (403) */
  remove: (account: string, user: string, by?: By) => Promise<boolean>;
  /**
   * @returns the roles as they are now
   * @throws {Problem} `member_unknown` (404), `last_owner` (409), `not_allowed` (403)
   */
  setRoles: (account: string, user: string, roles: readonly string[], by?: By) => Promise<string[]>;
  /** First the one is an owner, then the other is no more. */
  handOver: (account: string, how: HandOver, by?: By) => Promise<void>;
  /** The membership of an owner who was removed. Idempotent. */
  finishRemoval: (place: Place) => Promise<void>;
}

export interface HandOver {
  from: string;
  to: string;
  /** Of `from`, afterwards. Absent: they stay an owner. */
  roles?: readonly string[];
}

interface Deps extends AuthorityDeps {
  clock: Clock;
  accounts: Accounts;
  seats: Seats;
}

/** All that the functions below are about. `guard` is asked of the roles of now, within each write. */
interface Guarded extends Place {
  guard: (theirs: readonly string[]) => void;
  /** Somebody else wants them gone: no rule of the account lets them in again by itself. */
  sentAway?: boolean;
}

interface MembershipDecision {
  membership: MembershipEntry;
  events?: NewEvent[];
}

const unguarded = () => undefined;

export function createMembers(deps: Deps): Members {
  const members: Members = {
    async add(account, user, roles, by) {
      const wanted = requireRoles(roles);
      (await authorityOf(deps, account, by)).requireGive(wanted);
      return add(deps, { account, user, by, guard: unguarded }, wanted);
    },
    async remove(account, user, by) {
      // Whoever leaves needs no right to.
      if (by === user) return remove(deps, { account, user, by, guard: unguarded });
      const { requireGive } = await authorityOf(deps, account, by);
      return remove(deps, { account, user, by, guard: requireGive, sentAway: true });
    },
    async setRoles(account, user, roles, by) {
      const wanted = requireRoles(roles);
      const { requireGive } = await authorityOf(deps, account, by);
      requireGive(wanted);
      const guard = by === user ? requireOwnerRole : requireGive;
      return setRoles(deps, { account, user, by, guard }, wanted);
    },
    async handOver(account, { from, to, roles }, by) {
      const wanted = roles && rolesToKeep(requireRoles(roles));
      if (from === to) throw memberUnknown();
      const heir = (await deps.store.get('user', to))?.document;
      // Nobody could act for an account whose only owner may not sign in.
      if (heir?.status !== 'active') throw memberUnknown();
      const theirs = membershipOf(heir, account)?.roles ?? [];
      await members.setRoles(account, to, restingOnOwnership(theirs), by);
      if (wanted !== undefined) await members.setRoles(account, from, wanted, by);
    },
    finishRemoval: (place) =>
      finishRemoval(deps, { ...place, guard: unguarded, sentAway: place.by !== place.user }),
  };
  return members;
}

/** A role may mean something to an app that we do not know: nobody but an owner changes their own. */
function requireOwnerRole(mine: readonly string[]): void {
  if (!isOwner(mine)) throw notAllowed();
}

async function add(deps: Deps, place: Guarded, roles: string[]): Promise<boolean> {
  const { store, seats } = deps;
  const { account, user } = place;
  const document = await readAccount(deps, account);
  requireOpen(document);
  const owns = ownsAccount(document, user);
  const present = (await store.get('user', user))?.document;
  if (present === undefined) throw userUnknown();
  requireAdmissible(present, account);
  if (memberRoles(present, account, owns).length > 0) return false;
  await seats.take(account, user);
  try {
    const came = await admit(deps, place, { roles, owns });
    await confirmSeat(deps, place, came);
    return came;
  } catch (error) {
    await seats.giveBack(account, user);
    throw error;
  }
}

/** Whoever took very long on the way in may find the seat taken: then they have to go. */
async function confirmSeat(deps: Deps, place: Guarded, came: boolean): Promise<void> {
  try {
    await deps.seats.arrived(place.account, place.user);
  } catch (error) {
    if (came) await remove(deps, { ...place, guard: unguarded });
    throw error;
  }
}

async function admit(
  { store, clock, accounts }: Deps,
  place: Guarded,
  { roles, owns }: { roles: string[]; owns: boolean },
): Promise<boolean> {
  const { account, user, by } = place;
  const event = newEvent(clock, 'member.added', { user, account, roles, ...actorOf(by) });
  if (roles.includes(ownerRole)) {
    const added = await accounts.addOwner(place, event);
    await accounts.finishOwner(account, user, roles);
    return added;
  }
  const changed = await change(store, 'user', user, (now) => {
    requireAdmissible(now, account);
    if (memberRoles(now, account, owns).length > 0) return undefined;
    const membership = { account, roles, since: clock() };
    return { document: withMembership(now, account, membership), events: [event] };
  });
  return changed?.written === true;
}

async function remove(deps: Deps, place: Guarded): Promise<boolean> {
  const gone = await endBelonging(deps, place);
  await deps.seats.giveBack(place.account, place.user);
  return gone;
}

async function endBelonging(deps: Deps, place: Guarded): Promise<boolean> {
  const { clock, accounts } = deps;
  const { account, user, guard, by } = place;
  const document = await readAccount(deps, account);
  if (!ownsAccount(document, user)) {
    const gone = await endMembership(deps, place, ({ roles }) => {
      guard(effectiveRoles(roles, false));
      return true;
    });
    if (gone) await endLateOwnership(deps, place);
    return gone;
  }
  guard([ownerRole]);
  await requireOwnerLeft(deps, place, document);
  // From here on the membership rests on the ownership, and gives nothing once that is gone.
  const changed = await changeMembership(deps, place, (membership) => {
    if (restsOnOwnership(membership)) return undefined;
    return { membership: { ...membership, roles: restingOnOwnership(membership.roles) } };
  });
  const ending = changed === undefined ? undefined : membershipOf(changed.document, account);
  const event = newEvent(clock, 'owner.removed', { user, account, ...actorOf(by) });
  const removed = await accounts.removeOwner(place, event);
  if (ending === undefined) return removed;
  // Another one is of somebody who was let in again meanwhile.
  return endMembership(deps, place, ({ since }) => since === ending.since);
}

/**
 * Of those who stay one has to be able to sign in: nobody else could close the account, which is paid for on. Operators
 * know what they do.
 */
async function requireOwnerLeft(
  { store }: Deps,
  { user, by }: Guarded,
  account: AccountDocument,
): Promise<void> {
  requireAnotherOwner(account, user);
  if (by === undefined) return;
  const owners = await ownersWho(store, account, (status) => status === 'active');
  requireAnotherOwner({ ...account, owners }, user);
}

/** The one place that tells of a removal: with the write that ends it, so once. */
async function endMembership(
  deps: Deps,
  place: Guarded,
  isMeant: (membership: MembershipEntry) => boolean,
): Promise<boolean> {
  const { account, user, sentAway } = place;
  const event = removedEvent(deps, place);
  const changed = await change(deps.store, 'user', user, (present) => {
    const membership = membershipOf(present, account);
    if (membership === undefined || !isMeant(membership)) return undefined;
    const left = withMembership(present, account, undefined);
    return { document: sentAway === true ? withSentAway(left, account) : left, events: [event] };
  });
  return changed?.written === true;
}

function removedEvent({ clock }: Deps, { account, user, by }: Place): NewEvent {
  return newEvent(clock, 'member.removed', { account, user, ...actorOf(by) });
}

/** Somebody made them an owner in the moment in which they were removed: the removal holds. */
async function endLateOwnership(deps: Deps, place: Guarded): Promise<void> {
  const { accounts } = deps;
  const { account, user } = place;
  try {
    await accounts.removeOwner(place, removedEvent(deps, place));
  } catch (error) {
    // The last owner by now, or removed by who may not remove owners: then the removal does not hold.
    await accounts.finishOwner(account, user, []);
    throw error;
  }
}

async function setRoles(deps: Deps, place: Guarded, roles: string[]): Promise<string[]> {
  const { clock, accounts } = deps;
  const { account, user, guard, by } = place;
  const document = await readAccount(deps, account);
  requireOpen(document);
  const owns = ownsAccount(document, user);
  const shallOwn = roles.includes(ownerRole);
  const effective = effectiveRoles(rolesToKeep(roles), shallOwn);
  const data = { user, account, roles: effective, ...actorOf(by) };
  const event = newEvent(clock, 'member.changed', data);
  if (!owns && shallOwn) {
    await requireMember(deps, place);
    await accounts.addOwner(place, event);
    await takeBackIfGone(deps, place);
  }
  if (owns && !shallOwn) {
    guard([ownerRole]);
    await requireOwnerLeft(deps, place, document);
  }
  await keepRoles(deps, place, { roles, owns: owns || shallOwn, tell: owns === shallOwn });
  // Last, because an owner whose membership still rests on the ownership would be locked out.
  if (owns && !shallOwn) await accounts.removeOwner(place, event);
  return effective;
}

async function requireMember({ store }: Deps, { account, user }: Guarded): Promise<void> {
  const present = (await store.get('user', user))?.document;
  if (present === undefined || memberRoles(present, account, false).length === 0) {
    throw memberUnknown();
  }
}

/** The roles beside `owner`. @param how `tell`: by an event of its own */
async function keepRoles(
  deps: Deps,
  place: Guarded,
  how: { roles: string[]; owns: boolean; tell: boolean },
): Promise<void> {
  const { roles, owns, tell } = how;
  const { account, user, guard, by } = place;
  const kept = rolesToKeep(roles);
  // As tokens say them from now on.
  const told = { user, account, roles: effectiveRoles(kept, owns), ...actorOf(by) };
  const event = newEvent(deps.clock, 'member.changed', told);
  const changed = await changeMembership(deps, place, (membership) => {
    const before = effectiveRoles(membership.roles, owns);
    const isSame = tell
      ? sameRoles(before, effectiveRoles(kept, owns))
      : sameRoles(membership.roles, kept);
    if (before.length === 0 || isSame) return undefined;
    guard(before);
    return { membership: { ...membership, roles: kept }, events: tell ? [event] : [] };
  });
  const isMember = changed !== undefined && memberRoles(changed.document, account, owns).length > 0;
  if (!isMember) throw memberUnknown();
}

/** Removed in the moment in which they became an owner: the removal holds. */
async function takeBackIfGone(deps: Deps, place: Guarded): Promise<void> {
  const { store, accounts } = deps;
  const { account, user } = place;
  const present = (await store.get('user', user))?.document;
  if (present !== undefined && membershipOf(present, account) !== undefined) return;
  await accounts.removeOwner({ account, user }, removedEvent(deps, { account, user }));
  throw memberUnknown();
}

async function finishRemoval(deps: Deps, place: Guarded): Promise<void> {
  const document = (await deps.store.get('account', place.account))?.document;
  if (document === undefined || ownsAccount(document, place.user)) return;
  // Somebody who was let in again meanwhile has a membership that rests on roles.
  await endMembership(deps, place, restsOnOwnership);
}

async function readAccount({ store }: Deps, account: string): Promise<AccountDocument> {
  const document = (await store.get('account', account))?.document;
  if (document === undefined) throw accountUnknown();
  return document;
}

/** Nothing happens where there is no such user, or no membership. */
function changeMembership(
  { store }: Deps,
  { account, user }: Guarded,
  decide: (membership: MembershipEntry) => MembershipDecision | undefined,
): Promise<Changed<UserDocument> | undefined> {
  return change(store, 'user', user, (present) => {
    const membership = membershipOf(present, account);
    const decision = membership === undefined ? undefined : decide(membership);
    if (decision === undefined) return undefined;
    const document = withMembership(present, account, decision.membership);
    return { document, events: decision.events ?? [] };
  });
}

/** Of more, those of longest ago are forgotten. */
function withSentAway(user: UserDocument, account: string): UserDocument {
  return { ...user, sentAway: [...(user.sentAway ?? []), account].slice(-mostMemberships) };
}

/** @throws {Problem} why the user cannot be let in */
function requireAdmissible(user: UserDocument, account: string): void {
  if (user.status === 'deleted') throw userUnknown();
  const others = (user.memberships ?? []).filter((membership) => membership.account !== account);
  if (others.length >= mostMemberships) throw tooManyAccounts();
}

function memberRoles(user: UserDocument, account: string, owns: boolean): string[] {
  const membership = membershipOf(user, account);
  return membership === undefined ? [] : effectiveRoles(membership.roles, owns);
}

function sameRoles(left: readonly string[], right: readonly string[]): boolean {
  return left.length === right.length && left.every((role) => right.includes(role));
}

function memberUnknown(): Problem {
  return new Problem('member_unknown', 404, 'This user does not belong to the account.');
}
