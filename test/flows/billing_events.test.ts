/** From an event of Stripe to the next token, in whole processes: S3, S5 and S10 of the security notes. */

import { afterEach, describe, expect, onTestFinished, test } from 'vitest';
import type { ConfigInput } from '../../src/config.ts';
import type { Store } from '../../src/storage/store.ts';
import { startMovingClock } from '../kit/skew.ts';
import { startMortalWorld } from '../kit/mortal_world.ts';
import { aSubscription, startScriptedStripe } from '../kit/scripted_stripe.ts';
import type { ScriptedStripe } from '../kit/scripted_stripe.ts';
import { sendEvent, snapshotEvent, stripeKey, webhookSecret } from '../kit/stripe_events.ts';
import { recordingLog, startServer } from '../kit/server.ts';
import { startCluster } from '../kit/spawn.ts';
import type { Cluster, ClusterOptions } from '../kit/spawn.ts';
import { claimsOf, refresh, signIn, startWorld } from '../kit/world.ts';

const [account, customer] = ['acc_acme', 'cus_acme'];

const products: ConfigInput['products'] = [
  {
    id: 'api',
    name: 'API',
    audience: 'https://api.example.com',
    plans: [
      { id: 'team', name: 'Team', prices: [{ period: 'month', price: 'price_team' }] },
      { id: 'business', name: 'Business', prices: [{ period: 'month', price: 'price_business' }] },
    ],
  },
];

let stripe: ScriptedStripe;

async function selling(): Promise<{ stripe: ConfigInput['stripe']; products: typeof products }> {
  stripe = await startScriptedStripe();
  onTestFinished(() => stripe.close());
  sell({});
  const secrets = { secretKey: stripeKey, webhookSecrets: [webhookSecret] };
  return { products, stripe: { ...secrets, apiBase: stripe.url } };
}

/** What Stripe says of the customer from now on. */
function sell(more: Record<string, unknown>): void {
  const subscriptions = [aSubscription('sub_1', customer, more)];
  stripe.customers.set(customer, { subscriptions, entitlements: [] });
}

async function giveCustomer(store: Store): Promise<void> {
  const { document, version } = (await store.get('account', account))!;
  await store.write('account', account, { ...document, customer }, { expect: version });
}

const updated = () =>
  snapshotEvent('customer.subscription.updated', { id: 'sub_1', object: 'subscription', customer });

describe('an event of Stripe', () => {
  test('makes the next token true', async () => {
    const world = await startWorld({ config: await selling() });
    onTestFinished(() => world.close());
    await giveCustomer(world.store);
    const tokens = await signIn(world.issuer, world.browser());
    expect(claimsOf(tokens.access_token).plan).toBeUndefined();
    let token = tokens.refresh_token;
    const planAfter = async (event: object) => {
      expect((await sendEvent(world.issuer, event)).status).toBe(200);
      const { id } = event as { id: string };
      await expect
        .poll(async () => (await world.store.get('inbox', id))?.document.state)
        .toBe('done');
      const { body } = await refresh(world.issuer, 'app', token);
      token = body.refresh_token ?? '';
      return claimsOf(body.access_token).plan;
    };
    expect(await planAfter(updated())).toBe('team');
    sell({ price: 'price_business' });
    expect(await planAfter(updated())).toBe('business');
    // Whatever an event says itself: it is Stripe that is asked.
    expect(
      await planAfter({ ...updated(), data: { object: { customer, status: 'canceled' } } }),
    ).toBe('business');
  });

  test('that was missed is found at the next start', async () => {
    const config = await selling();
    const first = await startWorld({ config });
    onTestFinished(() => first.close());
    await giveCustomer(first.store);
    const { server, store } = first;
    // The first look of a process is about a second after its start.
    await expect.poll(() => stripe.calls, { timeout: 10_000 }).toContain('GET /v1/events');
    stripe.events = [updated()];
    await server.stop();
    const next = await startServer({ config, store });
    onTestFinished(() => next.close());
    const plan = async () =>
      (await store.get('account', account))?.document.subscriptions?.api?.plan;
    await expect.poll(plan, { timeout: 10_000 }).toBe('team');
  });
});

test('no call to Stripe for any token, with Stripe unreachable', async () => {
  const config = await selling();
  const world = await startMortalWorld(config);
  onTestFinished(() => world.close());
  await giveCustomer(world.store);
  stripe.close();
  const tokens = await signIn(world.issuer, world.browser());
  const refreshed = await refresh(world.issuer, 'app', tokens.refresh_token);
  expect(refreshed.status).toBe(200);
  expect(claimsOf(refreshed.body.access_token).customer).toBe(customer);
  expect(stripe.calls).toEqual([]);
});

let cluster: Cluster | undefined;

afterEach(async () => {
  await cluster?.close();
  cluster = undefined;
});

async function start(options: ClusterOptions): Promise<Cluster> {
  cluster = await startCluster({ ...options, config: await selling() });
  await inStore(cluster, giveCustomer);
  return cluster;
}

/** A connection of the test's own to the documents of the processes. */
async function inStore<T>({ place }: Cluster, look: (store: Store) => Promise<T>): Promise<T> {
  const store = await place.open(Date.now, recordingLog());
  try {
    return await look(store);
  } finally {
    await store.close();
  }
}

/** The products of which changes were announced, once for each event. */
const changes = (present: Cluster) =>
  inStore(present, async (store) =>
    (await store.find('audit', 'account', account))
      .map(({ document }) => document)
      .filter(({ type }) => type === 'subscription.changed')
      .map(({ data }) => data.product),
  );

const stateOf = (present: Cluster, id: string) =>
  inStore(present, async (store) => (await store.get('inbox', id))?.document.state);

test('S3 the same event a hundred times in parallel on two processes: one change, one event of ours', async () => {
  const present = await start({ processes: 2 });
  const event = updated();
  const answers = await Promise.all(
    Array.from({ length: 100 }, () => sendEvent(present.issuer, event)),
  );
  expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]));
  await expect.poll(() => stateOf(present, event.id), { timeout: 10_000 }).toBe('done');
  await expect.poll(() => changes(present), { timeout: 10_000 }).toEqual(['api']);
}, 60_000);

describe('S5 killed while it works on an event', () => {
  /** The first reading, and the one that follows a change: the projection is written between them. */
  test.each([
    ['after it is stored, before the projection', 0, '/v1/subscriptions'],
    ['in the middle of reading', 0, '/v1/entitlements/active_entitlements'],
    ['after the projection, before it is marked', 1, '/v1/subscriptions'],
  ])(
    '%s: one change all the same',
    async (_when, readings, path) => {
      const clock = startMovingClock();
      onTestFinished(() => clock.restore());
      const present = await start({ processes: 1, clockFile: clock.file });
      const skipped = Array.from({ length: readings }, () => stripe.hold(path));
      const held = stripe.hold(path);
      const event = updated();
      expect((await sendEvent(present.issuer, event)).status).toBe(200);
      for (const one of skipped) one.release();
      await held.asked;
      const [killed] = present.members;
      killed?.kill();
      await killed?.stopped;
      held.release();
      // What it had claimed is another's then.
      clock.pass(2 * 60_000);
      await present.restart(0);
      await expect.poll(() => stateOf(present, event.id), { timeout: 15_000 }).toBe('done');
      // Stripe sends it again: nothing more.
      expect((await sendEvent(present.issuer, event)).status).toBe(200);
      await expect.poll(() => changes(present), { timeout: 10_000 }).toEqual(['api']);
    },
    60_000,
  );
});
