/** The API of the simulator as such: keys, parameters, pages, idempotency and failures. */

import type { Stripe } from 'stripe';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { clientOf, openMarket } from './market.ts';
import type { Market } from './market.ts';

let market: Market;
beforeEach(async () => {
  market = await openMarket();
});
afterEach(() => market.close());

const customers = () => market.simulator.objects.customers();

interface Asking {
  method?: string;
  body?: string;
  headers?: Record<string, string>;
}

async function raw(path: string, init: Asking = {}): Promise<Response> {
  return fetch(`${market.simulator.url}${path}`, {
    ...init,
    headers: { authorization: `Bearer ${market.simulator.secretKey}`, ...init.headers },
  });
}

describe('who asks', () => {
  test.each([
    ['nobody', ''],
    ['somebody else', 'Bearer sk_test_wrong'],
    ['somebody else, by name and password', `Basic ${btoa('sk_test_wrong:')}`],
    ['with a header of another kind', 'Digest x'],
  ])('%s is not answered', async (_, authorization) => {
    const response = await raw('/v1/customers', { headers: { authorization } });
    expect(response.status).toBe(401);
    expect(await response.json()).toMatchObject({ error: { type: 'invalid_request_error' } });
  });

  test('with the key as the name, and an answer with its number and version', async () => {
    const authorization = `Basic ${btoa(`${market.simulator.secretKey}:`)}`;
    const response = await raw('/v1/customers', { headers: { authorization } });
    expect(response.status).toBe(200);
    expect(response.headers.get('request-id')).toMatch(/^req_\w{14}$/);
    expect(response.headers.get('stripe-version')).toBe('2026-10-28.endive');
  });

  test('of another version is not answered in this one’s words', async () => {
    const headers = { 'stripe-version': '2024-06-20' };
    expect((await raw('/v1/customers', { headers })).status).toBe(400);
  });

  test('for what is not there', async () => {
    expect((await raw('/v1/unicorns')).status).toBe(404);
    expect((await raw('/v1/customers/%E0%A4%A')).status).toBe(404);
    expect((await raw('/c/pay/cs_test_1')).status).toBe(404);
    await expect(market.api.customers.retrieve('cus_no')).rejects.toMatchObject({
      statusCode: 404,
      code: 'resource_missing',
      param: 'id',
      message: "No such customer: 'cus_no'",
    });
  });

  test('with too much', async () => {
    const body = `name=${'x'.repeat(300_000)}`;
    expect((await raw('/v1/customers', { method: 'POST', body })).status).toBe(413);
    const many = Array.from({ length: 1001 }, (_, index) => `metadata[k${index}]=v`).join('&');
    expect((await raw('/v1/customers', { method: 'POST', body: many })).status).toBe(400);
    expect(customers()).toEqual([]);
  });

  test('a key of live mode makes what is live', async () => {
    const live = await openMarket({ secretKey: 'sk_live_1' });
    try {
      expect(await live.api.customers.create()).toMatchObject({ livemode: true });
      expect((await live.session()).id).toMatch(/^cs_live_/);
    } finally {
      await live.close();
    }
  });

  test('the account that it is', async () => {
    const response = await raw('/v1/account');
    expect(await response.json()).toMatchObject({ id: market.simulator.accountId });
  });
});

describe('parameters', () => {
  test('are set, kept and taken away', async () => {
    const { id } = await market.api.customers.create({
      name: 'Ann',
      address: { city: 'Ulm', country: 'DE' },
      metadata: { a: '1', b: '2' },
    });
    const changed = await market.api.customers.update(id, {
      name: '',
      metadata: { a: '', c: '3' },
    });
    expect(changed).toMatchObject({ name: null, address: { city: 'Ulm' } });
    expect(changed.metadata).toEqual({ b: '2', c: '3' });
    expect((await market.api.customers.update(id, { metadata: '' })).metadata).toEqual({});
  });

  test.each([
    ['email=a&nickname=b', 'nickname', 'parameter_unknown'],
    ['__proto__[x]=1', '__proto__', 'parameter_unknown'],
    ['constructor=1', 'constructor', 'parameter_unknown'],
    ['invoice_settings[footers]=x', 'invoice_settings[footers]', 'parameter_unknown'],
    ['test_clock=clock_no', 'test_clock', 'resource_missing'],
    ['tax_exempt=maybe', 'tax_exempt', undefined],
    ['a[b=1', undefined, undefined],
  ])('%s is refused', async (body, param, code) => {
    const response = await raw('/v1/customers', { method: 'POST', body });
    expect(response.status).toBe(400);
    const { error } = await response.json();
    expect([error.param, error.code]).toEqual([param, code]);
  });

  test('what cannot be expanded is refused', async () => {
    const { id } = await market.subscribe();
    const retrieve = (path: string) => market.api.subscriptions.retrieve(id, { expand: [path] });
    await expect(retrieve('latest_invoice.payment_intent')).rejects.toMatchObject({
      statusCode: 400,
      param: 'expand',
    });
    await expect(retrieve('status')).rejects.toMatchObject({ statusCode: 400 });
    const whole = await retrieve('items.data.price.product');
    expect(whole.items.data[0]?.price.product).toMatchObject({ name: 'Team' });
    const paid = await retrieve('latest_invoice.payments');
    expect(paid.latest_invoice).toMatchObject({ payments: { data: [{ status: 'paid' }] } });
  });
});

