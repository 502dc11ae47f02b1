/** What is said to an invitation: by whom it is for, and by whoever confirms that somebody may come. */

import { newEvent } from '../events/types.ts';
import type { InvitationDocument, UserDocument } from '../storage/documents.ts';
import { Duplicate } from '../storage/store.ts';
import { requireOpen } from './accounts.ts';
import { actorOf } from './authority.ts';
import { busy, change } from './change.ts';
import {
  invitationOver,
  invitationUnknown,
  isLive,
  isTaken,
  mayInvite,
  requireNamed,
  standingOf,
} from './invitation_state.ts';
import type { Invitation, Invitations, Joined } from './invitation_types.ts';
import type { InvitationDeps } from './invitations.ts';
import { endRunOut, finishInvitations, isAddressee, letIn } from './joining.ts';
import { userUnknown } from './users.ts';

type Answers = Pick<Invitations, 'accept' | 'refuse' | 'confirm' | 'decline'>;

const mostTries = 3;

export function createInvitationAnswers(deps: InvitationDeps): Answers {
  return {
    accept: (id, user) => accept(deps, id, user),
    refuse: (id, user) => refuse(deps, id, user),
    confirm: (account, id, by) => confirm(deps, account, id, by),
    decline: (account, id, by) => decline(deps, account, id, by),
  };
}

async function accept(deps: InvitationDeps, id: string, user: string): Promise<Joined> {
  const { store, access } = deps;
  const [invitation, person] = await Promise.all([
    store.get('invitation', id),
    store.get('user', user),
  ]);
  if (invitation === undefined) throw invitationOver();
  if (person?.document.status !== 'active') throw userUnknown();
  const { document } = invitation;
  const { account, joining } = document;
  if ((await access.membership(user, account)) !== undefined) {
    await finishInvitations(deps, { account, user });
    return joining?.user === user ? 'joined' : 'member';
  }
  const atOnce = document.way === 'link' || isAddressee(document, person.document);
  // Whoever waits has only a confirmation to hope for, where who invited them may not do so any more.
  const joinsAtOnce =
    atOnce && (!isWaitedFor(document, user) || (await mayInvite(deps, document, document.by)));
  await requireUsable(deps, invitation, { atOnce: joinsAtOnce });
  if (!joinsAtOnce) return wait(deps, invitation, user);
  try {
    await letIn(deps, { invitation: id, user });
  } catch (error) {
    // Another tab of theirs was faster.
    if ((await access.membership(user, account)) === undefined) throw error;
  }
  return 'joined';
}

async function requireUsable(
  deps: InvitationDeps,
  invitation: Invitation,
  how?: { atOnce: boolean },
): Promise<void> {
  const standing = await standingOf(deps, invitation, how);
  if (standing === 'closed') {
    const account = await deps.store.get('account', invitation.document.account);
    if (account !== undefined) requireOpen(account.document);
  }
  if (standing !== 'open' && standing !== 'waiting') throw invitationOver();
}

function isWaitedFor({ state, candidate }: InvitationDocument, user: string): boolean {
  return state === 'waiting' && candidate === user;
}

/** They want in by an invitation that was sent to an address which is not known to be theirs. */
async function wait(
  deps: InvitationDeps,
  invitation: Invitation,
  user: string,
): Promise<'waiting'> {
  for (let attempt = 1; attempt <= mostTries; attempt += 1) {
    try {
      await hold(deps, invitation, user);
      return 'waiting';
    } catch (error) {
      if (!(error instanceof Duplicate)) throw error;
    }
    // They wait for this account already, by another one.
    if (!(await endRunOut(deps, invitation.document.account, user))) return 'waiting';
  }
  throw busy();
}

/** @throws {Duplicate} they wait by another one */
async function hold(
  { store, clock, settings }: InvitationDeps,
  { id, document: { account } }: Invitation,
  user: string,
): Promise<void> {
  const changed = await change(store, 'invitation', id, (present) => {
    if (isWaitedFor(present, user)) return undefined;
    if (present.state !== 'open' || isTaken(present, clock())) throw invitationOver();
    const { joining: _late, ...rest } = present;
    const end = clock() + settings().invitationDays * 24 * 60 * 60 * 1000;
    return {
      document: {
        ...rest,
        state: 'waiting',
        candidate: user,
        // So that there is time to confirm it.
        expiresAt: Math.max(present.expiresAt, end),
      },
      events: [newEvent(clock, 'invitation.waiting', { invitation: id, account, user })],
    };
  });
  if (changed === undefined) throw invitationUnknown();
}

async function refuse(deps: InvitationDeps, id: string, user: string): Promise<boolean> {
  const { store, clock } = deps;
  const person = (await store.get('user', user))?.document;
  if (person === undefined) return false;
  const changed = await change(store, 'invitation', id, (present) => {
    if (!isLive(present) || isTaken(present, clock())) return undefined;
    if (!mayRefuse(present, user, person)) return undefined;
    return declined(deps, id, present, { user });
  });
  return changed?.written === true;
}

function mayRefuse(present: InvitationDocument, user: string, person: UserDocument): boolean {
  return isWaitedFor(present, user) || isAddressee(present, person);
}

async function confirm(
  deps: InvitationDeps,
  account: string,
  id: string,
  by: string | undefined,
): Promise<void> {
  const { document } = await requireNamed(deps, { account, id, by });
  const { candidate } = document;
  if (document.state === 'accepted') return;
  if (document.state !== 'waiting' || candidate === undefined) throw invitationOver();
  await requireUsable(deps, { id, version: 0, document });
  const person = (await deps.store.get('user', candidate))?.document;
  if (person?.status !== 'active') throw invitationOver();
  await letIn(deps, { invitation: id, user: candidate, by });
}

async function decline(
  deps: InvitationDeps,
  account: string,
  id: string,
  by: string | undefined,
): Promise<void> {
  const { store, clock } = deps;
  await requireNamed(deps, { account, id, by });
  await change(store, 'invitation', id, (present) => {
    if (present.state === 'declined') return undefined;
    const { candidate } = present;
    const isOver = present.state !== 'waiting' || candidate === undefined;
    if (isOver || isTaken(present, clock())) throw invitationOver();
    return declined(deps, id, present, { user: candidate, actor: by });
  });
}

function declined(
  { clock }: InvitationDeps,
  invitation: string,
  present: InvitationDocument,
  { user, actor }: { user: string; actor?: string | undefined },
) {
  const { joining: _late, ...rest } = present;
  const { account } = present;
  const data = { invitation, account, user, ...actorOf(actor) };
  const document: InvitationDocument = {
    ...rest,
    state: 'declined',
    candidate: user,
    expiresAt: clock(),
  };
  return { document, events: [newEvent(clock, 'invitation.declined', data)] };
}
