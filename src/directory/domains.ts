/**
 * Domain rules: an account that has shown, by a record in the DNS, that an e-mail domain is its own offers its people to
 * join, or to ask for it. The account's document decides: a domain is proven for one active account. The record is
 * looked for again when somebody is offered the account and it was last seen a week ago; while it is missing, nobody is.
 */

import { Problem } from '../base/errors.ts';
import { randomToken } from '../base/ids.ts';
import { newEvent } from '../events/types.ts';
import type { AccountDomain } from '../storage/documents.ts';
import { usableDomain } from './addresses.ts';
import { createDomainOffers } from './domain_offers.ts';
import { prove } from './domain_proof.ts';
import { changeAccount, recordOf, requireEntry, requireRight, withEntry } from './domain_state.ts';
import type { DomainDeps, Named } from './domain_state.ts';
import type { Domains } from './domain_types.ts';
import { actorOf, notAllowed } from './authority.ts';
import { isPublicDomain } from './public_domains.ts';
import { ownerRole, requireRoles } from './roles.ts';

const mostDomains = 10;

export function createDomains(deps: DomainDeps): Domains {
  return {
    add: async (account, domain, by) => add(deps, named(account, domain, by)),
    record: recordOf,
    prove: async (account, domain, by) => prove(deps, named(account, domain, by)),
    remove: async (account, domain, by) => remove(deps, named(account, domain, by)),
    set: async (account, domain, how, by) => set(deps, named(account, domain, by), how),
    ...createDomainOffers(deps),
  };
}

/** @throws {Problem} `domain_invalid` (400) */
function named(account: string, value: string, by: string | undefined): Named {
  return { account, domain: requireDomain(value), by };
}

async function add(deps: DomainDeps, place: Named): Promise<AccountDomain> {
  const { settings, clock } = deps;
  const { domain } = place;
  if (!settings().domains) throw new Problem('domains_off', 404, 'Domains are not used here.');
  if (isPublicDomain(domain)) {
    throw new Problem('domain_public', 400, 'Anybody can have an address of this domain.', {
      details: { field: 'domain' },
    });
  }
  await requireRight(deps, place);
  const role = settings().roles.at(-1)?.id ?? 'member';
  const token = randomToken();
  const account = await changeAccount(deps, place, (present) => {
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

async function remove(deps: DomainDeps, place: Named): Promise<boolean> {
  const { clock } = deps;
  const { account, domain, by } = place;
  await requireRight(deps, place);
  let was = false;
  await changeAccount(deps, place, (present) => {
    const { domains = [] } = present;
    was = domains.some((one) => one.domain === domain);
    if (!was) return undefined;
    const data = { account, domain, ...actorOf(by) };
    const events = [newEvent(clock, 'account.domain_removed', data)];
    return { domains: domains.filter((one) => one.domain !== domain), events };
  });
  return was;
}

async function set(
  deps: DomainDeps,
  place: Named,
  { mode, roles: given }: { mode: AccountDomain['mode']; roles: readonly string[] },
): Promise<AccountDomain> {
  const roles = requireRoles(given);
  if (roles.includes(ownerRole) || (mode !== 'ask' && mode !== 'join')) throw notAllowed();
  await requireRight(deps, place, roles);
  const account = await changeAccount(deps, place, (present) => {
    const entry = requireEntry(present, place.domain);
    return { domains: withEntry(present, { ...entry, mode, roles }) };
  });
  return requireEntry(account, place.domain);
}

function requireDomain(value: string): string {
  const domain = usableDomain(value);
  if (domain !== undefined) return domain;
  throw new Problem('domain_invalid', 400, 'This is not a domain, such as example.com.', {
    details: { field: 'domain' },
  });
}
