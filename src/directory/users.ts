/**
 * Users: who somebody is. A person is known by what an upstream calls them, `(issuer, subject)`, and
 * by nothing else: no e-mail address ever finds or joins anybody (F1, F2, F3).
 */

import type { Clock } from '../base/clock.ts';
import { Problem } from '../base/errors.ts';
import { newId } from '../base/ids.ts';
import { newEvent } from '../events/types.ts';
import type { IdentityEntry, UserDocument } from '../storage/documents.ts';
import { identityKey } from '../storage/kinds.ts';
import { Conflict, Duplicate } from '../storage/store.ts';
import type { Store, Stored } from '../storage/store.ts';
import { change } from './change.ts';
import type { Deletions } from './deletion.ts';
import {
  isUpstreamName,
  requireId,
  requireName,
  usableEmail,
  usableLocale,
  usableName,
  usablePicture,
} from './names.ts';

/** What an upstream says about the person in front of the browser, after all checks of its answer. */
export interface Identity {
  /** The id of the provider in the configuration. */
  provider: string;
  issuer: string;
  subject: string;
  email?: string;
  /** Only `true` counts; an upstream's `"true"` is not it. */
  emailVerified?: boolean;
  name?: string;
  picture?: string;
  locale?: string;
  /** When the upstream saw the person, in milliseconds since the epoch. */
  authenticatedAt?: number;
  amr?: string[];
  acr?: string;
}

export type StoredUser = Stored<UserDocument>;

/** For people whom an operator brings along. What is not named here is never copied (T75). */
export interface NewUser {
  /** Their old id; a new one is made when it is left out. */
  id?: string;
  name?: string;
  email?: string;
  identities?: readonly { provider: string; issuer: string; subject: string }[];
}

export const mostIdentities = 20;

/** @throws {Problem} `identity_invalid`: nothing of it is repaired, it is compared for ever. */
export function identityEntry(
  identity: Pick<Identity, 'provider' | 'issuer' | 'subject' | 'email'>,
  linkedAt: number,
): IdentityEntry {
  const { provider, issuer, subject } = identity;
  const usable =
    isUpstreamName(provider, 64) && isUpstreamName(issuer, 2048) && isUpstreamName(subject, 255);
  if (!usable) {
    throw new Problem('identity_invalid', 400, 'The provider did not say who you are.');
  }
  const email = usableEmail(identity.email);
  return { provider, issuer, subject, ...(email === undefined ? {} : { email }), linkedAt };
}

function identityEntries(
  identities: NonNullable<NewUser['identities']>,
  linkedAt: number,
): IdentityEntry[] {
  if (identities.length > mostIdentities) {
    throw new Problem('identity_invalid', 400, `A user has at most ${mostIdentities} identities.`);
  }
  return identities.map(({ provider, issuer, subject }) =>
    identityEntry({ provider, issuer, subject }, linkedAt),
  );
}

/**
 * What the upstream says now, over what was known. A fact that it leaves out, or that is unusable,
 * stays as it was; an address and whether it is verified are one fact. What they typed themselves
 * stays, and what the upstream says of it is kept beside.
 */
export function refreshProfile(user: UserDocument, identity: Identity, now: number): UserDocument {
  const email = usableEmail(identity.email);
  const { emailVerified: before, ...rest } = user;
  // Said of another spelling, it is not said of the one that is kept (T72).
  const isVerified = identity.emailVerified === true && email === identity.email;
  const verified = email === undefined ? before : isVerified || undefined;
  const facts = {
    name: usableName(identity.name),
    email,
    emailVerified: verified,
    picture: usablePicture(identity.picture),
    locale: usableLocale(identity.locale),
  };
  const own = new Set<string>(user.own);
  const said = Object.entries(facts).filter(([, value]) => value !== undefined);
  const known = said.filter(([name]) => !own.has(name));
  const besides = said.filter(([name]) => own.has(name));
  const identities = user.identities.map((entry) => {
    const isThis = entry.issuer === identity.issuer && entry.subject === identity.subject;
    if (!isThis) return entry;
    if (email === undefined) return { ...entry, usedAt: now };
    const { emailVerified: _before, ...same } = entry;
    return { ...same, email, ...(isVerified && { emailVerified: true as const }), usedAt: now };
  });
  return {
    ...rest,
    ...Object.fromEntries(known),
    ...(besides.length > 0 ? { said: { ...user.said, ...Object.fromEntries(besides) } } : {}),
    identities,
  };
}

export async function findByIdentity(
  store: Store,
  identity: Pick<Identity, 'issuer' | 'subject'>,
): Promise<StoredUser | undefined> {
  const key = identityKey(identity.issuer, identity.subject);
  const [found] = await store.find('user', 'identity', key, { limit: 1 });
  return found;
}

/** @throws {Problem} `user_disabled` (403): also for a user who was deleted */
export function requireActive(user: UserDocument): void {
  if (user.status === 'active') return;
  throw new Problem('user_disabled', 403, 'This user may not sign in any more.');
}

export function userUnknown(): Problem {
  return new Problem('user_unknown', 404, 'There is no such user.');
}

export interface Users {
  create: (input: NewUser) => Promise<StoredUser>;
  /** Idempotent. A deleted user stays deleted. */
  setStatus: (user: string, status: UserDocument['status']) => Promise<StoredUser>;
}

export function createUsers(deps: {
  store: Store;
  clock: Clock;
  deletions: Pick<Deletions, 'ofNoOwner'>;
  reservedIds: ReadonlySet<string>;
}): Users {
  const { store, clock, deletions, reservedIds } = deps;
  async function create(input: NewUser): Promise<StoredUser> {
    const id = input.id === undefined ? newId('usr') : requireId(input.id);
    if (reservedIds.has(id)) {
      throw new Problem('user_id_reserved', 409, 'This id belongs to a client.');
    }
    const now = clock();
    const document: UserDocument = {
      status: 'active',
      ...(input.name === undefined ? {} : { name: requireName(input.name) }),
      ...(input.email === undefined ? {} : { email: requireEmail(input.email) }),
      identities: identityEntries(input.identities ?? [], now),
      createdAt: now,
    };
    const events = [newEvent(clock, 'user.registered', { user: id })];
    try {
      const version = await store.write('user', id, document, { expect: 'absent', events });
      return { id, version, document };
    } catch (error) {
      if (error instanceof Conflict) {
        throw new Problem('user_exists', 409, 'There is a user with this id already.');
      }
      if (error instanceof Duplicate) {
        throw new Problem('identity_taken', 409, 'This identity belongs to another user.');
      }
      throw error;
    }
  }

  async function setStatus(id: string, status: UserDocument['status']): Promise<StoredUser> {
    if (status === 'deleted') return deletions.ofNoOwner(id);
    const changed = await change(store, 'user', id, (user) => {
      if (user.status === status) return undefined;
      if (user.status === 'deleted') {
        throw new Problem('user_deleted', 409, 'A deleted user does not come back.');
      }
      const events = [newEvent(clock, statusEvents[status], { user: id })];
      return { document: { ...user, status }, events };
    });
    if (changed === undefined) throw userUnknown();
    return changed;
  }

  return { create, setStatus };
}

const statusEvents = { active: 'user.enabled', disabled: 'user.disabled' } as const;

function requireEmail(value: unknown): string {
  const email = usableEmail(value);
  if (email !== undefined) return email;
  throw new Problem('email_invalid', 400, 'This is not an e-mail address.', {
    details: { field: 'email' },
  });
}
