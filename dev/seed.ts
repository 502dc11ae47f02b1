/**
 * Gives the people of `people.ts` accounts, in every state that an account can be in. May run any number of times: what
 * is there stays as it is. Subscriptions are made at Stripe (the simulator), and read from there as any other.
 */

import type { Billing } from '../src/billing/billing.ts';
import type { Directory } from '../src/directory/directory.ts';
import type { Store } from '../src/storage/store.ts';
import { people } from './people.ts';
import type { PersonKey } from './people.ts';
import { cards } from './stripe/cards.ts';
import type { StripeSimulator } from './stripe/contract.ts';

export interface SeedOptions {
  directory: Directory;
  store: Store;
  billing: Pick<Billing, 'stripe' | 'sync'>;
  stripe: StripeSimulator;
  /** The upstream providers, by which the people are known. */
  oidcIssuer: string;
  githubIssuer: string;
  /** The product that is subscribed to. */
  product: string;
}

/** Owns what nobody else of the demo does, and cannot sign in. */
const steward = { id: 'usr_katherine', name: 'Katherine Johnson', email: 'katherine@example.com' };

interface SeedSubscription {
  price: string;
  quantity: number;
  /** With none of them left, the first payment fails. */
  trialDays?: number;
}

interface SeedAccount {
  id: string;
  name: string;
  owner: string;
  members?: Readonly<Record<string, readonly string[]>>;
  subscription?: SeedSubscription;
  closed?: string;
}

const accounts: readonly SeedAccount[] = [
  {
    id: 'acc_acme',
    name: 'Acme',
    owner: 'usr_ada',
    subscription: { price: 'team_month', quantity: 5, trialDays: 11 },
  },
  {
    id: 'acc_globex',
    name: 'Globex',
    owner: steward.id,
    members: { usr_ada: ['admin'] },
    subscription: { price: 'business_year', quantity: 40, trialDays: 0 },
  },
  {
    id: 'acc_initech',
    name: 'Initech',
    owner: steward.id,
    members: { usr_ada: ['member'] },
    subscription: { price: 'business_month', quantity: 12 },
  },
  { id: 'acc_piedpiper', name: 'Pied Piper', owner: 'usr_grace' },
  { id: 'acc_hooli', name: 'Hooli', owner: 'usr_linus', closed: 'The company was sold.' },
];

export async function seed(options: SeedOptions): Promise<void> {
  const { directory } = options;
  const known: PersonKey[] = ['ada', 'grace', 'linus'];
  for (const key of known) await seedPerson(options, key);
  if ((await directory.user(steward.id)) === undefined) await directory.createUser(steward);
  for (const account of accounts) await seedAccount(options, account);
}

async function seedPerson(options: SeedOptions, key: PersonKey): Promise<void> {
  const { directory, oidcIssuer, githubIssuer } = options;
  const id = `usr_${key}`;
  if ((await directory.user(id)) !== undefined) return;
  const { name, email, subject, github } = people[key];
  await directory.createUser({
    id,
    name,
    email,
    identities: [
      { provider: 'example', issuer: oidcIssuer, subject },
      { provider: 'hub', issuer: githubIssuer, subject: String(github.id) },
    ],
  });
}

async function seedAccount(options: SeedOptions, wanted: SeedAccount): Promise<void> {
  const { directory } = options;
  const { id, name, owner, members = {}, closed } = wanted;
  if ((await directory.account(id)) === undefined) {
    await directory.createAccount({ id, name, owner });
    for (const [user, roles] of Object.entries(members)) {
      await directory.addMember(id, user, roles);
    }
  }
  await seedSubscription(options, wanted);
  if (closed !== undefined) await directory.closeAccount(id, closed);
}

/** What Stripe knows of is left to it: a restart shows what became of it. */
async function seedSubscription(options: SeedOptions, account: SeedAccount): Promise<void> {
  const { billing } = options;
  const { api } = billing.stripe;
  const { subscription } = account;
  if (subscription === undefined) return;
  const customer = await customerOf(options, account);
  const { data } = await api.subscriptions.list({ customer, status: 'all', limit: 1 });
  if (data.length === 0) await subscribe(options, account.id, customer, subscription);
  await billing.sync.customer(customer);
}

/** One that the simulator has forgotten (its file is gone) is made anew. */
async function customerOf(
  { billing, store }: SeedOptions,
  { id, name }: SeedAccount,
): Promise<string> {
  const { api } = billing.stripe;
  const stored = await store.get('account', id);
  if (stored === undefined) throw new Error(`There is no account ${id}.`);
  const { document, version } = stored;
  const { customer: known } = document;
  if (known !== undefined) {
    const found = await billing.stripe.find('', () => api.customers.retrieve(known));
    if (found !== undefined && found.deleted !== true) return known;
  }
  const email = `billing@${name.toLowerCase()}.example.com`;
  const made = await api.customers.create({ name, email, metadata: { tollgate_account: id } });
  await store.write('account', id, { ...document, customer: made.id }, { expect: version });
  return made.id;
}

/** As people do, at Checkout. */
async function subscribe(
  { billing, stripe, product }: SeedOptions,
  account: string,
  customer: string,
  { price: key, quantity, trialDays }: SeedSubscription,
): Promise<void> {
  const { api } = billing.stripe;
  const [price] = (await api.prices.list({ lookup_keys: [key] })).data;
  if (price === undefined) throw new Error(`Stripe has no price ${key}.`);
  const fails = trialDays === 0;
  const session = await api.checkout.sessions.create({
    mode: 'subscription',
    customer,
    line_items: [{ price: price.id, quantity }],
    subscription_data: {
      metadata: { tollgate_account: account, tollgate_product: product },
      ...(trialDays === undefined ? {} : { trial_period_days: fails ? 1 : trialDays }),
    },
    success_url: stripe.url,
  });
  await stripe.checkout.pay(session.id, { card: fails ? cards.failsLater : cards.pays });
  if (!fails) return;
  const { data } = await api.subscriptions.list({ customer, limit: 1 });
  await api.subscriptions.update(data[0]?.id ?? '', { trial_end: 'now' });
}
