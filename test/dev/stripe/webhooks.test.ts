/** What the simulator tells others: signed, at least once, and in as bad an order as is wanted. */

import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { cards } from '../../../dev/stripe/cards.ts';
import { apiVersion, openEar, openMarket } from './market.ts';
import type { Ear, Market } from './market.ts';

let market: Market;
let ear: Ear;
let secret: string;
beforeEach(async () => {
  market = await openMarket({ webhookRetries: [1, 1, 1] });
  ear = await openEar();
  const endpoint = await market.api.webhookEndpoints.create({
    url: ear.url,
    enabled_events: ['customer.created', 'customer.updated', 'customer.subscription.updated'],
    api_version: apiVersion,
  });
  secret = endpoint.secret ?? '';
});
afterEach(async () => {
  await market.close();
  await ear.close();
});

const eventIds = () => market.simulator.objects.events().map(({ id }) => id);

/** So many customers, each with an event. @returns the events' ids */
async function customers(names: readonly string[]): Promise<string[]> {
  const before = new Set(eventIds());
  for (const name of names) await market.api.customers.create({ name });
  return eventIds().filter((id) => !before.has(id));
}

const heardNames = () => ear.heard.map(({ body }) => JSON.parse(body).data.object.name);

test('a snapshot is signed, and of the types that were asked for', async () => {
  const { id } = await market.api.customers.create({ name: 'Ann' });
  await market.api.customers.update(id, { name: 'Bob' });
  await market.api.products.create({ name: 'Other' });
  await market.simulator.webhooks.flush();
  const events = await Promise.all(
    ear.heard.map(({ body, signature }) =>
      market.api.webhooks.constructEventAsync(body, signature, secret),
    ),
  );
  expect(events.map(({ type }) => type).toSorted()).toEqual([
    'customer.created',
    'customer.updated',
  ]);
  const updated = events.find(({ type }) => type === 'customer.updated');
  expect(updated).toMatchObject({
    object: 'event',
    api_version: apiVersion,
    livemode: false,
    data: { object: { id, name: 'Bob' }, previous_attributes: { name: 'Ann' } },
  });
  expect(await market.api.events.retrieve(updated?.id ?? '')).toMatchObject({ id: updated?.id });
  const [first] = ear.heard;
  await expect(
    market.api.webhooks.constructEventAsync(
      first?.body ?? '',
      first?.signature ?? '',
      'whsec_other',
    ),
  ).rejects.toMatchObject({ type: 'StripeSignatureVerificationError' });
});

test('what happens in a future that was moved to is signed today', async () => {
  await market.subscribe();
  await market.advance(40);
  await market.simulator.webhooks.flush();
  const last = ear.heard.at(-1);
  const event = await market.api.webhooks.constructEventAsync(
    last?.body ?? '',
    last?.signature ?? '',
    secret,
  );
  expect(event.created * 1000).toBeGreaterThan(Date.now() + 29 * 86_400_000);
});

test('what is refused is sent again, until it is given up', async () => {
  ear.answer(500, 2);
  const [event] = await customers(['Ann']);
  await market.simulator.webhooks.flush();
  expect(market.simulator.webhooks.attempts.map(({ status }) => status)).toEqual([500, 500, 200]);
  ear.answer(503, 100);
  await customers(['Bob']);
  await market.simulator.webhooks.flush();
  expect(market.simulator.webhooks.attempts.slice(3).map(({ status }) => status)).toEqual([
    503, 503, 503, 503,
  ]);
  expect(market.simulator.webhooks.pending).toEqual([]);
  ear.answer(200, 0);
  expect(await market.simulator.webhooks.redeliver(event ?? '')).toMatchObject([{ status: 200 }]);
});

test('a redirect is no delivery, nor is nobody', async () => {
  ear.answer(302, 1);
  await customers(['Ann']);
  await market.simulator.webhooks.flush();
  expect(ear.heard).toHaveLength(2);
  const lost = await market.api.webhookEndpoints.create({
    url: 'http://127.0.0.1:1/nobody',
    enabled_events: ['*'],
  });
  await customers(['Bob']);
  await market.simulator.webhooks.flush();
  const attempts = market.simulator.webhooks.attempts.filter(
    ({ receiver }) => receiver === lost.id,
  );
  expect(attempts.map(({ status }) => status)).toEqual([0, 0, 0, 0]);
});

test('nothing is sent while it is paused', async () => {
  const { webhooks } = market.simulator;
  webhooks.pause();
  const [event] = await customers(['Ann']);
  await expect(webhooks.flush()).rejects.toThrow(/paused/);
  expect(webhooks.pending).toMatchObject([
    { eventId: event, type: 'customer.created', url: ear.url, attempts: 0 },
  ]);
  expect(ear.heard).toEqual([]);
  webhooks.resume();
  await webhooks.flush();
  expect(ear.types()).toEqual(['customer.created']);
});

