/** A simulated Stripe, its own library before it, something to sell, and who hears of events. */

import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Stripe } from 'stripe';
import { cards } from '../../../dev/stripe/cards.ts';
import type { StripeOptions, StripeSimulator } from '../../../dev/stripe/simulator.ts';
import { startStripe } from '../../../dev/stripe/simulator.ts';

export const day = 86_400;
export const apiVersion = '2026-10-28.endive';

export interface Market {
  simulator: StripeSimulator;
  api: Stripe;
  prices: { month: string; year: string; free: string; metered: string };
  product: string;
  meter: string;
  /** A Checkout Session for the monthly price. */
  session(more?: Partial<Stripe.Checkout.SessionCreateParams>): Promise<Stripe.Checkout.Session>;
  /** A customer with a card that pays, and a monthly subscription. */
  subscribe(
    card?: string,
    more?: Partial<Stripe.Checkout.SessionCreateParams>,
  ): Promise<Stripe.Subscription>;
  customer(): Promise<string>;
  /** The types of events of an object, in the order of time, without a word for those before. */
  told(objectId: string): string[];
  advance(days: number): Promise<void>;
  close(): Promise<void>;
}

export async function openMarket(options: Partial<StripeOptions> = {}): Promise<Market> {
  const simulator = await startStripe({ port: 0, ...options });
  const api = clientOf(simulator);
  const meter = await api.billing.meters.create({
    display_name: 'Requests',
    event_name: 'requests',
    default_aggregation: { formula: 'sum' },
  });
  const product = await api.products.create({ name: 'Team' });
  const sell = async (unit_amount: number, recurring: Stripe.PriceCreateParams.Recurring) => {
    const made = { product: product.id, currency: 'usd', unit_amount, recurring };
    return (await api.prices.create(made)).id;
  };
  const prices = {
    month: await sell(2000, { interval: 'month' }),
    year: await sell(20_000, { interval: 'year' }),
    free: await sell(0, { interval: 'month' }),
    metered: await sell(3, { interval: 'month', usage_type: 'metered', meter: meter.id }),
  };
  const customer = async () => (await api.customers.create({ email: 'ann@example.com' })).id;
  const session: Market['session'] = (more = {}) =>
    api.checkout.sessions.create({
      mode: 'subscription',
      line_items: [{ price: prices.month, quantity: 1 }],
      success_url: 'https://app.example.com/success?session_id={CHECKOUT_SESSION_ID}',
      cancel_url: 'https://app.example.com/canceled',
      ...more,
    });
  return {
    simulator,
    api,
    prices,
    product: product.id,
    meter: meter.id,
    session,
    customer,
    async subscribe(card = cards.pays, more = {}) {
      const made = await session({ customer: await customer(), ...more });
      await simulator.checkout.pay(made.id, { card });
      const { subscription } = await api.checkout.sessions.retrieve(made.id);
      return api.subscriptions.retrieve(String(subscription));
    },
    told(objectId) {
      return simulator.objects
        .events()
        .filter(({ data: { object } }) => object.id === objectId || named(object, objectId))
        .map((event) => event.type);
    },
    advance: (days) => simulator.advance(days * day * 1000),
    close: () => simulator.close(),
  };
}

/** Whether an invoice is one of this subscription. */
function named(object: object, subscription: string): boolean {
  const invoice: Partial<Stripe.Invoice> = object;
  return invoice.parent?.subscription_details?.subscription === subscription;
}

/** As Tollgate has it: by changing the address and the key only. */
export function clientOf(simulator: StripeSimulator, config: Stripe.StripeConfig = {}): Stripe {
  const { hostname, port } = new URL(simulator.url);
  return new Stripe(simulator.secretKey, {
    host: hostname,
    port,
    protocol: 'http',
    apiVersion,
    telemetry: false,
    ...config,
  });
}

export interface Heard {
  body: string;
  signature: string;
}

export interface Ear {
  url: string;
  heard: Heard[];
  /** The types, in the order in which they came. */
  types(): string[];
  /** What the next so many deliveries are answered with. */
  answer(status: number, times: number): void;
  close(): Promise<void>;
}

/** Hears what is sent, and takes it. */
export async function openEar(): Promise<Ear> {
  const heard: Heard[] = [];
  let refusing = { status: 200, times: 0 };
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const body = Buffer.concat(chunks).toString('utf8');
      heard.push({ body, signature: String(request.headers['stripe-signature']) });
      const refused = refusing.times > 0;
      if (refused) refusing = { ...refusing, times: refusing.times - 1 };
      response.writeHead(refused ? refusing.status : 200).end();
    });
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}/hook`,
    heard,
    types: () => heard.map(({ body }) => String(JSON.parse(body).type)),
    answer(status, times) {
      refusing = { status, times };
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
