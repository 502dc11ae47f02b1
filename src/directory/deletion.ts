/**
 * A person leaves for good: they ask for it, can take it back for a while, and are deleted. One write on their document
 * decides; from then on nobody knows them, and what is kept of them is what the purge (`purge.ts`) goes by. Accounts
 * that are theirs alone are closed with them; one that others belong to has to be handed over first.
 */

import type { Clock } from '../base/clock.ts';
import { Problem } from '../base/errors.ts';
import { newId } from '../base/ids.ts';
import type { Log } from '../base/log.ts';
import { newEvent } from '../events/types.ts';
import type { AccountDocument, UserDocument } from '../storage/documents.ts';
import type { Store } from '../storage/store.ts';
import { verifiedAddresses } from './addresses.ts';
import { change } from './change.ts';
import { hasOtherMembers } from './member_list.ts';
import { ownersWho } from './owners.ts';
import { ownsAccount } from './roles.ts';
import type { Seats } from './seats.ts';
import { userUnknown } from './users.ts';
import type { StoredUser } from './users.ts';

const dayMs = 24 * 60 * 60 * 1000;
/** By then all who are to hear of it have been told as a rule, and what they had is ended. */
const purgeAfterMs = dayMs;
const nameOfGone = 'Account of a deleted person';
/** Accounts that are read at the same time. */
const batch = 20;
const mostInvitations = 200;

interface NamedAccount {
  id: string;
  name: string;
}

/** What a deletion would do. */
export interface DeletionPlan {
  /** Accounts that nobody else belongs to: closed with them. */
  closing: NamedAccount[];
  /** Accounts with other members, and no other owner: to be handed over before. */
  handOver: NamedAccount[];
}

export interface Deletions {
  plan: (user: string) => Promise<DeletionPlan>;
  /**
   * They will be deleted in so many days; with 0 they are at once. Asked again, the first time holds.
   * @returns when. @throws {Problem} `user_unknown` (404), `last_owner` (409): there is something to hand over
   */
  ask: (user: string, days: number) => Promise<number>;
  /** @returns whether there was something to take back */
  withdraw: (user: string) => Promise<boolean>;
  /** For operators: at once, with the accounts that are theirs alone. Idempotent. @throws {Problem} as `ask` does */
  now: (user: string) => Promise<StoredUser>;
  /** The same for somebody who is the last owner of no account. @throws {Problem} `last_owner` (409) */
  ofNoOwner: (user: string) => Promise<StoredUser>;
  /** What they asked for, if its time has come. @returns whether it is done; a day later where it cannot be yet */
  whenDue: (user: string) => Promise<boolean>;
  /** What follows from a deletion: ownerships and memberships go, their own accounts are closed. Idempotent. */
  finish: (user: string) => Promise<void>;
}

export interface DeletionOptions {
  store: Store;
  clock: Clock;
  log: Log;
  seats: Seats;
  /** Idempotent. */
  closeAccount: (account: string) => Promise<unknown>;
}

export function createDeletions(options: DeletionOptions): Deletions {
  const { store, clock } = options;
  const deletions: Deletions = {
    plan: (user) => planOf(options, user),

    async ask(user, days) {
      refuseHandOver(await planOf(options, user));
      const now = clock();
      const deletion = { askedAt: now, dueAt: now + days * dayMs };
      const event = newEvent(clock, 'user.deletion_asked', { user, at: deletion.dueAt });
      const changed = await change(store, 'user', user, (present) => {
        if (present.status === 'deleted') throw userUnknown();
        if (present.deletion !== undefined) return undefined;
        return { document: { ...present, deletion }, events: [event] };
      });
      if (changed === undefined) throw userUnknown();
      const { dueAt } = changed.document.deletion ?? deletion;
      if (dueAt <= clock()) await deletions.whenDue(user);
      return dueAt;
    },

    async withdraw(user) {
      const event = newEvent(clock, 'user.deletion_withdrawn', { user });
      const changed = await change(store, 'user', user, (present) => {
        if (present.status === 'deleted' || present.deletion === undefined) return undefined;
        const { deletion: _gone, ...rest } = present;
        return { document: rest, events: [event] };
      });
      return changed?.written === true;
    },

    async now(user) {
      refuseHandOver(await planOf(options, user));
      return erase(options, user);
    },

    async ofNoOwner(user) {
      const { closing, handOver } = await planOf(options, user);
      refuseHandOver({ handOver: [...handOver, ...closing] });
      return erase(options, user);
    },

    whenDue: (user) => whenDue(options, user),
    finish: (user) => finish(options, user),
  };
  return deletions;
}

async function planOf({ store }: DeletionOptions, user: string): Promise<DeletionPlan> {
  const plan: DeletionPlan = { closing: [], handOver: [] };
  const present = (await store.get('user', user))?.document;
  if (present === undefined) throw userUnknown();
  const memberships = present.status === 'deleted' ? [] : (present.memberships ?? []);
  for (let start = 0; start < memberships.length; start += batch) {
    const found = memberships.slice(start, start + batch).map(async ({ account }) => {
      const document = (await store.get('account', account))?.document;
      if (document === undefined || !(await restsOn(store, document, user))) return undefined;
      const isShared = await hasOtherMembers(store, { account, document, but: user });
      return { isShared, named: { id: account, name: document.name } };
    });
    for (const one of await Promise.all(found)) {
      if (one !== undefined) plan[one.isShared ? 'handOver' : 'closing'].push(one.named);
    }
  }
  return plan;
}

