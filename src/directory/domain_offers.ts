/** What a proven domain offers its people: to join the account, or to ask for it. */

import { Problem } from '../base/errors.ts';
import { timeOrderedId } from '../base/ids.ts';
import { sha256 } from '../base/secrets.ts';
import { newEvent } from '../events/types.ts';
import type { AccountDomain, InvitationDocument } from '../storage/documents.ts';
import { invitationKey } from '../storage/kinds.ts';
import { Duplicate } from '../storage/store.ts';
import { domainOf, verifiedAddresses } from './addresses.ts';
import { busy } from './change.ts';
import type { DomainOffer, Domains } from './domain_types.ts';
import { stillStands } from './domain_proof.ts';
import { domainUnknown } from './domain_state.ts';
import type { DomainDeps } from './domain_state.ts';
import { endRunOut } from './joining.ts';

const dayMs = 24 * 60 * 60 * 1000;
const mostDomains = 10;
const mostTries = 3;

export function createDomainOffers(deps: DomainDeps): Pick<Domains, 'offers' | 'join'> {
  return {
    offers: (user) => offers(deps, user),
    join: (account, user) => join(deps, account, user),
  };
}

interface Found extends DomainOffer {
  entry: AccountDomain;
}

async function offers(deps: DomainDeps, user: string): Promise<Found[]> {
  const { store, settings, clock } = deps;
  if (!settings().domains) return [];
  const person = (await store.get('user', user))?.document;
  if (person?.status !== 'active') return [];
  const domains = [...new Set(verifiedAddresses(person).map(domainOf))].slice(0, mostDomains);
  const found: Found[] = [];
  for (const domain of domains) {
    const [stored] = await store.find('account', 'domain', domain, { limit: 1 });
    if (stored === undefined) continue;
    const { id, document } = stored;
    if (person.memberships?.some(({ account }) => account === id)) continue;
    const entry = document.domains?.find((one) => one.domain === domain);
    if (entry === undefined || !(await stillStands(deps, id, entry))) continue;
    const [asked] = await store.find('invitation', 'open', invitationKey(id, user), { limit: 1 });
    const isWaiting = asked !== undefined && asked.document.expiresAt > clock();
    // Somebody removed them: the rule alone does not bring them back.
    const wasSentAway = person.sentAway?.includes(id) === true;
    const mode = isWaiting ? 'waiting' : wasSentAway ? 'ask' : entry.mode;
    found.push({ account: { id, ...document }, domain, mode, entry });
  }
  return found;
}

async function join(
  deps: DomainDeps,
  account: string,
  user: string,
): Promise<'joined' | 'waiting' | 'member'> {
  const { access, members } = deps;
  if ((await access.membership(user, account)) !== undefined) return 'member';
  const offer = (await offers(deps, user)).find((one) => one.account.id === account);
  if (offer === undefined) throw domainUnknown();
  if (offer.mode === 'waiting') return 'waiting';
  if (offer.mode === 'ask') {
    await limitAsking(deps, account, user);
    return ask(deps, offer, user);
  }
  await members.add(account, user, offer.entry.roles);
  return 'joined';
}

async function ask(
  deps: DomainDeps,
  { account: { id: account }, entry: { roles } }: Found,
  user: string,
): Promise<'waiting'> {
  const { store, clock, settings } = deps;
  const now = clock();
  const invitation = timeOrderedId('inv', now);
  const document: InvitationDocument = {
    account,
    way: 'domain',
    roles,
    state: 'waiting',
    candidate: user,
    createdAt: now,
    expiresAt: now + settings().invitationDays * dayMs,
  };
  const events = [newEvent(clock, 'invitation.waiting', { invitation, account, user })];
  for (let attempt = 1; attempt <= mostTries; attempt += 1) {
    try {
      await store.write('invitation', invitation, document, { expect: 'absent', events });
      return 'waiting';
    } catch (error) {
      if (!(error instanceof Duplicate)) throw error;
    }
    // Asked by two tabs at once, or waiting by an invitation.
    if (!(await endRunOut(deps, account, user))) return 'waiting';
  }
  throw busy();
}

/** In a day, by one person of one account: its owners get an e-mail each time. */
const mostAsked = 5;

async function limitAsking({ store }: DomainDeps, account: string, user: string): Promise<void> {
  // A counter outlives what it is about: it names nobody.
  const who = sha256(invitationKey(account, user));
  if ((await store.bump(`domain_asked ${who}`, 1, dayMs / 1000)) <= mostAsked) return;
  const sentence = 'You have asked to join this account several times today. Try again tomorrow.';
  const retryAfterSeconds = dayMs / 1000;
  throw new Problem('too_many_requests_to_join', 429, sentence, { retryAfterSeconds });
}
