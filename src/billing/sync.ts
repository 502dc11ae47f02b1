/**
 * Makes an account what Stripe says it is. The account's version is read before Stripe and written under: of two that
 * run at once, the one that asked Stripe earlier meets a conflict and asks again, so what is older never wins. Whoever
 * has changed anything asks once more: another one may have found, meanwhile, that nothing had to be changed.
 */

import { isDeepStrictEqual } from 'node:util';
import { setTimeout as delay } from 'node:timers/promises';
import type { Clock } from '../base/clock.ts';
import { Problem } from '../base/errors.ts';
import type { Log } from '../base/log.ts';
import { busy } from '../directory/change.ts';
import type { AccountDocument } from '../storage/documents.ts';
import { Conflict } from '../storage/store.ts';
import type { Store, Stored } from '../storage/store.ts';
import { accountBy, readCustomer } from './customer_state.ts';
import type { CustomerState, ReadCustomerOptions } from './customer_state.ts';
import { differencesBetween, successionEvents } from './projection.ts';
import type { Sync, SyncResult } from './types.ts';

export interface SyncOptions extends ReadCustomerOptions {
  store: Store;
  clock: Clock;
  log: Log;
  random?: () => number;
}

/** Of ten at the same moment one succeeds each time; each attempt asks Stripe two or three things. */
const mostAttempts = 20;
const longestDelayMs = 200;
const hour = 3_600_000;

export function createSync(options: SyncOptions): Sync {
  const { store, random = Math.random } = options;

  return {
    async customer(customer, { onlyKnown = false } = {}) {
      let before: SyncResult = { differences: {} };
      for (let attempt = 1; ; attempt += 1) {
        const [present] = await store.find('account', 'customer', customer, { limit: 1 });
        if (present === undefined) return before;
        const state = await readCustomer(options, customer).catch(async (error: unknown) => {
          if (Object.keys(before.differences).length > 0) await remind(options, customer);
          throw error;
        });
        if (onlyKnown && state.unknown) throw customerUnknown();
        try {
          const found = await settle(options, customer, present, state);
          const isTrue = Object.keys(found.differences).length === 0;
          before = { ...found, differences: { ...found.differences, ...before.differences } };
          if (isTrue) return before;
        } catch (error) {
          if (!(error instanceof Conflict)) throw error;
          await delay(random() * Math.min(longestDelayMs, attempt * 20));
        }
        if (attempt >= mostAttempts) throw busy();
      }
    },
  };
}

/** @throws {Conflict} the account has changed since Stripe was asked */
async function settle(
  { store, clock, log, config }: SyncOptions,
  customer: string,
  { id: account, version, document: before }: Stored<AccountDocument>,
  state: CustomerState,
): Promise<SyncResult> {
  const now = clock();
  const found = accountBy(before, state, now);
  const differences = differencesBetween(before, found);
  const after = { ...found, reconciledAt: now - (now % hour) };
  if (!isDeepStrictEqual(after, before)) {
    const events = successionEvents({ account, before, after, config: config(), clock });
    await store.write('account', account, after, { expect: version, events });
  }
  tell(log, { account, customer, before, state, differences });
  const { strays } = state;
  return strays.length === 0 ? { account, differences } : { account, differences, strays };
}

/** What could not be looked at now is looked at by the inbox, again and again, whoever called. */
export async function remind(
  { store, clock }: Pick<SyncOptions, 'store' | 'clock'>,
  customer: string,
): Promise<void> {
  const now = clock();
  const about = { type: 'customer.updated', customer, at: now, receivedAt: now };
  const document = { ...about, state: 'waiting', attempts: 0, dueAt: now } as const;
  try {
    await store.write('inbox', `confirm_${customer}_${now}`, document, { expect: 'absent' });
  } catch (error) {
    if (!(error instanceof Conflict)) throw error;
  }
}

interface Told {
  account: string;
  customer: string;
  before: AccountDocument;
  state: CustomerState;
  differences: Record<string, string[]>;
}

function tell(log: Log, { account, customer, before, state, differences }: Told): void {
  const about = { account, customer };
  if (state.gone && before.customerGoneAt === undefined) {
    const message = 'Stripe has deleted the customer of an account: its subscriptions are over';
    log.error(message, about);
  }
  if (Object.keys(differences).length > 0) {
    // Most often since an event says so: what is drift only a comparison of accounts can tell.
    log.debug('an account follows Stripe', { ...about, differences });
    // All is read once more, and the rest told then.
    return;
  }
  for (const status of state.unknownStatuses) {
    log.warn('a subscription has a status that is not known', { ...about, status });
  }
  for (const stray of state.strays) {
    log.warn('a subscription at Stripe counts for nothing', { ...about, ...stray });
  }
}

function customerUnknown(): Problem {
  return new Problem('customer_unknown', 409, 'Stripe does not know the customer of the account.');
}
