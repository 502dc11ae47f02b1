/** The simulated Stripe of a benchmark: its webhooks are signed and sent by whoever measures. */

import { createHmac, randomBytes } from 'node:crypto';
import { Agent, request } from 'node:http';
import type { WebhookEvent } from '../dev/stripe/objects.ts';
import { startStripe } from '../dev/stripe/simulator.ts';
import { createFetch } from '../src/base/fetch.ts';
import { createStripe } from '../src/billing/stripe.ts';
import type { ConfigInput } from '../src/config.ts';
import { stripeSchema } from '../src/config/product_schema.ts';
import { quiet } from './tollgate.ts';

export interface BenchCustomer {
  customer: string;
  subscription: string;
  item: string;
}

export interface StripeOfBench {
  config: NonNullable<ConfigInput['stripe']>;
  /** So many customers, each with a subscription. */
  subscribe(count: number): Promise<BenchCustomer[]>;
  /** @returns what Stripe has to say of it; nobody is told yet */
  change(customer: BenchCustomer, quantity: number): Promise<WebhookEvent>;
  /** @throws {Error} it was not acknowledged */
  send(port: number, event: WebhookEvent): Promise<void>;
  close(): Promise<void>;
}

export const prices: { period: 'month'; lookupKey: string }[] = [
  { period: 'month', lookupKey: 'team_month' },
];
const secretKey = 'sk_test_of_the_benchmark';
const path = '/integrations/stripe/events';
const trialEnd = () => Math.floor(Date.now() / 1000) + 30 * 86_400;

export async function openStripeOfBench(): Promise<StripeOfBench> {
  const simulator = await startStripe({ port: 0, secretKey });
  const secret = `whsec_${randomBytes(24).toString('hex')}`;
  const config = { secretKey, apiBase: simulator.url, webhookSecrets: [secret] };
  const fetch = createFetch({ allowPrivate: ['127.0.0.0/8'] });
  const { api } = createStripe({
    config: stripeSchema.parse(config),
    fetch,
    clock: Date.now,
    log: quiet,
  });
  const agent = new Agent({ keepAlive: true, maxSockets: 256 });
  const product = await api.products.create({ name: 'Team' });
  const price = await api.prices.create({
    product: product.id,
    currency: 'eur',
    unit_amount: 1000,
    recurring: { interval: 'month' },
    lookup_key: 'team_month',
  });

  async function subscribed(index: number): Promise<BenchCustomer> {
    const { id: customer } = await api.customers.create({ name: `Customer ${index}` });
    const items = [{ price: price.id, quantity: 1 }];
    const made = await api.subscriptions.create({ customer, items, trial_end: trialEnd() });
    const [item] = made.items.data;
    if (item === undefined) throw new Error('a subscription has an item');
    return { customer, subscription: made.id, item: item.id };
  }

  return {
    config,
    async subscribe(count) {
      const customers: BenchCustomer[] = [];
      for (let index = 0; index < count; index += 1) customers.push(await subscribed(index));
      return customers;
    },
    async change({ subscription, item }, quantity) {
      await api.subscriptions.update(subscription, {
        items: [{ id: item, quantity }],
        proration_behavior: 'none',
      });
      const type = 'customer.subscription.updated';
      const answer = await globalThis.fetch(`${simulator.url}/v1/events?type=${type}&limit=1`, {
        headers: { authorization: `Bearer ${secretKey}` },
      });
      const [event] = ((await answer.json()) as { data: WebhookEvent[] }).data;
      if (event === undefined) throw new Error('Stripe tells of the change');
      return event;
    },
    send: (port, event) => sendSigned({ agent, port, secret, body: JSON.stringify(event) }),
    async close() {
      agent.destroy();
      await fetch.close();
      await simulator.close();
    },
  };
}

interface Sending {
  agent: Agent;
  port: number;
  secret: string;
  body: string;
}

function sendSigned({ agent, port, secret, body }: Sending): Promise<void> {
  const at = Math.floor(Date.now() / 1000);
  const mac = createHmac('sha256', secret).update(`${at}.${body}`).digest('hex');
  const headers = {
    'content-type': 'application/json',
    'content-length': String(Buffer.byteLength(body)),
    'stripe-signature': `t=${at},v1=${mac}`,
  };
  return new Promise((resolve, reject) => {
    const options = { host: '127.0.0.1', port, path, method: 'POST', headers, agent };
    const outgoing = request(options, (incoming) => {
      incoming.resume().on('end', () => {
        if (incoming.statusCode === 200) resolve();
        else reject(new Error(`a webhook was answered ${incoming.statusCode}`));
      });
      incoming.on('error', reject);
    });
    outgoing.on('error', reject);
    outgoing.end(body);
  });
}
