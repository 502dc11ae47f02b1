import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import {
  accessClaims,
  accessToken,
  audience,
  backchannel,
  clientId,
  clockAt,
  logoutRequest,
  logoutToken,
  makeKey,
  openIssuer,
  openService,
  outcome,
  securityEvent,
  sign,
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

const receive = (token: string) => service.tollgate.receive(logoutRequest(token));
const told = async (claims: object, options?: SignOptions) =>
  receive(await logoutToken(world, clock, claims, options));
const check = async (claims: object = {}) =>
  outcome(service.tollgate.check(await accessToken(world, clock, claims)));

async function refused(response: Response): Promise<void> {
  expect(response.status).toBe(400);
  expect(response.headers.get('cache-control')).toBe('no-store');
  expect(await response.json()).toMatchObject({ error: 'invalid_request' });
  expect(await check()).toBe('good');
  expect(service.events).toEqual([]);
}

describe('T45: a logout token', () => {
  test('ends one session: 200, and nothing of it is kept by caches', async () => {
    expect(await check()).toBe('good');
    const response = await told({ sid: 'sid_1', sub: 'usr_ada' });
    expect(response.status).toBe(200);
    expect(response.headers.get('cache-control')).toBe('no-store');
    expect(await check()).toBe('token_revoked');
    expect(await check({ sid: 'sid_2' })).toBe('good');
    clock.advance(1);
    // Who signs in again is let in.
    expect(await check()).toBe('good');
    expect(service.events).toMatchObject([
      {
        encoding: 'logout_token',
        type: backchannel,
        subject: { user: 'usr_ada', session: 'sid_1' },
      },
    ]);
  });

  test('ends all sessions of a user, where it names no session', async () => {
    expect((await told({ sub: 'usr_ada' })).status).toBe(200);
    expect(await check({ sid: 'sid_2' })).toBe('token_revoked');
    expect(await check({ sub: 'usr_eve' })).toBe('good');
  });

  test('with a session alone is enough (T47)', async () => {
    expect((await told({ sid: 'sid_1' })).status).toBe(200);
    expect(await check()).toBe('token_revoked');
  });

  test('may be named JWT, and be signed by either algorithm', async () => {
    expect((await told({ sid: 'a' }, { header: { typ: 'JWT' } })).status).toBe(200);
    expect((await told({ sid: 'a' }, { key: world.rs })).status).toBe(200);
  });

  test('with a nonce is none', async () => refused(await told({ sid: 'sid_1', nonce: 'n' })));

  test.each([
    ['neither sub nor sid', {}],
    ['a sid that is no text', { sid: 7, sub: 'usr_ada' }],
    ['an empty sid', { sid: '' }],
    ['a sub that is no text', { sub: ['usr_ada'] }],
    ['no events', { sid: 'sid_1', events: undefined }],
    ['events that are none', { sid: 'sid_1', events: [backchannel] }],
    ['another event', { sid: 'sid_1', events: { 'http://example.com/other': {} } }],
    ['an event that is no object', { sid: 'sid_1', events: { [backchannel]: 'x' } }],
    ['an event that is a list', { sid: 'sid_1', events: { [backchannel]: [] } }],
    ['another audience', { sid: 'sid_1', aud: 'other' }],
    ['the audience of access tokens', { sid: 'sid_1', aud: audience }],
    ['no jti', { sid: 'sid_1', jti: undefined }],
    ['no iat', { sid: 'sid_1', iat: undefined }],
    ['no exp', { sid: 'sid_1', exp: undefined }],
    ['another issuer', { sid: 'sid_1', iss: 'https://id.example.com' }],
  ])('%s: refused', async (_name, claims) => refused(await told(claims)));

  test('of another type, algorithm or key: refused', async () => {
    const claims = { sid: 'sid_1' };
    for (const typ of [null, 'at+jwt', 'secevent+jwt', 'x']) {
      await refused(await told(claims, { header: { typ } }));
    }
    await refused(await told(claims, { key: await makeKey('ES256', 'es-1') }));
    await refused(await told(claims, { header: { kid: 'other' } }));
    const [header, payload] = (await logoutToken(world, clock, claims)).split('.');
    await refused(await receive(`${header}.${payload}.`));
    await refused(await receive('x'));
  });

  test('T18: an ID token, an access token, a SET are no logout tokens', async () => {
    const claims = { ...accessClaims(world, clock), aud: clientId };
    await refused(await receive(await sign(world, claims, { header: { typ: 'JWT' } })));
    const events = { [backchannel]: {} };
    await refused(await receive(await accessToken(world, clock, { events, aud: clientId })));
    const set = await securityEvent(world, clock, { events, sid: 'sid_1', aud: clientId });
    await refused(await receive(set));
  });

  test('T46: must be fresh', async () => {
    const iat = clock.seconds();
    await refused(await told({ sid: 'sid_1', iat: iat - 306, exp: iat + 120 }));
    await refused(await told({ sid: 'sid_1', iat: iat - 120, exp: iat - 5 }));
    await refused(await told({ sid: 'sid_1', iat: iat + 61, exp: iat + 120 }));
    expect((await told({ sid: 'sid_1', iat: iat - 120, exp: iat - 4 })).status).toBe(200);
  });

  test('that comes again is answered like the first, and has no effect again', async () => {
    const token = await logoutToken(world, clock, { sid: 'sid_1' });
    const statuses = await Promise.all(
      Array.from({ length: 5 }, async () => (await receive(token)).status),
    );
    expect(statuses).toEqual([200, 200, 200, 200, 200]);
    expect((await receive(token)).status).toBe(200);
    expect(service.events).toHaveLength(1);
  });

  test('is one, in a form', async () => {
    const token = await logoutToken(world, clock, { sid: 'sid_1' });
    const post = (body: URLSearchParams) =>
      service.tollgate.receive(new Request('https://a.example/', { method: 'POST', body }));
    await refused(await post(new URLSearchParams()));
    await refused(
      await post(
        new URLSearchParams([
          ['logout_token', token],
          ['logout_token', token],
        ]),
      ),
    );
    const more = new URLSearchParams({ logout_token: token, other: 'is ignored' });
    expect((await post(more)).status).toBe(200);
  });

  test('is for one of several clients', async () => {
    service = openService(world, clock, { clientId: ['web', 'spa'] });
    expect((await told({ sid: 'a', aud: 'spa' })).status).toBe(200);
    expect((await told({ sid: 'a', aud: ['other', 'web'] })).status).toBe(200);
    expect((await told({ sid: 'a', aud: 'sp' })).status).toBe(400);
  });

  test('without the keys it is not decided: 503, and it comes again', async () => {
    service = openService(world, clock, { fetch: () => Promise.reject(new Error('no network')) });
    const response = await told({ sid: 'sid_1' });
    expect(response.status).toBe(503);
  });
});
