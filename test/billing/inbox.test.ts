/** From an event's arrival to what it changes: once, whatever fails, and whoever does it. */

import { describe, expect, onTestFinished, test } from 'vitest';
import { Problem } from '../../src/base/errors.ts';
import type { Arrival } from '../../src/billing/arrivals.ts';
import { faulty } from '../kit/faults.ts';
import { aSubscription } from '../kit/scripted_stripe.ts';
import { newAccount, openBillingWorld } from './world.ts';
import type { BillingWorld } from './world.ts';

const [second, hour, day] = [1000, 3_600_000, 86_400_000];

let count = 0;

function arrival(more: Partial<Arrival> = {}): Arrival {
  count += 1;
  const type = 'customer.subscription.updated';
  return { id: `evt_${count}`, type, customer: 'cus_office', object: 'sub_1', at: 1, ...more };
}

function sell(world: BillingWorld, more: Record<string, unknown> = {}): void {
  const subscriptions = [aSubscription('sub_1', 'cus_office', more)];
  world.stripe.customers.set('cus_office', { subscriptions, entitlements: [] });
}

const entry = async ({ store }: BillingWorld, id: string) =>
  (await store.get('inbox', id))?.document;

const plan = async (world: BillingWorld) =>
  (await world.account()).document.subscriptions?.api?.plan;

describe('an event is worked on', () => {
  test('at once by the process that stored it', async () => {
    const world = await openBillingWorld();
    sell(world);
    const event = arrival();
    expect(await world.inbox.add(event)).toBe(true);
    await world.worker.drain();
    expect(await plan(world)).toBe('team');
    expect(await entry(world, event.id)).toMatchObject({ state: 'done', attempts: 0 });
  });

  test('by any other one, when nobody did', async () => {
    const world = await openBillingWorld();
    sell(world);
    const other = world.process();
    await world.worker.stop();
    await world.inbox.add(arrival());
    expect(await plan(world)).toBeUndefined();
    await other.worker.drain();
    expect(await plan(world)).toBe('team');
  });

  test('those of one customer together', async () => {
    const world = await openBillingWorld();
    sell(world);
    const slow = world.stripe.hold('/v1/subscriptions');
    await world.inbox.add(arrival());
    await slow.asked;
    for (let more = 0; more < 50; more += 1) await world.inbox.add(arrival());
    slow.release();
    await world.worker.drain();
    const lists = world.stripe.calls.filter((call) => call === 'GET /v1/subscriptions');
    // The first, and once more since it changed something; the fifty others.
    expect(lists).toHaveLength(3);
    const waiting = await world.inbox.waiting();
    expect(waiting).toEqual({ count: 0, since: undefined });
  });

  test('of many customers all, and none waits for a slow one', async () => {
    const world = await openBillingWorld();
    const names = Array.from({ length: 30 }, (_, at) => `c${at}`);
    for (const name of names) {
      await newAccount(world, name);
      const subscriptions = [aSubscription(`sub_${name}`, `cus_${name}`)];
      world.stripe.customers.set(`cus_${name}`, { subscriptions, entitlements: [] });
    }
    sell(world);
    const slow = world.stripe.hold('/v1/subscriptions');
    await world.inbox.add(arrival());
    await slow.asked;
    await Promise.all(names.map((name) => world.inbox.add(arrival({ customer: `cus_${name}` }))));
    // All but the one that is held.
    await expect.poll(async () => (await world.inbox.waiting()).count, { timeout: 10_000 }).toBe(1);
    slow.release();
    await world.worker.drain();
    expect((await world.inbox.waiting()).count).toBe(0);
  });

  test('nobody’s customer: done with, and Stripe is not asked', async () => {
    const world = await openBillingWorld();
    const event = arrival({ customer: 'cus_nobody' });
    await world.inbox.add(event);
    await world.worker.drain();
    expect((await entry(world, event.id))?.state).toBe('done');
    expect(world.stripe.calls).toEqual([]);
  });

  test('done with, it is remembered for 35 days: it cannot come as a new one', async () => {
    const world = await openBillingWorld();
    sell(world);
    const event = arrival();
    await world.inbox.add(event);
    await world.worker.drain();
    world.now += 34 * day;
    await world.worker.drain();
    expect(await world.inbox.add(event)).toBe(false);
    world.now += 2 * day;
    await world.worker.drain();
    expect(await entry(world, event.id)).toBeUndefined();
  });
});

