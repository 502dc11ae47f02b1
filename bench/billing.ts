/**
 * How soon a change at Stripe is in a token, and told to a service: from the webhook's arrival to the new claim in a
 * refreshed JWT, and to the event at a receiver. Then a burst of webhooks, of which the acknowledgement counts: Stripe
 * waits for it. Stripe is the simulator, in this process, and so is the receiver.
 */

import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { decodeJwt } from 'jose';
import type { WebhookEvent } from '../dev/stripe/objects.ts';
import type { StoreName } from '../test/kit/store_names.ts';
import { openStripeOfBench, prices } from './billing_stripe.ts';
import type { BenchCustomer, StripeOfBench } from './billing_stripe.ts';
import { post } from './processes.ts';
import type { Runtime } from './processes.ts';
import { clientSecret, install } from './tollgate.ts';
import type { Installation } from './tollgate.ts';

export interface BillingOptions {
  storeName: StoreName;
  runtime: Runtime;
  /** One after the other, each followed until it has arrived. */
  changes: number;
  /** Webhooks at once. */
  burst: number;
  /** Accounts that the burst is about. */
  accounts: number;
}

const receiverSecret = `whsec_${randomBytes(32).toString('base64')}`;
const betweenRefreshesMs = 2;
const longestWaitMs = 30_000;
/** How many connections Stripe has at a time. */
const senders = 64;

export async function measureBilling(options: BillingOptions): Promise<void> {
  const closing: (() => unknown)[] = [];
  try {
    await measure(options, (close) => closing.push(close));
  } finally {
    for (const close of closing.toReversed()) await close();
  }
}

/** @param opened what is to be closed in the end, the last first */
async function measure(options: BillingOptions, opened: (close: () => unknown) => void) {
  const { storeName, runtime, changes, burst, accounts } = options;
  const stripe = await openStripeOfBench();
  opened(() => stripe.close());
  const customers = await stripe.subscribe(accounts);
  const receiver = await startReceiver();
  opened(() => receiver.close());
  const installation = await install(storeName, {
    stripe: stripe.config,
    products: [
      {
        id: 'api',
        name: 'API',
        audience: 'https://api.example.com',
        plans: [{ id: 'team', name: 'Team', prices, seats: { max: 100_000 } }],
      },
    ],
    receivers: [
      {
        id: 'service',
        url: `${receiver.url}/events`,
        types: ['subscription.changed'],
        secret: receiverSecret,
      },
    ],
    customers: customers.map(({ customer }) => customer),
  });
  opened(() => installation.close());
  const { process } = await installation.run(runtime);
  opened(() => process.stop());
  const [own] = customers;
  if (own === undefined) throw new Error('there is a customer');
  console.log(
    `Billing: ${changes} changes of a subscription, then ${burst} webhooks about ${accounts} customers at once, ${storeName}, ${runtime}.`,
  );
  const token = await reader(installation);
  // What happened before it was there is caught up with at its start.
  await token.until((claims) => claims.quantity === 1);
  await oneByOne({ stripe, own, token, receiver, changes, port: installation.port });
  await allAtOnce({ stripe, customers, token, burst, port: installation.port });
}

interface OneByOne {
  stripe: StripeOfBench;
  own: BenchCustomer;
  token: Reader;
  receiver: Receiver;
  changes: number;
  port: number;
}

async function oneByOne({ stripe, own, token, receiver, changes, port }: OneByOne): Promise<void> {
  const taken = { acknowledged: [], claim: [], event: [], after: [] } as Record<Taken, number[]>;
  for (let count = 1; count <= changes; count += 1) {
    const quantity = 10 + count;
    const event = await stripe.change(own, quantity);
    const heard = receiver.next((claims) => claims.quantity === quantity);
    const began = performance.now();
    await stripe.send(port, event);
    taken.acknowledged.push(performance.now() - began);
    const seen = await token.until((claims) => claims.quantity === quantity);
    const told = await heard;
    taken.claim.push(seen - began);
    taken.event.push(told - began);
    taken.after.push(told - seen);
  }
  print('webhook acknowledged', taken.acknowledged);
  print('… in a refreshed JWT', taken.claim);
  print('… told to a service', taken.event);
  print('told after the JWT had it', taken.after);
}

