/**
 * Stripe customers. One belongs to one account and is found by nothing else, never by an e-mail address. That we are
 * about to ask for one is written before Stripe is asked: the idempotency key gives the same one for a day, and who asks
 * later looks for it first.
 */

import type { Clock } from '../base/clock.ts';
import { Problem } from '../base/errors.ts';
import type { Log } from '../base/log.ts';
import type { Config } from '../config.ts';
import { accountUnknown } from '../directory/accounts.ts';
import { change } from '../directory/change.ts';
import type { AccountDocument, SignupDocument } from '../storage/documents.ts';
import type { Store } from '../storage/store.ts';
import { idempotencyKey, isSpent } from './identifiers.ts';
import { successionEvents } from './projection.ts';
import type { StripeClient } from './stripe.ts';

export interface CustomersOptions {
  store: Store;
  clock: Clock;
  log: Log;
  stripe: StripeClient;
  /** The one of now: whose tokens say the customer. */
  config: () => Pick<Config, 'products'>;
}

export interface Customers {
  /**
   * The customer of an account that is there already; made where it has none.
   * @throws {Problem} `account_unknown` (404), `stripe_unavailable` (503)
   */
  customerOf(account: string): Promise<string>;
  /** That of an account to be: it is kept with the sign-up. @throws {Problem} `stripe_unavailable` (503) */
  customerOfSignup(signup: string): Promise<string>;
}

/** Well within the day for which Stripe remembers an idempotency key. */
const keyIsGoodMs = 20 * 3_600_000;
/** Stripe's search knows of a customer after a minute. */
const searchDelayMs = 2 * 60_000;

type Asked = Pick<AccountDocument, 'customer' | 'customerAskedAt' | 'customerGoneAt'>;

/** Where a customer is kept: on an account, or on a sign-up whose account is not there yet. */
interface Keeper {
  account: string;
  read(): Promise<Asked>;
  /**
   * Says that we are about to ask: the moment is part of the idempotency key.
   * @param before what was said before; where that has changed, somebody else is asking
   * @returns the moment that is said now
   */
  ask(before: number | undefined, at: number): Promise<number>;
  /** @returns whose customer it is now: another request may have been faster */
  keep(customer: string): Promise<string>;
  /** What the customer's page at Stripe begins with. */
  about(): Promise<{ name?: string; email?: string }>;
}

export function createCustomers(options: CustomersOptions): Customers {
  return {
    customerOf: (account) => make(options, keptOnAccount(options, account)),
    async customerOfSignup(signup) {
      const document = (await options.store.get('signup', signup))?.document;
      if (document === undefined) throw new Error(`there is no sign-up ${signup}`);
      return make(options, keptOnSignup(options, signup, document));
    },
  };
}

async function make(options: CustomersOptions, keeper: Keeper): Promise<string> {
  const { clock, log, stripe } = options;
  const before = await keeper.read();
  if (before.customer !== undefined && before.customerGoneAt === undefined) return before.customer;
  let askedAt = before.customerAskedAt;
  // Stripe has forgotten the key, or would answer with the customer that was deleted.
  const isLate = askedAt !== undefined && askedAt + keyIsGoodMs < clock();
  const isOfGone = askedAt !== undefined && askedAt <= (before.customerGoneAt ?? -1);
  if (isLate || isOfGone) {
    const found = await search(stripe, keeper.account, before.customer);
    if (found !== undefined) return keeper.keep(found);
  }
  if (askedAt === undefined || isLate || isOfGone) askedAt = await keeper.ask(askedAt, clock());
  const kept = await keeper.keep(await create(options, keeper, askedAt));
  // Apart from the request that must be the same each time: people change their names.
  await introduce(stripe, kept, await keeper.about()).catch((error: unknown) => {
    log.warn('a customer has no name at Stripe yet', { customer: kept, error });
  });
  return kept;
}

