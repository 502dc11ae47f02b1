/**
 * The little of Stripe that is read to know what an account has, over HTTP, as a test says it at each moment: for what a
 * simulator cannot be told, such as which of two answers is under way longer.
 */

import { once } from 'node:events';
import { createServer } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';

type Json = Record<string, unknown>;

export interface ScriptedCustomer {
  deleted?: boolean;
  subscriptions: Json[];
  /** Lookup keys of features. */
  entitlements: string[];
}

/** One answer: settled when it was asked for, sent when the test lets it go. */
export interface Held {
  asked: Promise<void>;
  release(): void;
}

export interface ScriptedStripe {
  url: string;
  customers: Map<string, ScriptedCustomer>;
  /** Newest first. */
  events: Json[];
  /** By id: prices, invoices, disputes and whatever else is retrieved. */
  objects: Map<string, Json>;
  /** `GET /v1/subscriptions`, without the query. */
  calls: string[];
  /** What was written, oldest first. */
  posts: { path: string; key: string | undefined; form: Record<string, string> }[];
  /** What every write is answered with: nothing is done. */
  refusal: { status: number; error: Json } | undefined;
  /** Answers nothing but this status. */
  down: number | undefined;
  /** The next answer to a request for this path waits. */
  hold(path: string): Held;
  close(): void;
}

const subscriptionPath = /^\/v1\/subscriptions\/([^/]+)$/;

export async function startScriptedStripe(): Promise<ScriptedStripe> {
  const held: { path: string; asked: () => void; released: Promise<void> }[] = [];
  const server = createServer((request, response) => void answer(request, response));
  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? '/', 'http://stripe');
    const form = new URLSearchParams(await text(request));
    stripe.calls.push(`${request.method} ${url.pathname}`);
    if (request.method === 'POST') {
      const key = request.headers['idempotency-key']?.toString();
      stripe.posts.push({ path: url.pathname, key, form: Object.fromEntries(form) });
    }
    const { down, refusal } = stripe;
    if (down === undefined && refusal !== undefined && request.method === 'POST') {
      return refuse(response, refusal);
    }
    const answered = down === undefined ? answerOf(stripe, request.method, url, form) : undefined;
    const at = held.findIndex(({ path }) => path === url.pathname);
    const [one] = at === -1 ? [] : held.splice(at, 1);
    one?.asked();
    await one?.released;
    send(response, stripe.down, answered);
  }
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const stripe: ScriptedStripe = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    customers: new Map(),
    events: [],
    objects: new Map(),
    calls: [],
    posts: [],
    refusal: undefined,
    down: undefined,
    hold(path) {
      const asked = Promise.withResolvers<void>();
      const released = Promise.withResolvers<void>();
      held.push({ path, asked: asked.resolve, released: released.promise });
      return { asked: asked.promise, release: released.resolve };
    },
    close() {
      server.closeAllConnections();
      server.close();
    },
  };
  return stripe;
}

function refuse(
  response: ServerResponse,
  { status, error }: NonNullable<ScriptedStripe['refusal']>,
): void {
  const headers = { 'Content-Type': 'application/json', 'Stripe-Should-Retry': 'false' };
  response.writeHead(status, headers).end(JSON.stringify({ error }));
}

function send(response: ServerResponse, down: number | undefined, body: string | undefined): void {
  const missing = JSON.stringify({
    error: { type: 'invalid_request_error', code: 'resource_missing', message: 'No such object' },
  });
  const failed = JSON.stringify({ error: { type: 'api_error', message: 'down' } });
  response.writeHead(down ?? (body === undefined ? 404 : 200), {
    'Content-Type': 'application/json',
    // Otherwise Stripe's library waits before it asks again.
    'Stripe-Should-Retry': 'false',
  });
  response.end(down === undefined ? (body ?? missing) : failed);
}

/** A text, since the test may change the objects while the answer is held. */
function answerOf(
  stripe: ScriptedStripe,
  method: string | undefined,
  url: URL,
  form: URLSearchParams,
): string | undefined {
  const found = objectAt(stripe, method, url, form);
  return found === undefined ? undefined : JSON.stringify(found);
}

