/** Seats: members, what is written on the account, and the quantity at Stripe stay equal, whatever fails between them. */

import { describe, expect, onTestFinished, test } from 'vitest';
import { createCatalog } from '../../src/billing/catalog.ts';
import { createReconcile } from '../../src/billing/reconcile.ts';
import { createSeats } from '../../src/billing/seats.ts';
import { createStripe } from '../../src/billing/stripe.ts';
import { createSync } from '../../src/billing/sync.ts';
import { Problem } from '../../src/base/errors.ts';
import { createDirectory } from '../../src/directory/directory.ts';
import { createDispatcher } from '../../src/events/dispatcher.ts';
import { lateSeats } from '../../src/directory/seats.ts';
import type { Store } from '../../src/storage/store.ts';
import { openWorld } from '../events/world.ts';
import { problemOf } from '../directory/world.ts';
import { faulty, Stopped } from '../kit/faults.ts';
import { writesToStopAt } from '../kit/places.ts';
import { aSubscription, startScriptedStripe } from '../kit/scripted_stripe.ts';
import { testConfig } from '../kit/server.ts';
import { stripeKey } from '../kit/stripe_events.ts';

const account = 'acc_office';
const customer = 'cus_office';
const people = ['ben', 'cleo', 'dan', 'eve', 'finn'];
const declined = {
  status: 402,
  error: { type: 'card_error', code: 'card_declined', message: 'Your card was declined.' },
};

interface Start {
  whenFull?: 'refuse' | 'raise';
  quantity?: number;
  status?: string;
  max?: number;
}

/** An account of `ada`, with a plan of so many seats. */
async function start({
  whenFull = 'refuse',
  quantity = 2,
  status = 'active',
  max = 50,
}: Start = {}) {
  const world = await openWorld();
  const { clock, log } = world;
  const stripe = await startScriptedStripe();
  onTestFinished(() => stripe.close());
  const config = testConfig('http://127.0.0.1:1', {
    products: [
      {
        id: 'api',
        name: 'API',
        audience: 'https://api.example.com',
        plans: [
          {
            id: 'team',
            name: 'Team',
            prices: [{ period: 'month', price: 'price_team' }],
            seats: { min: 1, max, whenFull },
          },
        ],
      },
    ],
    stripe: { secretKey: stripeKey, apiBase: stripe.url },
  });
  const store = faulty(world.store);
  /** What the k-th request to Stripe meets. */
  const fault = { at: 0, lost: false, met: false };
  let asked = 0;
  const unreliable: typeof fetch = async (...request) => {
    asked += 1;
    if (asked !== fault.at) return fetch(...request);
    fault.met = true;
    if (fault.lost) await (await fetch(...request)).text();
    throw new TypeError('the connection was cut');
  };
  const failAt = (at: number, lost = false) => {
    asked = 0;
    Object.assign(fault, { at, lost, met: false });
  };

  /** Another process on the same documents. */
  function process(over: Store = store) {
    const client = createStripe({
      config: config.stripe!,
      fetch: unreliable,
      clock,
      log,
      retries: 0,
    });
    const shared = { store: over, clock, log, config: () => config, stripe: client };
    const catalog = createCatalog(shared);
    const withheld = () => Promise.resolve(false);
    const sync = createSync({ ...shared, catalog, withheld, random: () => 0 });
    const knot = lateSeats();
    const directory = createDirectory({ ...shared, registration: 'open', seats: knot });
    const seats = createSeats({ ...shared, sync });
    knot.tie(seats);
    const reconcile = createReconcile({ store: over, sync, seats, log });
    const handlers = [...directory.handlers, seats.handler];
    const drain = () =>
      createDispatcher({ store: over, clock, log, handlers, owner: 'process' }).drain();
    return { directory, seats, sync, reconcile, drain };
  }

  const first = process();
  for (const id of ['ada', ...people]) await first.directory.createUser({ id, name: id });
  await first.directory.createAccount({ id: account, name: 'Office', owner: 'ada' });
  const { document, version } = (await store.get('account', account))!;
  await store.write('account', account, { ...document, customer }, { expect: version });
  const subscription = aSubscription('sub_1', customer, { quantity, status });
  stripe.customers.set(customer, { subscriptions: [subscription], entitlements: [] });
  await first.sync.customer(customer);
  await first.drain();

  const state = async () => {
    const now = (await world.store.get('account', account))!.document;
    const members: string[] = [];
    for (const id of ['ada', ...people]) {
      if ((await process(world.store).directory.membership(id, account)) !== undefined) {
        members.push(id);
      }
    }
    const { data } = subscription.items as { data: { quantity: number }[] };
    const [item] = data;
    const known = now.subscriptions?.api?.quantity;
    return { members, seats: now.seats?.toSorted(), known, quantity: item?.quantity };
  };
  const add = (user: string) => first.directory.addMember(account, user, ['member']);
  return { ...first, world, store, stripe, config, process, state, add, fault, failAt };
}