/** Active, and without another owner. */
function isTheirs(account: AccountDocument, user: string): boolean {
  return account.status === 'active' && account.owners.every((owner) => owner === user);
}

/** Without them nobody could act as its owner: the others may not sign in. */
async function restsOn(store: Store, account: AccountDocument, user: string): Promise<boolean> {
  if (isTheirs(account, user)) return true;
  if (account.status !== 'active' || !ownsAccount(account, user)) return false;
  const active = await ownersWho(store, account, (status) => status === 'active');
  return active.every((owner) => owner === user);
}

function refuseHandOver({ handOver }: Pick<DeletionPlan, 'handOver'>): void {
  const [first] = handOver;
  if (first === undefined) return;
  throw new Problem('last_owner', 409, 'This user is the only owner of an account.', {
    details: { account: first.id },
  });
}

async function whenDue(options: DeletionOptions, user: string): Promise<boolean> {
  const { store, clock, log } = options;
  const isDue = ({ deletion }: UserDocument) => deletion !== undefined && deletion.dueAt <= clock();
  const present = (await store.get('user', user))?.document;
  if (present === undefined || present.status === 'deleted' || !isDue(present)) return false;
  const { handOver } = await planOf(options, user);
  if (handOver.length === 0) {
    // Taken back in this moment: then the write finds nothing to do.
    return (await erase(options, user, isDue)).document.status === 'deleted';
  }
  const accounts = handOver.slice(0, batch).map(({ id }) => id);
  log.warn('somebody who is to be deleted is the only owner of an account that others use', {
    user,
    accounts,
  });
  await change(store, 'user', user, (document) => {
    const { deletion } = document;
    if (deletion === undefined || !isDue(document)) return undefined;
    return { document: { ...document, deletion: { ...deletion, dueAt: clock() + dayMs } } };
  });
  return false;
}

/** The write that decides. @param isMeant asked of the document that is written over */
async function erase(
  options: DeletionOptions,
  id: string,
  isMeant: (user: UserDocument) => boolean = () => true,
): Promise<StoredUser> {
  const { store, clock } = options;
  const event = newEvent(clock, 'user.deleted', { user: id });
  const purge = { pseudonym: newId('gone') };
  const invitations = await invitationsTo(store, id);
  const changed = await change(store, 'user', id, (user) => {
    const purgeAt = clock() + purgeAfterMs;
    if (user.status === 'deleted') {
      // Those from before there was a purge get theirs when it is said again.
      return user.purgeAt === undefined ? { document: { ...user, purge, purgeAt } } : undefined;
    }
    if (!isMeant(user)) return undefined;
    const document: UserDocument = {
      status: 'deleted',
      // Until they are purged the upstream must not bring them back.
      identities: user.identities.map(({ email: _gone, emailVerified: _too, ...entry }) => entry),
      ...(user.memberships === undefined ? {} : { memberships: user.memberships }),
      purge: { ...purge, ...(invitations.length === 0 ? {} : { invitations }) },
      purgeAt,
      createdAt: user.createdAt,
    };
    return { document, events: [event] };
  });
  if (changed === undefined) throw userUnknown();
  if (changed.written) await finish(options, id);
  return changed;
}

/** Those that were sent to their addresses: these are forgotten with the write that deletes them. */
async function invitationsTo(store: Store, id: string): Promise<string[]> {
  const user = (await store.get('user', id))?.document;
  const found: string[] = [];
  for (const address of user === undefined ? [] : verifiedAddresses(user)) {
    const limit = mostInvitations;
    const some = await store.find('invitation', 'email', address, { limit });
    found.push(...some.map((invitation) => invitation.id));
  }
  return found;
}

async function finish(options: DeletionOptions, id: string): Promise<void> {
  const { store, log, seats, closeAccount } = options;
  const user = (await store.get('user', id))?.document;
  if (user?.status !== 'deleted') return;
  for (const { account } of user.memberships ?? []) {
    const present = (await store.get('account', account))?.document;
    if (present === undefined || !ownsAccount(present, id)) continue;
    if (isTheirs(present, id)) {
      const where = { account, document: present, but: id };
      if (!(await hasOtherMembers(store, where))) await closeAccount(account);
      else log.warn('an account has lost its only owner', { account });
    }
    await change(store, 'account', account, (document) => {
      // Became the last one meanwhile: an active account is never without an owner.
      if (!ownsAccount(document, id) || isTheirs(document, id)) return undefined;
      return { document: withoutOwner(document, id) };
    });
  }
  await change(store, 'user', id, (present) => {
    if (present.memberships === undefined) return undefined;
    const { memberships: _gone, ...rest } = present;
    return { document: rest };
  });
  for (const { account } of user.memberships ?? []) await seats.giveBack(account, id);
}

/** An account that was somebody's alone is often called as they were, and its reason is in their own words. */
function withoutOwner(account: AccountDocument, id: string): AccountDocument {
  const owners = account.owners.filter((owner) => owner !== id);
  if (account.status === 'active' || owners.length > 0) return { ...account, owners };
  const { closed } = account;
  if (closed === undefined) return { ...account, owners, name: nameOfGone };
  const { reason: _gone, ...rest } = closed;
  return { ...account, owners, name: nameOfGone, closed: rest };
}