test('events are sent in the order that a test wants, and others are lost', async () => {
  const { webhooks } = market.simulator;
  webhooks.pause();
  const [ann, bob, cid] = await customers(['Ann', 'Bob', 'Cid']);
  expect(await webhooks.deliver([cid ?? '', ann ?? ''])).toMatchObject([
    { eventId: cid, status: 200 },
    { eventId: ann, status: 200 },
  ]);
  expect(heardNames()).toEqual(['Cid', 'Ann']);
  expect(webhooks.pending).toMatchObject([{ eventId: bob }]);
  webhooks.drop();
  webhooks.resume();
  await webhooks.flush();
  expect(heardNames()).toEqual(['Cid', 'Ann']);
  await expect(webhooks.redeliver('evt_no')).rejects.toMatchObject({ status: 404 });
});

test('duplicates, disorder and delay are had for the asking', async () => {
  let turn = 0;
  const disorderly = await openMarket({
    // Ids are made of it too, so it must not stand still.
    random: () => (turn = (turn + 0.618) % 1),
  });
  try {
    await disorderly.api.webhookEndpoints.create({
      url: ear.url,
      enabled_events: ['customer.created'],
    });
    Object.assign(disorderly.simulator.webhooks.options, {
      duplicates: 2,
      shuffle: true,
      delayMs: 60_000,
    });
    const names = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'];
    for (const name of names) await disorderly.api.customers.create({ name });
    expect(ear.heard).toEqual([]);
    await disorderly.simulator.webhooks.flush();
    expect(heardNames().toSorted()).toEqual(names.flatMap((name) => [name, name, name]));
    expect([...new Set(heardNames())]).not.toEqual(names);
  } finally {
    await disorderly.close();
  }
});

test('an endpoint is changed, silenced and taken away; its secret is told once', async () => {
  const { api } = market;
  expect(secret).toMatch(/^whsec_/);
  const [endpoint] = (await api.webhookEndpoints.list()).data;
  const id = endpoint?.id ?? '';
  expect(endpoint).not.toHaveProperty('secret');
  expect(await api.webhookEndpoints.update(id, { disabled: true })).toMatchObject({
    status: 'disabled',
  });
  await customers(['Ann']);
  await api.webhookEndpoints.update(id, { disabled: false, enabled_events: ['*'] });
  await api.products.create({ name: 'Other' });
  await market.simulator.webhooks.flush();
  expect(ear.types()).toEqual(['product.created']);
  expect(await api.webhookEndpoints.del(id)).toEqual({
    id,
    object: 'webhook_endpoint',
    deleted: true,
  });
  await customers(['Bob']);
  await market.simulator.webhooks.flush();
  expect(ear.heard).toHaveLength(1);
  await expect(
    api.webhookEndpoints.create({ url: 'nowhere', enabled_events: ['*'] }),
  ).rejects.toMatchObject({ param: 'url', code: 'url_invalid' });
});

