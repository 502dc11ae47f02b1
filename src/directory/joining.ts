/**
 * Letting somebody in by an invitation: three writes of two documents. The invitation is held for them (`joining`), they
 * become a member, the invitation is `accepted`. The membership decides: it exists or it does not, and where it does,
 * `member.added` sees to it that the invitation says so. Where it fails, or a crash comes before it, the invitation is
 * of use again. Whoever took so long that the invitation is somebody else's, or withdrawn, has to go.
 */

import type { Clock } from '../base/clock.ts';
import { Problem } from '../base/errors.ts';
import { newEvent } from '../events/types.ts';
import type { InvitationDocument } from '../storage/documents.ts';
import { invitationKey } from '../storage/kinds.ts';
import type { Store } from '../storage/store.ts';
import type { Access } from './access.ts';
import { addressKey, verifiedAddresses } from './addresses.ts';
import { actorOf } from './authority.ts';
import { busy, change } from './change.ts';
import { invitationOver, invitationUnknown, isLive, isTaken } from './invitation_state.ts';
import type { Members } from './members.ts';

export interface JoiningDeps {
  store: Store;
  clock: Clock;
  access: Access;
  members: Pick<Members, 'add' | 'remove'>;
}

interface Joining {
  invitation: string;
  user: string;
  /** Who confirmed it. */
  by?: string | undefined;
}

/** @throws {Problem} `invitation_over` (409), `busy` (503), and why they cannot be let in */
export async function letIn(deps: JoiningDeps, joining: Joining): Promise<void> {
  const { members } = deps;
  const { account, roles } = await hold(deps, joining);
  let came: boolean;
  try {
    came = await members.add(account, joining.user, roles);
  } catch (error) {
    // What else fails may have let them in: then it is held until that is known.
    if (error instanceof Problem) await release(deps, joining);
    throw error;
  }
  if (await finish(deps, joining)) return;
  if (came) await members.remove(account, joining.user);
  throw invitationOver();
}

async function hold(
  { store, clock }: JoiningDeps,
  { invitation, user, by }: Joining,
): Promise<InvitationDocument> {
  const held = await change(store, 'invitation', invitation, (present) => {
    const now = clock();
    if (!isLive(present) || present.expiresAt <= now) throw invitationOver();
    if (isTaken(present, now)) {
      if (present.joining?.user !== user) throw busy();
      return undefined;
    }
    const joining = { user, at: now, ...(by !== undefined && { by }) };
    return { document: { ...present, joining } };
  });
  if (held === undefined) throw invitationUnknown();
  return held.document;
}

async function release({ store }: JoiningDeps, { invitation, user }: Joining): Promise<void> {
  await change(store, 'invitation', invitation, (present) => {
    if (present.joining?.user !== user) return undefined;
    const { joining: _over, ...rest } = present;
    return { document: rest };
  });
}

/** @returns whether it is this user's now */
async function finish(
  { store, clock }: JoiningDeps,
  { invitation, user, by }: Joining,
): Promise<boolean> {
  const done = await change(store, 'invitation', invitation, (present) => {
    const { joining, ...rest } = present;
    if (!isLive(present) || (joining !== undefined && joining.user !== user)) return undefined;
    const { account } = present;
    const actor = by ?? joining?.by;
    const data = { invitation, account, user, ...actorOf(actor) };
    return {
      document: { ...rest, state: 'accepted', candidate: user, expiresAt: clock() },
      events: [newEvent(clock, 'invitation.accepted', data)],
    };
  });
  return done?.document.state === 'accepted' && done.document.candidate === user;
}

const mostLooked = 100;

/** Somebody is a member, by whichever way: the invitations that brought them, or wait for them, say so. */
export async function finishInvitations(
  deps: JoiningDeps,
  { account, user }: { account: string; user: string },
): Promise<void> {
  const { store, access } = deps;
  const membership = await access.membership(user, account);
  if (membership === undefined) return;
  const addresses = verifiedAddresses(membership.user);
  const found = [
    await store.find('invitation', 'candidate', user, { limit: mostLooked, descending: true }),
    ...(await Promise.all(
      addresses.map((key) => store.find('invitation', 'email', key, { limit: mostLooked })),
    )),
  ].flat();
  for (const { id, document } of found) {
    if (document.account !== account || !isLive(document)) continue;
    await finish(deps, { invitation: id, user });
  }
}

/**
 * Somebody waits for an account by one invitation at a time. One that has run out, and that nobody sees any more, makes
 * room for the next.
 * @returns whether there is room now
 */
export async function endRunOut(
  { store, clock }: Pick<JoiningDeps, 'store' | 'clock'>,
  account: string,
  user: string,
): Promise<boolean> {
  const [found] = await store.find('invitation', 'open', invitationKey(account, user), {
    limit: 1,
  });
  if (found === undefined) return true;
  const { id: invitation } = found;
  const changed = await change(store, 'invitation', invitation, (present) => {
    if (!isLive(present) || present.candidate !== user) return undefined;
    if (present.expiresAt > clock() || isTaken(present, clock())) return undefined;
    const { joining: _late, ...rest } = present;
    return {
      document: { ...rest, state: 'withdrawn' },
      events: [newEvent(clock, 'invitation.withdrawn', { invitation, account })],
    };
  });
  return changed === undefined || !isLive(changed.document);
}

/** Sent to an address that is known to be this user's. */
export function isAddressee(
  { email }: InvitationDocument,
  user: Parameters<typeof verifiedAddresses>[0],
): boolean {
  const key = email === undefined ? undefined : addressKey(email);
  return key !== undefined && verifiedAddresses(user).includes(key);
}
