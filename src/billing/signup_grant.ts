/**
 * What is paid for is given: the account with all that Stripe says of its customer, in one write, then its owner's
 * membership, then the sign-up is done. Each step may be repeated, by anybody.
 */

import type { Clock } from '../base/clock.ts';
import type { Log } from '../base/log.ts';
import type { Config } from '../config.ts';
import { personalAccount } from '../directory/accounts.ts';
import { change } from '../directory/change.ts';
import type { Directory } from '../directory/directory.ts';
import { newEvent } from '../events/types.ts';
import type { AccountDocument, SignupDocument } from '../storage/documents.ts';
import { Conflict } from '../storage/store.ts';
import type { Store } from '../storage/store.ts';
import type { StoredSignup } from './checkout.ts';
import { accountBy, readCustomer } from './customer_state.ts';
import type { ReadCustomerOptions } from './customer_state.ts';
import { successionEvents } from './projection.ts';
import { keptMs } from './signup_document.ts';
import type { Sync } from './types.ts';

export interface GrantOptions extends Omit<ReadCustomerOptions, 'config'> {
  config: () => Config;
  store: Store;
  clock: Clock;
  log: Log;
  sync: Sync;
  directory: Pick<Directory, 'user' | 'finishOwner'>;
}

/** What a sign-up came to. Both are absent where nothing was bought. */
export interface Bought {
  customer?: string;
  subscription?: string;
}

/** @returns the sign-up as it is now. @throws {Problem} `stripe_unavailable` (503) */
export async function grant(
  options: GrantOptions,
  signup: StoredSignup,
  bought: Bought,
): Promise<SignupDocument> {
  const { directory, sync } = options;
  const { account, user, isNew } = signup.document;
  if (isNew) {
    await make(options, signup, bought);
    await directory.finishOwner(account, user);
  }
  // Also of an account just made: what an event told before there was one led nowhere.
  if (bought.customer !== undefined) await sync.customer(bought.customer);
  if (bought.subscription !== undefined) await noteTried(options, signup.document);
  return finish(options, signup, bought);
}

/** With the person, since accounts can be had again and again. */
async function noteTried(
  { store }: GrantOptions,
  { user, product }: SignupDocument,
): Promise<void> {
  await change(store, 'user', user, (present) => {
    const { tried = [] } = present;
    if (present.status === 'deleted' || tried.includes(product)) return undefined;
    return { document: { ...present, tried: [...tried, product] } };
  });
}

/** Does nothing where it is there. */
async function make(
  options: GrantOptions,
  { document: signup }: StoredSignup,
  { customer, subscription }: Bought,
): Promise<void> {
  const { store, clock, directory, config } = options;
  const { account, user } = signup;
  if ((await store.get('account', account)) !== undefined) return;
  const owner = await directory.user(user);
  const before = personalAccount(owner?.document, user, clock());
  const after =
    customer === undefined
      ? before
      : await asStripeSays(options, { ...before, customer }, customer, subscription);
  const { name } = before;
  const events = [
    newEvent(clock, 'account.created', { account, name, owner: user }),
    ...successionEvents({ account, before, after, config: config(), clock }),
  ];
  try {
    await store.write('account', account, after, { expect: 'absent', events });
  } catch (error) {
    if (!(error instanceof Conflict)) throw error;
  }
}

async function asStripeSays(
  options: GrantOptions,
  account: AccountDocument,
  customer: string,
  granted: string | undefined,
): Promise<AccountDocument> {
  // Of the one that was just found to be paid for nobody has to be asked.
  const withheld: GrantOptions['withheld'] = async (subscription) =>
    subscription.id !== granted && (await options.withheld(subscription));
  const state = await readCustomer({ ...options, withheld }, customer);
  return accountBy(account, state, options.clock());
}

async function finish(
  { store, clock }: GrantOptions,
  { id, document }: StoredSignup,
  { subscription }: Bought,
): Promise<SignupDocument> {
  const changed = await change(store, 'signup', id, (present) => {
    // Another attempt has begun: this one was paid before, and its subscription serves.
    if (present.account !== document.account || present.state === 'done') return undefined;
    const { subscription: _other, ...rest } = present;
    const dueAt = clock() + keptMs;
    return {
      document: { ...rest, state: 'done', dueAt, ...(subscription && { subscription }) },
    };
  });
  return changed?.document ?? document;
}
