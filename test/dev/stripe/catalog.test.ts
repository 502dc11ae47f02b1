/** What is sold: products, prices, coupons, features and meters. */

import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { openMarket } from './market.ts';
import type { Market } from './market.ts';

let market: Market;
beforeEach(async () => {
  market = await openMarket();
});
afterEach(() => market.close());

describe('products and prices', () => {
  test('are made, changed and told', async () => {
    const { api } = market;
    const product = await api.products.create({
      id: 'prod_pro',
      name: 'Pro',
      metadata: { a: '1' },
    });
    await expect(api.products.create({ id: 'prod_pro', name: 'Pro' })).rejects.toMatchObject({
      param: 'id',
      code: 'resource_already_exists',
    });
    const price = await api.prices.create({
      product: product.id,
      currency: 'eur',
      unit_amount_decimal: api.Decimal.from('12.5'),
      recurring: { interval: 'week', interval_count: 2 },
      lookup_key: 'pro_biweekly',
      nickname: 'Every other week',
    });
    expect(price).toMatchObject({
      unit_amount: null,
      recurring: { interval: 'week', interval_count: 2, usage_type: 'licensed' },
      type: 'recurring',
    });
    expect(String(price.unit_amount_decimal)).toBe('12.5');
    await api.products.update(product.id, { default_price: price.id, description: 'For you' });
    const read = await api.products.retrieve(product.id, { expand: ['default_price'] });
    expect(read).toMatchObject({ description: 'For you', default_price: { id: price.id } });
    const types = market.simulator.objects.events().map(({ type }) => type);
    expect(types.slice(-3)).toEqual(['product.created', 'price.created', 'product.updated']);
    await expect(api.products.del(product.id)).rejects.toMatchObject({ statusCode: 400 });
  });

  test.each([
    [{ currency: 'usd', product: 'prod_no', unit_amount: 1 }, 'product', 'resource_missing'],
    [{ currency: 'usd', unit_amount: 1 }, 'product', 'parameter_missing'],
    [{ currency: 'usd', product: 'P' }, 'unit_amount', undefined],
    [{ product: 'P', unit_amount: 1 }, 'currency', 'parameter_missing'],
    [
      { currency: 'usd', product: 'P', unit_amount: '1.5' },
      'unit_amount',
      'parameter_invalid_integer',
    ],
    [
      { currency: 'usd', product: 'P', unit_amount: 1, recurring: { interval: 'hour' } },
      'recurring[interval]',
      undefined,
    ],
    [
      {
        currency: 'usd',
        product: 'P',
        unit_amount: 1,
        recurring: { interval: 'month', usage_type: 'metered' },
      },
      'recurring[meter]',
      'parameter_missing',
    ],
    [
      { currency: 'usd', product: 'P', unit_amount: 1, tiers: [{ up_to: 'inf' }] },
      'tiers',
      'parameter_unknown',
    ],
    [{ currency: 'usd', product: 'P', billing_scheme: 'tiered' }, 'billing_scheme', undefined],
  ])('%j is no price', async (wrong, param, code) => {
    const given = JSON.parse(JSON.stringify(wrong).replace('"P"', `"${market.product}"`));
    await expect(market.api.prices.create(given)).rejects.toMatchObject({ param, code });
  });
});

describe('coupons and promotion codes', () => {
  test('are found by their code, and used up', async () => {
    const { api } = market;
    const coupon = await api.coupons.create({
      id: 'HALF',
      percent_off: 50,
      duration: 'once',
      max_redemptions: 1,
    });
    const code = await api.promotionCodes.create({
      promotion: { type: 'coupon', coupon: 'HALF' },
      code: 'WELCOME',
    });
    const found = await api.promotionCodes.list({
      code: 'welcome',
      active: true,
      expand: ['data.promotion.coupon'],
    });
    expect(found.data).toMatchObject([{ id: code.id, promotion: { coupon: { percent_off: 50 } } }]);
    await expect(
      api.promotionCodes.create({ promotion: { type: 'coupon', coupon: 'HALF' }, code: 'WELCOME' }),
    ).rejects.toMatchObject({ param: 'code' });
    await market.subscribe(undefined, { discounts: [{ promotion_code: code.id }] });
    expect(await api.coupons.retrieve(coupon.id)).toMatchObject({
      times_redeemed: 1,
      valid: false,
    });
    await expect(market.session({ discounts: [{ coupon: 'HALF' }] })).rejects.toMatchObject({
      code: 'coupon_expired',
    });
    await expect(
      market.session({ discounts: [{ promotion_code: 'promo_no' }] }),
    ).rejects.toMatchObject({ param: 'discounts[0][promotion_code]' });
    await api.promotionCodes.update(code.id, { active: false });
    expect((await api.promotionCodes.list({ active: true })).data).toEqual([]);
    await api.coupons.del('HALF');
    await expect(api.coupons.retrieve('HALF')).rejects.toMatchObject({ statusCode: 404 });
  });

  test('say one thing off, and for how long', async () => {
    const { coupons } = market.api;
    await expect(coupons.create({})).rejects.toMatchObject({ statusCode: 400 });
    await expect(coupons.create({ amount_off: 5 })).rejects.toMatchObject({ param: 'currency' });
    await expect(coupons.create({ percent_off: 5, duration: 'repeating' })).rejects.toMatchObject({
      param: 'duration_in_months',
    });
  });
});