describe('lists', () => {
  test('come in pages, newest first, in both directions', async () => {
    for (const name of ['a', 'b', 'c', 'd', 'e']) await market.api.customers.create({ name });
    const names = (list: { data: Stripe.Customer[] }) => list.data.map(({ name }) => name);
    const first = await market.api.customers.list({ limit: 2 });
    expect([names(first), first.has_more]).toEqual([['e', 'd'], true]);
    const last = await market.api.customers.list({
      limit: 3,
      starting_after: first.data[1]?.id ?? '',
    });
    expect([names(last), last.has_more]).toEqual([['c', 'b', 'a'], false]);
    const back = await market.api.customers.list({
      limit: 2,
      ending_before: last.data[2]?.id ?? '',
    });
    expect([names(back), back.has_more]).toEqual([['c', 'b'], true]);
    const all: unknown[] = [];
    for await (const { name } of market.api.customers.list({ limit: 2 })) all.push(name);
    expect(all).toEqual(['e', 'd', 'c', 'b', 'a']);
    await expect(market.api.customers.list({ limit: 101 })).rejects.toMatchObject({
      param: 'limit',
    });
    await expect(market.api.customers.list({ starting_after: 'cus_no' })).rejects.toMatchObject({
      param: 'starting_after',
    });
  });

  test('are of what was asked for', async () => {
    const { api, prices, product } = market;
    await api.prices.update(prices.year, { lookup_key: 'team_yearly' });
    const found = await api.prices.list({
      lookup_keys: ['team_yearly', 'no'],
      expand: ['data.product'],
    });
    expect(found.data).toMatchObject([{ id: prices.year, product: { id: product } }]);
    await expect(
      api.prices.update(prices.month, { lookup_key: 'team_yearly' }),
    ).rejects.toMatchObject({
      param: 'lookup_key',
    });
    await api.prices.update(prices.month, { lookup_key: 'team_yearly', transfer_lookup_key: true });
    expect((await api.prices.list({ lookup_keys: ['team_yearly'] })).data).toMatchObject([
      { id: prices.month },
    ]);
    await api.prices.update(prices.free, { active: false });
    const active = await api.prices.list({ product, active: true, limit: 100 });
    expect(active.data.map(({ id }) => id)).not.toContain(prices.free);
  });

  test('customers are found by what is noted on them', async () => {
    const ann = await market.api.customers.create({
      email: 'ann@example.com',
      metadata: { account: 'a' },
    });
    await market.api.customers.create({ email: 'bob@example.com', metadata: { account: 'b' } });
    const search = async (query: string) =>
      (await market.api.customers.search({ query })).data.map(({ id }) => id);
    expect(await search("metadata['account']:'a'")).toEqual([ann.id]);
    expect(await search('metadata["account"]:"c"')).toEqual([]);
    expect(await search("email:'ann@example.com' AND metadata['account']:'b'")).toEqual([]);
    expect(await search("email:'ann@example.com' OR metadata['account']:'b'")).toHaveLength(2);
    await expect(search('created>1')).rejects.toMatchObject({ param: 'query' });
    expect((await market.api.customers.list({ email: 'ann@example.com' })).data).toHaveLength(1);
  });
});

