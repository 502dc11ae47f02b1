/**
 * Accounts: the customers. An account has at least one owner for as long as it is active; who they
 * are is written on the account itself.
 */

import type { Clock } from '../base/clock.ts';
import { Problem } from '../base/errors.ts';
import { newId } from '../base/ids.ts';
import { newEvent } from '../events/types.ts';
import type { AccountDocument, UserDocument } from '../storage/documents.ts';
import { Conflict } from '../storage/store.ts';
import type { NewEvent, Store } from '../storage/store.ts';
import { actorOf, authorityOf, notAllowed } from './authority.ts';
import type { AuthorityDeps, By } from './authority.ts';
import { change } from './change.ts';
import { requireId, requireName, usableName } from './names.ts';
import { ownersWho } from './owners.ts';
import {
  membershipOf,
  ownerRole,
  ownsAccount,
  restingOnOwnership,
  restsOnOwnership,
  withMembership,
} from './roles.ts';
import { userUnknown } from './users.ts';

export type Account = AccountDocument & { id: string };

export interface NewAccount {
  /** An id from elsewhere; a new one is made when it is left out. */
  id?: string;
  name: string;
  /** The user who owns it. */
  owner: string;
}

/** Somebody in an account, and who does something to them there. */
export interface Place {
  account: string;
  user: string;
  by?: By;
}

const mostOwners = 100;
export const mostMemberships = 500;
const nameWithoutOne = 'Personal account';

export interface Accounts {
  create: (input: NewAccount) => Promise<Account>;
  /** The personal account of somebody new, whose membership was written first. Idempotent. */
  finishRegistration: (user: string, account: string) => Promise<void>;
  /** The membership of an owner whom the account names. Idempotent. */
  finishOwner: (account: string, user: string, roles: readonly string[]) => Promise<void>;
  /** @throws {Problem} `account_unknown` (404), `name_invalid` (400), `not_allowed` (403), `account_closed` (409) */
  rename: (account: string, name: string, by?: By) => Promise<Account>;
  /** @returns whether they were not one before. @throws {Problem} `not_allowed` (403) */
  addOwner: (place: Place, event: NewEvent) => Promise<boolean>;
  /** @returns whether they were one. @throws {Problem} `last_owner` (409), `not_allowed` (403) */
  removeOwner: (place: Place, event: NewEvent) => Promise<boolean>;
}

export function createAccounts(deps: AuthorityDeps & { clock: Clock }): Accounts {
  const { store, clock } = deps;
  async function create(input: NewAccount): Promise<Account> {
    const id = input.id === undefined ? newId('acc') : requireId(input.id);
    const name = requireName(input.name);
    const owner = (await store.get('user', input.owner))?.document;
    if (owner?.status !== 'active') throw userUnknown();
    if ((owner.memberships ?? []).length >= mostMemberships) throw tooManyAccounts();
    const document = newAccount(name, input.owner, clock());
    const events = [newEvent(clock, 'account.created', { account: id, name, owner: input.owner })];
    try {
      await store.write('account', id, document, { expect: 'absent', events });
    } catch (error) {
      if (!(error instanceof Conflict)) throw error;
      throw new Problem('account_exists', 409, 'There is an account with this id already.');
    }
    await finishOwner(id, input.owner, [ownerRole]);
    return { id, ...document };
  }

  async function finishRegistration(user: string, account: string): Promise<void> {
    const present = (await store.get('user', user))?.document;
    const membership = present === undefined ? undefined : membershipOf(present, account);
    if (present === undefined || present.status === 'deleted') return;
    if (membership === undefined || !restsOnOwnership(membership)) return;
    if ((await store.get('account', account)) !== undefined) return;
    const document = personalAccount(present, user, clock());
    const { name } = document;
    const events = [newEvent(clock, 'account.created', { account, name, owner: user })];
    try {
      await store.write('account', account, document, { expect: 'absent', events });
    } catch (error) {
      // Made before: by an earlier attempt, or by another request.
      if (!(error instanceof Conflict)) throw error;
    }
  }

  async function finishOwner(
    account: string,
    user: string,
    roles: readonly string[],
  ): Promise<void> {
    const present = (await store.get('account', account))?.document;
    if (present === undefined || !ownsAccount(present, user)) return;
    // Should the ownership end right here, what is written rests on it and gives nothing.
    await change(store, 'user', user, (document) => {
      if (document.status === 'deleted') return undefined;
      if (membershipOf(document, account) !== undefined) return undefined;
      const membership = { account, roles: restingOnOwnership(roles), since: clock() };
      return { document: withMembership(document, account, membership) };
    });
  }

  return {
    create,
    finishRegistration,
    finishOwner,
    rename: (account, name, by) => rename(deps, account, { name, by }),
    addOwner: (place, event) => addOwner(deps, place, event),
    removeOwner: (place, event) => removeOwner(deps, place, event),
  };
}

