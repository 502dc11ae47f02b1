/** What a proven domain offers its people: to join the account, or to ask for it. */

import { timeOrderedId } from '../base/ids.ts';
import { newEvent } from '../events/types.ts';
import type { AccountDomain, InvitationDocument } from '../storage/documents.ts';
import { invitationKey } from '../storage/kinds.ts';
import { Duplicate } from '../storage/store.ts';
import { domainOf, verifiedAddresses } from './addresses.ts';
import { change } from './change.ts';
import type { DomainOffer, Domains } from './domain_types.ts';
import { domainUnknown, recordOf, withEntry } from './domains.ts';
import type { DomainDeps } from './domains.ts';

/** So long a record is taken to be there that was seen; and so long after, it is looked for again. */
const freshMs = 7 * 24 * 60 * 60 * 1000;
const againMs = 10 * 60 * 1000;
const dayMs = 24 * 60 * 60 * 1000;
const mostDomains = 10;

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
  const { store, settings } = deps;
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
    const mode = asked === undefined ? entry.mode : 'waiting';
    found.push({ account: { id, ...document }, domain, mode, entry });
  }
  return found;
}

/** Where the DNS does not answer, what was known holds. */
async function stillStands(
  { store, clock, findTexts }: DomainDeps,
  account: string,
  entry: AccountDomain,
): Promise<boolean> {
  const { provenAt, checkedAt = provenAt ?? 0, missingSince, domain } = entry;
  if (provenAt === undefined) return false;
  const isFresh = checkedAt + (missingSince === undefined ? freshMs : againMs) > clock();
  if (isFresh) return missingSince === undefined;
  const { name, value } = recordOf(entry);
  const texts = await findTexts(name).catch(() => undefined);
  if (texts === undefined) return missingSince === undefined;
  const isThere = texts.includes(value);
  await change(store, 'account', account, (present) => {
    const now = present.domains?.find((one) => one.domain === domain);
    if (now?.token !== entry.token) return undefined;
    const { missingSince: before, ...rest } = now;
    const seen = { ...rest, checkedAt: clock() };
    const next = isThere ? seen : { ...seen, missingSince: before ?? clock() };
    return { document: { ...present, domains: withEntry(present, next) } };
  });
  return isThere;
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
  if (offer.mode === 'ask') return ask(deps, offer, user);
  await members.add(account, user, offer.entry.roles);
  return 'joined';
}

async function ask(
  { store, clock, settings }: DomainDeps,
  { account: { id: account }, entry: { roles } }: Found,
  user: string,
): Promise<'waiting'> {
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
  try {
    await store.write('invitation', invitation, document, { expect: 'absent', events });
  } catch (error) {
    // Asked by two tabs at once, or waiting by an invitation.
    if (!(error instanceof Duplicate)) throw error;
  }
  return 'waiting';
}
