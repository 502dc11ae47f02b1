/**
 * The room of billing: what is sold, what an account has bought, and what Stripe says of it. It is only built where the
 * configuration has `stripe`; who sells nothing never loads Stripe's library. Nothing that answers for a token calls
 * Stripe: rooms above read the account's document, and this room keeps that true.
 */

import { setTimeout as delay } from 'node:timers/promises';
import type { Clock } from '../base/clock.ts';
import { createFetch } from '../base/fetch.ts';
import type { Log } from '../base/log.ts';
import type { Measures } from '../base/measures.ts';
import type { Config, StripeConfig } from '../config.ts';
import type { Directory } from '../directory/directory.ts';
import type { Store } from '../storage/store.ts';
import { createCatalog } from './catalog.ts';
import { createCatchUp } from './catch_up.ts';
import { createClosing } from './closing.ts';
import type { BillingClosing } from './closing.ts';
import { createCustomers } from './customers.ts';
import type { Customers } from './customers.ts';
import { createPortal } from './portal.ts';
import type { Portal } from './portal.ts';
import { createEventWork } from './event_work.ts';
import { Inbox } from './inbox.ts';
import { createInboxWorker } from './inbox_worker.ts';
import { createReconcile } from './reconcile.ts';
import type { Reconcile } from './reconcile.ts';
import { createScheduledReconcile } from './scheduled_reconcile.ts';
import { createSeats } from './seats.ts';
import type { BillingSeats } from './seats.ts';
import { createSignupWorker } from './signup_sweep.ts';
import { createSignups } from './signups.ts';
import type { StripeClient } from './stripe.ts';
import { createSwitching } from './switching.ts';
import type { Switching } from './switching.ts';
import { createSync } from './sync.ts';
import type { Background, Catalog, Signups, Sync } from './types.ts';
import { createWebhooks } from './webhooks.ts';
import type { Webhooks } from './webhooks.ts';
import { createWithheld } from './withheld.ts';

export interface BillingOptions {
  /** The one of now: products may change while the process runs. */
  config: () => Config;
  /** The one that the process began with. */
  first: Config & { stripe: StripeConfig };
  store: Store;
  /** The guarded one when not given. */
  fetch: typeof globalThis.fetch | undefined;
  clock: Clock;
  log: Log;
  measures: Measures;
  /** Names this process. */
  owner: string;
  directory: Directory;
  random?: () => number;
}

/** What the parts of this room are made of. */
export interface BillingParts extends Omit<BillingOptions, 'fetch'> {
  stripe: StripeClient;
  catalog: Catalog;
  sync: Sync;
}

export interface Billing {
  stripe: StripeClient;
  catalog: Catalog;
  sync: Sync;
  customers: Customers;
  signups: Signups;
  portal: Portal;
  switching: Switching;
  seats: BillingSeats;
  closing: BillingClosing;
  reconcile: Reconcile;
  webhooks: Webhooks;
  /** What the dispatcher calls. */
  handlers: Background['handlers'];
  start(): void;
  /** Waits for what is under way, for some seconds. */
  stop(): Promise<void>;
}

/** Lists of Stripe's are long, and what it does takes a while. */
const patience = { timeoutMs: 15_000, connectTimeoutMs: 5000, maxBytes: 16 * 1024 * 1024 };

/** What Stripe has not answered by then is cut off: all of it is done again by another process, or the next start. */
const longestStopMs = 6000;
const cutOffMs = 2000;

const within = (ms: number, work: Promise<unknown>) =>
  Promise.race([work, delay(ms, undefined, { ref: false })]);

/** @returns nothing where nothing is sold by Stripe */
export async function openBilling(
  options: Omit<BillingOptions, 'first'> & { first: Config },
): Promise<Billing | undefined> {
  const { first } = options;
  const { stripe } = first;
  return stripe === undefined
    ? undefined
    : createBilling({ ...options, first: { ...first, stripe } });
}

async function createBilling(options: BillingOptions): Promise<Billing> {
  const { fetch, ...shared } = options;
  const { first, config, store, clock, log } = options;
  const { createStripe } = await import('./stripe.ts');
  const guarded = createFetch({ allowPrivate: first.outgoing.allowPrivate, ...patience });
  const stripe = createStripe({ config: first.stripe, fetch: fetch ?? guarded, clock, log });
  const catalog = createCatalog({ config, stripe, clock });
  // A sign-up that waits for its money says so here.
  const withheld = createWithheld({ store, stripe });
  const sync = createSync({ ...shared, stripe, catalog, withheld });
  const customers = createCustomers({ store, clock, log, stripe, config });
  const signups = createSignups({ ...shared, stripe, catalog, withheld, sync, customers });
  const signupWorker = createSignupWorker({ ...shared, sweep: signups.sweep });
  const parts: BillingParts = { ...shared, stripe, catalog, sync };
  const seats = createSeats(parts);
  const closing = createClosing(parts);
  const reconcile = createReconcile({ store, sync, seats, closing, log });
  const { fulfil } = signups;
  const { webhooks, ...events } = eventsOfStripe(parts, { reconcile, fulfil, closing });

  // Parts with work of their own each add a line.
  const background: Background[] = [
    events,
    { handlers: [], workers: [signupWorker] },
    { handlers: [seats.handler, closing.handler], workers: [] },
  ];
  const workers = background.flatMap((part) => part.workers);
  return {
    stripe,
    catalog,
    sync,
    customers,
    signups,
    portal: createPortal({ stripe, config: first.stripe, log }),
    switching: createSwitching({ store, stripe, catalog, clock }),
    seats,
    closing,
    reconcile,
    webhooks,
    handlers: background.flatMap((part) => part.handlers),
    start() {
      for (const worker of workers) worker.start();
    },
    async stop() {
      const stopped = Promise.all(workers.map((worker) => worker.stop()));
      await within(longestStopMs, stopped);
      await guarded.close();
      await within(cutOffMs, stopped);
    },
  };
}

/** How it comes to be known that something has changed at Stripe: told, caught up with, or found out. */
function eventsOfStripe(
  parts: BillingParts,
  {
    reconcile,
    fulfil,
    closing,
  }: Pick<Billing, 'reconcile' | 'closing'> & {
    fulfil: Signups['fulfil'] | undefined;
  },
): Background & { webhooks: Webhooks } {
  const { first, measures, random = Math.random } = parts;
  const shared = { ...parts, config: first.stripe, random };
  const inbox = new Inbox(shared);
  const work = createEventWork({ ...shared, fulfil, closing });
  return {
    webhooks: createWebhooks({ ...shared, inbox }),
    handlers: [],
    workers: [
      createInboxWorker({ ...shared, inbox, work, measures }),
      createCatchUp({ ...shared, inbox }),
      createScheduledReconcile({ ...shared, reconcile, products: () => parts.config().products }),
    ],
  };
}