test('a customer is entitled to the features of what they are subscribed to, in pages', async () => {
  const { api, product } = market;
  const begun = await market.subscribe();
  const customer = String(begun.customer);
  for (let index = 0; index < 12; index += 1) {
    const key = `feature_${index}`;
    const feature = await api.entitlements.features.create({ name: key, lookup_key: key });
    await api.products.createFeature(product, { entitlement_feature: feature.id });
  }
  await expect(
    api.entitlements.features.create({ name: 'Again', lookup_key: 'feature_1' }),
  ).rejects.toMatchObject({ param: 'lookup_key' });
  const list = () =>
    api.entitlements.activeEntitlements.list({ customer, expand: ['data.feature'] });
  const first = await list();
  expect([first.data.length, first.has_more]).toEqual([10, true]);
  expect(first.data[0]).toMatchObject({ lookup_key: 'feature_0', feature: { name: 'feature_0' } });
  expect(first.data[0]).not.toHaveProperty('customer');
  const keys: string[] = [];
  for await (const one of list()) keys.push(one.lookup_key);
  expect(keys).toHaveLength(12);
  // The summary that goes with the event has the first ten only.
  const summaries = await api.events.list({
    type: 'entitlements.active_entitlement_summary.updated',
  });
  expect(summaries.data[0]?.data.object).toMatchObject({
    customer,
    entitlements: { has_more: true },
  });
  const [attached] = (await api.products.listFeatures(product)).data;
  await api.products.deleteFeature(product, attached?.id ?? '');
  expect((await list()).data.map((one) => one.lookup_key)).not.toContain('feature_11');
  await api.subscriptions.cancel(begun.id);
  expect((await list()).data).toEqual([]);
  await expect(
    api.entitlements.activeEntitlements.list({ customer: 'cus_no' }),
  ).rejects.toMatchObject({ param: 'customer' });
});

test('a meter counts by its formula, in windows, and takes nothing that it cannot count', async () => {
  const { api } = market;
  const { id: meter } = await api.billing.meters.create({
    display_name: 'Seats at the end of the day',
    event_name: 'seats',
    default_aggregation: { formula: 'last' },
    customer_mapping: { type: 'by_id', event_payload_key: 'customer' },
    value_settings: { event_payload_key: 'seats' },
  });
  await expect(
    api.billing.meters.create({
      display_name: 'Again',
      event_name: 'seats',
      default_aggregation: { formula: 'sum' },
    }),
  ).rejects.toMatchObject({ param: 'event_name' });
  const customer = await market.customer();
  const now = Math.floor(market.simulator.now() / 1000);
  const today = now - (now % 86_400);
  const report = (seats: string, timestamp = now) =>
    api.billing.meterEvents.create({
      event_name: 'seats',
      payload: { customer, seats },
      timestamp,
    });
  await report('3', today - 3600);
  await report('5', today - 7200);
  await report('7');
  const summaries = await api.billing.meters.listEventSummaries(meter, {
    customer,
    start_time: today - 86_400,
    end_time: today + 86_400,
    value_grouping_window: 'day',
  });
  expect(summaries.data.map((one) => one.aggregated_value)).toEqual([7, 3]);
  await expect(report('many')).rejects.toMatchObject({ param: 'payload[seats]' });
  await expect(report('1', now - 40 * 86_400)).rejects.toMatchObject({ param: 'timestamp' });
  await expect(report('1', now + 3600)).rejects.toMatchObject({ param: 'timestamp' });
  await api.billing.meters.deactivate(meter);
  await expect(report('1')).rejects.toMatchObject({ param: 'event_name' });
  await api.billing.meters.reactivate(meter);
  await report('1');
  await expect(
    api.billing.meterEvents.create({
      event_name: 'seats',
      payload: { customer: 'cus_no', seats: '1' },
    }),
  ).rejects.toMatchObject({ code: 'resource_missing' });
});

test('the portal’s configuration is made, changed and listed', async () => {
  const { billingPortal } = market.api;
  const made = await billingPortal.configurations.create({
    business_profile: { headline: 'Tollgate' },
    features: { invoice_history: { enabled: true } },
  });
  expect(made).toMatchObject({
    is_default: false,
    features: { invoice_history: { enabled: true }, subscription_cancel: { enabled: false } },
  });
  const update = (subscription_update: object) =>
    billingPortal.configurations.update(
      made.id,
      JSON.parse(JSON.stringify({ features: { subscription_update } })),
    );
  await expect(update({ enabled: true })).rejects.toMatchObject({
    param: 'features[subscription_update]',
  });
  await expect(
    update({ products: [{ product: market.product, prices: ['price_no'] }] }),
  ).rejects.toMatchObject({ code: 'resource_missing' });
  expect(await billingPortal.configurations.retrieve(made.id)).toMatchObject({
    features: { subscription_update: { enabled: false, products: [] } },
  });
  expect(
    await update({
      enabled: true,
      default_allowed_updates: ['price'],
      products: [{ product: market.product, prices: [market.prices.month] }],
    }),
  ).toMatchObject({ features: { subscription_update: { enabled: true } } });
  await billingPortal.configurations.update(made.id, { active: false });
  expect((await billingPortal.configurations.list({ is_default: true })).data).toHaveLength(1);
  const customer = await market.customer();
  await expect(
    billingPortal.sessions.create({ customer, configuration: made.id }),
  ).rejects.toMatchObject({ param: 'configuration' });
});
