/** An account is made what Stripe says it is, whatever else happens at the same time. */

import { describe, expect, test } from 'vitest';
import { problemOf } from '../directory/world.ts';
import { aPrice, aSubscription } from '../kit/scripted_stripe.ts';
import { newAccount, openBillingWorld } from './world.ts';
import type { BillingWorld } from './world.ts';

const day = 86_400;

function sell(world: BillingWorld, ...subscriptions: Record<string, unknown>[]): void {
  world.stripe.customers.set('cus_office', { subscriptions, entitlements: ['export'] });
}

const projections = async (world: BillingWorld) =>
  (await world.account()).document.subscriptions ?? {};

const said = (world: BillingWorld, message: string) =>
  world.lines.filter((line) => line.message.includes(message));

describe('an account and Stripe', () => {
  test('what is there is written once, with one event for each product that differs', async () => {
    const world = await openBillingWorld();
    sell(
      world,
      aSubscription('sub_1', 'cus_office'),
      aSubscription('sub_2', 'cus_office', { price: 'price_basic', quantity: 1 }),
    );
    const result = await world.sync.customer('cus_office');
    expect(Object.keys(result.differences).toSorted()).toEqual(['*', 'api', 'reports']);
    const { document } = await world.account();
    expect(document.subscriptions).toEqual({
      api: {
        subscription: 'sub_1',
        status: 'active',
        plan: 'team',
        period: 'month',
        quantity: 5,
        periodEnd: 1_770_000_000_000,
        item: 'si_sub_1',
        price: 'price_team',
      },
      reports: expect.objectContaining({ subscription: 'sub_2', plan: 'basic', quantity: 1 }),
    });
    expect(document.entitlements).toEqual(['export']);
    const changes = await world.changes();
    expect(changes.map(({ data }) => data.product)).toEqual(['api', 'reports']);
    expect(changes[0]?.data.claims).toMatchObject({ plan: 'team', entitlements: ['export'] });
  });

  test('what is true already is not written', async () => {
    const world = await openBillingWorld();
    sell(world, aSubscription('sub_1', 'cus_office'));
    await world.sync.customer('cus_office');
    const { version } = await world.account();
    expect(await world.sync.customer('cus_office')).toEqual({
      account: 'acc_office',
      differences: {},
    });
    expect((await world.account()).version).toBe(version);
    world.now += 3_600_000;
    await world.sync.customer('cus_office');
    // An hour later: that it was looked at, and no event.
    expect((await world.account()).document.reconciledAt).toBe(world.now);
    expect(await world.changes('api')).toHaveLength(1);
  });

  test('nobody’s customer: nothing is done, and Stripe is not asked', async () => {
    const world = await openBillingWorld();
    expect(await world.sync.customer('cus_nobody')).toEqual({ differences: {} });
    expect(world.stripe.calls).toEqual([]);
  });

  test('a subscription belongs to the account of its customer, whatever is noted on it', async () => {
    const world = await openBillingWorld();
    await newAccount(world, 'other');
    const metadata = { tollgate_account: 'acc_other', tollgate_product: 'reports' };
    sell(world, aSubscription('sub_1', 'cus_office', { metadata }));
    await world.sync.customer('cus_office');
    expect(Object.keys(await projections(world))).toEqual(['api']);
    expect((await world.account('acc_other')).document.subscriptions).toBeUndefined();
  });

  test('should Stripe list a subscription of somebody else, it counts for nothing', async () => {
    const world = await openBillingWorld();
    sell(world, aSubscription('sub_1', 'cus_elsewhere'));
    await world.sync.customer('cus_office');
    expect(await projections(world)).toEqual({});
  });

  test('lists of several pages are read to their end', async () => {
    const world = await openBillingWorld();
    const dead = Array.from({ length: 250 }, (_, at) =>
      aSubscription(`sub_dead_${at}`, 'cus_office', { status: 'canceled', ended_at: at }),
    );
    sell(world, ...dead, aSubscription('sub_alive', 'cus_office'));
    const features = Array.from({ length: 130 }, (_, at) => `feature_${at}`);
    world.stripe.customers.get('cus_office')!.entitlements = features;
    await world.sync.customer('cus_office');
    expect((await projections(world)).api?.subscription).toBe('sub_alive');
    expect((await world.account()).document.entitlements).toEqual(features.toSorted());
  });

  test('of one that ended, what it was is kept, and why it ended', async () => {
    const world = await openBillingWorld();
    sell(world, aSubscription('sub_1', 'cus_office'));
    await world.sync.customer('cus_office');
    const cancellation = { reason: 'cancellation_requested', feedback: 'unused', comment: 'Bye' };
    const over = {
      status: 'canceled',
      ended_at: 1_768_000_000,
      cancellation_details: cancellation,
    };
    sell(world, aSubscription('sub_1', 'cus_office', over));
    await world.sync.customer('cus_office');
    expect((await projections(world)).api).toMatchObject({
      status: 'canceled',
      endedAt: 1_768_000_000_000,
      cancellation,
    });
  });

  test('a customer deleted at Stripe: all is over, the log says it, events still find the account', async () => {
    const world = await openBillingWorld();
    sell(world, aSubscription('sub_1', 'cus_office'));
    await world.sync.customer('cus_office');
    world.stripe.customers.set('cus_office', {
      deleted: true,
      subscriptions: [],
      entitlements: [],
    });
    await world.sync.customer('cus_office');
    const { document, version } = await world.account();
    expect(document.subscriptions?.api).toMatchObject({ status: 'canceled', endedAt: world.now });
    expect(document).toMatchObject({ customer: 'cus_office', customerGoneAt: world.now });
    expect(document.entitlements).toBeUndefined();
    const alarms = said(world, 'deleted the customer');
    expect(alarms.map(({ level, fields }) => [level, fields.account])).toEqual([
      ['error', 'acc_office'],
    ]);
    world.now += 1000;
    await world.sync.customer('cus_office');
    expect((await world.account()).version).toBe(version);
    expect(said(world, 'deleted the customer')).toHaveLength(1);
  });

  test('a customer that Stripe does not know at all is as good as deleted', async () => {
    const world = await openBillingWorld();
    sell(world, aSubscription('sub_1', 'cus_office'));
    await world.sync.customer('cus_office');
    world.stripe.customers.delete('cus_office');
    await world.sync.customer('cus_office');
    expect((await projections(world)).api?.status).toBe('canceled');
  });

  test('an unknown status is kept as Stripe says it, and told', async () => {
    const world = await openBillingWorld();
    sell(world, aSubscription('sub_1', 'cus_office', { status: 'hibernating' }));
    await world.sync.customer('cus_office');
    expect((await projections(world)).api?.status).toBe('hibernating');
    expect(said(world, 'not known')[0]?.fields.status).toBe('hibernating');
  });

  test('what is of no product of ours, and what is one too many, is told and counts for nothing', async () => {
    const world = await openBillingWorld();
    sell(
      world,
      aSubscription('sub_2', 'cus_office', { created: 200, price: 'price_business' }),
      aSubscription('sub_1', 'cus_office', { created: 100 }),
      aSubscription('sub_3', 'cus_office', { price: 'price_elsewhere' }),
    );
    const { strays } = await world.sync.customer('cus_office');
    expect(strays).toEqual([
      { subscription: 'sub_3', why: 'unknown_product' },
      { subscription: 'sub_2', why: 'duplicate', product: 'api' },
    ]);
    expect((await projections(world)).api?.subscription).toBe('sub_1');
    expect(said(world, 'counts for nothing')).toHaveLength(strays?.length ?? 0);
  });

  test('what is withheld gives nothing, until it is not any more (S7)', async () => {
    let isPaid = false;
    const world = await openBillingWorld({ withheld: () => Promise.resolve(!isPaid) });
    sell(world, aSubscription('sub_1', 'cus_office'));
    await world.sync.customer('cus_office');
    expect(await projections(world)).toEqual({});
    isPaid = true;
    await world.sync.customer('cus_office');
    expect((await projections(world)).api?.subscription).toBe('sub_1');
  });

  test('S10 Stripe is down: what is known stays, and the caller is told', async () => {
    const world = await openBillingWorld();
    sell(world, aSubscription('sub_1', 'cus_office'));
    await world.sync.customer('cus_office');
    const before = await world.account();
    for (const status of [500, 429]) {
      world.stripe.down = status;
      expect(await problemOf(world.sync.customer('cus_office'))).toBe('stripe_unavailable');
    }
    expect(await world.account()).toEqual(before);
  });
});

