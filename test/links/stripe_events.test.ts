/** What is taken from Stripe, and what is not: S1, S2, S9, S11. Nobody's customer is in it, so Stripe is not asked. */

import { createServer } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { Problem } from '../../src/base/errors.ts';
import { createMetrics } from '../../src/base/metrics.ts';
import type { ConfigInput } from '../../src/config.ts';
import type { Store } from '../../src/storage/store.ts';
import { openEmpty } from '../kit/places.ts';
import { startServer } from '../kit/server.ts';
import type { RunningServer, StartOptions } from '../kit/server.ts';
import {
  sendEvent,
  signatureOf,
  snapshotEvent,
  stripeKey,
  thinEvent,
  webhookSecret,
} from '../kit/stripe_events.ts';

type StripeInput = NonNullable<ConfigInput['stripe']>;

let stripe: { base: string; close(): void; paths: string[] };
let running: RunningServer;

/** Knows which account it is, and nothing else. */
async function startStripeAccount() {
  const paths: string[] = [];
  const server = createServer((request, response) => {
    paths.push(request.url ?? '');
    const isAccount = request.url === '/v1/account';
    response.writeHead(isAccount ? 200 : 500, { 'Content-Type': 'application/json' });
    response.end(isAccount ? JSON.stringify({ id: 'acct_ours', object: 'account' }) : '{}');
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const close = () => {
    server.closeAllConnections();
    server.close();
  };
  return { base: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, close, paths };
}

/** A line for each request that was not taken, beside what is said once. */
const refusals = ({ log }: Pick<RunningServer, 'log'>) =>
  log.lines.filter(
    ({ level, message }) => level !== 'debug' && /^request (failed|refused)/.test(message),
  );

const stripeConfig = (changes: Partial<StripeInput> = {}): StripeInput => ({
  secretKey: stripeKey,
  webhookSecrets: [webhookSecret],
  apiBase: stripe.base,
  ...changes,
});

const withStripe = (changes: Partial<StripeInput> = {}): StartOptions => ({
  config: { stripe: stripeConfig(changes) },
});

async function start(options: StartOptions): Promise<RunningServer> {
  const server = await startServer(options);
  onTestFinished(() => server.close());
  return server;
}

beforeAll(async () => {
  stripe = await startStripeAccount();
  running = await startServer(withStripe());
});

afterAll(async () => {
  await running?.close();
  stripe?.close();
});

let known = new Set<string>();

/** Ids of what was stored in this test. */
async function stored(store: Store = running.store): Promise<string[]> {
  const all = await store.due('inbox', Date.now() + 100 * 86_400_000, 1000);
  return all.map(({ id }) => id).filter((id) => !known.has(id));
}

beforeEach(async () => {
  known = new Set();
  known = new Set(await stored());
});

const updated = 'customer.subscription.updated';

describe('S1 what is not signed by Stripe', () => {
  const event = snapshotEvent(updated);
  const payload = JSON.stringify(event);
  const right = signatureOf(payload);
  const [time = '', mac = ''] = right.split(',');
  const spaced = JSON.stringify(event, null, 1);
  const cases: [string, () => Promise<{ status: number; body: object }>][] = [
    ['has no header', () => sendEvent(running.issuer, payload, null)],
    ['has an empty header', () => sendEvent(running.issuer, payload, '')],
    ['has a header without a time', () => sendEvent(running.issuer, payload, mac)],
    ['has a header without a signature', () => sendEvent(running.issuer, payload, time)],
    [
      'is signed by another secret',
      () =>
        sendEvent(running.issuer, payload, signatureOf(payload, { secret: 'whsec_another_one' })),
    ],
    [
      'is signed in the old way alone (v0)',
      () => sendEvent(running.issuer, payload, signatureOf(payload, { scheme: 'v0' })),
    ],
    [
      'has another time than was signed',
      () => sendEvent(running.issuer, payload, `t=${Number(time.slice(2)) + 1},${mac}`),
    ],
    ['was written anew', () => sendEvent(running.issuer, spaced, right)],
    ['has a space more', () => sendEvent(running.issuer, `${payload} `, right)],
    ['has a byte order mark more', () => sendEvent(running.issuer, `\ufeff${payload}`, right)],
    [
      'has a letter more',
      () => sendEvent(running.issuer, payload.replace('cus_1', 'cus_2'), right),
    ],
    ['is empty', () => sendEvent(running.issuer, '', right)],
    ['is no JSON', () => sendEvent(running.issuer, 'null', 'null')],
    ['is no UTF-8', () => sendEvent(running.issuer, new Uint8Array([0xff, 0xfe, 0x7b]))],
    [
      'is compressed',
      () => {
        const body = gzipSync(payload);
        const header = { 'Content-Encoding': 'gzip' };
        return sendEvent(running.issuer, body, signatureOf(body), header);
      },
    ],
  ];

  test.each(cases)('%s: 400, and nothing is stored', async (_what, send) => {
    const answer = await send();
    expect(answer).toMatchObject({ status: 400, body: { error: { code: 'signature_invalid' } } });
    expect(await stored()).toEqual([]);
  });

  test('by another secret: the log says once what to do', async () => {
    const own = await start(withStripe());
    const signature = signatureOf(payload, { secret: 'whsec_another_one' });
    for (let time = 0; time < 3; time += 1) await sendEvent(own.issuer, payload, signature);
    await sendEvent(own.issuer, payload, signatureOf(payload, { at: -301 }));
    const warned = own.log.lines.filter(({ level }) => level === 'warn');
    expect(warned).toMatchObject([
      { fields: { remedy: expect.stringContaining('TOLLGATE_STRIPE_WEBHOOK_SECRETS') } },
    ]);
    expect(refusals(own)).toEqual([]);
  });

  test('the same, as it is: 200, and it is stored', async () => {
    expect(await sendEvent(running.issuer, payload, right)).toEqual({
      status: 200,
      body: { received: true },
    });
    expect(await stored()).toEqual([event.id]);
  });
});

describe('S2 what is too old, too new, or not for us', () => {
  test.each([
    ['older than the tolerance', -301],
    ['of the future', 61 + 5],
  ])('%s: 400', async (_what, at) => {
    const payload = JSON.stringify(snapshotEvent(updated));
    const answer = await sendEvent(running.issuer, payload, signatureOf(payload, { at }));
    expect(answer).toMatchObject({ status: 400, body: { error: { code: 'signature_invalid' } } });
    expect(await stored()).toEqual([]);
  });

  test.each([-290, 50])('within it (%i s): 200', async (at) => {
    const payload = JSON.stringify(snapshotEvent(updated));
    const answer = await sendEvent(running.issuer, payload, signatureOf(payload, { at }));
    expect(answer.status).toBe(200);
  });

  test('thin events are bound by the same', async () => {
    const payload = JSON.stringify(thinEvent(updated));
    for (const at of [-301, 66]) {
      const answer = await sendEvent(running.issuer, payload, signatureOf(payload, { at }));
      expect(answer.status).toBe(400);
    }
    expect(await stored()).toEqual([]);
  });

  test('the tolerance is the configured one', async () => {
    const { issuer } = await start(withStripe({ toleranceSeconds: 30 }));
    const payload = JSON.stringify(snapshotEvent(updated));
    expect((await sendEvent(issuer, payload, signatureOf(payload, { at: -40 }))).status).toBe(400);
    expect((await sendEvent(issuer, payload, signatureOf(payload, { at: -20 }))).status).toBe(200);
  });

  test('while a secret is replaced: two signatures in one header, and either secret', async () => {
    const { issuer } = await start(
      withStripe({ webhookSecrets: ['whsec_the_new_one', webhookSecret] }),
    );
    for (const event of [snapshotEvent(updated), thinEvent(updated)]) {
      const payload = JSON.stringify(event);
      const old = signatureOf(payload);
      const young = signatureOf(payload, { secret: 'whsec_the_new_one' });
      const both = `${old},v1=${young.split('v1=')[1]}`;
      const other = signatureOf(payload, { secret: 'whsec_elsewhere' });
      const statuses: number[] = [];
      for (const header of [old, young, both, `${other},v1=${old.split('v1=')[1]}`, other]) {
        statuses.push((await sendEvent(issuer, payload, header)).status);
      }
      expect(statuses).toEqual([200, 200, 200, 200, 400]);
    }
  });

  test.each([
    ['snapshot', snapshotEvent],
    ['thin', thinEvent],
  ] as const)('an event of live mode (%s): 400', async (_kind, make) => {
    const event = make(updated, undefined, { livemode: true });
    expect(await sendEvent(running.issuer, event)).toMatchObject({
      status: 400,
      body: { error: { code: 'event_of_other_mode' } },
    });
    expect(await stored()).toEqual([]);
  });

  test('with a live key, of test mode: 400', async () => {
    const { issuer } = await start(withStripe({ secretKey: 'sk_live_of_tests' }));
    expect((await sendEvent(issuer, snapshotEvent(updated))).status).toBe(400);
    const live = snapshotEvent(updated, undefined, { livemode: true });
    expect((await sendEvent(issuer, live)).status).toBe(200);
  });

  test('an event of another Stripe account: 400; one that names ours: 200', async () => {
    const foreign = { status: 400, body: { error: { code: 'event_of_other_account' } } };
    const [theirs, ours] = [{ account: 'acct_theirs' }, { account: 'acct_ours' }];
    expect(
      await sendEvent(running.issuer, snapshotEvent(updated, undefined, theirs)),
    ).toMatchObject(foreign);
    expect((await sendEvent(running.issuer, snapshotEvent(updated, undefined, ours))).status).toBe(
      200,
    );
    const [there, here] = [{ context: 'acct_theirs' }, { context: 'org_1/acct_ours' }];
    expect(await sendEvent(running.issuer, thinEvent(updated, undefined, there))).toMatchObject(
      foreign,
    );
    expect((await sendEvent(running.issuer, thinEvent(updated, undefined, here))).status).toBe(200);
  });

  test('where no secret is configured: 503, and the log says what to do', async () => {
    const { issuer, log } = await start(withStripe({ webhookSecrets: [] }));
    const answer = await sendEvent(issuer, snapshotEvent(updated));
    expect(answer).toMatchObject({
      status: 503,
      body: { error: { code: 'webhooks_not_configured' } },
    });
    // Said once: anybody can come here.
    await sendEvent(issuer, snapshotEvent(updated));
    const remedy = expect.stringContaining('TOLLGATE_STRIPE_WEBHOOK_SECRETS') as string;
    expect(log.lines.filter(({ fields }) => fields.remedy !== undefined)).toMatchObject([
      { level: 'warn', fields: { remedy } },
    ]);
    expect(refusals({ log })).toEqual([]);
  });

  test('where nothing is sold: 404', async () => {
    const { issuer } = await start({});
    expect((await sendEvent(issuer, snapshotEvent(updated))).status).toBe(404);
  });
});

describe('S9 what we do not know', () => {
  test('unknown types: 200, and they are not stored', async () => {
    for (const event of [
      snapshotEvent('customer.created', { id: 'cus_1', object: 'customer' }),
      snapshotEvent('something.of.the.future', { id: 'x', object: 'future' }),
      thinEvent('something.of.the.future', null),
      { ...thinEvent('x'), type: 'v2.core.event_destination.ping' },
    ]) {
      expect((await sendEvent(running.issuer, event)).status).toBe(200);
    }
    expect(await stored()).toEqual([]);
  });

  test('another version of the API, more fields: stored like any other', async () => {
    const event = snapshotEvent(updated, undefined, {
      api_version: '2031-01-01.future',
      more: { than: ['we', 'know'] },
    });
    expect((await sendEvent(running.issuer, event)).status).toBe(200);
    expect(await stored()).toEqual([event.id]);
  });

  test.each([
    ['no id', { id: undefined }],
    ['an id that is none', { id: { no: 'id' } }],
    ['an id that no store should have', { id: 'evt_../\u0000' }],
  ])('an event with %s: 200, logged, not stored', async (_what, fields) => {
    const before = running.log.lines.length;
    const event = snapshotEvent(updated, undefined, fields);
    expect((await sendEvent(running.issuer, event)).status).toBe(200);
    expect(await stored()).toEqual([]);
    const said = running.log.lines.slice(before).map(({ message }) => message);
    expect(said).toContain('an event of Stripe could not be read');
  });

  test.each([
    ['no data', { data: undefined }],
    ['no object', { data: { object: null } }],
    ['a customer that is none', { data: { object: { customer: 7 } } }],
    ['no time', { created: 'yesterday' }],
  ])('an event with %s: stored', async (_what, fields) => {
    const event = snapshotEvent(updated, undefined, fields);
    expect((await sendEvent(running.issuer, event)).status).toBe(200);
    expect(await stored()).toEqual([event.id]);
  });

  test('valid, and no object at all: refused, and nothing breaks', async () => {
    for (const payload of ['null', '7', '[]', '"text"', '{}']) {
      const { status } = await sendEvent(running.issuer, payload);
      expect([payload, status]).toEqual([payload, 400]);
    }
  });

  test('three megabytes: 413', async () => {
    const event = snapshotEvent(updated, { id: 'sub_1', filler: 'x'.repeat(3 * 1024 * 1024) });
    expect(await sendEvent(running.issuer, event)).toMatchObject({
      status: 413,
      body: { error: { code: 'body_too_large' } },
    });
    expect(await stored()).toEqual([]);
  });

  test('half of one is taken', async () => {
    const event = snapshotEvent(updated, { id: 'sub_1', filler: 'x'.repeat(250 * 1024) });
    expect((await sendEvent(running.issuer, event)).status).toBe(200);
  });

  test('other methods: 405', async () => {
    const response = await fetch(`${running.issuer}/integrations/stripe/events`);
    expect([response.status, response.headers.get('Allow')]).toEqual([405, 'POST']);
  });
});

describe('one event is one, however it comes', () => {
  test('again: 200, and nothing more', async () => {
    const event = snapshotEvent(updated);
    const statuses = await Promise.all(
      Array.from({ length: 20 }, async () => (await sendEvent(running.issuer, event)).status),
    );
    expect(new Set(statuses)).toEqual(new Set([200]));
    expect(await stored()).toEqual([event.id]);
  });

  test('as a snapshot and as a thin one', async () => {
    const snapshot = snapshotEvent(updated);
    const thin = thinEvent(updated, undefined, { snapshot_event: snapshot.id });
    expect((await sendEvent(running.issuer, thin)).status).toBe(200);
    expect((await sendEvent(running.issuer, snapshot)).status).toBe(200);
    expect(await stored()).toEqual([snapshot.id]);
  });

  test('of whom it is about, the inbox keeps ids and nothing else', async () => {
    const card = {
      id: 'in_1',
      object: 'invoice',
      customer: 'cus_7',
      customer_email: 'a@b.example',
    };
    const events = [
      snapshotEvent('invoice.paid', card),
      snapshotEvent('customer.deleted', { id: 'cus_8', object: 'customer' }),
      snapshotEvent(updated, { id: 'sub_9', customer: { id: 'cus_9', object: 'customer' } }),
      thinEvent('customer.updated', { id: 'cus_8', type: 'customer', url: '/v1/customers/cus_8' }),
      thinEvent('entitlements.active_entitlement_summary.updated', {
        type: 'entitlements.active_entitlement_summary',
        url: '/v1/entitlements/active_entitlements?customer=cus_6',
      }),
    ];
    const kept: unknown[] = [];
    for (const event of events) {
      expect((await sendEvent(running.issuer, event)).status).toBe(200);
      const found = (await running.store.get('inbox', event.id))?.document;
      expect(JSON.stringify(found)).not.toContain('b.example');
      kept.push([found?.customer, found?.object]);
    }
    expect(kept).toEqual([
      ['cus_7', 'in_1'],
      ['cus_8', 'cus_8'],
      ['cus_9', 'sub_9'],
      ['cus_8', 'cus_8'],
      ['cus_6', undefined],
    ]);
  });
});

test('what came is counted, by what became of it', async () => {
  const measures = createMetrics();
  const { issuer } = await start({ ...withStripe(), measures });
  const event = snapshotEvent(updated);
  await sendEvent(issuer, event);
  await sendEvent(issuer, event);
  await sendEvent(issuer, snapshotEvent('customer.created'));
  await sendEvent(issuer, event, 'nonsense');
  await sendEvent(issuer, 'x'.repeat(600 * 1024));
  const text = await measures.text();
  const counts = text.matchAll(/^tollgate_billing_webhooks_total\{outcome="(\w+)"\} (\d+)$/gm);
  expect(Object.fromEntries([...counts].map(([, outcome, count]) => [outcome, count]))).toEqual({
    stored: '1',
    duplicate: '1',
    ignored: '1',
    refused: '2',
  });
});

test('what could not be stored is not acknowledged: Stripe sends it again', async () => {
  const store = await openEmpty(Date.now);
  onTestFinished(() => store.close());
  let broken = true;
  const failing: Store = {
    ...bound(store),
    write(kind, ...rest) {
      if (broken && kind === 'inbox') {
        throw new Problem('store_unavailable', 503, 'The store does not answer.');
      }
      return store.write(kind, ...rest);
    },
  };
  const { issuer } = await start({ ...withStripe(), store: failing });
  const event = snapshotEvent(updated);
  expect((await sendEvent(issuer, event)).status).toBe(503);
  broken = false;
  expect((await sendEvent(issuer, event)).status).toBe(200);
  expect(await stored(store)).toEqual([event.id]);
});

/** Its methods, apart from the object that they need. */
function bound(store: Store): Store {
  return {
    get: (...all) => store.get(...all),
    find: (...all) => store.find(...all),
    list: (kind, options) => store.list(kind, options),
    due: (...all) => store.due(...all),
    write: (...all) => store.write(...all),
    pending: (...all) => store.pending(...all),
    settle: (...all) => store.settle(...all),
    bump: (...all) => store.bump(...all),
    sweep: (...all) => store.sweep(...all),
    ping: () => store.ping(),
    close: () => store.close(),
  };
}

test('S11 no cookie, no token, no limit of browsers: 2,000 at once are all taken', async () => {
  const limits = { perAddressPerMinute: 10 };
  const { issuer, store } = await start({ config: { stripe: stripeConfig(), limits } });
  const events = Array.from({ length: 2000 }, (_, at) =>
    snapshotEvent(updated, { id: `sub_${at}`, customer: `cus_${at}` }),
  );
  const statuses = new Set<number>();
  const left = events.values();
  const sender = async () => {
    for (const event of left) statuses.add((await sendEvent(issuer, event)).status);
  };
  await Promise.all(Array.from({ length: 50 }, sender));
  expect([...statuses]).toEqual([200]);
  const last = await store.get('inbox', events.at(-1)?.id ?? '');
  expect(last?.document.type).toBe(updated);
}, 60_000);
