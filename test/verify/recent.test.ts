import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import {
  accessToken,
  caep,
  clientId,
  clientSecret,
  clockAt,
  newId,
  openIssuer,
  openService,
  outcome,
  securityEvent,
  user,
} from './world.ts';
import type { Clock, Service, TestIssuer } from './world.ts';

let world: TestIssuer;
let clock: Clock;
let service: Service;

beforeEach(async () => {
  world = await openIssuer();
  clock = clockAt();
  service = openService(world, clock);
  world.routes['/token'] = () => ({ body: { access_token: 'at-1', expires_in: 900 } });
});
afterEach(() => world.close());

const ready = () => outcome(service.tollgate.ready());
const check = async (sub: string) =>
  outcome(service.tollgate.check(await accessToken(world, clock, { sub })));

async function disabled(sub: string, claims: object = {}): Promise<[string, string]> {
  const jti = newId();
  const events = { [`${caep}session-revoked`]: {} };
  const set = await securityEvent(world, clock, {
    jti,
    sub_id: user(world, sub),
    events,
    ...claims,
  });
  return [jti, set];
}

function answer(pages: [string, string][][]): void {
  world.routes['/ssf/recent'] = ({ query }) => {
    const after = query.get('after');
    const index = after === null ? 0 : pages.findIndex((page) => page.at(-1)?.[0] === after) + 1;
    return {
      body: {
        sets: Object.fromEntries(pages[index] ?? []),
        moreAvailable: index < pages.length - 1,
      },
    };
  };
}

describe('at start', () => {
  test('what was missed is fetched, page by page, and applied', async () => {
    answer([
      [await disabled('usr_1'), await disabled('usr_2')],
      [await disabled('usr_3')],
      [await disabled('usr_4')],
    ]);
    expect(await ready()).toBe('good');
    for (const sub of ['usr_1', 'usr_2', 'usr_3', 'usr_4']) {
      expect(await check(sub)).toBe('token_revoked');
    }
    expect(await check('usr_5')).toBe('good');
    expect(service.events).toHaveLength(4);
    const asked = world.asked.filter(({ path }) => path === '/ssf/recent');
    expect(asked.map(({ method }) => method)).toEqual(['GET', 'GET', 'GET']);
    expect(asked[0]?.headers.authorization).toBe('Bearer at-1');
    // As far back as a token of before may still be good.
    expect(asked[0]?.query.get('since')).toBe(String(clock.seconds() - 905));
  });

  test('events for the client that it is are taken, as Tollgate makes them', async () => {
    answer([[await disabled('usr_1', { aud: clientId })]]);
    expect(await ready()).toBe('good');
    expect(await check('usr_1')).toBe('token_revoked');
  });

  test('it asks as the client that it is', async () => {
    answer([[]]);
    expect(await ready()).toBe('good');
    const token = world.asked.find(({ path }) => path === '/token');
    const basic = Buffer.from(`${clientId}:${clientSecret}`).toString('base64');
    expect(token?.headers.authorization).toBe(`Basic ${basic}`);
    expect(Object.fromEntries(new URLSearchParams(token?.body))).toEqual({
      grant_type: 'client_credentials',
      scope: 'ssf.read',
    });
  });

  test('the keys are there before the first token, with a secret or without', async () => {
    service = openService(world, clock, { clientSecret: undefined });
    expect(await ready()).toBe('good');
    expect(world.times('/keys')).toBe(1);
    expect(world.times('/token')).toBe(0);
    await check('usr_1');
    expect(world.times('/keys')).toBe(1);
  });

  test('what was pushed meanwhile has no effect again', async () => {
    const [jti, set] = await disabled('usr_1');
    const request = new Request('https://api.example.com/', {
      method: 'POST',
      headers: { 'content-type': 'application/secevent+jwt' },
      body: set,
    });
    await service.tollgate.receive(request);
    answer([[[jti, set]]]);
    expect(await ready()).toBe('good');
    expect(service.events).toHaveLength(1);
  });
});

describe('it rejects when it does not know what was missed', () => {
  test.each([
    ['no token', '/token', { status: 401 }],
    ['a token that is none', '/token', { body: { access_token: 7 } }],
    ['no such page', '/ssf/recent', { status: 404 }],
    ['forbidden', '/ssf/recent', { status: 403 }],
    ['no JSON', '/ssf/recent', { body: '<html>' }],
    ['no sets', '/ssf/recent', { body: { moreAvailable: false } }],
    ['sets that are a list', '/ssf/recent', { body: { sets: [] } }],
    ['a set that is no text', '/ssf/recent', { body: { sets: { a: 7 } } }],
  ])('%s', async (_name, path, body) => {
    answer([[]]);
    world.routes[path] = () => body;
    expect(await ready()).toBe('recent_unavailable');
  });

  test('a set that is wrong; the others are applied', async () => {
    const [, moved] = await disabled('usr_2');
    answer([
      [await disabled('usr_1', { aud: 'other' }), ['another-jti', moved], await disabled('usr_3')],
    ]);
    expect(await ready()).toBe('recent_unavailable');
    expect(await check('usr_1')).toBe('good');
    expect(await check('usr_2')).toBe('good');
    expect(await check('usr_3')).toBe('token_revoked');
    expect(service.warnings.filter(({ code }) => code === 'event_refused')).toHaveLength(2);
  });

  test('pages that do not end', async () => {
    const page = await disabled('usr_1');
    world.routes['/ssf/recent'] = () => ({
      body: { sets: Object.fromEntries([page]), moreAvailable: true },
    });
    expect(await ready()).toBe('recent_unavailable');
    expect(world.times('/ssf/recent')).toBe(2);
    world.routes['/ssf/recent'] = () => ({ body: { sets: {}, moreAvailable: true } });
    expect(await ready()).toBe('recent_unavailable');
    expect(world.times('/ssf/recent')).toBe(3);
  });

  test('the keys', async () => {
    world.routes['/keys'] = () => ({ status: 500 });
    expect(await ready()).toBe('keys_unavailable');
  });

  test('and nothing of the client secret is in what it says', async () => {
    world.routes['/token'] = () => ({ status: 401 });
    const error: unknown = await service.tollgate.ready().catch((caught: unknown) => caught);
    const { message, cause, stack } = error as Error;
    expect(`${message}${stack}${String(cause)}`).not.toContain(clientSecret);
  });
});
