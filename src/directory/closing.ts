/**
 * Closing an account. The decision is one write with its reason, at once or for a day to come; until then it can be taken
 * back. What follows, at Stripe and for whoever is signed in, is done by those who hear of the events, and judged by the
 * account's document. An operator can open a closed account again.
 */

import type { Clock } from '../base/clock.ts';
import { Problem } from '../base/errors.ts';
import { newEvent } from '../events/types.ts';
import type { AccountDocument, ClosingReason } from '../storage/documents.ts';
import { Duplicate } from '../storage/store.ts';
import type { Store } from '../storage/store.ts';
import { accountUnknown, requireOpen } from './accounts.ts';
import type { Account, Accounts } from './accounts.ts';
import { actorOf } from './authority.ts';
import { change } from './change.ts';
import type { Changed, Decision } from './change.ts';
import { requireReason } from './closing_reason.ts';
import { countMembers } from './member_list.ts';
import { ownerRole, ownsAccount } from './roles.ts';
import { userUnknown } from './users.ts';

export interface AskClosing {
  account: string;
  /** The user who decides it, an owner; absent: an operator. */
  by?: string | undefined;
  /** In milliseconds. At once when not given, or over. While something is paid for, it follows the end of that. */
  endsAt?: number | undefined;
  /** One of Stripe's words: `feedbackWords`. */
  feedback?: string | undefined;
  /** At most 1000 characters; line breaks are kept. */
  reason?: string | undefined;
}

export interface Closing {
  /**
   * Of several the first decision stands, but for one to close at once. Does nothing for an account that is closed.
   * @throws {Problem} `account_unknown` (404), `not_owner` (403), `feedback_invalid`, `reason_invalid` (400)
   */
  ask(input: AskClosing): Promise<Account>;
  /**
   * @returns whether there was something to take back
   * @throws {Problem} `account_unknown` (404), `not_owner` (403), `account_closed` (409): its end has come
   */
  withdraw(account: string, by?: string): Promise<boolean>;
  /** Who loses access, up to 500, and whether there are more. @throws {Problem} `account_unknown` (404) */
  members(account: string): Promise<{ count: number; isMore: boolean }>;
  /** Its end has come. @returns whether it was closed by this */
  finish(account: string): Promise<boolean>;
  /**
   * The end of a closing that waits is another one now.
   * @param endOf by the account as it is; `undefined`: as it was
   */
  follow(account: string, endOf: (document: AccountDocument) => number | undefined): Promise<void>;
  /**
   * For operators. Who was an owner is one again, unless they are gone; `owner` becomes one in any case.
   * @throws {Problem} `account_unknown`, `user_unknown` (404); `owner_missing` (409): nobody could act for it
   */
  reopen(account: string, owner?: string): Promise<Account>;
  /** The memberships of those who own it. Idempotent. */
  finishReopening(account: string): Promise<void>;
}

interface Deps {
  store: Store;
  clock: Clock;
  accounts: Pick<Accounts, 'finishOwner'>;
}

const mostCounted = 500;

export function createClosing(deps: Deps): Closing {
  const { store, clock } = deps;

  const changeAccount = async (
    account: string,
    decide: (present: AccountDocument) => Decision<AccountDocument>,
  ): Promise<Changed<AccountDocument>> => {
    const changed = await change(store, 'account', account, decide);
    if (changed === undefined) throw accountUnknown();
    return changed;
  };

  return {
    async ask({ account, by, endsAt = 0, ...said }) {
      const why = requireReason(said);
      const { document } = await changeAccount(account, (present) => {
        requireOwner(present, by);
        if (present.status === 'closed') return undefined;
        if (endsAt <= clock()) return closed(deps, { account, present, by, why });
        if (present.closing !== undefined) return undefined;
        const data = { account, at: endsAt, ...why, ...actorOf(by) };
        const closing = { askedAt: clock(), ...(by === undefined ? {} : { by }), endsAt, ...why };
        const events = [newEvent(clock, 'account.closing', data)];
        return { document: { ...present, closing }, events };
      });
      return { id: account, ...document };
    },

    async withdraw(account, by) {
      const { written } = await changeAccount(account, (present) => {
        requireOwner(present, by);
        requireOpen(present);
        const { closing, ...rest } = present;
        if (closing === undefined) return undefined;
        // Who was told that it is over must not find it open.
        if (closing.endsAt <= clock()) requireOpen({ ...present, status: 'closed' });
        const data = { account, ...actorOf(by) };
        return { document: rest, events: [newEvent(clock, 'account.closing_withdrawn', data)] };
      });
      return written;
    },

    async members(account) {
      const present = await store.get('account', account);
      if (present === undefined) throw accountUnknown();
      return countMembers(store, account, present.document, mostCounted);
    },

    async finish(account) {
      const { written } = await changeAccount(account, (present) => {
        const { closing, status } = present;
        if (status === 'closed' || closing === undefined || closing.endsAt > clock()) {
          return undefined;
        }
        return closed(deps, { account, present, by: closing.by, why: {} });
      });
      return written;
    },

    async follow(account, endOf) {
      await changeAccount(account, (present) => {
        const { closing, status } = present;
        if (status === 'closed' || closing === undefined) return undefined;
        const endsAt = endOf(present);
        if (endsAt === undefined || endsAt === closing.endsAt) return undefined;
        const { by: actor, askedAt: _askedAt, endsAt: _endsAt, ...why } = closing;
        const data = { account, at: endsAt, ...why, ...actorOf(actor) };
        const events = [newEvent(clock, 'account.closing', data)];
        return { document: { ...present, closing: { ...closing, endsAt } }, events };
      });
    },

    reopen: (account, owner) => reopen(deps, account, owner),
    finishReopening: (account) => finishReopening(deps, account),
  };
}