async function addOwner(
  { store }: Pick<AuthorityDeps, 'store'>,
  { account, user, by }: Place,
  event: NewEvent,
): Promise<boolean> {
  const gone = await goneOwners(store, account);
  const changed = await change(store, 'account', account, (document) => {
    requireOpen(document);
    requireOwner(document, by);
    if (ownsAccount(document, user)) return undefined;
    const others = document.owners.filter((owner) => !gone.has(owner));
    if (others.length >= mostOwners) {
      throw new Problem('too_many_owners', 409, `An account has at most ${mostOwners} owners.`);
    }
    return { document: { ...document, owners: [...others, user] }, events: [event] };
  });
  return changed?.written === true;
}

/** One who was deleted as the last owner stays named until there is another: beside that one they would count as somebody. */
async function goneOwners(store: Store, account: string): Promise<Set<string>> {
  const present = (await store.get('account', account))?.document;
  if (present === undefined) return new Set();
  const isGone = (status: UserDocument['status'] | undefined) =>
    status === undefined || status === 'deleted';
  return new Set(await ownersWho(store, present, isGone));
}

async function removeOwner(
  { store }: Pick<AuthorityDeps, 'store'>,
  { account, user, by }: Place,
  event: NewEvent,
): Promise<boolean> {
  const changed = await change(store, 'account', account, (document) => {
    if (!ownsAccount(document, user)) return undefined;
    requireOwner(document, by);
    requireAnotherOwner(document, user);
    const owners = document.owners.filter((owner) => owner !== user);
    return { document: { ...document, owners }, events: [event] };
  });
  return changed?.written === true;
}

async function rename(
  deps: AuthorityDeps & { clock: Clock },
  account: string,
  { name, by }: { name: string; by?: By },
): Promise<Account> {
  const { store, clock } = deps;
  const wanted = requireName(name);
  const authority = await authorityOf(deps, account, by);
  authority.requireRight('settings');
  const changed = await change(store, 'account', account, (document) => {
    requireOpen(document);
    if (document.name === wanted) return undefined;
    const data = { account, name: wanted, ...actorOf(by) };
    const events = [newEvent(clock, 'account.renamed', data)];
    return { document: { ...document, name: wanted }, events };
  });
  if (changed === undefined) throw accountUnknown();
  return { id: account, ...changed.document };
}

/** Of somebody who did not say what it is called. @param id the owner's */
export function personalAccount(
  owner: UserDocument | undefined,
  id: string,
  createdAt: number,
): AccountDocument {
  return newAccount(usableName(owner?.name) ?? nameWithoutOne, id, createdAt);
}

function newAccount(name: string, owner: string, createdAt: number): AccountDocument {
  return { name, status: 'active', owners: [owner], createdAt };
}

/** Only owners make owners, and end an ownership: on the document that says who they are, so that two at once are judged too. */
function requireOwner(account: AccountDocument, by: By): void {
  if (by !== undefined && !ownsAccount(account, by)) throw notAllowed();
}

export function requireAnotherOwner(account: AccountDocument, user: string): void {
  if (account.status === 'active' && account.owners.every((owner) => owner === user)) {
    throw new Problem('last_owner', 409, 'An account keeps at least one owner.');
  }
}

/** @throws {Problem} `account_closed` (409) */
export function requireOpen(account: Pick<AccountDocument, 'status'>): void {
  if (account.status === 'active') return;
  throw new Problem('account_closed', 409, 'This account is closed.');
}

export function accountUnknown(): Problem {
  return new Problem('account_unknown', 404, 'There is no such account.');
}

export function tooManyAccounts(): Problem {
  const sentence = `Somebody can belong to at most ${mostMemberships} accounts.`;
  return new Problem('too_many_accounts', 409, sentence);
}
