/**
 * All accounts that have a customer, compared with Stripe and made what Stripe says. Events keep them true from one
 * moment to the next; this finds what no event told, and says how much there was of it.
 */

import { Problem } from '../base/errors.ts';
import type { Log } from '../base/log.ts';
import { eachOf } from '../events/each_of.ts';
import type { AccountDocument } from '../storage/documents.ts';
import { pagesOf } from '../storage/each.ts';
import type { Store, Stored } from '../storage/store.ts';
import type { BillingClosing } from './closing.ts';
import type { BillingSeats } from './seats.ts';
import type { Stray } from './subscription_state.ts';
import type { Sync } from './types.ts';

export interface AccountDifference {
  account: string;
  /**
   * By product (`*`: the account at large; `members`: their seats), the names of fields that were different. They are not
   * any more.
   */
  differences: Record<string, string[]>;
  /** Live subscriptions that stand for nothing: these stay until somebody ends them, or configures their price. */
  strays?: Stray[];
}

export interface ReconcileReport {
  accounts: number;
  differing: AccountDifference[];
  /** Accounts that could not be compared, with the code of the problem. */
  failed: { account: string; problem: string }[];
}

export interface ReconcileRequest {
  /** One alone; all when not given. */
  account?: string;
  /** Asked every few accounts: false ends it there. */
  goOn?: () => Promise<boolean>;
  /** Asked before each: nothing more is begun. */
  isStopped?: () => boolean;
}

/**
 * @throws {Problem} `account_unknown` (404), `customer_missing` (409): this account has no customer;
 *   `customers_unknown` (409): Stripe knows nobody; `stripe_unavailable` (503): it does not answer at all
 */
export type Reconcile = (request?: ReconcileRequest) => Promise<ReconcileReport>;

export interface ReconcileOptions {
  store: Store;
  sync: Sync;
  /** Members, seats and the quantity are compared too. */
  seats?: Pick<BillingSeats, 'settle'>;
  /** Whose account is closed, or will be, is to have nothing that is renewed. */
  closing?: Pick<BillingClosing, 'settle'>;
  log: Log;
}

const pageSize = 1000;
const someSize = 40;
/** Stripe lets a test mode do 25 things a second. */
const atOnce = 4;
/** So many one after the other: there is nobody to compare with. */
const mostFailures = 20;

export function createReconcile(options: ReconcileOptions): Reconcile {
  const { store, log } = options;
  return async ({ account, goOn = () => Promise.resolve(true), isStopped } = {}) => {
    const report: ReconcileReport = { accounts: 0, differing: [], failed: [] };
    const compare = comparison(options, report, isStopped);
    if (account !== undefined) await compare(await accountOf(store, account));
    else {
      for await (const some of withCustomers(store)) {
        if (!(await goOn())) break;
        await eachOf(some, atOnce, compare);
      }
    }
    const { accounts, differing, failed } = report;
    const message = `${differing.length} of ${accounts} accounts differed from Stripe`;
    const level = differing.length + failed.length > 0 ? 'warn' : 'info';
    log[level](message, { accounts, differing: differing.length, failed: failed.length });
    return report;
  };
}

/** Some at a time, so that it can be ended between them. */
async function* withCustomers(store: Store): AsyncGenerator<Stored<AccountDocument>[]> {
  const read = (paging: object) =>
    store.find('account', 'customer', '', { ...paging, prefix: true });
  for await (const page of pagesOf(read, { pageSize })) {
    for (let begin = 0; begin < page.length; begin += someSize) {
      yield page.slice(begin, begin + someSize);
    }
  }
}

function comparison(
  { sync, seats, closing, log }: ReconcileOptions,
  report: ReconcileReport,
  isStopped: () => boolean = () => false,
) {
  let failures = 0;
  return async ({ id: account, document }: Stored<AccountDocument>): Promise<void> => {
    const { customer } = document;
    if (customer === undefined || isStopped()) return;
    if (failures >= mostFailures) throw nobodyThere(report);
    report.accounts += 1;
    try {
      const { differences: found, strays } = await sync.customer(customer, { onlyKnown: true });
      await closing?.settle(account);
      const seated = (await seats?.settle(account)) ?? [];
      const differences = seated.length === 0 ? found : { ...found, members: seated };
      failures = 0;
      if (Object.keys(differences).length === 0 && strays === undefined) return;
      const difference = { account, differences };
      report.differing.push(strays === undefined ? difference : { ...difference, strays });
      log.info('an account differed from Stripe', { ...difference, customer });
    } catch (error) {
      failures += 1;
      const problem = error instanceof Problem ? error.code : 'defect';
      report.failed.push({ account, problem });
    }
  };
}

async function accountOf(store: Store, id: string): Promise<Stored<AccountDocument>> {
  const found = await store.get('account', id);
  if (found === undefined) {
    throw new Problem('account_unknown', 404, 'There is no such account.');
  }
  if (found.document.customer === undefined) {
    throw new Problem('customer_missing', 409, 'This account has no customer at Stripe.');
  }
  return found;
}

/** A key of another Stripe account, or of the other mode, must not end what everybody has. */
function nobodyThere({ failed }: ReconcileReport): Problem {
  if (failed.slice(-mostFailures).every(({ problem }) => problem === 'customer_unknown')) {
    const sentence =
      'Stripe knows none of the customers: is the key of the account and the mode that they are in?';
    return new Problem('customers_unknown', 409, sentence);
  }
  const sentence = 'The payment service does not answer: the accounts were not all compared.';
  return new Problem('stripe_unavailable', 503, sentence, { retryAfterSeconds: 60 });
}
