/**
 * Comparing all accounts with Stripe every so many hours, and soon after it was configured otherwise which price is of
 * which plan: by one process, and all of them say what it found.
 */

import type { Clock } from '../base/clock.ts';
import type { Log } from '../base/log.ts';
import type { Measures } from '../base/measures.ts';
import { repeat } from '../base/repeat.ts';
import { sha256 } from '../base/secrets.ts';
import type { Config, StripeConfig } from '../config.ts';
import { createLeases } from '../events/leases.ts';
import type { Store } from '../storage/store.ts';
import type { Reconcile } from './reconcile.ts';
import type { Worker } from './types.ts';

export interface ScheduledReconcileOptions {
  config: Pick<StripeConfig, 'reconcileHours'>;
  /** Of now. */
  products: () => Config['products'];
  reconcile: Reconcile;
  store: Store;
  clock: Clock;
  log: Log;
  measures: Measures;
  random: () => number;
  /** Names this process. */
  owner: string;
}

export interface ScheduledReconcile extends Worker {
  /** Whether it is time, and if so, all of it; the metric in any case. */
  look(): Promise<void>;
}

/** Meta document: what the last comparison of all accounts found. */
const reconciledId = 'billing.reconciled';

/** Numbers alone: what differed is in the log, account by account. */
interface Reconciled {
  at: number;
  /** Of what was sold then. */
  sold: string;
  accounts: number;
  differing: number;
  failed: number;
}

const minute = 60_000;
const hour = 60 * minute;
const leaseMs = 10 * minute;
const lookEveryMs = 5 * minute;

export function createScheduledReconcile(options: ScheduledReconcileOptions): ScheduledReconcile {
  const { config, store, clock, log, measures, random, owner } = options;
  const leases = createLeases({ store, clock, owner });
  let stopped = false;

  async function last(): Promise<{ found: Reconciled | undefined; version: number | 'absent' }> {
    const stored = await store.get('meta', reconciledId);
    const found = readReconciled(stored?.document.value);
    return { found, version: stored?.version ?? 'absent' };
  }

  const isTime = (found: Reconciled | undefined, sold: string) =>
    found === undefined ||
    found.sold !== sold ||
    clock() - found.at >= config.reconcileHours * hour;

  async function look(): Promise<void> {
    const { found } = await last();
    const sold = soldBy(options.products());
    measures.set('tollgate_billing_drift_accounts', {}, found?.differing);
    if (!isTime(found, sold)) return;
    const lease = await leases.take('billing.reconcile', leaseMs);
    if (lease === undefined) return;
    try {
      // Another one may have ended just before.
      const { found: present, version } = await last();
      const began = clock();
      if (!isTime(present, sold)) return;
      const goOn = async () => !stopped && (await lease.renew());
      const report = await options.reconcile({ goOn, isStopped: () => stopped });
      if (!lease.held() || stopped) return;
      const { accounts } = report;
      const counts = { differing: report.differing.length, failed: report.failed.length };
      const value: Reconciled = { at: began, sold, accounts, ...counts };
      await store.write('meta', reconciledId, { value }, { expect: version });
      measures.set('tollgate_billing_drift_accounts', {}, value.differing);
    } finally {
      await lease.release();
    }
  }

  const name = 'comparing accounts with Stripe';
  const repeated = repeat(look, { name, everyMs: lookEveryMs, firstMs: 5000, log, random });
  return {
    look,
    start: repeated.start,
    stop() {
      stopped = true;
      return repeated.stop();
    },
  };
}

/** Changes when another price, plan or product stands for something. */
function soldBy(products: Config['products']): string {
  const prices = products.map(({ id, plans }) => [
    id,
    plans.map((plan) => [plan.id, plan.prices.map((price) => price.price ?? price.lookupKey)]),
  ]);
  return sha256(JSON.stringify(prices));
}

function readReconciled(value: unknown): Reconciled | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  const { at, sold, accounts, differing, failed } = value as Partial<
    Record<keyof Reconciled, unknown>
  >;
  if (typeof sold !== 'string') return undefined;
  const numbers = [at, accounts, differing, failed].map(Number);
  const [one = 0, two = 0, three = 0, four = 0] = numbers;
  if (numbers.some((number) => Number.isNaN(number))) return undefined;
  return { at: one, sold, accounts: two, differing: three, failed: four };
}
