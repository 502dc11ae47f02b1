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

const daySeconds = 86_400;

/** Owns what nobody else of the demo does, and cannot sign in. */
const steward = { id: 'usr_katherine', name: 'Katherine Johnson', email: 'katherine@example.com' };

interface SeedSubscription {
  price: string;
  quantity: number;
  trialDays?: number;
  /** The card fails when the first period is to be paid. */
  fails?: boolean;
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
    subscription: { price: 'business_year', quantity: 40, fails: true },
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
  const { billing, stripe, product } = options;
  const { api } = billing.stripe;
  const { id, subscription } = account;
  if (subscription === undefined) return;
  const customer = await customerOf(options, account);
  const { data } = await api.subscriptions.list({ customer, status: 'all', limit: 1 });
  if (data.length === 0) {
    const { price: key, quantity, trialDays, fails = false } = subscription;
    const [price] = (await api.prices.list({ lookup_keys: [key] })).data;
    if (price === undefined) throw new Error(`Stripe has no price ${key}.`);
    await giveCard(options, customer, fails ? cards.failsLater : cards.pays);
    const now = Math.floor(stripe.now() / 1000);
    // Whose card fails begins with a trial of a moment, and meets its end at once.
    const trialEnd = fails ? now + 1 : now + (trialDays ?? 0) * daySeconds;
    await api.subscriptions.create({
      customer,
      items: [{ price: price.id, quantity }],
      metadata: { tollgate_account: id, tollgate_product: product },
      ...(fails || trialDays !== undefined ? { trial_end: trialEnd } : {}),
    });
    if (fails) await stripe.advance(2000);
  }
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

async function giveCard(
  { billing, stripe }: SeedOptions,
  customer: string,
  card: string,
): Promise<void> {
  const { api } = billing.stripe;
  const session = await api.billingPortal.sessions.create({ customer });
  await stripe.portal.setCard(session.id, card);
}
