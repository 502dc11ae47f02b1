/**
 * Gives the people of `people.ts` accounts, in every state that an account can be in. May run any
 * number of times: what is there stays as it is. Subscriptions are written as billing would project
 * them from Stripe; nothing is asked of Stripe here.
 */

import { createProject } from '../src/billing/projection.ts';
import type { Config } from '../src/config.ts';
import type { Directory } from '../src/directory/directory.ts';
import type { SubscriptionProjection } from '../src/storage/documents.ts';
import type { Store } from '../src/storage/store.ts';
import { people } from './people.ts';
import type { PersonKey } from './people.ts';

export interface SeedOptions {
  directory: Directory;
  store: Store;
  clock: () => number;
  /** The upstream providers, by which the people are known. */
  oidcIssuer: string;
  githubIssuer: string;
  /** The product that is subscribed to. */
  product: string;
  config: Pick<Config, 'products'>;
}

const day = 86_400_000;

/** Owns what nobody else of the demo does, and cannot sign in. */
const steward = { id: 'usr_katherine', name: 'Katherine Johnson', email: 'katherine@example.com' };

interface SeedAccount {
  id: string;
  name: string;
  owner: string;
  members?: Readonly<Record<string, readonly string[]>>;
  subscription?: Omit<SubscriptionProjection, 'subscription'>;
  closed?: string;
}

const accountsAt = (now: number): readonly SeedAccount[] => [
  {
    id: 'acc_acme',
    name: 'Acme',
    owner: 'usr_ada',
    subscription: {
      status: 'trialing',
      plan: 'team',
      period: 'month',
      quantity: 5,
      trialEnd: now + 11 * day,
      periodEnd: now + 11 * day,
    },
  },
  {
    id: 'acc_globex',
    name: 'Globex',
    owner: steward.id,
    members: { usr_ada: ['admin'] },
    subscription: {
      status: 'past_due',
      plan: 'business',
      period: 'year',
      quantity: 40,
      periodEnd: now + 200 * day,
    },
  },
  {
    id: 'acc_initech',
    name: 'Initech',
    owner: steward.id,
    members: { usr_ada: ['member'] },
    subscription: {
      status: 'active',
      plan: 'business',
      period: 'month',
      quantity: 12,
      periodEnd: now + 20 * day,
    },
  },
  { id: 'acc_piedpiper', name: 'Pied Piper', owner: 'usr_grace' },
  { id: 'acc_hooli', name: 'Hooli', owner: 'usr_linus', closed: 'The company was sold.' },
];

export async function seed(options: SeedOptions): Promise<void> {
  const { directory, clock } = options;
  const known: PersonKey[] = ['ada', 'grace', 'linus'];
  for (const key of known) await seedPerson(options, key);
  if ((await directory.user(steward.id)) === undefined) await directory.createUser(steward);
  for (const account of accountsAt(clock())) await seedAccount(options, account);
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

/** Renewed when its period is over, so that a demo that was left alone still shows what it should. */
async function seedSubscription(
  { store, clock, product, config }: SeedOptions,
  { id, subscription }: SeedAccount,
): Promise<void> {
  const stored = await store.get('account', id);
  if (stored === undefined || subscription === undefined) return;
  const { document, version } = stored;
  const present = document.subscriptions?.[product];
  if (present?.periodEnd !== undefined && present.periodEnd > clock()) return;
  const short = id.replace(/^acc_/, '');
  if (document.customer === undefined) {
    const customer = `cus_demo_${short}`;
    await store.write('account', id, { ...document, customer }, { expect: version });
  }
  const projection = { subscription: `sub_demo_${short}`, ...subscription };
  await createProject({ store, clock, config })(id, product, projection);
}