describe('where the quantity is what was bought', () => {
  test('the last seat is taken once, and the next one is told how to buy one more', async () => {
    const { add, state, config } = await start();
    expect(await state()).toMatchObject({ seats: ['ada'], quantity: 2 });
    const outcomes = await Promise.all(people.map((user) => problemOf(add(user))));
    expect(outcomes.filter((code) => code === undefined)).toHaveLength(1);
    expect(new Set(outcomes)).toEqual(new Set([undefined, 'seats_full']));
    const { members, seats } = await state();
    expect(members).toHaveLength(2);
    expect(seats).toEqual(members.toSorted());
    const refused = people.find((user) => !members.includes(user))!;
    const error = await add(refused).catch((problem: unknown) => problem);
    expect(error).toBeInstanceOf(Problem);
    expect(error).toMatchObject({
      status: 402,
      details: {
        upgrade: `${config.issuer}/account/switch/api?plan=team&quantity=3&account=acc_office`,
      },
    });
  });

  test('a removal makes room, and so does a deletion', async () => {
    const { add, directory, state } = await start();
    await add('ben');
    expect(await problemOf(add('cleo'))).toBe('seats_full');
    await directory.removeMember(account, 'ben');
    await add('cleo');
    await directory.setUserStatus('cleo', 'deleted');
    await add('dan');
    expect(await state()).toMatchObject({ members: ['ada', 'dan'], seats: ['ada', 'dan'] });
  });

  test('a seat of nobody keeps nobody out', async () => {
    const { add, store, state } = await start();
    const { document, version } = (await store.get('account', account))!;
    const seats = ['ada', 'ben'];
    await store.write('account', account, { ...document, seats }, { expect: version });
    await add('cleo');
    expect(await state()).toMatchObject({ seats: ['ada', 'cleo'] });
  });

  test('who took a seat and never came loses it; should they come after all, they have to go', async () => {
    const { add, seats, directory, state, world } = await start();
    await seats.take(account, 'ben');
    expect(await problemOf(add('cleo'))).toBe('seats_full');
    world.now += 3 * 60_000;
    await add('cleo');
    expect(await problemOf(seats.arrived(account, 'ben'))).toBe('seats_full');
    expect(await state()).toMatchObject({ members: ['ada', 'cleo'], seats: ['ada', 'cleo'] });
    await directory.removeMember(account, 'cleo');
    await seats.arrived(account, 'ben');
    expect((await state()).seats).toEqual(['ada', 'ben']);
  });

  test('no more can be bought than the plan has', async () => {
    const { add } = await start({ max: 2 });
    await add('ben');
    const error = await add('cleo').catch((problem: unknown) => problem);
    expect((error as Problem).details.upgrade).toBeUndefined();
  });

  test('without a subscription with seats nobody is counted', async () => {
    const { add, stripe, sync, drain, state } = await start();
    stripe.customers.set(customer, { subscriptions: [], entitlements: [] });
    await sync.customer(customer);
    await drain();
    for (const user of people) await add(user);
    expect((await state()).seats).toBeUndefined();
  });
});

