/** Whose a domain is: what its records say, when somebody proves it and from then on. */

import { Problem } from '../base/errors.ts';
import { newEvent } from '../events/types.ts';
import type { AccountDomain } from '../storage/documents.ts';
import { Duplicate } from '../storage/store.ts';
import { accountUnknown } from './accounts.ts';
import { actorOf } from './authority.ts';
import { change } from './change.ts';
import {
  changeAccount,
  domainUnknown,
  recordOf,
  requireEntry,
  requireRight,
  withEntry,
} from './domain_state.ts';
import type { DomainDeps, Named } from './domain_state.ts';

/** So long a record is taken to be there that was seen; and so long after, it is looked for again. */
const freshMs = 7 * 24 * 60 * 60 * 1000;
const againMs = 10 * 60 * 1000;

export async function prove(deps: DomainDeps, named: Named): Promise<AccountDomain> {
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
  if (!(await releaseLost(deps, domain, texts))) throw domainTaken();
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
    const data = { account: id, domain, ...actorOf(by) };
    const isNew = entry.provenAt === undefined;
    const events = isNew ? [newEvent(clock, 'account.domain_proven', data)] : [];
    return { domains: withEntry(present, proven), events };
  });
  return requireEntry(account, domain);
}

/** Another account had it, whose record is gone: it changed hands. @returns whether it is free now */
async function releaseLost(
  deps: DomainDeps,
  domain: string,
  texts: readonly string[],
): Promise<boolean> {
  const { store, clock } = deps;
  const [holder] = await store.find('account', 'domain', domain, { limit: 1 });
  const entry = holder?.document.domains?.find((one) => one.domain === domain);
  if (holder === undefined || entry === undefined) return true;
  // Of the same answer that has the other one's.
  if (texts.includes(recordOf(entry).value)) return false;
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

/** Where the DNS does not answer, what was known holds. */
export async function stillStands(
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