describe('whom an event is about', () => {
  test.each([
    ['a thin one of a subscription', 'v1.customer.subscription.cancel_at_changed', 'sub_1'],
    ['a thin one of an invoice', 'v1.invoice.paid', 'in_1'],
  ])('%s: its object is asked', async (_what, type, object) => {
    const world = await openBillingWorld();
    sell(world);
    world.stripe.objects.set('in_1', { id: 'in_1', object: 'invoice', customer: 'cus_office' });
    const { customer: _unsaid, ...thin } = arrival({ type, object });
    await world.inbox.add(thin);
    await world.worker.drain();
    expect(await plan(world)).toBe('team');
  });

  test('where even the object is not said: the snapshot event', async () => {
    const world = await openBillingWorld();
    sell(world);
    const type = 'v1.entitlements.active_entitlement_summary.updated';
    const { customer: _unsaid, object: _neither, ...thin } = arrival({ type });
    const object = { object: 'entitlements.active_entitlement_summary', customer: 'cus_office' };
    world.stripe.objects.set(thin.id, { id: thin.id, object: 'event', data: { object } });
    await world.inbox.add(thin);
    await world.worker.drain();
    expect(await plan(world)).toBe('team');
  });

  test('nobody knows: it leads nowhere, and the log says so', async () => {
    const world = await openBillingWorld();
    const { customer: _unsaid, ...thin } = arrival({ type: 'v1.customer.subscription.updated' });
    await world.inbox.add(thin);
    await world.worker.drain();
    expect(await entry(world, thin.id)).toMatchObject({
      state: 'done',
      problem: 'customer_unknown',
    });
    expect(world.lines.map(({ message }) => message)).toContain('an event of Stripe led nowhere');
  });

  test('a Checkout Session goes to the sign-ups', async () => {
    const sessions: string[] = [];
    const world = await openBillingWorld({
      fulfil: async (session) => void sessions.push(session),
    });
    const about = { type: 'checkout.session.completed', object: 'cs_1' };
    await Promise.all([world.inbox.add(arrival(about)), world.inbox.add(arrival(about))]);
    await world.worker.drain();
    expect(new Set(sessions)).toEqual(new Set(['cs_1']));
    expect((await world.inbox.waiting()).count).toBe(0);
  });
});

