/** What all that is done with a domain shares: whose right it is, and the change of the account that it is written on. */

import type { Clock } from '../base/clock.ts';
import type { FindTexts } from '../base/dns.ts';
import { Problem } from '../base/errors.ts';
import type { AccountDocument, AccountDomain } from '../storage/documents.ts';
import type { NewEvent, Store } from '../storage/store.ts';
import type { Access } from './access.ts';
import { accountUnknown, requireOpen } from './accounts.ts';
import { change } from './change.ts';
import type { DomainRecord } from './domain_types.ts';
import { authorityOf } from './authority.ts';
import type { StandingDeps } from './invitation_state.ts';
import type { Members } from './members.ts';

export interface DomainDeps {
  store: Store;
  clock: Clock;
  access: Access;
  members: Pick<Members, 'add'>;
  settings: () => ReturnType<StandingDeps['settings']> & { domains: boolean };
  findTexts: FindTexts;
}

export interface Named {
  account: string;
  domain: string;
  by: string | undefined;
}

export function recordOf({ domain, token }: AccountDomain): DomainRecord {
  return { name: `_tollgate.${domain}`, value: `tollgate-domain=${token}` };
}

/** Settings are looked after by who has that right; who gives roles must have them to give. */
export async function requireRight(
  { store, settings }: DomainDeps,
  { account, by }: Named,
  roles?: readonly string[],
): Promise<void> {
  const authority = await authorityOf({ store, roles: () => settings().roles }, account, by);
  authority.requireRight('settings');
  if (roles !== undefined) authority.requireGive(roles);
}

export async function changeAccount(
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

export function requireEntry({ domains = [] }: AccountDocument, domain: string): AccountDomain {
  const entry = domains.find((one) => one.domain === domain);
  if (entry === undefined) throw domainUnknown();
  return entry;
}

export function domainUnknown(): Problem {
  return new Problem('domain_unknown', 404, 'The account does not have this domain.');
}
