/** What no event told: read from Stripe's list of events, and found by comparing all accounts. */

import { describe, expect, test } from 'vitest';
import { seenId } from '../../src/billing/catch_up.ts';
import { createMetrics } from '../../src/base/metrics.ts';
import { createScheduledReconcile } from '../../src/billing/scheduled_reconcile.ts';
import { problemOf } from '../directory/world.ts';
import { aSubscription } from '../kit/scripted_stripe.ts';
import { snapshotEvent } from '../kit/stripe_events.ts';
import { newAccount, openBillingWorld } from './world.ts';
import type { BillingWorld } from './world.ts';

const [minute, hour, day] = [60_000, 3_600_000, 86_400_000];

function sell(world: BillingWorld, name = 'office', more: Record<string, unknown> = {}): void {
  const subscriptions = [aSubscription(`sub_${name}`, `cus_${name}`, more)];
  world.stripe.customers.set(`cus_${name}`, { subscriptions, entitlements: [] });
}

const plan = async (world: BillingWorld, name = 'office') =>
  (await world.account(`acc_${name}`)).document.subscriptions?.api?.plan;

/** An event that happened so long ago. */
const ago = (world: BillingWorld, ms: number, more: Record<string, unknown> = {}) =>
  snapshotEvent(
    'customer.subscription.updated',
    { id: 'sub_office', customer: 'cus_office' },
    {
      created: Math.floor((world.now - ms) / 1000),
      ...more,
    },
  );

describe('events that never came', () => {
  test('are found in Stripe’s list since the last time, and worked on', async () => {
    const world = await openBillingWorld();
    const before = ago(world, day);
    world.stripe.events = [before];
    expect(await world.catchUp.run()).toBe(0);
    world.now += 2 * day;
    sell(world);
    world.stripe.events = [ago(world, minute), ago(world, day), before];
    // The newest one of the last time is looked at once more: others of its second may have come after it.
    expect(await world.catchUp.run()).toBe(3);
    await world.worker.drain();
    expect(await plan(world)).toBe('team');
    expect(await world.catchUp.run()).toBe(0);
  });

  test('what came by itself is not done again', async () => {
    const world = await openBillingWorld();
    await world.catchUp.run();
    const event = ago(world, 0);
    const about = { type: event.type, customer: 'cus_office', at: world.now };
    await world.inbox.add({ id: event.id, ...about });
    world.stripe.events = [event];
    expect(await world.catchUp.run()).toBe(0);
  });

  test('at the first start nothing is missing', async () => {
    const world = await openBillingWorld();
    world.stripe.events = [ago(world, day)];
    expect(await world.catchUp.run()).toBe(0);
  });

  test('after half a year: what Stripe still lists, of 30 days', async () => {
    const world = await openBillingWorld();
    await world.catchUp.run();
    world.now += 180 * day;
    world.stripe.events = [ago(world, 29 * day), ago(world, 31 * day)];
    expect(await world.catchUp.run()).toBe(1);
  });

  test('many pages', async () => {
    const world = await openBillingWorld();
    await world.catchUp.run();
    world.now += day;
    world.stripe.events = Array.from({ length: 350 }, (_, at) => ago(world, at * 1000));
    expect(await world.catchUp.run()).toBe(350);
  });

  test('those of another account or mode are left', async () => {
    const world = await openBillingWorld();
    await world.catchUp.run();
    world.now += day;
    world.stripe.events = [
      ago(world, minute, { account: 'acct_other' }),
      ago(world, minute, { livemode: true }),
    ];
    expect(await world.catchUp.run()).toBe(0);
  });

  test('S10 Stripe is down: nothing is forgotten, the next time reads it all', async () => {
    const world = await openBillingWorld();
    await world.catchUp.run();
    const seen = (await world.store.get('meta', seenId))?.document;
    world.now += day;
    world.stripe.events = [ago(world, minute)];
    world.stripe.down = 500;
    expect(await problemOf(world.catchUp.run())).toBe('stripe_unavailable');
    expect((await world.store.get('meta', seenId))?.document).toEqual(seen);
    world.stripe.down = undefined;
    expect(await world.catchUp.run()).toBe(1);
  });

  test('one process at a time', async () => {
    const world = await openBillingWorld();
    await world.catchUp.run();
    world.now += day;
    const slow = world.stripe.hold('/v1/events');
    const running = world.catchUp.run();
    await slow.asked;
    expect(await world.process().catchUp.run()).toBeUndefined();
    slow.release();
    expect(await running).toBe(0);
  });
});

