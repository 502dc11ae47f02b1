/**
 * Each object that the simulator answers is held against Stripe's published example of it (fixtures/,
 * MIT, of 2026-08): it has all that the example has, in the same types, and nothing that neither the
 * example nor the types of Stripe's package know. Fields may be null where either is.
 */

import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { cards } from '../../../dev/stripe/cards.ts';
import { openMarket } from './market.ts';
import type { Market } from './market.ts';

type Json = Record<string, unknown>;

const fixtures = new URL('fixtures/stripe-fixtures.json', import.meta.url);

/** The differences, each with its reason. */
const allowed: Record<string, string> = {
  'account.external_accounts': 'bank accounts of the company are not simulated',
  'account.future_requirements': 'what Stripe wants to know of the company is not simulated',
  'account.requirements': 'what Stripe wants to know of the company is not simulated',
  'account.settings': 'settings of the Dashboard are `settings` of the simulator',
  'account.tos_acceptance': 'of connected accounts only',
  'charge.refunds': 'only where it is expanded, since 2022-11-15',
  'charge.payment_method_details.card': 'a bank debit has `sepa_debit` in its place',
  'invoice.id': 'the invoice of `invoice.upcoming` has none yet',
  'invoice.subscription': 'under `parent` since 2025-03-31.basil; the example still has it',
  'payment_method.card': 'a bank debit has `sepa_debit` in its place',
};

/** Where the package's types for an object are. */
const declared: Record<string, string> = {
  account: 'Accounts',
  'billing.meter': 'Billing/Meters',
  'billing.meter_event': 'Billing/MeterEvents',
  'billing.meter_event_summary': 'Billing/MeterEventSummaries',
  'billing_portal.configuration': 'BillingPortal/Configurations',
  'billing_portal.session': 'BillingPortal/Sessions',
  charge: 'Charges',
  'checkout.session': 'Checkout/Sessions',
  coupon: 'Coupons',
  customer: 'Customers',
  discount: 'Discounts',
  dispute: 'Disputes',
  'entitlements.active_entitlement': 'Entitlements/ActiveEntitlements',
  'entitlements.active_entitlement_summary': 'Entitlements/ActiveEntitlementSummaries',
  'entitlements.feature': 'Entitlements/Features',
  event: 'Events',
  invoice: 'Invoices',
  invoice_payment: 'InvoicePayments',
  item: 'LineItems',
  line_item: 'InvoiceLineItems',
  payment_intent: 'PaymentIntents',
  payment_method: 'PaymentMethods',
  plan: 'Plans',
  price: 'Prices',
  product: 'Products',
  product_feature: 'ProductFeatures',
  promotion_code: 'PromotionCodes',
  refund: 'Refunds',
  subscription: 'Subscriptions',
  subscription_item: 'SubscriptionItems',
  'test_helpers.test_clock': 'TestHelpers/TestClocks',
  webhook_endpoint: 'WebhookEndpoints',
};

let market: Market;
let examples: Record<string, Json>;
/** As they came over the wire, by `object`. */
const seen = new Map<string, Json[]>();

beforeAll(async () => {
  examples = JSON.parse(await readFile(fixtures, 'utf8'));
  market = await openMarket();
  await liveALittle();
}, 60_000);
afterAll(() => market.close());

async function get(path: string): Promise<Json> {
  const response = await fetch(`${market.simulator.url}${path}`, {
    headers: { authorization: `Bearer ${market.simulator.secretKey}` },
  });
  return response.json();
}

/** Makes one of each kind, in more than one state. */
async function liveALittle(): Promise<void> {
  const { api, simulator, prices, product } = market;
  const coupon = await api.coupons.create({ percent_off: 25, duration: 'forever' });
  const code = await api.promotionCodes.create({
    promotion: { type: 'coupon', coupon: coupon.id },
  });
  const feature = await api.entitlements.features.create({
    name: 'Exports',
    lookup_key: 'exports',
  });
  await api.products.createFeature(product, { entitlement_feature: feature.id });
  const paid = await market.subscribe(cards.pays, { discounts: [{ promotion_code: code.id }] });
  const customer = String(paid.customer);
  await market.subscribe(cards.bankDebit);
  await market.subscribe(cards.pays, { subscription_data: { trial_period_days: 10 } });
  await market.subscribe();
  await market.session();
  await api.billingPortal.sessions.create({
    customer,
    flow_data: { type: 'subscription_cancel', subscription_cancel: { subscription: paid.id } },
  });
  await simulator.refund(paid.id, 100);
  await simulator.dispute(paid.id);
  await api.billing.meterEvents.create({
    event_name: 'requests',
    payload: { stripe_customer_id: customer, value: '5' },
  });
  await api.testHelpers.testClocks.create({ frozen_time: 1_700_000_000 });
  await api.webhookEndpoints.create({
    url: 'https://example.com/hook',
    enabled_events: ['invoice.paid'],
  });
  await api.subscriptions.update(paid.id, {
    items: [{ id: paid.items.data[0]?.id ?? '', price: prices.year }],
  });
  await market.advance(29);
  const lists = [
    '/v1/billing/meters',
    '/v1/billing_portal/configurations',
    '/v1/charges',
    '/v1/checkout/sessions?expand[]=data.line_items',
    '/v1/coupons',
    '/v1/customers',
    '/v1/disputes',
    `/v1/entitlements/active_entitlements?customer=${customer}`,
    '/v1/entitlements/features',
    '/v1/invoice_payments',
    '/v1/invoices?limit=100',
    '/v1/payment_intents',
    '/v1/payment_methods',
    '/v1/prices',
    '/v1/products',
    `/v1/products/${product}/features`,
    '/v1/promotion_codes',
    '/v1/refunds',
    '/v1/subscriptions?status=all&expand[]=data.discounts',
    '/v1/test_helpers/test_clocks',
    '/v1/webhook_endpoints',
  ];
  for (const path of lists) collect(await get(path));
  for await (const event of api.events.list({ limit: 100 }))
    collect(JSON.parse(JSON.stringify(event)));
  collect(await get('/v1/account'));
  const from = Math.floor(simulator.now() / 60_000) * 60;
  const span = `start_time=${from - 50 * 86_400}&end_time=${from}`;
  collect(
    await get(`/v1/billing/meters/${market.meter}/event_summaries?customer=${customer}&${span}`),
  );
}