function objectAt(
  stripe: ScriptedStripe,
  method: string | undefined,
  url: URL,
  form: URLSearchParams,
): Json | undefined {
  const { pathname, searchParams } = url;
  const customer = stripe.customers.get(searchParams.get('customer') ?? '');
  if (pathname === '/v1/subscriptions') {
    return customer === undefined ? undefined : pageOf(url, customer.subscriptions);
  }
  if (pathname === '/v1/entitlements/active_entitlements') {
    const all = customer?.entitlements.map((key) => ({ id: `ent_${key}`, lookup_key: key }));
    return all === undefined ? undefined : pageOf(url, all);
  }
  if (pathname === '/v1/invoices') {
    const all = [...stripe.objects.values()].filter(
      ({ object, status, subscription }) =>
        object === 'invoice' &&
        status === searchParams.get('status') &&
        subscription === searchParams.get('subscription'),
    );
    return pageOf(url, all);
  }
  if (pathname === '/v1/events') {
    const since = Number(searchParams.get('created[gte]'));
    return pageOf(
      url,
      stripe.events.filter(({ created }) => Number(created) >= since),
    );
  }
  if (pathname === '/v1/invoice_payments') {
    const payment = searchParams.get('payment[payment_intent]');
    const all = [...stripe.objects.values()].filter((one) => one.payment_intent === payment);
    return pageOf(
      url,
      all.filter(({ object }) => object === 'invoice_payment'),
    );
  }
  if (pathname.startsWith('/v1/customers/')) {
    const id = pathname.split('/').at(-1) ?? '';
    const one = stripe.customers.get(id);
    if (one === undefined) return undefined;
    return { id, object: 'customer', ...(one.deleted === true ? { deleted: true } : {}) };
  }
  return subscriptionAt(stripe, method, pathname, form);
}

function subscriptionAt(
  stripe: ScriptedStripe,
  method: string | undefined,
  pathname: string,
  form: URLSearchParams,
): Json | undefined {
  const id = subscriptionPath.exec(pathname)?.[1];
  if (id === undefined) return stripe.objects.get(pathname.split('/').at(-1) ?? '');
  for (const { subscriptions } of stripe.customers.values()) {
    const found = subscriptions.find((one) => one.id === id);
    if (found !== undefined && method === 'DELETE') {
      Object.assign(found, { status: 'canceled', ended_at: Math.floor(Date.now() / 1000) });
    }
    if (found !== undefined && method === 'POST') change(found, form);
    if (found !== undefined) return found;
  }
  return undefined;
}

function change(subscription: Json, form: URLSearchParams): void {
  const { data } = subscription.items as { data: Json[] };
  const quantity = form.get('items[0][quantity]');
  const price = form.get('items[0][price]');
  const changes = {
    ...(quantity === null ? {} : { quantity: Number(quantity) }),
    ...(price === null ? {} : { price: aPrice(price) }),
  };
  // A new object: an answer that is held is of the state before.
  const items = { object: 'list', data: [{ ...data[0], ...changes }], has_more: false };
  Object.assign(subscription, { items });
}

function pageOf({ searchParams, pathname }: URL, all: readonly Json[]): Json {
  const after = searchParams.get('starting_after');
  const begin = after === null ? 0 : all.findIndex(({ id }) => id === after) + 1;
  const limit = Number(searchParams.get('limit') ?? 10);
  const data = all.slice(begin, begin + limit);
  return { object: 'list', url: pathname, data, has_more: begin + limit < all.length };
}

/** A price as Stripe has it. */
export function aPrice(id: string, more: Json = {}): Json {
  return {
    id,
    object: 'price',
    active: true,
    lookup_key: null,
    metadata: {},
    recurring: { interval: 'month', interval_count: 1 },
    ...more,
  };
}

/** As Stripe has a subscription, in the fields that are read. Times in seconds. */
export function aSubscription(id: string, customer: string, more: Json = {}): Json {
  const { price = 'price_team', quantity = 5, periodEnd = 1_770_000_000, ...rest } = more;
  const item = {
    id: `si_${id}`,
    object: 'subscription_item',
    price: typeof price === 'string' ? aPrice(price) : price,
    quantity,
    current_period_start: 1_767_200_000,
    current_period_end: periodEnd,
  };
  return {
    id,
    object: 'subscription',
    customer,
    status: 'active',
    created: 1_767_200_000,
    cancel_at: null,
    cancel_at_period_end: false,
    cancellation_details: { comment: null, feedback: null, reason: null },
    ended_at: null,
    items: { object: 'list', data: [item], has_more: false },
    latest_invoice: null,
    livemode: false,
    metadata: {},
    pause_collection: null,
    trial_end: null,
    ...rest,
  };
}