describe('an idempotency key', () => {
  const options = { idempotencyKey: 'tollgate:customer:acc_1' };

  test('gives the first answer again, and does nothing more', async () => {
    const first = await market.api.customers.create({ name: 'Ann' }, options);
    const again = await market.api.customers.create({ name: 'Ann' }, options);
    expect(again).toEqual(first);
    const headers = { 'idempotency-key': options.idempotencyKey };
    const replayed = await raw('/v1/customers', { method: 'POST', body: 'name=Ann', headers });
    expect(replayed.headers.get('idempotent-replayed')).toBe('true');
    expect(replayed.headers.get('original-request')).toBe(first.lastResponse.requestId);
    expect(await replayed.json()).toEqual(JSON.parse(JSON.stringify(first)));
    expect(customers()).toHaveLength(1);
    expect(
      market.simulator.objects.events().filter(({ type }) => type === 'customer.created'),
    ).toMatchObject([
      { request: { id: first.lastResponse.requestId, idempotency_key: options.idempotencyKey } },
    ]);
  });

  test('of another request is refused', async () => {
    await market.api.customers.create({ name: 'Ann' }, options);
    await expect(market.api.customers.create({ name: 'Bob' }, options)).rejects.toMatchObject({
      type: 'StripeIdempotencyError',
      statusCode: 400,
    });
    await expect(market.api.products.create({ name: 'Ann' }, options)).rejects.toMatchObject({
      type: 'StripeIdempotencyError',
    });
  });

  test('keeps an error of the work, and none of the parameters', async () => {
    const wrong = JSON.parse('{"nickname":"Ann"}');
    await expect(market.api.customers.create(wrong, options)).rejects.toMatchObject({
      code: 'parameter_unknown',
    });
    await market.api.customers.create({ name: 'Ann' }, options);
    const session = { customer: 'cus_no' };
    const key = { idempotencyKey: 'portal' };
    await expect(market.api.billingPortal.sessions.create(session, key)).rejects.toMatchObject({
      code: 'resource_missing',
    });
    const again = market.api.billingPortal.sessions.create(session, key);
    await expect(again).rejects.toMatchObject({ headers: { 'idempotent-replayed': 'true' } });
  });

  test('that is in use is a conflict', async () => {
    market.simulator.fail({ kind: 'slow', ms: 200, path: '/v1/customers' });
    const headers = { 'idempotency-key': 'k' };
    const post = () => raw('/v1/customers', { method: 'POST', body: 'name=Ann', headers });
    const both = await Promise.all([post(), post()]);
    expect(both.map(({ status }) => status).toSorted()).toEqual([200, 409]);
    const conflict = both.find(({ status }) => status === 409);
    expect(await conflict?.json()).toMatchObject({ error: { code: 'idempotency_key_in_use' } });
    expect((await post()).status).toBe(200);
    expect(customers()).toHaveLength(1);
  });

  test('has up to 255 characters', async () => {
    const long = { idempotencyKey: 'k'.repeat(256) };
    await expect(market.api.customers.create({}, long)).rejects.toMatchObject({ statusCode: 400 });
  });

  test('is forgotten after a day', async () => {
    await market.api.customers.create({ name: 'Ann' }, options);
    await market.advance(1.1);
    await market.api.customers.create({ name: 'Ann' }, options);
    expect(customers()).toHaveLength(2);
  });
});

describe('failures on demand', () => {
  const never = { maxNetworkRetries: 0, timeout: 300 };
  const create = (config: Stripe.StripeConfig = never) =>
    clientOf(market.simulator, config).customers.create({ name: 'Ann' }, { idempotencyKey: 'k' });

  test.each([
    [429, 'StripeRateLimitError'],
    [500, 'StripeAPIError'],
    [503, 'StripeAPIError'],
    [403, 'StripePermissionError'],
    [401, 'StripeAuthenticationError'],
    [402, 'StripeCardError'],
  ] as const)('%i: an error of Stripe’s kind, nothing done', async (status, type) => {
    market.simulator.fail({ kind: 'status', status, path: '/v1/customers', method: 'POST' });
    await expect(create()).rejects.toMatchObject({ type, statusCode: status });
    expect(customers()).toEqual([]);
  });

  test('a 500 is kept for its key, a 429 and a 503 are not', async () => {
    market.simulator.fail({ kind: 'status', status: 429 });
    market.simulator.fail({ kind: 'status', status: 503 });
    await expect(create()).rejects.toThrow();
    await expect(create()).rejects.toThrow();
    await create();
    market.simulator.fail({ kind: 'status', status: 500 });
    const { api } = market;
    const product = () =>
      api.products.create({ name: 'X' }, { idempotencyKey: 'p', maxNetworkRetries: 0 });
    await expect(product()).rejects.toMatchObject({ statusCode: 500 });
    await expect(product()).rejects.toMatchObject({
      statusCode: 500,
      headers: { 'idempotent-replayed': 'true' },
    });
  });

  test.each([
    ['silence', 0],
    ['cut_before', 0],
    ['cut_after', 1],
    ['error_after', 1],
  ] as const)('%s: no answer, and so many made: %i', async (kind, made) => {
    // Twice: where a connection breaks, Stripe's library always tries once more.
    market.simulator.fail({ kind, times: 2 });
    await expect(create()).rejects.toThrow();
    expect(customers()).toHaveLength(made);
  });

  test('an answer that was lost is had again with the key', async () => {
    market.simulator.fail({ kind: 'cut_after' });
    const customer = await create({ maxNetworkRetries: 1 });
    expect(customers()).toMatchObject([{ id: customer.id }]);
    expect(market.simulator.calls.slice(-2)).toMatchObject([
      { method: 'POST', path: '/v1/customers', idempotencyKey: 'k', status: 0 },
      { idempotencyKey: 'k', status: 200, parameters: { name: 'Ann' } },
    ]);
  });

  test('strike where, and as often, as they are told to', async () => {
    market.simulator.fail({
      kind: 'status',
      status: 429,
      path: '/v1/customers/*',
      times: 2,
      after: 1,
    });
    const { id } = await create();
    const retrieve = () => market.api.customers.retrieve(id, {}, { maxNetworkRetries: 0 });
    await retrieve();
    await expect(retrieve()).rejects.toMatchObject({ statusCode: 429 });
    await expect(retrieve()).rejects.toMatchObject({ statusCode: 429 });
    await retrieve();
    market.simulator.fail({ kind: 'status', status: 500, times: 100 });
    market.simulator.clearFaults();
    await retrieve();
  });
});
