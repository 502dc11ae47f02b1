/**
 * From an identity to a user. A known one is refreshed; an unknown one becomes a user where anybody
 * may come. The user is written first, with the membership of an account that does not exist yet:
 * identities are unique, so of parallel first sign-ins one wins and the others find its user.
 */

import type { Clock } from '../base/clock.ts';
import { Problem } from '../base/errors.ts';
import { newId } from '../base/ids.ts';
import type { Log } from '../base/log.ts';
import { newEvent } from '../events/types.ts';
import type { UserDocument } from '../storage/documents.ts';
import { Duplicate } from '../storage/store.ts';
import type { Store } from '../storage/store.ts';
import type { Accounts } from './accounts.ts';
import { change } from './change.ts';
import { ownerRole, restsOnOwnership } from './roles.ts';
import { findByIdentity, identityEntry, refreshProfile, requireActive } from './users.ts';
import type { Identity, StoredUser } from './users.ts';

export type Registration = 'open' | 'checkout' | 'invitation';

export interface SignedIn {
  user: StoredUser;
  /** Whether this sign-in made the user. */
  created: boolean;
}

/** In what kind of conversation. */
export interface SigningIn {
  /** They are choosing a plan: somebody new is let in where that is the way in. */
  signingUp?: boolean;
  /** They follow an invitation: somebody new is let in everywhere, and needs no account of their own. */
  invited?: boolean;
}

interface Deps {
  store: Store;
  clock: Clock;
  log: Log;
  registration: Registration;
  accounts: Accounts;
}

/** For so long after a registration, signing in also looks whether it was finished. */
const registrationMs = 10 * 60 * 1000;

export function createSignIn(
  deps: Deps,
): (identity: Identity, how?: SigningIn) => Promise<SignedIn> {
  const { store, clock, log, registration, accounts } = deps;

  return async (identity, { signingUp = false, invited = false } = {}) => {
    const known = await findByIdentity(store, identity);
    if (known !== undefined) return { user: await welcome(known.id, identity), created: false };
    const isOpen = registration === 'open';
    const mayCome = isOpen || invited || (signingUp && registration === 'checkout');
    if (!mayCome) throw notRegistered(registration);
    const user = await register(identity, isOpen && !invited ? newId('acc') : undefined);
    if (user === undefined) {
      const winner = await findByIdentity(store, identity);
      if (winner === undefined) throw new Error('an identity is taken, and nobody has it');
      return { user: await welcome(winner.id, identity), created: false };
    }
    await finishAccounts(user);
    return { user, created: true };
  };

  /**
   * @param account the id of their personal account, if they are to have one
   * @returns `undefined` when somebody with this identity was faster
   */
  async function register(
    identity: Identity,
    account: string | undefined,
  ): Promise<StoredUser | undefined> {
    const now = clock();
    const id = newId('usr');
    const blank: UserDocument = {
      status: 'active',
      identities: [identityEntry(identity, now)],
      ...(account && { memberships: [{ account, roles: [ownerRole], since: now }] }),
      createdAt: now,
    };
    const document = { ...refreshProfile(blank, identity, now), signedInAt: now };
    const events = [
      newEvent(clock, 'user.registered', { user: id, ...(account && { account }) }),
      newEvent(clock, 'user.signed_in', { user: id, provider: identity.provider }),
    ];
    try {
      const version = await store.write('user', id, document, { expect: 'absent', events });
      return { id, version, document };
    } catch (error) {
      if (error instanceof Duplicate) return undefined;
      throw error;
    }
  }

  async function welcome(id: string, identity: Identity): Promise<StoredUser> {
    const user = await change(store, 'user', id, (present) => {
      requireActive(present);
      const event = newEvent(clock, 'user.signed_in', { user: id, provider: identity.provider });
      const now = clock();
      const document = { ...refreshProfile(present, identity, now), signedInAt: now };
      return { document, events: [event] };
    });
    if (user === undefined) throw new Error('the user of an identity is gone');
    if (clock() - user.document.createdAt < registrationMs) await finishAccounts(user);
    return user;
  }

  /** Here for who waits for it; the event's handler does the same should this fail. */
  async function finishAccounts({ id, document }: StoredUser): Promise<void> {
    try {
      for (const membership of document.memberships ?? []) {
        if (!restsOnOwnership(membership)) continue;
        await accounts.finishRegistration(id, membership.account);
      }
    } catch (error) {
      log.warn('a personal account is not made yet', { user: id, error });
    }
  }
}

function notRegistered(registration: Registration): Problem {
  const sentence =
    registration === 'checkout'
      ? 'There is no subscription for this sign-in yet. Please choose a plan first.'
      : 'This sign-in is not known here. Please ask for an invitation.';
  return new Problem('not_registered', 403, sentence, { details: { registration } });
}
