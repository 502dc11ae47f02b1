import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import {
  accessToken,
  clockAt,
  newId,
  openIssuer,
  openService,
  outcome,
  rawWebhook,
  webhookRequest,
  webhookSecret,
} from './world.ts';
import type { Clock, Service, TestIssuer, WebhookOptions } from './world.ts';

let world: TestIssuer;
let clock: Clock;
let service: Service;

beforeAll(async () => {
  world = await openIssuer();
});
afterAll(() => world.close());
beforeEach(() => {
  clock = clockAt();
  service = openService(world, clock);
});

const tell = (type: string, data: object, options?: WebhookOptions) =>
  service.tollgate.receive(webhookRequest(clock, type, data, options));

const check = async (claims: object = {}) =>
  outcome(service.tollgate.check(await accessToken(world, clock, claims)));

async function refused(response: Response, status: number): Promise<void> {
  expect(response.status).toBe(status);
  const { error } = (await response.json()) as { error: { code: string } };
  expect(error.code).toMatch(/^event_/);
}

const ended = { user: 'usr_ada', clients: [{ client: 'web', sid: 'sid_1' }], reason: 'signed_out' };

describe('what webhooks do', () => {
  test.each<[string, object, object[], object[]]>([
    [
      'session.ended',
      { ...ended, clients: [...ended.clients, { client: 'spa', sid: 'sid_2' }] },
      [{}, { sid: 'sid_2' }],
      [{ sid: 'sid_3' }, { sid: undefined }],
    ],
    [
      'grant.revoked',
      { user: 'usr_ada', client: 'web', sid: 'sid_1', reason: 'reuse' },
      [{}, { account: 'acc_other' }],
      [{ sid: 'sid_2' }],
    ],
    [
      'grant.revoked',
      { user: 'usr_ada', client: 'web', account: 'acc_acme', sid: 'sid_1', reason: 'reuse' },
      [{}],
      [{ sid: 'sid_2' }, { account: 'acc_other' }],
    ],
    [
      'member.removed',
      { user: 'usr_ada', account: 'acc_acme' },
      [{}, { sid: 'sid_2' }],
      [{ account: 'acc_other' }, { sub: 'usr_eve' }],
    ],
    ['account.closed', { account: 'acc_acme' }, [{}, { sub: 'usr_eve' }], [{ account: 'b' }]],
    ['account.revoked', { account: 'acc_acme' }, [{}, { sub: 'usr_eve' }], [{ account: 'b' }]],
    ['user.disabled', { user: 'usr_ada' }, [{}, { account: 'b', sid: 'b' }], [{ sub: 'usr_eve' }]],
    ['user.deleted', { user: 'usr_ada' }, [{}, { account: 'b', sid: 'b' }], [{ sub: 'usr_eve' }]],
    ['user.revoked', { user: 'usr_ada' }, [{}, { account: 'b', sid: 'b' }], [{ sub: 'usr_eve' }]],
  ])('%s ends access', async (type, data, denied, good) => {
    expect((await tell(type, data)).status).toBe(204);
    for (const claims of denied) expect(await check(claims)).toBe('token_revoked');
    for (const claims of good) expect(await check(claims)).toBe('good');
    clock.advance(1);
    expect(await check()).toBe('good');
    expect(service.events).toMatchObject([{ encoding: 'webhook', type, denies: 'revoked' }]);
  });

  test('member.changed and subscription.changed make tokens stale', async () => {
    await tell('member.changed', { user: 'usr_ada', account: 'acc_acme', roles: ['member'] });
    expect(await check()).toBe('token_stale');
    expect(await check({ roles: ['member'] })).toBe('good');
    expect(await check({ sub: 'usr_eve' })).toBe('good');
    await tell('subscription.changed', { account: 'acc_acme', claims: { plan: 'pro' } });
    expect(await check({ roles: ['member'] })).toBe('token_stale');
    expect(await check({ roles: ['member'], plan: 'pro' })).toBe('good');
    expect(await check({ sub: 'usr_eve', plan: 'team' })).toBe('token_stale');
  });

  test("another product's subscription hides nothing of this one's", async () => {
    const webhook = { secrets: [webhookSecret], product: 'api' };
    service = openService(world, clock, { webhook });
    const changed = (product: string, plan: string) =>
      tell('subscription.changed', { account: 'acc_acme', product, claims: { plan } });
    await changed('api', 'free');
    expect(await check({ plan: 'team' })).toBe('token_stale');
    expect((await changed('other', 'team')).status).toBe(204);
    expect(await check({ plan: 'team' })).toBe('token_stale');
    expect(service.events.map(({ denies }) => denies)).toEqual(['stale', undefined]);
  });

  test('ping is a sign of life; all others are reported', async () => {
    expect((await tell('ping', {})).status).toBe(204);
    expect((await tell('user.created', { user: 'usr_ada' })).status).toBe(204);
    expect((await tell('constructor', { user: 'usr_ada' })).status).toBe(204);
    expect(service.events).toMatchObject([
      { type: 'ping', heartbeat: true },
      { type: 'user.created', heartbeat: false, subject: { user: 'usr_ada' } },
      { type: 'constructor' },
    ]);
    expect(await check()).toBe('good');
  });

  test.each([
    [
      'a session that ran out',
      'session.ended',
      { session: 's', user: 'usr_ada', reason: 'expired' },
    ],
    ['a grant without a session', 'grant.revoked', { grant: 'g', user: 'usr_ada', client: 'web' }],
  ])('%s is taken, and denies nothing', async (_name, type, data) => {
    expect((await tell(type, data)).status).toBe(204);
    expect(await check()).toBe('good');
    expect(service.events).toHaveLength(1);
    expect(service.events[0]).not.toHaveProperty('denies');
  });

  test('an event that would deny, and does not say whom, is refused', async () => {
    for (const [type, data] of [
      ['session.ended', { user: 'usr_ada' }],
      ['session.ended', { user: 'usr_ada', clients: [{ client: 'web' }] }],
      ['session.ended', { user: 'usr_ada', clients: ['sid_1'] }],
      ['grant.revoked', { user: 'usr_ada', sid: '' }],
      ['grant.revoked', { user: 'usr_ada', sid: 'sid_1', account: 7 }],
      ['member.removed', { user: 'usr_ada' }],
      ['member.changed', { user: 'usr_ada', account: 'acc_acme' }],
      ['account.closed', {}],
      ['user.disabled', { user: '' }],
      ['subscription.changed', { account: 'acc_acme' }],
    ] as const) {
      expect((await tell(type, data)).status, type).toBe(400);
    }
    expect(service.events).toEqual([]);
  });

  test('are of the issuer that the configuration names', async () => {
    const other = await openIssuer();
    const issuer = [world.issuer, other.issuer];
    const webhook = { secrets: [webhookSecret], issuer: other.issuer };
    service = openService(world, clock, { issuer, webhook });
    await tell('user.disabled', { user: 'usr_ada' });
    expect(await check()).toBe('good');
    const theirs = await accessToken(other, clock);
    expect(await outcome(service.tollgate.check(theirs))).toBe('token_revoked');
    await other.close();
  });
});