describe('S10 Stripe does not answer', () => {
  test('tried again later and later, without asking in vain, and then it is done', async () => {
    const world = await openBillingWorld();
    sell(world);
    world.stripe.down = 500;
    const event = arrival();
    await world.inbox.add(event);
    await world.worker.drain();
    const waits: number[] = [];
    for (let attempt = 1; attempt <= 14; attempt += 1) {
      const found = (await entry(world, event.id))!;
      expect(found).toMatchObject({ state: 'waiting', attempts: attempt });
      waits.push((found.dueAt - world.now) / second);
      const calls = world.stripe.calls.length;
      world.now = found.dueAt - 1;
      await world.worker.drain();
      expect(world.stripe.calls).toHaveLength(calls);
      world.now = found.dueAt + 2 * 60 * second;
      await world.worker.drain();
    }
    expect(waits.slice(0, 10)).toEqual([1, 2, 4, 8, 16, 32, 64, 128, 256, 300]);
    expect(Math.max(...waits)).toBe(300);
    expect(await plan(world)).toBeUndefined();
    world.stripe.down = undefined;
    world.now += 2 * hour;
    await world.worker.drain();
    expect(await plan(world)).toBe('team');
    expect((await entry(world, event.id))?.state).toBe('done');
  });

  test('forty wait: Stripe is asked a handful of times, not by each', async () => {
    const world = await openBillingWorld();
    await world.worker.stop();
    const other = world.process();
    const names = Array.from({ length: 40 }, (_, at) => `d${at}`);
    for (const name of names) await newAccount(world, name);
    for (const name of names) await world.inbox.add(arrival({ customer: `cus_${name}` }));
    world.stripe.down = 429;
    await other.worker.drain();
    await other.worker.drain();
    await other.worker.drain();
    // Those that were begun at the same time, with two questions each.
    expect(world.stripe.calls.length).toBeLessThanOrEqual(8 * 2);
  });

  test('after three days it is given up, and told', async () => {
    const world = await openBillingWorld();
    world.stripe.down = 500;
    const event = arrival();
    await world.inbox.add(event);
    await world.worker.drain();
    world.now += 3 * day;
    await world.worker.drain();
    expect(await entry(world, event.id)).toMatchObject({ state: 'dead', attempts: 2 });
    const said = world.lines.filter(({ message }) => message.includes('given up'));
    expect(said.map(({ level, fields }) => [level, fields.event_id])).toEqual([
      ['error', event.id],
    ]);
    world.now += 36 * day;
    await world.worker.drain();
    expect(await entry(world, event.id)).toBeUndefined();
  });

  test('a defect of ours waits as well, and keeps nobody else', async () => {
    let isBroken = true;
    const fulfil = () => (isBroken ? Promise.reject(new Error('broken')) : Promise.resolve());
    const world = await openBillingWorld({ fulfil });
    sell(world);
    const broken = arrival({ type: 'checkout.session.completed', object: 'cs_1' });
    await world.inbox.add(broken);
    await world.inbox.add(arrival());
    await world.worker.drain();
    expect(await plan(world)).toBe('team');
    expect(await entry(world, broken.id)).toMatchObject({ state: 'waiting', problem: 'defect' });
    isBroken = false;
    world.now += 5 * second;
    await world.worker.drain();
    expect((await entry(world, broken.id))?.state).toBe('done');
  });
});

test('S10 how many wait, and for how long', async () => {
  const world = await openBillingWorld();
  const { inbox } = world;
  expect(await inbox.waiting()).toEqual({ count: 0, since: undefined });
  world.stripe.down = 500;
  const first = world.now;
  await inbox.add(arrival());
  world.now += 5 * second;
  await inbox.add(arrival());
  await world.worker.drain();
  expect(await inbox.waiting()).toEqual({ count: 2, since: first });
  world.stripe.down = undefined;
  world.now += hour;
  await world.worker.drain();
  expect(await inbox.waiting()).toEqual({ count: 0, since: undefined });
});

describe('S3 one event, two processes', () => {
  test('a hundred times at once: it is stored once, and changes one thing', async () => {
    const world = await openBillingWorld();
    sell(world);
    const other = world.process();
    const event = arrival();
    const added = await Promise.all(
      Array.from({ length: 100 }, (_, at) => (at % 2 === 0 ? world : other).inbox.add(event)),
    );
    expect(added.filter(Boolean)).toHaveLength(1);
    await Promise.all([world.worker.drain(), other.worker.drain()]);
    expect(await world.changes('api')).toHaveLength(1);
  });

  test('what one has claimed no other takes, until the claim is over', async () => {
    const world = await openBillingWorld();
    sell(world);
    const other = world.process();
    const slow = world.stripe.hold('/v1/subscriptions');
    const event = arrival();
    await world.inbox.add(event);
    await slow.asked;
    await other.worker.drain();
    expect(world.stripe.calls.filter((call) => call === 'GET /v1/subscriptions')).toHaveLength(1);
    world.now += 3 * 60 * second;
    await other.worker.drain();
    expect(await plan(world)).toBe('team');
    slow.release();
    await world.worker.drain();
    expect((await entry(world, event.id))?.state).toBe('done');
    expect(await world.changes('api')).toHaveLength(1);
  });
});