async function create(
  { clock, stripe }: CustomersOptions,
  keeper: Keeper,
  askedAt: number,
): Promise<string> {
  const { account } = keeper;
  try {
    const { id } = await stripe.call('customers.create', (api) =>
      api.customers.create(
        { metadata: { tollgate_account: account } },
        { idempotencyKey: idempotencyKey('customer', account, askedAt) },
      ),
    );
    return id;
  } catch (error) {
    if (!isSpent(error)) throw error;
    // It may be there for all that.
    const found = await search(stripe, account, undefined);
    if (found !== undefined) return found;
    if (askedAt + searchDelayMs < clock()) await keeper.ask(askedAt, clock());
    throw error;
  }
}

/** @param gone one that was deleted, which the search may still know */
async function search(stripe: StripeClient, account: string, gone: string | undefined) {
  const value = account.replace(/[\\']/g, String.raw`\$&`);
  const query = `metadata['tollgate_account']:'${value}'`;
  const { data } = await stripe.call('customers.search', (api) =>
    api.customers.search({ query, limit: 10 }),
  );
  const ours = data
    .filter(({ id, metadata }) => metadata.tollgate_account === account && id !== gone)
    .toSorted((one, other) => one.created - other.created);
  return ours[0]?.id;
}

async function introduce(
  stripe: StripeClient,
  customer: string,
  about: { name?: string; email?: string },
): Promise<void> {
  if (Object.keys(about).length === 0) return;
  await stripe.call('customers.update', (api) => api.customers.update(customer, about));
}

function keptOnAccount({ store, clock, config }: CustomersOptions, account: string): Keeper {
  const changed = async (decide: (present: AccountDocument) => AccountDocument | undefined) => {
    const result = await change(store, 'account', account, (before) => {
      const after = decide(before);
      if (after === undefined) return undefined;
      const succession = { account, before, after, config: config(), clock };
      return { document: after, events: successionEvents(succession) };
    });
    if (result === undefined) throw accountUnknown();
    return result.document;
  };
  const read = async () => {
    const document = (await store.get('account', account))?.document;
    if (document === undefined) throw accountUnknown();
    if (document.status === 'active') return document;
    throw new Problem('account_closed', 409, 'This account is closed.');
  };
  return {
    account,
    read,
    async ask(before, at) {
      const document = await changed((present) =>
        present.customerAskedAt === before ? { ...present, customerAskedAt: at } : undefined,
      );
      return document.customerAskedAt ?? at;
    },
    async keep(customer) {
      const document = await changed((present) => {
        const { customerGoneAt, ...rest } = present;
        const isKept = present.customer !== undefined && customerGoneAt === undefined;
        return isKept ? undefined : { ...rest, customer };
      });
      return document.customer ?? customer;
    },
    async about() {
      const { name, owners } = await read();
      const owner = (await store.get('user', owners[0] ?? ''))?.document;
      return { name, ...(owner?.email && { email: owner.email }) };
    },
  };
}

function keptOnSignup(
  { store }: CustomersOptions,
  signup: string,
  { account, user }: SignupDocument,
): Keeper {
  const changed = async (decide: (present: SignupDocument) => SignupDocument | undefined) => {
    const result = await change(store, 'signup', signup, (present) => {
      // It has begun anew, for another account.
      if (present.account !== account) throw superseded();
      const document = decide(present);
      return document === undefined ? undefined : { document };
    });
    if (result === undefined) throw superseded();
    return result.document;
  };
  return {
    account,
    read: () => changed(() => undefined),
    async ask(before, at) {
      const document = await changed((present) =>
        present.customerAskedAt === before ? { ...present, customerAskedAt: at } : undefined,
      );
      return document.customerAskedAt ?? at;
    },
    async keep(customer) {
      const document = await changed((present) =>
        present.customer === undefined ? { ...present, customer } : undefined,
      );
      return document.customer ?? customer;
    },
    async about() {
      const { name, email } = (await store.get('user', user))?.document ?? {};
      return { ...(name && { name }), ...(email && { email }) };
    },
  };
}

function superseded(): Problem {
  return new Problem('busy', 503, 'This went on in another tab. Please try again.', {
    retryAfterSeconds: 1,
  });
}
