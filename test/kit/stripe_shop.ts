/** The simulator of Stripe with something to sell, and a customer who buys it. */

import { onTestFinished } from 'vitest';
import { cards } from '../../dev/stripe/cards.ts';
import { startStripe } from '../../dev/stripe/simulator.ts';
import type { StripeOptions, StripeSimulator } from '../../dev/stripe/simulator.ts';
import { handledTypes } from '../../src/billing/event_kinds.ts';
import { createStripe } from '../../src/billing/stripe.ts';
import type { StripeClient } from '../../src/billing/stripe.ts';
import type { ConfigInput } from '../../src/config.ts';
import type { AccountDocument, SubscriptionProjection } from '../../src/storage/documents.ts';
import { recordingLog, startServer, testConfig } from './server.ts';
import type { RunningServer } from './server.ts';
import { webhookSecret } from './stripe_events.ts';

export interface StripeShop {
  simulator: StripeSimulator;
  /** Stripe's own library. */
  api: StripeClient['api'];
  /** `team` by the month, `business` by the month and the year. */
  products: NonNullable<ConfigInput['products']>;
  /** By plan and period: `team month`. */
  prices: Record<string, string>;
  /** The key, the address, and the secret of the endpoint. */
  config: NonNullable<ConfigInput['stripe']>;
  customer(): Promise<string>;
  /** Through Checkout, with a card that pays. @returns the subscription */
  buy(customer: string, price: string, quantity?: number): Promise<string>;
  /**
   * Makes an endpoint, whose secret is in the configuration from then on: before a server starts.
   * @returns what sends events to that server, once its address is known
   */
  subscribe(kind?: 'snapshot' | 'thin'): Promise<(issuer: string) => Promise<void>>;
}

export async function openShop(options: Partial<StripeOptions> = {}): Promise<StripeShop> {
  const simulator = await startStripe({ port: 0, ...options });
  onTestFinished(() => simulator.close());
  const secrets = { secretKey: simulator.secretKey, apiBase: simulator.url };
  const config = { ...secrets, webhookSecrets: [webhookSecret] };
  const { stripe } = testConfig('http://127.0.0.1:1', { stripe: config });
  if (stripe === undefined) throw new Error('no configuration');
  const { fetch } = globalThis;
  const { api } = createStripe({ config: stripe, fetch, clock: Date.now, log: recordingLog() });
  const { products, prices } = await assortment(api);
  return {
    simulator,
    api,
    products,
    prices,
    config,
    customer: async () => (await api.customers.create({ name: 'Acme' })).id,
    async buy(customer, price, quantity = 1) {
      const session = await api.checkout.sessions.create({
        mode: 'subscription',
        customer,
        line_items: [{ price, quantity }],
        success_url: 'https://app.example.com/',
      });
      await simulator.checkout.pay(session.id, { card: cards.pays });
      const { subscription } = await api.checkout.sessions.retrieve(session.id);
      if (typeof subscription !== 'string') throw new Error('nothing was bought');
      return subscription;
    },
    async subscribe(kind = 'snapshot') {
      const { secret, moveTo } = await endpoint(api, kind);
      config.webhookSecrets.push(secret);
      return (issuer) => moveTo(`${issuer}/integrations/stripe/events`);
    },
  };
}

async function assortment(api: StripeClient['api']) {
  const { id: product } = await api.products.create({ name: 'API' });
  const prices: Record<string, string> = {};
  const plans: [string, 'month' | 'year', number][] = [
    ['team', 'month', 900],
    ['business', 'month', 2900],
    ['business', 'year', 29_000],
  ];
  for (const [plan, interval, amount] of plans) {
    const { id } = await api.prices.create({
      product,
      currency: 'eur',
      unit_amount: amount,
      recurring: { interval },
    });
    prices[`${plan} ${interval}`] = id;
  }
  const offered = ['team', 'business'].map((id) => ({
    id,
    name: id,
    prices: plans
      .filter(([plan]) => plan === id)
      .map(([, period]) => ({ period, price: prices[`${id} ${period}`] ?? '' })),
    seats: { max: 100 },
  }));
  const audience = 'https://api.example.com';
  return { products: [{ id: 'api', name: 'API', audience, plans: offered }], prices };
}

async function endpoint(api: StripeClient['api'], kind: 'snapshot' | 'thin') {
  const nowhere = 'http://127.0.0.1:9/';
  if (kind === 'snapshot') {
    const made = await api.webhookEndpoints.create({ url: nowhere, enabled_events: ['*'] });
    const moveTo = async (url: string) =>
      void (await api.webhookEndpoints.update(made.id, { url }));
    return { secret: made.secret ?? '', moveTo };
  }
  const made = await api.v2.core.eventDestinations.create({
    name: 'Tollgate',
    type: 'webhook_endpoint',
    event_payload: 'thin',
    enabled_events: handledTypes.map((type) => `v1.${type}`),
    webhook_endpoint: { url: nowhere },
    include: ['webhook_endpoint.signing_secret'],
  });
  const moveTo = async (url: string) =>
    void (await api.v2.core.eventDestinations.update(made.id, { webhook_endpoint: { url } }));
  return { secret: made.webhook_endpoint?.signing_secret ?? '', moveTo };
}

export interface ShopServer extends RunningServer {
  /** Of the account `acc_ada`, at the shop. */
  customer: string;
  account(): Promise<AccountDocument>;
  /** What is kept of the subscription to `api`. */
  projection(): Promise<SubscriptionProjection | undefined>;
}

/** Tollgate, which hears from the shop, and an account that is a customer there. */
export async function serveShop(
  shop: StripeShop,
  kind: 'snapshot' | 'thin' = 'snapshot',
): Promise<ShopServer> {
  const sendTo = await shop.subscribe(kind);
  const running = await startServer({ config: { products: shop.products, stripe: shop.config } });
  onTestFinished(() => running.close());
  await sendTo(running.issuer);
  const { store, server } = running;
  const customer = await shop.customer();
  await server.directory.createUser({ id: 'ada', name: 'Ada' });
  await server.directory.createAccount({ id: 'acc_ada', name: 'Ada', owner: 'ada' });
  const account = async () => (await store.get('account', 'acc_ada'))!;
  const { document, version } = await account();
  await store.write('account', 'acc_ada', { ...document, customer }, { expect: version });
  return {
    ...running,
    customer,
    account: async () => (await account()).document,
    projection: async () => (await account()).document.subscriptions?.api,
  };
}