describe('S5 a process dies', () => {
  /** With the story told for every k, until no write is left to stop at. */
  test.each(['before', 'after'] as const)(
    '%s each of its writes: one change all the same',
    async (mode) => {
      for (let k = 1; ; k += 1) {
        const world = await openBillingWorld();
        sell(world);
        const store = faulty(world.store, { stopAfterWrites: k, mode });
        const mortal = world.process(store);
        const event = arrival();
        // Stripe hears an error, or nothing, and sends it again.
        await mortal.inbox.add(event).catch(() => undefined);
        await mortal.worker.drain();
        await mortal.worker.stop();
        const isThrough = !store.stopped;
        world.now += 5 * 60 * second;
        const next = world.process();
        await next.inbox.add(event);
        await next.worker.drain();
        expect([k, await plan(world)]).toEqual([k, 'team']);
        expect(await world.changes('api')).toHaveLength(1);
        expect((await entry(world, event.id))?.state).toBe('done');
        if (isThrough) break;
      }
    },
  );
});

describe('a disputed payment', () => {
  async function disputed(disputes: 'ignore' | 'end', customer = 'cus_office') {
    const world = await openBillingWorld({ stripe: { disputes } });
    sell(world);
    world.stripe.customers.set('cus_nobody', {
      subscriptions: [aSubscription('sub_other', 'cus_nobody')],
      entitlements: [],
    });
    await world.sync.customer('cus_office');
    const { objects, calls } = world.stripe;
    objects.set('dp_1', {
      id: 'dp_1',
      object: 'dispute',
      charge: { id: 'ch_1', object: 'charge', customer },
      payment_intent: 'pi_1',
    });
    const subscription = customer === 'cus_office' ? 'sub_1' : 'sub_other';
    const parent = { subscription_details: { subscription } };
    objects.set('inpay_1', {
      id: 'inpay_1',
      object: 'invoice_payment',
      payment_intent: 'pi_1',
      invoice: { id: 'in_1', object: 'invoice', parent },
    });
    const { customer: _unsaid, ...event } = arrival({
      type: 'charge.dispute.created',
      object: 'dp_1',
    });
    await world.inbox.add(event);
    await world.worker.drain();
    await world.inbox.add({ ...event, id: 'evt_again' });
    await world.worker.drain();
    return { world, ended: calls.filter((call) => call.startsWith('DELETE')) };
  }

  test('ends the subscription that it was for, once, where that is configured', async () => {
    const { world, ended } = await disputed('end');
    expect(ended).toEqual(['DELETE /v1/subscriptions/sub_1']);
    expect((await world.account()).document.subscriptions?.api?.status).toBe('canceled');
  });

  test('does nothing otherwise', async () => {
    expect((await disputed('ignore')).ended).toEqual([]);
  });

  test('of somebody who is no customer of ours: nothing', async () => {
    expect((await disputed('end', 'cus_nobody')).ended).toEqual([]);
  });
});

test('a store that cannot be written leaves the event for later', async () => {
  const world = await openBillingWorld();
  sell(world);
  await world.worker.stop();
  let isBroken = false;
  const { store } = world;
  const failing = faulty(store);
  const write: typeof store.write = (...all) => {
    if (isBroken) return Promise.reject(new Problem('store_unavailable', 503, 'It is away.'));
    return store.write(...all);
  };
  const other = world.process({ ...failing, write });
  onTestFinished(() => other.worker.stop());
  const event = arrival();
  await other.inbox.add(event);
  isBroken = true;
  await other.worker.drain();
  expect(await plan(world)).toBeUndefined();
  isBroken = false;
  world.now += 5 * 60 * second;
  await other.worker.drain();
  expect(await plan(world)).toBe('team');
});
