import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import {
  accessClaims,
  accessToken,
  audience,
  clientId,
  caep,
  clockAt,
  logoutToken,
  makeKey,
  opaque,
  openIssuer,
  openService,
  outcome,
  pushRequest,
  risc,
  securityEvent,
  ssf,
  user,
} from './world.ts';
import type { Clock, Service, SignOptions, TestIssuer } from './world.ts';

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

const push = (token: string, headers?: Record<string, string>) =>
  service.tollgate.receive(pushRequest(token, headers));

async function told(claims: object, options?: SignOptions): Promise<Response> {
  return push(await securityEvent(world, clock, claims, options));
}

const check = async (claims: object = {}) =>
  outcome(service.tollgate.check(await accessToken(world, clock, claims)));

async function refused(response: Response, err: string): Promise<void> {
  expect(response.status).toBe(400);
  expect(response.headers.get('content-type')).toBe('application/json');
  expect(response.headers.get('content-language')).toBe('en');
  expect(await response.json()).toEqual({ err, description: expect.any(String) });
  expect(service.events).toEqual([]);
  expect(await check()).toBe('good');
}

const revoked = (subject: object) => ({
  sub_id: subject,
  events: { [`${caep}session-revoked`]: { reason_admin: { en: 'signed out' } } },
});

const complex = (parts: { user?: string; tenant?: string; session?: string }) => ({
  format: 'complex',
  ...(parts.user === undefined ? {} : { user: user(world, parts.user) }),
  ...(parts.tenant === undefined ? {} : { tenant: opaque(parts.tenant) }),
  ...(parts.session === undefined ? {} : { session: opaque(parts.session) }),
});

describe('whom an event is about', () => {
  const [ada, acme, first] = ['usr_ada', 'acc_acme', 'sid_1'];
  test.each<[string, { user?: string; tenant?: string; session?: string }, object[], object[]]>([
    ['a session', { session: first, user: ada }, [{}, { account: 'b' }], [{ sid: 'b' }]],
    ['a session of nobody named', { session: first }, [{}, { sub: 'b' }], [{ sid: 'b' }]],
    [
      'a session for one account',
      { session: first, tenant: acme, user: ada },
      [{}],
      [{ account: 'b' }, { sid: 'b' }],
    ],
    ['a member', { user: ada, tenant: acme }, [{}, { sid: 'b' }], [{ account: 'b' }, { sub: 'b' }]],
    ['a user', { user: ada }, [{}, { sid: 'b', account: 'b' }], [{ sub: 'b' }]],
    ['an account', { tenant: acme }, [{}, { sub: 'b', sid: 'b' }], [{ account: 'b' }]],
  ])('%s', async (_name, parts, denied, good) => {
    expect((await told(revoked(complex(parts)))).status).toBe(202);
    for (const claims of denied) expect(await check(claims)).toBe('token_revoked');
    for (const claims of good) expect(await check(claims)).toBe('good');
  });

  test('a user without the complex form', async () => {
    expect((await told(revoked(user(world, 'usr_ada')))).status).toBe(202);
    expect(await check()).toBe('token_revoked');
  });

  test('nobody that is known here: refused, for access would go on', async () => {
    for (const subject of [
      undefined,
      'usr_ada',
      opaque('usr_ada'),
      { format: 'email', email: 'ada@example.com' },
      { format: 'complex' },
      { format: 'complex', user: opaque('usr_ada') },
      { format: 'complex', user: 'usr_ada' },
      { format: 'complex', tenant: 'acc_acme' },
      { format: 'complex', tenant: { format: 'opaque' } },
      { format: 'complex', user: user(world, 'usr_ada'), session: null },
      { ...user(world, 'usr_ada'), iss: 'https://other.example' },
      { format: 'complex', user: { ...user(world, 'usr_ada'), iss: `${world.issuer}/` } },
      user(world, ''),
      user(world, 'x'.repeat(256)),
    ]) {
      await refused(await told(revoked(subject as object)), 'invalid_request');
    }
  });
});