type Taken = 'acknowledged' | 'claim' | 'event' | 'after';

interface AllAtOnce {
  stripe: StripeOfBench;
  customers: readonly BenchCustomer[];
  token: Reader;
  burst: number;
  port: number;
}

async function allAtOnce({ stripe, customers, token, burst, port }: AllAtOnce): Promise<void> {
  const events: WebhookEvent[] = [];
  const [own] = customers;
  for (let count = 0; count < burst; count += 1) {
    const customer = customers[count % customers.length];
    if (customer !== undefined) events.push(await stripe.change(customer, 20_000 + count));
  }
  const last = Math.floor((burst - 1) / customers.length) * customers.length;
  const quantity = 20_000 + last;
  if (own === undefined) return;
  const acknowledged: number[] = [];
  const began = performance.now();
  const waiting = events.values();
  const sender = async () => {
    for (const event of waiting) {
      const since = performance.now();
      await stripe.send(port, event);
      acknowledged.push(performance.now() - since);
    }
  };
  await Promise.all(Array.from({ length: senders }, sender));
  const took = performance.now() - began;
  print(`burst acknowledged`, acknowledged);
  console.log(
    `  … all of them            in ${took.toFixed(0)} ms, ${((burst / took) * 1000).toFixed(0)} a second`,
  );
  const seen = await token.until((claims) => claims.quantity === quantity);
  console.log(`  … the last in a JWT      after ${(seen - began).toFixed(0)} ms`);
}

type Claims = Record<string, unknown>;

interface Reader {
  /** Refreshes on and on. @returns when a token said so */
  until(holds: (claims: Claims) => boolean): Promise<number>;
}

async function reader({ port, signIn }: Installation): Promise<Reader> {
  let { refresh } = await signIn();
  return {
    async until(holds) {
      const giveUpAt = performance.now() + longestWaitMs;
      let last = '';
      while (performance.now() < giveUpAt) {
        const { status, text } = await post(port, '/oauth2/token', {
          client_id: 'app',
          client_secret: clientSecret,
          grant_type: 'refresh_token',
          refresh_token: refresh,
        });
        if (status !== 200) throw new Error(`a refresh was answered ${status}: ${text}`);
        const tokens = JSON.parse(text) as { refresh_token: string; access_token: string };
        refresh = tokens.refresh_token;
        const claims = decodeJwt(tokens.access_token);
        if (holds(claims)) return performance.now();
        last = JSON.stringify(claims);
        await delay(betweenRefreshesMs);
      }
      throw new Error(`the token never said so: ${last}`);
    },
  };
}

interface Receiver {
  url: string;
  /** @returns when an event came whose claims are so */
  next(holds: (claims: Claims) => boolean): Promise<number>;
  close(): Promise<void>;
}

async function startReceiver(): Promise<Receiver> {
  let listener: (body: string) => void = () => undefined;
  const server = createServer((request, response) => {
    let body = '';
    request.setEncoding('utf8').on('data', (chunk: string) => {
      body += chunk;
    });
    request.on('end', () => {
      listener(body);
      response.writeHead(204).end();
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    next: (holds) =>
      new Promise((resolve) => {
        listener = (body) => {
          const { data } = JSON.parse(body) as { data: { claims?: Claims } };
          if (holds(data.claims ?? {})) resolve(performance.now());
        };
      }),
    async close() {
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },
  };
}

function print(name: string, values: readonly number[]): void {
  const sorted = values.toSorted((a, b) => a - b);
  const at = (part: number) => (sorted[Math.ceil(sorted.length * part) - 1] ?? 0).toFixed(1);
  console.log(`  ${name.padEnd(24)} p50 ${at(0.5)} ms, p99 ${at(0.99)} ms, max ${at(1)} ms`);
}