/** Nothing new is bought for it. @throws {Problem} `account_closed`, `account_closing` (409) */
export function requireStaying(account: Pick<AccountDocument, 'status' | 'closing'>): void {
  requireOpen(account);
  if (account.closing === undefined) return;
  throw new Problem('account_closing', 409, 'This account will be closed. Keep it first.');
}

interface Decided {
  account: string;
  present: AccountDocument;
  by: string | undefined;
  why: ClosingReason;
}

/** With the reason that was given before, where none is given now. */
function closed(
  { clock }: Deps,
  { account, present, by, why }: Decided,
): Decision<AccountDocument> {
  const { closing, ...rest } = present;
  const { feedback, reason } = { ...closing, ...why };
  const reasons = {
    ...(feedback === undefined ? {} : { feedback }),
    ...(reason === undefined ? {} : { reason }),
  };
  return {
    document: {
      ...rest,
      status: 'closed',
      closed: { at: clock(), ...(by === undefined ? {} : { by }), ...reasons },
    },
    events: [newEvent(clock, 'account.closed', { account, ...reasons, ...actorOf(by) })],
  };
}

/** As it is written: who has ceased to be one meanwhile decides nothing. */
function requireOwner(account: AccountDocument, user: string | undefined): void {
  if (user === undefined || ownsAccount(account, user)) return;
  throw new Problem('not_owner', 403, 'Only an owner of the account can do this.');
}

async function reopen(deps: Deps, account: string, owner: string | undefined): Promise<Account> {
  const { store, clock } = deps;
  const before = await store.get('account', account);
  if (before === undefined) throw accountUnknown();
  const known = await Promise.all(
    before.document.owners.map(async (id) => ({ id, ...(await store.get('user', id)) })),
  );
  const gone = new Set(
    known.flatMap(({ id, document }) =>
      document === undefined || document.status === 'deleted' ? [id] : [],
    ),
  );
  const active = known.flatMap(({ id, document }) => (document?.status === 'active' ? [id] : []));
  if (owner !== undefined && (await store.get('user', owner))?.document.status !== 'active') {
    throw userUnknown();
  }
  const opened = (isFree: boolean) =>
    change(store, 'account', account, (present) => {
      if (present.status === 'active') return undefined;
      const { closed: _closed, closing: _closing, ...rest } = present;
      const stay = present.owners.filter((id) => !gone.has(id));
      const owners = [...new Set([...stay, ...(owner === undefined ? [] : [owner])])];
      if (!owners.some((id) => id === owner || active.includes(id))) throw ownerMissing();
      const domains = isFree ? rest.domains : rest.domains?.map(unproven);
      return {
        document: { ...rest, status: 'active', owners, ...(domains && { domains }) },
        events: [newEvent(clock, 'account.reopened', { account })],
      };
    });
  let changed;
  try {
    changed = await opened(true);
  } catch (error) {
    // Another account has proven one of its domains since.
    if (!(error instanceof Duplicate) || error.field !== 'domain') throw error;
    changed = await opened(false);
  }
  if (changed === undefined) throw accountUnknown();
  await finishReopening(deps, account);
  return { id: account, ...changed.document };
}

function unproven(domain: NonNullable<AccountDocument['domains']>[number]) {
  const { provenAt: _provenAt, ...rest } = domain;
  return rest;
}

async function finishReopening({ store, accounts }: Deps, account: string): Promise<void> {
  const owners = (await store.get('account', account))?.document.owners ?? [];
  for (const owner of owners) await accounts.finishOwner(account, owner, [ownerRole]);
}

function ownerMissing(): Problem {
  const sentence = 'Nobody owns this account any more. Name who is to own it.';
  return new Problem('owner_missing', 409, sentence);
}