describe('T61: a SET', () => {
  const subject = () => user(world, 'usr_ada');

  test('has exactly one event', async () => {
    const { events } = revoked(subject());
    const two = { ...events, [`${risc}account-disabled`]: {} };
    await refused(await told({ sub_id: subject(), events: two }), 'invalid_request');
    await refused(await told({ sub_id: subject(), events: {} }), 'invalid_request');
    await refused(await told({ sub_id: subject() }), 'invalid_request');
    await refused(await told({ sub_id: subject(), events: [events] }), 'invalid_request');
    const none = { [`${caep}session-revoked`]: null };
    await refused(await told({ sub_id: subject(), events: none }), 'invalid_request');
  });

  test('has neither sub nor exp', async () => {
    await refused(await told({ ...revoked(subject()), sub: 'usr_ada' }), 'invalid_request');
    const exp = clock.seconds() + 900;
    await refused(await told({ ...revoked(subject()), exp }), 'invalid_request');
  });

  test('has its issuer, audience, id and time', async () => {
    const claims = revoked(subject());
    await refused(await told({ ...claims, iss: 'https://other.example' }), 'invalid_issuer');
    await refused(await told({ ...claims, iss: `${world.issuer}/` }), 'invalid_issuer');
    await refused(await told({ ...claims, aud: 'other' }), 'invalid_audience');
    await refused(await told({ ...claims, aud: `${audience}/` }), 'invalid_audience');
    await refused(await told({ ...claims, aud: undefined }), 'invalid_audience');
    await refused(await told({ ...claims, jti: undefined }), 'invalid_request');
    await refused(await told({ ...claims, iat: undefined }), 'invalid_request');
    await refused(await told({ ...claims, iat: clock.seconds() + 61 }), 'invalid_request');
    // The client that the stream is of, as Tollgate sends it.
    expect((await told({ ...claims, aud: clientId })).status).toBe(202);
    service = openService(world, clock, { stream: { audience: ['receiver'] } });
    await refused(await told({ ...claims, aud: clientId }), 'invalid_audience');
    expect((await told({ ...claims, aud: 'receiver' })).status).toBe(202);
    expect((await told(claims)).status).toBe(400);
  });

  test('is signed by the issuer, and of its type (T18, T19, T62)', async () => {
    const claims = revoked(subject());
    for (const typ of [null, 'JWT', 'at+jwt', 'logout+jwt']) {
      await refused(await told(claims, { header: { typ } }), 'invalid_request');
    }
    const foreign = await makeKey('RS256', 'rs-1');
    await refused(await told(claims, { key: foreign }), 'authentication_failed');
    await refused(await told(claims, { header: { kid: 'other' } }), 'invalid_key');
    await refused(await push(await logoutToken(world, clock, claims)), 'invalid_request');
    await refused(await push(await accessToken(world, clock, claims)), 'invalid_request');
    const token = await securityEvent(world, clock, claims);
    await refused(await push(token.slice(0, -8)), 'authentication_failed');
    await refused(await push(token.slice(0, token.lastIndexOf('.') + 1)), 'invalid_request');
    await refused(await push(token.slice(0, 60)), 'invalid_request');
    await refused(await push(`${token} `), 'invalid_request');
    await refused(await push(''), 'invalid_request');
    expect((await told(claims, { key: world.es })).status).toBe(202);
    expect((await told(claims, { header: { typ: 'application/secevent+jwt' } })).status).toBe(202);
  });

  test('T67: a retry has the same jti, is answered like the first and has no effect again', async () => {
    const token = await securityEvent(world, clock, revoked(subject()));
    expect((await push(token)).status).toBe(202);
    clock.advance(2 * 86_400);
    expect((await push(token)).status).toBe(202);
    expect(service.events).toHaveLength(1);
  });

  test('of long ago is taken, and denies nobody who is there now', async () => {
    const iat = clock.seconds() - 86_400;
    expect((await told({ ...revoked(subject()), iat })).status).toBe(202);
    expect(await check()).toBe('good');
    expect(service.events).toHaveLength(1);
  });
});