describe('thin events', () => {
  async function destination(enabled_events: string[]): Promise<string> {
    const made = await market.api.v2.core.eventDestinations.create({
      name: 'Tollgate',
      type: 'webhook_endpoint',
      event_payload: 'thin',
      enabled_events,
      webhook_endpoint: { url: ear.url },
      include: ['webhook_endpoint.signing_secret', 'webhook_endpoint.url'],
    });
    expect(made).toMatchObject({ status: 'enabled', webhook_endpoint: { url: ear.url } });
    return made.webhook_endpoint?.signing_secret ?? '';
  }

  const heardThin = () =>
    ear.heard.filter(({ body }) => JSON.parse(body).object === 'v2.core.event');

  test('say what happened to what, and lead to it', async () => {
    const key = await destination(['v1.customer.created']);
    const { id } = await market.api.customers.create({ name: 'Ann' }, { idempotencyKey: 'ann' });
    await market.simulator.webhooks.flush();
    const [heard] = heardThin();
    const notification = await market.api.parseEventNotificationAsync(
      heard?.body ?? '',
      heard?.signature ?? '',
      key,
    );
    expect(notification).toMatchObject({
      object: 'v2.core.event',
      type: 'v1.customer.created',
      livemode: false,
      related_object: { id, type: 'customer', url: `/v1/customers/${id}` },
      reason: { type: 'request', request: { idempotency_key: 'ann' } },
    });
    if (notification.type !== 'v1.customer.created') throw new Error('another type');
    expect(await notification.fetchRelatedObject()).toMatchObject({ id, name: 'Ann' });
    const event = await notification.fetchEvent();
    expect(event.id).toBe(notification.id);
    const snapshot = await market.api.events.retrieve(event.snapshot_event ?? '');
    expect(snapshot).toMatchObject({ type: 'customer.created', data: { object: { id } } });
    // And the two kinds are not taken for one another.
    await expect(
      market.api.webhooks.constructEventAsync(heard?.body ?? '', heard?.signature ?? '', key),
    ).rejects.toThrow();
  });

  test('are finer where a subscription or what it entitles to has changed', async () => {
    const feature = await market.api.entitlements.features.create({
      name: 'Exports',
      lookup_key: 'exports',
    });
    await market.api.products.createFeature(market.product, { entitlement_feature: feature.id });
    await destination(['*']);
    const begun = await market.subscribe(cards.pays);
    const [item] = begun.items.data;
    await market.api.subscriptions.update(begun.id, { cancel_at_period_end: true });
    await market.api.subscriptions.update(begun.id, {
      cancel_at_period_end: false,
      items: [{ id: item?.id ?? '', price: market.prices.year, quantity: 3 }],
    });
    await market.simulator.webhooks.flush();
    const types = heardThin().map(({ body }) => String(JSON.parse(body).type));
    expect(types).toEqual(
      expect.arrayContaining([
        'v1.customer.subscription.created',
        'v1.customer.subscription.incomplete',
        'v1.customer.subscription.active',
        'v1.customer.subscription.updated',
        'v1.customer.subscription.cancel_at_changed',
        'v1.customer.subscription.item_price_changed',
        'v1.customer.subscription.item_quantity_changed',
        'v1.entitlements.active_entitlement_summary.updated',
        'v1.entitlements.active_entitlement_summary.entitlement_added',
        'v1.invoice.paid',
        'v1.checkout.session.completed',
      ]),
    );
    const { data } = await market.api.v2.core.events.list({ object_id: begun.id, limit: 1 });
    expect(data[0]?.type).toMatch(/^v1\.customer\.subscription\./);
    // Stripe's summary has no id, so its thin events name nothing: the snapshot says whose it is.
    const summary = heardThin()
      .map(({ body }) => JSON.parse(body))
      .find(({ type }) => type === 'v1.entitlements.active_entitlement_summary.updated');
    expect(summary.related_object).toBeNull();
    expect(await market.api.events.retrieve(summary.snapshot_event)).toMatchObject({
      data: {
        object: { customer: begun.customer, entitlements: { data: [{ lookup_key: 'exports' }] } },
      },
    });
  });

  test('go to destinations that are enabled', async () => {
    await destination(['v1.customer.created']);
    const { eventDestinations } = market.api.v2.core;
    const [made] = (await eventDestinations.list()).data;
    const id = made?.id ?? '';
    expect(made?.webhook_endpoint).not.toHaveProperty('signing_secret');
    expect(await eventDestinations.disable(id)).toMatchObject({ status: 'disabled' });
    await customers(['Ann']);
    await eventDestinations.enable(id);
    await customers(['Bob']);
    await market.simulator.webhooks.flush();
    expect(heardThin()).toHaveLength(1);
    await eventDestinations.update(id, { enabled_events: ['v1.product.created'] });
    await eventDestinations.del(id);
    await expect(eventDestinations.retrieve(id)).rejects.toMatchObject({ statusCode: 404 });
    await expect(
      eventDestinations.create({
        name: 'Wrong',
        type: 'webhook_endpoint',
        event_payload: 'thin',
        enabled_events: ['customer.created'],
        webhook_endpoint: { url: ear.url },
      }),
    ).rejects.toMatchObject({ statusCode: 400 });
  });
});

test('several events of one moment have the same second', async () => {
  await market.subscribe();
  const seconds = market.simulator.objects.events().map(({ created }) => created);
  expect(new Set(seconds).size).toBeLessThan(seconds.length / 3);
});

test('events are listed by type and time, and kept for 30 days', async () => {
  await market.subscribe();
  const { data } = await market.api.events.list({
    types: ['invoice.paid', 'customer.subscription.created'],
  });
  expect(data.map(({ type }) => type)).toEqual(['invoice.paid', 'customer.subscription.created']);
  const [first] = data;
  const later = await market.api.events.list({ created: { gt: (first?.created ?? 0) + 1 } });
  expect(later.data).toEqual([]);
  const since = await market.api.events.list({ ending_before: data[1]?.id ?? '', limit: 100 });
  expect(since.data.map(({ id }) => id)).toContain(first?.id);
  await market.advance(31);
  await expect(market.api.events.retrieve(first?.id ?? '')).rejects.toMatchObject({
    code: 'resource_missing',
  });
});
