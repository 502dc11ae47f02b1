/** The parts of billing over a fresh store and a Stripe that says what a test wants. */

import { onTestFinished } from 'vitest';
import { createCatalog } from '../../src/billing/catalog.ts';
import { createCatchUp } from '../../src/billing/catch_up.ts';
import type { CatchUp } from '../../src/billing/catch_up.ts';
import type { Withheld } from '../../src/billing/customer_state.ts';
import { createEventWork } from '../../src/billing/event_work.ts';
import { Inbox } from '../../src/billing/inbox.ts';
import { createInboxWorker } from '../../src/billing/inbox_worker.ts';
import type { InboxWorker } from '../../src/billing/inbox_worker.ts';
import { createReconcile } from '../../src/billing/reconcile.ts';
import type { Reconcile } from '../../src/billing/reconcile.ts';
import { createStripe } from '../../src/billing/stripe.ts';
import { createSync } from '../../src/billing/sync.ts';
import type { Catalog, Signups, Sync } from '../../src/billing/types.ts';
import { createWebhooks } from '../../src/billing/webhooks.ts';
import type { Webhooks } from '../../src/billing/webhooks.ts';
import type { Config, ConfigInput, StripeConfig } from '../../src/config.ts';
import type { AccountDocument } from '../../src/storage/documents.ts';
import type { PendingEvent, Store, Stored } from '../../src/storage/store.ts';
import { openDirectory } from '../directory/world.ts';
import type { DirectoryWorld } from '../directory/world.ts';
import { startScriptedStripe } from '../kit/scripted_stripe.ts';
import type { ScriptedStripe } from '../kit/scripted_stripe.ts';
import { testConfig } from '../kit/server.ts';
import { stripeKey, webhookSecret } from '../kit/stripe_events.ts';

const products: NonNullable<ConfigInput['products']> = [
  {
    id: 'api',
    name: 'API',
    audience: 'https://api.example.com',
    plans: [
      { id: 'free', name: 'Free' },
      {
        id: 'team',
        name: 'Team',
        prices: [
          { period: 'month', price: 'price_team' },
          { period: 'year', lookupKey: 'team_yearly' },
        ],
        seats: { min: 2, max: 50 },
      },
      { id: 'business', name: 'Business', prices: [{ period: 'month', price: 'price_business' }] },
      {
        id: 'old',
        name: 'Old',
        prices: [{ period: 'month', price: 'price_old' }],
        offered: false,
      },
    ],
  },
  {
    id: 'reports',
    name: 'Reports',
    audience: 'https://reports.example.com',
    plans: [{ id: 'basic', name: 'Basic', prices: [{ period: 'month', price: 'price_basic' }] }],
  },
];

/** What one process has. */
export interface BillingProcess {
  webhooks: Webhooks;
  catalog: Catalog;
  sync: Sync;
  inbox: Inbox;
  worker: InboxWorker;
  catchUp: CatchUp;
  reconcile: Reconcile;
}

export interface BillingWorld extends DirectoryWorld, BillingProcess {
  config: Config;
  stripe: ScriptedStripe;
  /** Another process on the same documents, or on this store. */
  process(store?: Store): BillingProcess;
  account(id?: string): Promise<Stored<AccountDocument>>;
  /** Events that say that claims of this product's tokens have changed; of all when not given. */
  changes(product?: string): Promise<PendingEvent[]>;
}

export interface BillingWorldOptions {
  stripe?: Partial<StripeConfig>;
  /** What is sold; the usual two when not given. */
  products?: ConfigInput['products'];
  withheld?: Withheld;
  fulfil?: Signups['fulfil'];
}

/** With the account `acc_office`, whose customer is `cus_office`. */
export async function openBillingWorld(options: BillingWorldOptions = {}): Promise<BillingWorld> {
  const directory = await openDirectory();
  const stripe = await startScriptedStripe();
  onTestFinished(() => stripe.close());
  const complete = testConfig('http://127.0.0.1:1', {
    products: options.products ?? products,
    stripe: {
      secretKey: stripeKey,
      webhookSecrets: [webhookSecret],
      apiBase: stripe.url,
      ...options.stripe,
    },
  });
  const parts = { directory, config: complete, options };
  let count = 0;
  const process = (store: Store = directory.store) => {
    count += 1;
    return processOver(parts, store, `process ${count}`);
  };
  await newAccount(directory, 'office');
  stripe.customers.set('cus_office', { subscriptions: [], entitlements: [] });
  return Object.assign(directory, {
    ...process(),
    config: complete,
    stripe,
    process,
    account: async (id = 'acc_office') => (await directory.store.get('account', id))!,
    changes: async (product?: string) =>
      (await directory.settle()).filter(
        ({ type, data }) =>
          type === 'subscription.changed' && (product === undefined || data.product === product),
      ),
  });
}

/** `acc_<name>` with the customer `cus_<name>`, owned by `<name>`. */
export async function newAccount(
  { directory, store }: DirectoryWorld,
  name: string,
): Promise<void> {
  await directory.createUser({ id: name, name });
  const { id } = await directory.createAccount({ id: `acc_${name}`, name, owner: name });
  const { document, version } = (await store.get('account', id))!;
  await store.write('account', id, { ...document, customer: `cus_${name}` }, { expect: version });
}

interface Parts {
  directory: DirectoryWorld;
  config: Config;
  options: BillingWorldOptions;
}

function processOver(
  { directory, config, options }: Parts,
  store: Store,
  owner: string,
): BillingProcess {
  const { clock, log } = directory;
  const stripeConfig = config.stripe!;
  const { fetch } = globalThis;
  // No second attempt of the library's own: tests count what is asked.
  const stripe = createStripe({ config: stripeConfig, fetch, clock, log, retries: 0 });
  const shared = { store, clock, log, owner, stripe, random: () => 0.5 };
  const catalog = createCatalog({ ...shared, config: () => config });
  const withheld = options.withheld ?? (() => Promise.resolve(false));
  const sync = createSync({ ...shared, config: () => config, catalog, withheld });
  const inbox = new Inbox(shared);
  const work = createEventWork({
    ...shared,
    sync,
    config: stripeConfig,
    fulfil: options.fulfil,
  });
  const worker = createInboxWorker({ ...shared, inbox, work });
  onTestFinished(() => worker.stop());
  return {
    webhooks: createWebhooks({ ...shared, inbox, config: stripeConfig }),
    catalog,
    sync,
    inbox,
    worker,
    catchUp: createCatchUp({ ...shared, inbox }),
    reconcile: createReconcile({ ...shared, sync }),
  };
}
