/**
 * The example of metered use: a service records at Stripe, by Stripe's own library and over HTTP, what the customer of
 * an access token has used. Nobody waits for it, and what is sent again is counted once.
 */

import { createServer } from 'node:http';
import type { ServerResponse } from 'node:http';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { Stripe } from 'stripe';
import { listen } from '../../dev/listen.ts';
import { startStripe } from '../../dev/stripe/simulator.ts';
import { startService } from '../../dev/service.ts';
import { createUsage } from '../../dev/services/usage.ts';
import type { Usage } from '../../dev/services/usage.ts';
import { accessToken, audience, clockAt, openIssuer } from '../verify/world.ts';

type Answer = (response: ServerResponse, fields: Record<string, string>) => void;

const closing: (() => unknown)[] = [];
const clock = clockAt();
let counted: Record<string, string>[];
/** What Stripe does with the next requests; it counts what comes after them. */
let answers: Answer[];
let lost: string[];
let usage: Usage;

const refuse =
  (status: number, code: string): Answer =>
  (response) => {
    response.writeHead(status, { 'content-type': 'application/json' });
    response.end(JSON.stringify({ error: { type: 'invalid_request_error', code, message: code } }));
  };

/** A part of Stripe that takes an identifier once. */
const count: Answer = (response, fields) => {
  if (counted.some(({ identifier }) => identifier === fields['identifier'])) {
    return refuse(400, 'duplicate_meter_event')(response, fields);
  }
  counted.push(fields);
  response.writeHead(200, { 'content-type': 'application/json' });
  response.end(JSON.stringify({ object: 'billing.meter_event', ...fields }));
};

beforeEach(async () => {
  [counted, answers, lost] = [[], [], []];
  const server = createServer((request, response) => {
    let body = '';
    request.on('data', (chunk: Buffer) => (body += chunk.toString()));
    request.on('end', () => {
      const fields = Object.fromEntries(new URLSearchParams(body));
      (answers.shift() ?? count)(response, fields);
    });
  });
  const { url, close } = await listen(server, 0);
  const { hostname: host, port } = new URL(url);
  const options = { host, port, protocol: 'http', maxNetworkRetries: 0 } as const;
  usage = createUsage({
    stripe: new Stripe('sk_test_usage', options),
    meter: 'reports',
    clock: clock.now,
    retryAfterMs: [1, 1],
    onLost: (identifier) => lost.push(identifier),
  });
  closing.push(close, usage.close);
});
afterEach(async () => {
  for (const close of closing.splice(0)) await close();
});

test('what a customer uses is recorded, each request once, by when it was used', async () => {
  expect(usage.record({ customer: 'cus_1' }, 'request-1', 3)).toBe(true);
  usage.record({ customer: 'cus_1' }, 'request-1', 3);
  usage.record({ customer: 'cus_2' }, 'request-1');
  await usage.settled();
  const timestamp = String(clock.seconds());
  expect(counted).toEqual([
    expect.objectContaining({
      event_name: 'reports',
      'payload[stripe_customer_id]': 'cus_1',
      'payload[value]': '3',
      timestamp,
    }),
    expect.objectContaining({ 'payload[stripe_customer_id]': 'cus_2', 'payload[value]': '1' }),
  ]);
  expect(lost).toEqual([]);
});

test('of a free plan nothing is recorded: nobody is there to pay', async () => {
  expect(usage.record({}, 'request-1')).toBe(false);
  await usage.settled();
  expect(counted).toEqual([]);
});

test('while Stripe fails it is sent again, and a lost answer is no second use', async () => {
  const cut: Answer = (response, fields) => {
    counted.push(fields);
    response.destroy();
  };
  answers = [refuse(500, 'api_error'), refuse(429, 'rate_limit')];
  usage.record({ customer: 'cus_1' }, 'request-1');
  await usage.settled();
  expect(counted).toHaveLength(1);
  answers = [cut];
  usage.record({ customer: 'cus_1' }, 'request-2');
  await usage.settled();
  expect(counted).toHaveLength(2);
  expect(lost).toEqual([]);
});

test('after the last attempt it is told, not forgotten', async () => {
  answers = [1, 2, 3].map(() => refuse(503, 'api_error'));
  usage.record({ customer: 'cus_1' }, 'request-1');
  await usage.settled();
  expect(counted).toEqual([]);
  expect(lost).toHaveLength(1);
});

test('what Stripe does not take is told, and the next one is sent', async () => {
  answers = [refuse(400, 'no_meter')];
  usage.record({ customer: 'cus_1' }, 'request-1');
  usage.record({ customer: 'cus_1' }, 'request-2');
  await usage.settled();
  expect(counted).toHaveLength(1);
  expect(lost).toHaveLength(1);
  expect(lost).not.toContain(counted[0]?.['identifier']);
});

test('the service answers while Stripe is silent, and bills the customer of the token', async () => {
  const issuer = await openIssuer();
  const service = await startService({
    issuer: issuer.issuer,
    audience,
    name: 'Service',
    about: 'It makes reports.',
    port: 0,
    origins: [],
    clock: clock.now,
    usage,
  });
  closing.push(service.close, issuer.close);
  const asked = Promise.withResolvers<() => void>();
  answers = [(response, fields) => asked.resolve(() => count(response, fields))];
  const token = await accessToken(issuer, clock, { customer: 'cus_1', account: 'acc_1' });
  const report = async (authorization: string) => {
    const headers = { authorization, 'idempotency-key': 'report-1' };
    const answer = await fetch(`${service.url}/api/reports`, { method: 'POST', headers });
    return { status: answer.status, body: (await answer.json()) as { billed?: boolean } };
  };
  expect(await report('Bearer none')).toMatchObject({ status: 401 });
  // The second is the same request again: the client had lost the answer.
  for (const _ of [1, 2]) {
    expect(await report(`Bearer ${token}`)).toMatchObject({ status: 201, body: { billed: true } });
  }
  expect(counted).toEqual([]);
  (await asked.promise)();
  await usage.settled();
  expect(counted).toEqual([expect.objectContaining({ 'payload[stripe_customer_id]': 'cus_1' })]);
});

test('the simulator of Stripe counts it on the meter that the plan has', async () => {
  const simulator = await startStripe({ port: 0 });
  closing.push(simulator.close);
  const { hostname: host, port } = new URL(simulator.url);
  const stripe = new Stripe(simulator.secretKey, { host, port, protocol: 'http' });
  const meter = await stripe.billing.meters.create({
    display_name: 'Reports',
    event_name: 'reports',
    default_aggregation: { formula: 'sum' },
  });
  const { id: customer } = await stripe.customers.create({ name: 'Office' });
  const recorder = createUsage({ stripe, meter: 'reports', clock: simulator.now });
  closing.push(recorder.close);
  simulator.fail({ kind: 'cut_after', path: '/v1/billing/meter_events' });
  recorder.record({ customer }, 'request-1', 3);
  recorder.record({ customer }, 'request-1', 3);
  recorder.record({ customer }, 'request-2');
  await recorder.settled();
  const minute = Math.floor(simulator.now() / 60_000) * 60;
  const { data } = await stripe.billing.meters.listEventSummaries(meter.id, {
    customer,
    start_time: minute - 600,
    end_time: minute + 600,
  });
  expect(data.map((summary) => summary.aggregated_value)).toEqual([4]);
});
