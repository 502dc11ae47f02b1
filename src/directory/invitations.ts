/**
 * Invitations: somebody is asked into an account, by e-mail or by a link. One for each address and account: invited
 * again is reminded. What whoever invites may give is looked at when they invite and again when it is taken up.
 */

import type { Clock } from '../base/clock.ts';
import { Problem } from '../base/errors.ts';
import { timeOrderedId } from '../base/ids.ts';
import { sha256 } from '../base/secrets.ts';
import type { Secrets } from '../base/secrets.ts';
import { newEvent } from '../events/types.ts';
import type { InvitationDocument } from '../storage/documents.ts';
import { invitationKey } from '../storage/kinds.ts';
import { Duplicate } from '../storage/store.ts';
import type { Store } from '../storage/store.ts';
import type { Access } from './access.ts';
import { accountUnknown, requireOpen } from './accounts.ts';
import { requireAddress } from './addresses.ts';
import { actorOf, notAllowed } from './authority.ts';
import { busy, change } from './change.ts';
import { readInvitations } from './invitation_list.ts';
import { createInvitationAnswers } from './invitation_answers.ts';
import {
  invitationOver,
  isLive,
  isTaken,
  mayInvite,
  requireNamed,
  standingOf,
} from './invitation_state.ts';
import type { Named, StandingDeps } from './invitation_state.ts';
import { createInvitationTokens } from './invitation_token.ts';
import type { Invitation, Invitations, NewInvitation } from './invitation_types.ts';
import { isAddressee } from './joining.ts';
import type { Members } from './members.ts';
import { usableLocale } from './names.ts';
import { requireRoles } from './roles.ts';

export interface InvitationDeps {
  store: Store;
  clock: Clock;
  access: Access;
  members: Pick<Members, 'add' | 'remove'>;
  settings: StandingDeps['settings'];
  secrets: Secrets | undefined;
}

const dayMs = 24 * 60 * 60 * 1000;
/** In a day: e-mails of one account to one address, and invitations by the people of one account. */
const most = { sends: 5, ofAccount: 200 };
const mostTries = 10;

export function createInvitations(deps: InvitationDeps): Invitations {
  const { store } = deps;
  const tokens = createInvitationTokens(deps.secrets);
  const get = (id: string) => store.get('invitation', id);
  return {
    invite: (input) => invite(deps, input),
    resend: (account, id, by) => resend(deps, { account, id, by }),
    withdraw: (account, id, by) => withdraw(deps, { account, id, by }),
    ...createInvitationAnswers(deps),
    ...readInvitations(deps),
    get,
    token: tokens.make,
    async byToken(token) {
      const id = tokens.read(token);
      return id === undefined ? undefined : get(id);
    },
    standing: (invitation, how) => standingOf(deps, invitation, how),
    isFor: ({ document }, user) => isAddressee(document, user),
  };
}

type Wish = Pick<InvitationDocument, 'account' | 'way' | 'email' | 'roles' | 'by' | 'locale'>;

async function invite(
  deps: InvitationDeps,
  input: NewInvitation,
): Promise<{ invitation: Invitation; isNew: boolean }> {
  const { store } = deps;
  const wish = await readWish(deps, input);
  await limitAccount(deps, wish);
  for (let attempt = 1; attempt <= mostTries; attempt += 1) {
    const present = await findLive(store, wish);
    if (present !== undefined) await requireMayChange(deps, present, wish.by);
    const reminded = present === undefined ? undefined : await remind(deps, present.id, wish);
    if (reminded !== undefined) return { invitation: reminded, isNew: false };
    const made = await make(deps, wish);
    if (made !== undefined) return { invitation: made, isNew: true };
  }
  throw busy();
}

async function readWish(deps: InvitationDeps, input: NewInvitation): Promise<Wish> {
  const { account, by } = input;
  const document = (await deps.store.get('account', account))?.document;
  if (document === undefined) throw accountUnknown();
  requireOpen(document);
  const last = deps.settings().roles.at(-1)?.id;
  const roles = requireRoles(input.roles ?? (last === undefined ? [] : [last]));
  const email = input.email === undefined ? undefined : requireAddress(input.email);
  const locale = usableLocale(input.locale);
  if (!(await mayInvite(deps, { account, roles }, by))) throw notAllowed();
  return {
    account,
    way: email === undefined ? 'link' : 'email',
    ...(email !== undefined && { email }),
    roles,
    ...(by !== undefined && { by }),
    ...(locale !== undefined && { locale }),
  };
}

async function findLive(store: Store, { account, email }: Wish): Promise<Invitation | undefined> {
  if (email === undefined) return undefined;
  const key = invitationKey(account, email.toLowerCase());
  return (await store.find('invitation', 'open', key, { limit: 1 }))[0];
}