describe('the Authorization header of the sender (RFC 8935 §3)', () => {
  test('must be one of those that it was told, where there are any', async () => {
    const authorization = ['Bearer new-secret', 'Bearer old-secret'];
    service = openService(world, clock, { stream: { authorization } });
    const token = await securityEvent(world, clock, revoked(user(world, 'usr_ada')));
    for (const given of ['', 'Bearer new-secre', 'Bearer new-secret2', 'bearer new-secret']) {
      await refused(
        await push(token, given === '' ? {} : { authorization: given }),
        'authentication_failed',
      );
    }
    expect((await push(token, { authorization: 'Bearer old-secret' })).status).toBe(202);
    expect((await push(token, { authorization: 'Bearer new-secret' })).status).toBe(202);
    expect(await check()).toBe('token_revoked');
  });
});

describe('T63: what events do', () => {
  const tell = (type: string, data: object = {}, subject?: object) =>
    told({ sub_id: subject ?? user(world, 'usr_ada'), events: { [type]: data } });

  test.each([`${caep}session-revoked`, `${risc}account-disabled`, `${risc}account-purged`])(
    '%s ends access',
    async (type) => {
      expect((await tell(type)).status).toBe(202);
      expect(await check()).toBe('token_revoked');
      expect(service.events).toMatchObject([{ encoding: 'set', type, denies: 'revoked' }]);
    },
  );

  test.each([
    `${caep}credential-change`,
    `${risc}account-enabled`,
    `${risc}identifier-changed`,
    `${caep}assurance-level-change`,
    'https://example.com/event-type/of-tomorrow',
  ])('%s is reported, and denies nothing', async (type) => {
    expect((await tell(type, { change_type: 'update' }, opaque('x'))).status).toBe(202);
    expect(await check()).toBe('good');
    expect(service.events).toMatchObject([{ type, data: { change_type: 'update' } }]);
    expect(service.events[0]).not.toHaveProperty('denies');
  });

  test('T25: token-claims-change makes tokens stale that say otherwise', async () => {
    const claims = { plan: 'pro', cancel_at: null };
    const subject = complex({ tenant: 'acc_acme' });
    expect((await tell(`${caep}token-claims-change`, { claims }, subject)).status).toBe(202);
    expect(await check({ plan: 'team' })).toBe('token_stale');
    expect(await check({ plan: 'pro', cancel_at: 7 })).toBe('token_stale');
    expect(await check({ plan: 'pro' })).toBe('good');
    expect(await check({ plan: 'team', account: 'acc_other' })).toBe('good');
    clock.advance(1);
    expect(await check({ plan: 'team' })).toBe('good');
  });

  test('token-claims-change without claims is none', async () => {
    const type = `${caep}token-claims-change`;
    const many = Object.fromEntries(Array.from({ length: 65 }, (_, index) => [`c${index}`, 1]));
    for (const data of [{}, { claims: ['plan'] }, { claims: null }, { claims: many }]) {
      await refused(await tell(type, data), 'invalid_request');
    }
  });

  test('event_timestamp says when, else iat; fractions of seconds are of that second', async () => {
    const start = clock.seconds();
    const type = `${caep}session-revoked`;
    clock.advance(100);
    await tell(type, { event_timestamp: start + 50.75 });
    expect(await check({ iat: start + 50, exp: start + 900 })).toBe('token_revoked');
    expect(await check({ iat: start + 51, exp: start + 900 })).toBe('good');
    expect(service.events).toMatchObject([{ at: start + 50.75 }]);
    await tell(type);
    expect(await check({ iat: start + 100, exp: start + 900 })).toBe('token_revoked');
  });

  test('T66: a verification is a sign of life, with the state that was asked for', async () => {
    const type = `${ssf}verification`;
    expect((await tell(type, { state: 'abc' }, opaque('stream-1'))).status).toBe(202);
    expect((await tell(type, {}, opaque('stream-1'))).status).toBe(202);
    expect(service.events).toMatchObject([
      { heartbeat: true, data: { state: 'abc' } },
      { heartbeat: true, data: {} },
    ]);
  });

  test('a token that is expired is expired, denied or not', async () => {
    await tell(`${caep}session-revoked`);
    const claims = accessClaims(world, clock);
    const old = { iat: claims.iat - 900, exp: claims.iat - 10 };
    expect(await check(old)).toBe('token_expired');
  });
});