describe('where the quantity follows', () => {
  test('one more is paid for before they come, one less after they went', async () => {
    const { add, directory, state, stripe } = await start({ whenFull: 'raise', quantity: 1 });
    await add('ben');
    expect(await state()).toEqual({
      members: ['ada', 'ben'],
      seats: ['ada', 'ben'],
      known: 2,
      quantity: 2,
    });
    expect(stripe.posts.at(-1)?.form).toMatchObject({ payment_behavior: 'error_if_incomplete' });
    await directory.removeMember(account, 'ben');
    expect(await state()).toMatchObject({ seats: ['ada'], known: 1, quantity: 1 });
    // The same step once more on the same day is another one to Stripe.
    await add('ben');
    expect(await state()).toMatchObject({ quantity: 2 });
    expect(new Set(stripe.posts.map(({ key }) => key)).size).toBe(stripe.posts.length);
  });

  test('a card that is declined: nobody comes, nothing stays', async () => {
    const { add, state, stripe } = await start({ whenFull: 'raise', quantity: 1 });
    stripe.refusal = declined;
    expect(await problemOf(add('ben'))).toBe('card_declined');
    stripe.refusal = undefined;
    expect(await state()).toMatchObject({ members: ['ada'], seats: ['ada'], quantity: 1 });
    await add('ben');
    expect(await state()).toMatchObject({ members: ['ada', 'ben'], quantity: 2 });
  });

  test('many at once come to as many seats', async () => {
    const { add, state, directory } = await start({ whenFull: 'raise', quantity: 1 });
    await Promise.all(people.map(add));
    const all = ['ada', ...people];
    expect(await state()).toEqual({ members: all, seats: all, known: 6, quantity: 6 });
    await Promise.all(people.map((user) => directory.removeMember(account, user)));
    expect(await state()).toEqual({ members: ['ada'], seats: ['ada'], known: 1, quantity: 1 });
  });

  test('Stripe down: nobody comes, whoever goes is gone at once, and the comparison puts the rest right', async () => {
    const { add, directory, state, stripe, reconcile } = await start({
      whenFull: 'raise',
      quantity: 1,
    });
    await add('ben');
    stripe.down = 503;
    expect(await problemOf(add('cleo'))).toBe('stripe_unavailable');
    expect(await directory.removeMember(account, 'ben')).toBe(true);
    expect(await state()).toMatchObject({ members: ['ada'], seats: ['ada'], quantity: 2 });
    stripe.down = undefined;
    const { differing } = await reconcile();
    expect(differing).toEqual([{ account, differences: { members: ['quantity'] } }]);
    expect(await state()).toMatchObject({ known: 1, quantity: 1 });
    expect((await reconcile()).differing).toEqual([]);
  });

  test('nothing is bought for who owes something already', async () => {
    const { add, stripe } = await start({ whenFull: 'raise', quantity: 1, status: 'unpaid' });
    expect(await problemOf(add('ben'))).toBe('seats_full');
    expect(stripe.posts).toEqual([]);
  });
});

const { first: firstWrite, step } = writesToStopAt();

describe.each(['refuse', 'raise'] as const)('stopped at each write (%s)', (whenFull) => {
  test.each(['before', 'after'] as const)(
    '%s it, a member comes and goes all the same',
    async (mode) => {
      for (let k = firstWrite; k < 40; k += step) {
        const { store, process, state, add, directory } = await start({ whenFull, quantity: 2 });
        store.revive({ stopAfterWrites: k, mode });
        const story = async () => {
          await add('ben');
          await directory.removeMember(account, 'ben');
          await add('cleo');
        };
        await story().catch((error: unknown) => {
          if (!(error instanceof Stopped)) throw error;
        });
        const { stopped } = store;
        store.revive();
        const next = process();
        await next.drain();
        // The person who waited tries again.
        await next.directory.removeMember(account, 'ben');
        await next.directory.addMember(account, 'cleo', ['member']);
        await next.drain();
        await next.reconcile();
        expect({ k, ...(await state()) }).toEqual({
          k,
          members: ['ada', 'cleo'],
          seats: ['ada', 'cleo'],
          known: 2,
          quantity: 2,
        });
        if (!stopped) return;
      }
      throw new Error('the story never ended');
    },
  );
});

test.each([false, true])(
  'each call to Stripe in turn is cut (its work done: %s), and a member comes and goes all the same',
  async (lost) => {
    for (let k = 1; k < 60; k += 1) {
      const world = await start({ whenFull: 'raise', quantity: 1 });
      const { add, directory, state, reconcile, drain, fault, failAt } = world;
      failAt(k, lost);
      const codes = [await problemOf(add('ben')), await problemOf(add('ben'))];
      await directory.removeMember(account, 'ben');
      codes.push(await problemOf(add('cleo')), await problemOf(add('cleo')));
      await drain();
      const { met } = fault;
      failAt(0);
      expect(codes.every((code) => code === undefined || code === 'stripe_unavailable')).toBe(true);
      await add('cleo');
      await reconcile();
      expect({ k, ...(await state()) }).toEqual({
        k,
        members: ['ada', 'cleo'],
        seats: ['ada', 'cleo'],
        known: 2,
        quantity: 2,
      });
      expect((await reconcile()).differing).toEqual([]);
      if (!met) return;
    }
    throw new Error('the story never ended');
  },
);