describe('all accounts compared with Stripe', () => {
  async function three(): Promise<BillingWorld> {
    const world = await openBillingWorld();
    for (const name of ['ada', 'ben']) {
      await newAccount(world, name);
      sell(world, name);
    }
    await world.directory.createUser({ id: 'carl', name: 'Carl' });
    await world.directory.createAccount({ id: 'acc_carl', name: 'Carl', owner: 'carl' });
    await world.reconcile();
    return world;
  }

  test('N of M differ, each difference is named, and mended', async () => {
    const world = await three();
    sell(world, 'ben', { quantity: 9, price: 'price_business' });
    expect(await world.reconcile()).toEqual({
      accounts: 3,
      differing: [
        {
          account: 'acc_ben',
          differences: { api: ['plan', 'price', 'quantity'] },
        },
      ],
      failed: [],
    });
    expect(await plan(world, 'ben')).toBe('business');
    expect(world.lines.slice(-2)).toMatchObject([
      { level: 'info', message: 'an account differed from Stripe' },
      { level: 'warn', message: '1 of 3 accounts differed from Stripe' },
    ]);
    expect((await world.reconcile()).differing).toEqual([]);
  });

  test('one alone', async () => {
    const world = await three();
    sell(world, 'ben', { quantity: 9 });
    sell(world, 'ada', { quantity: 9 });
    const { accounts, differing } = await world.reconcile({ account: 'acc_ada' });
    expect([accounts, differing.map(({ account }) => account)]).toEqual([1, ['acc_ada']]);
    expect(await problemOf(world.reconcile({ account: 'acc_none' }))).toBe('account_unknown');
    expect(await problemOf(world.reconcile({ account: 'acc_carl' }))).toBe('customer_missing');
  });

  test('what only people can mend is told each time', async () => {
    const world = await three();
    const subscriptions = ['one', 'two'].map((id) => aSubscription(id, 'cus_ada'));
    world.stripe.customers.set('cus_ada', { subscriptions, entitlements: [] });
    await world.reconcile();
    expect((await world.reconcile()).differing).toEqual([
      {
        account: 'acc_ada',
        differences: {},
        strays: [{ subscription: 'two', why: 'duplicate', product: 'api' }],
      },
    ]);
  });

  test('Stripe is down: said so, and not asked for each of a thousand', async () => {
    const world = await three();
    for (let at = 0; at < 60; at += 1) await newAccount(world, `many${at}`);
    world.stripe.down = 500;
    const before = world.stripe.calls.length;
    expect(await problemOf(world.reconcile())).toBe('stripe_unavailable');
    // Twenty in vain, and those that were under way with them.
    expect(world.stripe.calls.length - before).toBeLessThanOrEqual(24 * 2);
  });

  test('one that fails is named, and keeps none of the others', async () => {
    const world = await three();
    const broken = { ...aSubscription('sub_x', 'cus_ada'), items: null };
    world.stripe.customers.set('cus_ada', { subscriptions: [broken], entitlements: [] });
    sell(world, 'ben', { quantity: 9 });
    const { differing, failed } = await world.reconcile();
    expect(failed).toEqual([{ account: 'acc_ada', problem: 'defect' }]);
    expect(differing.map(({ account }) => account)).toEqual(['acc_ben']);
  });

  test('more accounts than one page of the store', async () => {
    const world = await openBillingWorld();
    const { document } = await world.account();
    for (let at = 0; at < 1050; at += 1) {
      const customer = `cus_many${at}`;
      world.stripe.customers.set(customer, { subscriptions: [], entitlements: [] });
      await world.store.write(
        'account',
        `acc_${at}`,
        { ...document, customer },
        { expect: 'absent' },
      );
    }
    // They are asked for no more than the accounts: nobody answers, so count the questions.
    let asked = 0;
    const { accounts } = await world.reconcile({
      goOn: async () => {
        asked += 1;
        return asked <= 3;
      },
    });
    expect(accounts).toBe(3 * 40);
  });

  test('on its own, every so many hours, by one process; both tell how many differed', async () => {
    const world = await three();
    sell(world, 'ben', { quantity: 9 });
    let runs = 0;
    let sold = world.config.products;
    const processes = ['one', 'two'].map((owner) => {
      const measures = createMetrics();
      const worker = createScheduledReconcile({
        ...world,
        owner,
        config: { reconcileHours: 24 },
        products: () => sold,
        measures,
        random: () => 0.5,
        reconcile: (request) => {
          runs += 1;
          return world.reconcile(request);
        },
      });
      return { measures, worker };
    });
    const look = async () => {
      await Promise.all(processes.map(({ worker }) => worker.look()));
      // The other one learns of it when it looks the next time.
      await Promise.all(processes.map(({ worker }) => worker.look()));
      const texts = await Promise.all(processes.map(({ measures }) => measures.text()));
      return texts.map((text) => /^tollgate_billing_drift_accounts (\d+)$/m.exec(text)?.[1]);
    };
    expect([await look(), runs]).toEqual([['1', '1'], 1]);
    world.now += 23 * hour;
    sell(world, 'ada', { quantity: 9 });
    sell(world, 'ben', { quantity: 10 });
    expect([await look(), runs]).toEqual([['1', '1'], 1]);
    world.now += 2 * hour;
    expect([await look(), runs]).toEqual([['2', '2'], 2]);
    // What is sold has changed: at the next look.
    sold = sold.map((product) => ({ ...product, plans: product.plans.slice(1) }));
    expect([await look(), runs]).toEqual([['0', '0'], 3]);
    expect([await look(), runs]).toEqual([['0', '0'], 3]);
  });
});