describe('several at the same time', () => {
  test('the one that asked Stripe earlier never wins', async () => {
    const world = await openBillingWorld();
    sell(world, aSubscription('sub_1', 'cus_office', { quantity: 5 }));
    const slow = world.stripe.hold('/v1/subscriptions');
    const early = world.sync.customer('cus_office');
    await slow.asked;
    sell(world, aSubscription('sub_1', 'cus_office', { quantity: 9 }));
    await world.process().sync.customer('cus_office');
    slow.release();
    await early;
    expect((await projections(world)).api?.quantity).toBe(9);
    expect(await world.changes('api')).toHaveLength(1);
  });

  test('nor where the later one found that all is as it was', async () => {
    const world = await openBillingWorld();
    const end = 1_768_000_000;
    sell(world, aSubscription('sub_1', 'cus_office'));
    await world.sync.customer('cus_office');
    // Somebody cancels, a reading of that is under way, and takes it back.
    sell(world, aSubscription('sub_1', 'cus_office', { cancel_at: end }));
    const slow = world.stripe.hold('/v1/subscriptions');
    const early = world.sync.customer('cus_office');
    await slow.asked;
    sell(world, aSubscription('sub_1', 'cus_office'));
    expect((await world.process().sync.customer('cus_office')).differences).toEqual({});
    slow.release();
    await early;
    expect((await projections(world)).api?.cancelAt).toBeUndefined();
  });

  test('twenty in two processes: one change, one event', async () => {
    const world = await openBillingWorld();
    sell(world, aSubscription('sub_1', 'cus_office', { trial_end: 1_767_200_000 + 14 * day }));
    const syncs = [world.sync, world.process().sync];
    const all = Array.from({ length: 20 }, (_, at) => syncs[at % 2]!.customer('cus_office'));
    const found = (await Promise.all(all)).filter(({ differences }) => differences.api);
    expect(found).toHaveLength(1);
    expect(await world.changes('api')).toHaveLength(1);
  });

  test('what else changes on the account meanwhile is not lost', async () => {
    const world = await openBillingWorld();
    sell(world, aSubscription('sub_1', 'cus_office'));
    const slow = world.stripe.hold('/v1/subscriptions');
    const reading = world.sync.customer('cus_office');
    await slow.asked;
    await world.directory.closeAccount('acc_office', 'moved');
    slow.release();
    await reading;
    const { document } = await world.account();
    expect(document.status).toBe('closed');
    expect(document.subscriptions?.api?.plan).toBe('team');
  });
});

describe('which plan a price is of', () => {
  test.each([
    ['by its id', aPrice('price_team'), 'team'],
    ['by its lookup key', aPrice('price_1', { lookup_key: 'team_yearly' }), 'team'],
    [
      'by what push noted on it, when the key has moved on',
      aPrice('price_2', { metadata: { tollgate_product: 'api', tollgate_plan: 'business' } }),
      'business',
    ],
    ['of none: the price stands for it', aPrice('price_3'), 'price_3'],
  ])('%s', async (_how, price, plan) => {
    const world = await openBillingWorld();
    const metadata = { tollgate_product: 'api' };
    sell(world, aSubscription('sub_1', 'cus_office', { price, metadata }));
    await world.sync.customer('cus_office');
    expect((await projections(world)).api?.plan).toBe(plan);
  });
});
