/**
 * Domain rules: an account that has shown, by a record in the DNS, that an e-mail domain is its own offers its people to
 * join, or to ask for it. The account's document decides: a domain is proven for one active account. The record is
 * looked for again when somebody is offered the account and it was last seen a week ago; while it is missing, nobody is.
 */

import type { Clock } from '../base/clock.ts';
import type { FindTexts } from '../base/dns.ts';
import { Problem } from '../base/errors.ts';
import { randomToken } from '../base/ids.ts';
import { newEvent } from '../events/types.ts';
import type { AccountDocument, AccountDomain } from '../storage/documents.ts';
import { Duplicate } from '../storage/store.ts';
import type { NewEvent, Store } from '../storage/store.ts';
import type { Access } from './access.ts';
import { accountUnknown, requireOpen } from './accounts.ts';
import { usableDomain } from './addresses.ts';
import { change } from './change.ts';
import { createDomainOffers } from './domain_offers.ts';
import type { DomainRecord, Domains } from './domain_types.ts';
import { notAllowed } from './invitation_state.ts';
import type { StandingDeps } from './invitation_state.ts';
import type { Members } from './members.ts';
import { isPublicDomain } from './public_domains.ts';
import { mayGive, rightsOf } from './rights.ts';
import { ownerRole, requireRoles } from './roles.ts';

export interface DomainDeps {
  store: Store;
  clock: Clock;
  access: Access;
  members: Pick<Members, 'add'>;
  settings: () => ReturnType<StandingDeps['settings']> & { domains: boolean };
  findTexts: FindTexts;
}

const mostDomains = 10;

export function createDomains(deps: DomainDeps): Domains {
  return {
    add: (account, domain, by) => add(deps, { account, domain: requireDomain(domain), by }),
    record: recordOf,
    prove: (account, domain, by) => prove(deps, { account, domain: requireDomain(domain), by }),
    remove: (account, domain, by) => remove(deps, { account, domain: requireDomain(domain), by }),
    set: (account, domain, how, by) =>
      set(deps, { account, domain: requireDomain(domain), by }, how),
    ...createDomainOffers(deps),
  };
}

interface Named {
  account: string;
  domain: string;
  by: string | undefined;
}

export function recordOf({ domain, token }: AccountDomain): DomainRecord {
  return { name: `_tollgate.${domain}`, value: `tollgate-domain=${token}` };
}

async function add(deps: DomainDeps, named: Named): Promise<AccountDomain> {
  const { settings, clock } = deps;
  const { domain } = named;
  if (!settings().domains) throw new Problem('domains_off', 404, 'Domains are not used here.');
  if (isPublicDomain(domain)) {
    throw new Problem('domain_public', 400, 'Anybody can have an address of this domain.', {
      details: { field: 'domain' },
    });
  }
  await requireRight(deps, named);
  const role = settings().roles.at(-1)?.id ?? 'member';
  const token = randomToken();
  const account = await changeAccount(deps, named, (present) => {
    const { domains = [] } = present;
    if (domains.some((one) => one.domain === domain)) return undefined;
    if (domains.length >= mostDomains) {
      throw new Problem('too_many_domains', 409, `An account has at most ${mostDomains} domains.`);
    }
    const mode = 'ask' as const;
    const added = { domain, token, mode, roles: [role], addedAt: clock() };
    return { domains: [...domains, added] };
  });
  return requireEntry(account, domain);
}

async function prove(deps: DomainDeps, named: Named): Promise<AccountDomain> {
  const { store, findTexts } = deps;
  const { account: id, domain } = named;
  await requireRight(deps, named);
  const before = (await store.get('account', id))?.document;
  if (before === undefined) throw accountUnknown();
  const { name, value } = recordOf(requireEntry(before, domain));
  const texts = await findTexts(name);
  if (!texts.includes(value)) {
    throw new Problem('domain_unproven', 409, 'The record is not there yet.', {
      details: { name, value },
    });
  }
  try {
    return await keepProven(deps, named, value);
  } catch (error) {
    if (!(error instanceof Duplicate)) throw error;
  }
  if (!(await releaseLost(deps, domain))) throw domainTaken();
  return keepProven(deps, named, value).catch((error: unknown) => {
    throw error instanceof Duplicate ? domainTaken() : error;
  });
}