describe('a signature (Standard Webhooks)', () => {
  const secret = (fill: number) => `whsec_${Buffer.alloc(24, fill).toString('base64')}`;

  test('by the new secret, by the old one, or by both', async () => {
    const secrets = [secret(1), secret(2)];
    service = openService(world, clock, { webhook: { secrets } });
    expect((await tell('ping', {}, { secrets: [secret(1)] })).status).toBe(204);
    expect((await tell('ping', {}, { secrets: [secret(2)] })).status).toBe(204);
    expect((await tell('ping', {}, { secrets: [secret(3), secret(2)] })).status).toBe(204);
    await refused(await tell('ping', {}, { secrets: [secret(3)] }), 401);
  });

  test('over what was sent, as it was sent', async () => {
    const body = JSON.stringify({ type: 'ping', timestamp: '2027-01-01', version: 1, data: {} });
    expect((await service.tollgate.receive(rawWebhook(clock, body))).status).toBe(204);
    const changed: WebhookOptions[] = [
      { body: `${body} ` },
      { body: body.replace('ping', 'pong') },
      { headers: { 'webhook-id': 'other' } },
      { headers: { 'webhook-timestamp': String(clock.seconds() + 1) } },
      { headers: { 'webhook-signature': '' } },
      { headers: { 'webhook-signature': 'v1,' } },
      { headers: { 'webhook-signature': 'v1,AAAA' } },
      { headers: { 'webhook-signature': `v1,${Buffer.alloc(32).toString('base64')}` } },
      { headers: { 'webhook-signature': 'v1,*' } },
      { headers: { 'webhook-id': '' } },
      { headers: { 'webhook-id': 'a b' } },
      { headers: { 'webhook-id': 'x'.repeat(256) } },
    ];
    for (const options of changed) {
      await refused(await service.tollgate.receive(rawWebhook(clock, body, options)), 401);
    }
    expect(service.events).toHaveLength(1);
  });

  test('of another version, cut, or after too many others, is none', async () => {
    const id = newId();
    const request = webhookRequest(clock, 'ping', {}, { id });
    const good = request.headers.get('webhook-signature')!;
    for (const signature of [
      good.replace('v1,', 'v1a,'),
      good.replace('v1,', 'v2,'),
      good.slice(0, -3),
      good.slice(3),
      `${'v1,AAAA '.repeat(16)}${good}`,
    ]) {
      const headers = { 'webhook-signature': signature };
      await refused(await tell('ping', {}, { id, headers }), 401);
    }
    const headers = { 'webhook-signature': `${'v1,AAAA '.repeat(15)}${good}` };
    expect((await tell('ping', {}, { id, headers })).status).toBe(204);
  });

  test('is good for five minutes before and after, to the second', async () => {
    const now = clock.seconds();
    for (const timestamp of [now - 300, now + 300]) {
      expect((await tell('ping', {}, { timestamp })).status).toBe(204);
    }
    for (const timestamp of [now - 301, now + 301, NaN, -1, now + 0.5, 1e15]) {
      await refused(await tell('ping', {}, { timestamp }), 401);
    }
  });

  test('once: what comes again is answered like the first', async () => {
    const id = newId();
    const statuses = await Promise.all(
      Array.from(
        { length: 5 },
        async () => (await tell('user.disabled', { user: 'a' }, { id })).status,
      ),
    );
    expect(statuses).toEqual([204, 204, 204, 204, 204]);
    clock.advance(3600);
    expect((await tell('user.disabled', { user: 'a' }, { id })).status).toBe(204);
    expect(service.events).toHaveLength(1);
  });
});

describe('the body of a webhook', () => {
  test.each([
    '',
    '[]',
    'null',
    '{',
    '{"type":"ping","timestamp":"2027-01-01T00:00:00Z","data":{}}',
    '{"type":"ping","timestamp":"2027-01-01T00:00:00Z","version":2,"data":{}}',
    '{"type":"ping","timestamp":"yesterday","version":1,"data":{}}',
    '{"type":"ping","timestamp":1,"version":1,"data":{}}',
    '{"type":"ping","timestamp":"2027-01-01T00:00:00Z","version":1,"data":[]}',
    '{"type":"ping","timestamp":"2027-01-01T00:00:00Z","version":1}',
    '{"type":7,"timestamp":"2027-01-01T00:00:00Z","version":1,"data":{}}',
  ])('%s: refused', async (body) => {
    await refused(await service.tollgate.receive(rawWebhook(clock, body)), 400);
    expect(service.events).toEqual([]);
  });
});
