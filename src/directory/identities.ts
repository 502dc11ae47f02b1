/** The ways in which somebody may sign in: identities of upstream providers, of which one always stays. */

import type { Clock } from '../base/clock.ts';
import { Problem } from '../base/errors.ts';
import { newEvent } from '../events/types.ts';
import type { IdentityEntry, UserDocument } from '../storage/documents.ts';
import type { Store } from '../storage/store.ts';
import { Duplicate } from '../storage/store.ts';
import { change } from './change.ts';
import { identityEntry, mostIdentities, requireActive, userUnknown } from './users.ts';
import type { Identity } from './users.ts';

/**
 * From now on they may sign in by this identity, too. Nothing else says that two identities are one person: no e-mail
 * address ever does.
 * @returns whether it is new to them
 * @throws {Problem} `user_unknown` (404), `user_disabled` (403), `identity_taken`, `too_many_identities` (409),
 *   `identity_invalid` (400)
 */
export async function linkIdentity(
  { store, clock }: { store: Store; clock: Clock },
  user: string,
  identity: Pick<Identity, 'provider' | 'issuer' | 'subject' | 'email'>,
): Promise<boolean> {
  const entry = identityEntry(identity, clock());
  const { provider, issuer, subject } = entry;
  try {
    const changed = await change(store, 'user', user, (present) => {
      requireActive(present);
      const { identities } = present;
      if (identities.some((one) => one.issuer === issuer && one.subject === subject)) {
        return undefined;
      }
      if (identities.length >= mostIdentities) {
        throw new Problem(
          'too_many_identities',
          409,
          `There are at most ${mostIdentities} ways to sign in.`,
        );
      }
      const event = newEvent(clock, 'identity.linked', { user, provider, issuer });
      return { document: { ...present, identities: [...identities, entry] }, events: [event] };
    });
    if (changed === undefined) throw userUnknown();
    return changed.written;
  } catch (error) {
    if (!(error instanceof Duplicate)) throw error;
    throw new Problem('identity_taken', 409, 'This identity belongs to another user.', {
      cause: error,
    });
  }
}

/**
 * From now on this identity is nobody's, and is somebody new's where anybody may come. What was signed in by it
 * stays signed in: whoever was locked out of the upstream should not be locked out here as well.
 * @returns whether it was theirs. @throws {Problem} `user_unknown` (404), `last_identity` (409)
 */
export async function unlinkIdentity(
  { store, clock }: { store: Store; clock: Clock },
  user: string,
  identity: { issuer: string; subject: string },
): Promise<boolean> {
  const changed = await change(store, 'user', user, (present) => {
    // A deleted user keeps theirs, so that the upstream does not bring the person back as somebody new.
    if (present.status === 'deleted') throw userUnknown();
    const isThis = (one: { issuer: string; subject: string }) =>
      one.issuer === identity.issuer && one.subject === identity.subject;
    const entry = present.identities.find(isThis);
    if (entry === undefined) return undefined;
    if (present.identities.length === 1) {
      throw new Problem('last_identity', 409, 'Without this sign-in nobody could get in again.');
    }
    const identities = present.identities.filter((one) => !isThis(one));
    const { provider, issuer } = entry;
    const event = newEvent(clock, 'identity.unlinked', { user, provider, issuer });
    return { document: withoutAddressOf(entry, { ...present, identities }), events: [event] };
  });
  if (changed === undefined) throw userUnknown();
  return changed.written;
}

/** An address goes with who vouched for it: nobody says any more that it is theirs. Another one's takes its place. */
function withoutAddressOf({ email }: IdentityEntry, user: UserDocument): UserDocument {
  if (email === undefined || user.email !== email) return user;
  const { email: _gone, emailVerified: _too, ...rest } = user;
  const latest = user.identities
    .filter((one) => one.email !== undefined)
    .toSorted((one, other) => (other.usedAt ?? other.linkedAt) - (one.usedAt ?? one.linkedAt));
  const next = latest.find((one) => one.email === email) ?? latest[0];
  if (next?.email === undefined) return rest;
  const verified = next.emailVerified === true ? { emailVerified: true } : {};
  return { ...rest, email: next.email, ...verified };
}