/** Objects within objects too; not what events hold, which may be without an id. */
function collect(value: unknown): void {
  if (Array.isArray(value)) {
    for (const one of value) collect(one);
  }
  if (!isObject(value)) return;
  const kind = value['object'];
  if (typeof kind === 'string' && kind !== 'list')
    seen.set(kind, [...(seen.get(kind) ?? []), value]);
  for (const one of Object.values(value)) collect(one);
}

function isObject(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

test.each(Object.keys(declared))('%s is whole, and has the types of the example', async (kind) => {
  const example = examples[kind];
  expect(example).toBeDefined();
  const objects = seen.get(kind) ?? [];
  if (kind === 'billing.meter_event') objects.push(await meterEvent());
  if (kind === 'billing_portal.session') objects.push(...(await portalSessions()));
  expect(objects.length, `no ${kind} was seen`).toBeGreaterThan(0);
  const types = await declaration(kind);
  for (const object of objects) {
    expect([...differences(kind, object, example ?? {}, types)]).toEqual([]);
  }
});

test('what was deleted answers as the examples do', async () => {
  const { api, customer } = market;
  const gone = await api.customers.del(await customer());
  expect(Object.keys(gone).toSorted()).toEqual(
    Object.keys(examples['deleted_customer'] ?? {}).toSorted(),
  );
  expect(gone).toMatchObject({ object: 'customer', deleted: true });
  const product = await api.products.del((await api.products.create({ name: 'Gone' })).id);
  expect(product).toEqual({ ...examples['deleted_product'], id: product.id });
});

test('each reason for a difference is one that is there', () => {
  const used = new Set<string>();
  for (const kind of Object.keys(declared)) {
    for (const object of seen.get(kind) ?? []) {
      for (const found of differences(kind, object, examples[kind] ?? {}, undefined)) {
        used.add(found.split(':')[0] ?? '');
      }
    }
  }
  for (const path of Object.keys(allowed)) expect([...used]).toContain(path);
});

async function meterEvent(): Promise<Json> {
  const { api, customer } = market;
  const payload = { stripe_customer_id: await customer(), value: '1' };
  const event = await api.billing.meterEvents.create({ event_name: 'requests', payload });
  return JSON.parse(JSON.stringify(event));
}

async function portalSessions(): Promise<Json[]> {
  const session = await market.api.billingPortal.sessions.create({
    customer: await market.customer(),
  });
  return [JSON.parse(JSON.stringify(session))];
}

/** The text of the package's types, for names that the example does not have. */
async function declaration(kind: string): Promise<string> {
  const main = createRequire(import.meta.url).resolve('stripe');
  const types = join(dirname(main), '..', 'esm', 'resources', `${declared[kind]}.d.ts`);
  return readFile(types, 'utf8');
}

/** Without `types` also those that are allowed. */
function* differences(
  path: string,
  ours: Json,
  theirs: Json,
  types: string | undefined,
): Generator<string> {
  const known = (name: string) => types === undefined || new RegExp(`\\b${name}\\??:`).test(types);
  const say = (at: string) => types === undefined || allowed[at] === undefined;
  for (const [name, example] of Object.entries(theirs)) {
    const at = `${path}.${name}`;
    if (!(name in ours)) {
      if (say(at)) yield `${at}: is missing`;
      continue;
    }
    const value = ours[name];
    if (value === null || example === null) {
      // An object in the place of an id, or anything in the place of nothing.
    } else if (kindOf(value) !== kindOf(example)) {
      if (say(at)) yield `${at}: is ${kindOf(value)}, not ${kindOf(example)}`;
    } else if (isObject(value) && isObject(example) && !isMap(name)) {
      const own = value['object'];
      // A whole object within is held against its own example.
      if (typeof own !== 'string' || own === 'list') yield* differences(at, value, example, types);
    }
  }
  for (const name of Object.keys(ours)) {
    if (!(name in theirs) && !known(name)) yield `${path}.${name}: is unknown to Stripe`;
  }
}

/** Its keys are whatever somebody chose. */
function isMap(name: string): boolean {
  return ['metadata', 'payload'].includes(name);
}

function kindOf(value: unknown): string {
  return Array.isArray(value) ? 'array' : typeof value;
}
