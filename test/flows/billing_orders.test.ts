/** S4: in whatever order events come, how often and how late, what is kept is what Stripe says at the end. */

import { describe, expect, test } from 'vitest';
import { cards } from '../../dev/stripe/cards.ts';
import type { SubscriptionProjection } from '../../src/storage/documents.ts';
import { openBillingWorld } from '../billing/world.ts';
import { rounds } from '../kit/places.ts';
import { signatureOf } from '../kit/stripe_events.ts';
import { openShop, serveShop } from '../kit/stripe_shop.ts';
import type { StripeShop } from '../kit/stripe_shop.ts';

const day = 86_400_000;

/** A card that is refused when the next period is to be paid. */
async function breakCard({ api, simulator }: StripeShop, customer: string): Promise<void> {
  const session = await api.billingPortal.sessions.create({ customer });
  await simulator.portal.setCard(session.id, cards.failsLater);
}

/** Bought, changed twice, renewed in vain, ended. @returns six of its events by id, as they are sent */
async function lifeOf(shop: StripeShop, customer: string): Promise<Map<string, string>> {
  const { api, simulator, prices } = shop;
  const subscription = await shop.buy(customer, prices['team month'] ?? '', 3);
  const [item] = (await api.subscriptions.retrieve(subscription)).items.data;
  if (item === undefined) throw new Error('no item');
  await api.subscriptions.update(subscription, { items: [{ id: item.id, quantity: 7 }] });
  await api.subscriptions.update(subscription, {
    items: [{ id: item.id, price: prices['business month'] ?? '' }],
  });
  await breakCard(shop, customer);
  await simulator.advance(32 * day);
  await api.subscriptions.cancel(subscription, {
    cancellation_details: { feedback: 'too_expensive' },
  });
  // Its list goes back 30 days only, as Stripe's does.
  const all = simulator.objects.events();
  const wanted = [
    'customer.subscription.created',
    'customer.subscription.updated',
    'customer.subscription.updated',
    'invoice.paid',
    'invoice.payment_failed',
    'customer.subscription.deleted',
  ];
  const chosen = new Map<string, string>();
  for (const type of wanted) {
    const event = all.find((one) => one.type === type && !chosen.has(one.id));
    if (event === undefined) throw new Error(`there was no ${type}`);
    chosen.set(event.id, JSON.stringify(event));
  }
  return chosen;
}

function* permutations<T>(list: readonly T[]): Generator<T[]> {
  if (list.length === 0) yield [];
  for (const [at, first] of list.entries()) {
    const rest = list.toSpliced(at, 1);
    for (const others of permutations(rest)) yield [first, ...others];
  }
}

test('S4 all 720 orders of six events of a life end in the same projection', async () => {
  const shop = await openShop();
  const customer = await shop.customer();
  const bodies = await lifeOf(shop, customer);
  const ids = [...bodies.keys()];
  const { products } = shop;
  const { apiBase, secretKey } = shop.config;
  const world = await openBillingWorld({ products, stripe: { apiBase, secretKey } });
  const { store, webhooks, worker } = world;
  const empty = { ...(await world.account()).document, customer };

  async function play(order: readonly string[], pauseAfter: number) {
    // Signatures are of now.
    world.now = Date.now();
    await store.write('account', 'acc_office', empty, { expect: 'any' });
    for (const [at, id] of order.entries()) {
      await store.write('inbox', id, null, { expect: 'any' });
      const body = bodies.get(id) ?? '';
      expect(await webhooks.receive(Buffer.from(body), signatureOf(body))).toBe('stored');
      // Each is worked on at some point of some order, alone or with others.
      if (at === pauseAfter) await worker.drain();
    }
    await worker.drain();
    return (await world.account()).document.subscriptions;
  }

  const found = new Set<string>();
  const orders = [...permutations(ids)];
  expect(orders).toHaveLength(720);
  // Behind a wire every fifth: what the order means to the store is the same there.
  const step = orders.length / rounds(orders.length);
  for (let at = 0; at < orders.length; at += step) {
    found.add(JSON.stringify(await play(orders[at] ?? [], at % ids.length)));
  }
  expect(found.size).toBe(1);
  const [projection] = [...found].map(
    (text) => (JSON.parse(text) as Record<string, SubscriptionProjection>).api,
  );
  expect(projection).toMatchObject({
    status: 'canceled',
    plan: 'business',
    quantity: 7,
    cancellation: { reason: 'cancellation_requested', feedback: 'too_expensive' },
  });
}, 180_000);

/** What Stripe has, in the words of a projection. */
async function truth({ api }: StripeShop, subscription: string) {
  const { status, items, cancel_at: end } = await api.subscriptions.retrieve(subscription);
  const [item] = items.data;
  return {
    subscription,
    status,
    price: item?.price.id,
    quantity: item?.quantity,
    periodEnd: (item?.current_period_end ?? 0) * 1000,
    ...(end === null ? {} : { cancelAt: end * 1000 }),
  };
}

describe.each(['snapshot', 'thin'] as const)('with %s events', (kind) => {
  test('three times each, in disorder and late: after each step the account is as Stripe says', async () => {
    const shop = await openShop({ webhookRetries: [50, 100] });
    const { simulator, api, prices } = shop;
    const { customer, projection } = await serveShop(shop, kind);
    Object.assign(simulator.webhooks.options, { duplicates: 2, shuffle: true, delayMs: 20 });

    const subscription = await shop.buy(customer, prices['team month'] ?? '', 3);
    const [item] = (await api.subscriptions.retrieve(subscription)).items.data;
    const id = item?.id ?? '';
    const change = (to: object) => api.subscriptions.update(subscription, to);
    const steps: [string, () => Promise<unknown>][] = [
      ['more seats', () => change({ items: [{ id, quantity: 7 }] })],
      ['another plan', () => change({ items: [{ id, price: prices['business month'] ?? '' }] })],
      ['a period on', () => simulator.advance(32 * day)],
      ['canceled', () => change({ cancel_at_period_end: true })],
      ['and taken back', () => change({ cancel_at_period_end: false })],
      ['the card breaks', () => breakCard(shop, customer)],
      ['the next period is not paid', () => simulator.advance(31 * day)],
      ['ended', () => api.subscriptions.cancel(subscription)],
    ];
    for (const [what, step] of steps) {
      await step();
      await simulator.webhooks.flush();
      const expected = await truth(shop, subscription);
      const found = async () => [what, await projection()];
      await expect
        .poll(found, { timeout: 10_000 })
        .toEqual([what, expect.objectContaining(expected)]);
    }
    const refused = simulator.webhooks.attempts.filter(({ status }) => status !== 200);
    expect(refused).toEqual([]);
  }, 60_000);
});