/** @throws {Duplicate} another account has it */
async function keepProven(deps: DomainDeps, named: Named, value: string): Promise<AccountDomain> {
  const { clock } = deps;
  const { account: id, domain, by } = named;
  const account = await changeAccount(deps, named, (present) => {
    // Removed, and added again with another token, while the record was looked for.
    const entry = requireEntry(present, domain);
    if (recordOf(entry).value !== value) throw domainUnknown();
    const { missingSince: _found, ...rest } = entry;
    const proven = { ...rest, provenAt: entry.provenAt ?? clock(), checkedAt: clock() };
    const data = { account: id, domain, ...(by !== undefined && { actor: by }) };
    const isNew = entry.provenAt === undefined;
    const events = isNew ? [newEvent(clock, 'account.domain_proven', data)] : [];
    return { domains: withEntry(present, proven), events };
  });
  return requireEntry(account, domain);
}

/** Another account had it, whose record is gone: it changed hands. @returns whether it is free now */
async function releaseLost(deps: DomainDeps, domain: string): Promise<boolean> {
  const { store, clock, findTexts } = deps;
  const [holder] = await store.find('account', 'domain', domain, { limit: 1 });
  const entry = holder?.document.domains?.find((one) => one.domain === domain);
  if (holder === undefined || entry === undefined) return true;
  const { name, value } = recordOf(entry);
  if ((await findTexts(name)).includes(value)) return false;
  const events = [newEvent(clock, 'account.domain_removed', { account: holder.id, domain })];
  await change(store, 'account', holder.id, (present) => {
    const now = present.domains?.find((one) => one.domain === domain);
    if (now?.token !== entry.token || now.provenAt === undefined) return undefined;
    const { provenAt: _lost, ...rest } = now;
    return { document: { ...present, domains: withEntry(present, rest) }, events };
  });
  return true;
}

function domainTaken(): Problem {
  return new Problem('domain_taken', 409, 'Another account has proven this domain.');
}

async function remove(deps: DomainDeps, named: Named): Promise<boolean> {
  const { clock } = deps;
  const { account, domain, by } = named;
  await requireRight(deps, named);
  let was = false;
  await changeAccount(deps, named, (present) => {
    const { domains = [] } = present;
    was = domains.some((one) => one.domain === domain);
    if (!was) return undefined;
    const data = { account, domain, ...(by !== undefined && { actor: by }) };
    const events = [newEvent(clock, 'account.domain_removed', data)];
    return { domains: domains.filter((one) => one.domain !== domain), events };
  });
  return was;
}

async function set(
  deps: DomainDeps,
  named: Named,
  { mode, roles: given }: { mode: AccountDomain['mode']; roles: readonly string[] },
): Promise<AccountDomain> {
  const roles = requireRoles(given);
  if (roles.includes(ownerRole) || (mode !== 'ask' && mode !== 'join')) throw notAllowed();
  await requireRight(deps, named, roles);
  const account = await changeAccount(deps, named, (present) => {
    const entry = requireEntry(present, named.domain);
    return { domains: withEntry(present, { ...entry, mode, roles }) };
  });
  return requireEntry(account, named.domain);
}

/** Settings are looked after by who has that right; who gives roles must have them to give. */
async function requireRight(
  { access, settings }: DomainDeps,
  { account, by }: Named,
  roles?: readonly string[],
): Promise<void> {
  if (by === undefined) return;
  const { roles: table } = settings();
  const mine = (await access.membership(by, account))?.roles;
  const may = mine !== undefined && rightsOf(mine, table).has('settings');
  if (!may || (roles !== undefined && !mayGive(mine, roles, table))) throw notAllowed();
}

async function changeAccount(
  { store }: Pick<DomainDeps, 'store'>,
  { account }: Named,
  decide: (
    present: AccountDocument,
  ) => { domains: AccountDomain[]; events?: NewEvent[] } | undefined,
): Promise<AccountDocument> {
  const changed = await change(store, 'account', account, (present) => {
    requireOpen(present);
    const decision = decide(present);
    if (decision === undefined) return undefined;
    const { domains: _before, ...rest } = present;
    const { domains, events = [] } = decision;
    return { document: domains.length === 0 ? rest : { ...rest, domains }, events };
  });
  if (changed === undefined) throw accountUnknown();
  return changed.document;
}

export function withEntry(account: AccountDocument, entry: AccountDomain): AccountDomain[] {
  const { domains = [] } = account;
  return domains.map((one) => (one.domain === entry.domain ? entry : one));
}

function requireEntry({ domains = [] }: AccountDocument, domain: string): AccountDomain {
  const entry = domains.find((one) => one.domain === domain);
  if (entry === undefined) throw domainUnknown();
  return entry;
}

export function domainUnknown(): Problem {
  return new Problem('domain_unknown', 404, 'The account does not have this domain.');
}

function requireDomain(value: string): string {
  const domain = usableDomain(value);
  if (domain !== undefined) return domain;
  throw new Problem('domain_invalid', 400, 'This is not a domain, such as example.com.', {
    details: { field: 'domain' },
  });
}