/** Nobody takes back, by inviting again, what they may not give. */
async function requireMayChange(
  deps: InvitationDeps,
  { document }: Invitation,
  by: string | undefined,
): Promise<void> {
  const isOver = document.expiresAt <= deps.clock();
  if (!isOver && !(await mayInvite(deps, document, by))) throw notAllowed();
}

/** @returns nothing where another one for this address was made meanwhile */
async function make(deps: InvitationDeps, wish: Wish): Promise<Invitation | undefined> {
  const { store, clock } = deps;
  const now = clock();
  const id = timeOrderedId('inv', now);
  const { account, roles, by } = wish;
  const document: InvitationDocument = {
    ...wish,
    state: 'open',
    ...(wish.email !== undefined && { sends: 1, sentAt: now }),
    createdAt: now,
    expiresAt: now + deps.settings().invitationDays * dayMs,
  };
  const data = { invitation: id, account, roles, ...actorOf(by) };
  const events = [newEvent(clock, 'invitation.created', data)];
  await limitSends(deps, wish);
  try {
    const version = await store.write('invitation', id, document, { expect: 'absent', events });
    return { id, version, document };
  } catch (error) {
    if (error instanceof Duplicate) return undefined;
    throw error;
  }
}

/** A new end, and another e-mail. @returns nothing where it is over by now */
async function remind(
  deps: InvitationDeps,
  id: string,
  wish: Partial<Wish> & { by?: string },
): Promise<Invitation | undefined> {
  const { store, clock } = deps;
  const { by } = wish;
  const before = await store.get('invitation', id);
  if (before === undefined || !isLive(before.document)) return undefined;
  await limitSends(deps, before.document);
  const changed = await change(store, 'invitation', id, (present) => {
    if (!isLive(present)) return undefined;
    const now = clock();
    const { by: _before, ...rest } = present;
    const { account, sends = 0 } = present;
    const data = { invitation: id, account, ...actorOf(by) };
    return {
      document: {
        ...rest,
        ...wish,
        ...(present.email !== undefined && { email: present.email, sends: sends + 1, sentAt: now }),
        expiresAt: now + deps.settings().invitationDays * dayMs,
      },
      events: [newEvent(clock, 'invitation.resent', data)],
    };
  });
  if (changed === undefined || !isLive(changed.document)) return undefined;
  const { version, document } = changed;
  return { id, version, document };
}

async function resend(deps: InvitationDeps, named: Named): Promise<Invitation> {
  const { document } = await requireNamed(deps, named);
  if (document.state !== 'open') throw invitationOver();
  const account = (await deps.store.get('account', named.account))?.document;
  if (account === undefined) throw accountUnknown();
  requireOpen(account);
  await limitAccount(deps, named);
  const { by } = named;
  const reminded = await remind(deps, named.id, by === undefined ? {} : { by });
  if (reminded === undefined) throw invitationOver();
  return reminded;
}

async function withdraw(deps: InvitationDeps, named: Named): Promise<boolean> {
  const { store, clock } = deps;
  await requireNamed(deps, named);
  const { account, id, by } = named;
  let wasOfUse = false;
  const changed = await change(store, 'invitation', id, (present) => {
    if (!isLive(present)) return undefined;
    // A moment later it is accepted, or of use again.
    if (isTaken(present, clock())) throw busy();
    wasOfUse = present.expiresAt > clock();
    const { joining: _late, ...rest } = present;
    const data = { invitation: id, account, ...actorOf(by) };
    return {
      document: { ...rest, state: 'withdrawn', expiresAt: clock() },
      events: [newEvent(clock, 'invitation.withdrawn', data)],
    };
  });
  return changed?.written === true && wasOfUse;
}

/** By address, so that another invitation instead of this one sends no more. */
async function limitSends(
  { store }: InvitationDeps,
  { account, email }: Pick<InvitationDocument, 'account' | 'email'>,
): Promise<void> {
  if (email === undefined) return;
  // A counter outlives what it is about: it names nobody.
  const whom = sha256(invitationKey(account, email.toLowerCase()));
  const count = await store.bump(`invitation_sends ${whom}`, 1, dayMs / 1000);
  if (count > most.sends) throw tooMany('This invitation was sent often enough for today.');
}

async function limitAccount(
  { store }: InvitationDeps,
  { account, by }: { account: string; by?: string | undefined },
): Promise<void> {
  if (by === undefined) return;
  const count = await store.bump(`invitations ${account}`, 1, dayMs / 1000);
  if (count > most.ofAccount) throw tooMany('This account has sent all invitations of a day.');
}

function tooMany(sentence: string): Problem {
  return new Problem('too_many_invitations', 409, sentence);
}
