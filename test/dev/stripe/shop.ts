/** A simulated Stripe with something to sell, its pages, and a browser before them. */

import { Stripe } from 'stripe';
import { createBrowser } from '../../../dev/walk.ts';
import type { Browser } from '../../../dev/walk.ts';
import { cards } from '../../../dev/stripe/cards.ts';
import { stripePages } from '../../../dev/stripe/pages/handler.ts';
import type { Surroundings } from '../../../dev/stripe/pages/dashboard.ts';
import { startStripe } from '../../../dev/stripe/simulator.ts';
import type { StripeSimulator } from '../../../dev/stripe/simulator.ts';

export const app = 'https://app.example.com';
export const day = 86_400_000;

export interface Shop {
  simulator: StripeSimulator;
  api: Stripe;
  prices: { team: string; business: string };
  /** Goes nowhere beyond the simulator. */
  browser: Browser;
  checkout(more?: Partial<Stripe.Checkout.SessionCreateParams>): Promise<Stripe.Checkout.Session>;
  /** A customer with a card and a subscription to Team. */
  subscriber(): Promise<{ customer: string; subscription: string }>;
  portal(
    customer: string,
    flow?: Stripe.BillingPortal.SessionCreateParams.FlowData,
  ): Promise<string>;
  close(): Promise<void>;
}

export async function openShop(around: Surroundings = {}): Promise<Shop> {
  const pages = (own: StripeSimulator) => stripePages(own, around);
  const simulator = await startStripe({ port: 0, pages });
  const { hostname: host, port } = new URL(simulator.url);
  const api = new Stripe(simulator.secretKey, { host, port, protocol: 'http' });
  const [team, business] = [await sell(api, 'Team', 1200), await sell(api, 'Business', 3000)];
  let configuration: Promise<string> | undefined;
  const configured = () => (configuration ??= configure(api, [team, business]));
  const prices = { team: team.price, business: business.price };
  const checkout: Shop['checkout'] = (more = {}) =>
    api.checkout.sessions.create({
      mode: 'subscription',
      line_items: [{ price: prices.team, quantity: 2 }],
      success_url: `${app}/success?session={CHECKOUT_SESSION_ID}`,
      cancel_url: `${app}/canceled`,
      ...more,
    });
  return {
    simulator,
    api,
    prices,
    browser: createBrowser({ stopAt: ({ origin }) => origin === app }),
    checkout,
    async subscriber() {
      const { id: customer } = await api.customers.create({ name: 'Acme', email: 'a@example.com' });
      const session = await checkout({ customer });
      await simulator.checkout.pay(session.id, { card: cards.pays });
      const [made] = (await api.subscriptions.list({ customer })).data;
      return { customer, subscription: made?.id ?? '' };
    },
    async portal(customer, flow) {
      const session = await api.billingPortal.sessions.create({
        customer,
        configuration: await configured(),
        return_url: `${app}/back`,
        ...(flow === undefined ? {} : { flow_data: flow }),
      });
      return session.url;
    },
    close: () => simulator.close(),
  };
}

async function sell(api: Stripe, name: string, amount: number) {
  const product = await api.products.create({ name });
  const price = await api.prices.create({
    product: product.id,
    currency: 'eur',
    unit_amount: amount,
    recurring: { interval: 'month' },
    lookup_key: name.toLowerCase(),
  });
  return { product: product.id, price: price.id };
}

async function configure(
  api: Stripe,
  sold: readonly { product: string; price: string }[],
): Promise<string> {
  const made = await api.billingPortal.configurations.create({
    features: {
      customer_update: { enabled: true, allowed_updates: ['name', 'email'] },
      invoice_history: { enabled: true },
      payment_method_update: { enabled: true },
      subscription_cancel: {
        enabled: true,
        mode: 'at_period_end',
        cancellation_reason: { enabled: true, options: ['too_expensive', 'unused', 'other'] },
      },
      subscription_pause: { enabled: true },
      subscription_update: {
        enabled: true,
        default_allowed_updates: ['price', 'quantity'],
        proration_behavior: 'always_invoice',
        products: sold.map(({ product, price }) => ({ product, prices: [price] })),
      },
    },
  });
  return made.id;
}
