import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { DenylistStore } from '../../src/verify/index.ts';
import {
  accessToken,
  caep,
  clockAt,
  logoutRequest,
  logoutToken,
  newId,
  openIssuer,
  openService,
  outcome,
  pushRequest,
  rawWebhook,
  securityEvent,
  user,
  webhookRequest,
} from './world.ts';
import type { Clock, Service, TestIssuer } from './world.ts';

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

const check = async () => outcome(service.tollgate.check(await accessToken(world, clock)));
const address = 'https://api.example.com/events';

const revoked = () => ({
  sub_id: user(world, 'usr_ada'),
  events: { [`${caep}session-revoked`]: {} },
});

/** The same news in each of the three encodings. */
const encodings = {
  logout: async () => logoutRequest(await logoutToken(world, clock, { sub: 'usr_ada' })),
  push: async () => pushRequest(await securityEvent(world, clock, revoked())),
  webhook: async () => webhookRequest(clock, 'user.disabled', { user: 'usr_ada' }),
};
const names = ['logout', 'push', 'webhook'] as const;

describe('one address for all events', () => {
  test.each(names)('%s has its effect', async (name) => {
    const response = await service.tollgate.receive(await encodings[name]());
    expect(response.ok).toBe(true);
    expect(await response.text()).toBe('');
    expect(await check()).toBe('token_revoked');
  });

  test('takes what is configured, and nothing else', async () => {
    const { tollgate } = openService(world, clock, {
      clientId: undefined,
      stream: undefined,
      webhook: undefined,
    });
    for (const name of names) {
      expect((await tollgate.receive(await encodings[name]())).status).toBe(415);
    }
  });

  test('takes POST', async () => {
    for (const method of ['GET', 'PUT', 'DELETE']) {
      const response = await service.tollgate.receive(new Request(address, { method }));
      expect(response.status).toBe(405);
      expect(response.headers.get('allow')).toBe('POST');
    }
  });

  test('each encoding has its content type', async () => {
    const post = (type: string | undefined, body: string) =>
      service.tollgate.receive(
        new Request(address, {
          method: 'POST',
          headers: type === undefined ? {} : { 'content-type': type },
          body: new TextEncoder().encode(body),
        }),
      );
    const set = await securityEvent(world, clock, revoked());
    const logout = await logoutToken(world, clock, { sub: 'usr_ada' });
    for (const type of [
      undefined,
      '',
      'text/plain',
      'application/jwt',
      'application/secevent+jwtx',
      'multipart/form-data',
    ]) {
      expect((await post(type, set)).status, type).toBe(415);
    }
    expect((await post('application/json', set)).status).toBe(401);
    expect((await post('application/secevent+jwt', `logout_token=${logout}`)).status).toBe(400);
    expect((await post('application/x-www-form-urlencoded', set)).status).toBe(400);
    expect(await check()).toBe('good');
    expect((await post('Application/SecEvent+JWT; charset=utf-8', set)).status).toBe(202);
  });

  test('a body has at most 64 KiB, whether it says so or not', async () => {
    const types = [
      'application/x-www-form-urlencoded',
      'application/secevent+jwt',
      'application/json',
    ];
    for (const type of types) {
      const large = new Request(address, {
        method: 'POST',
        headers: { 'content-type': type, 'content-length': '65537' },
        body: 'x'.repeat(65_537),
      });
      expect((await service.tollgate.receive(large)).status).toBe(413);
      let sent = 0;
      const endless = new ReadableStream<Uint8Array>({
        pull(controller) {
          sent += 1;
          controller.enqueue(new Uint8Array(1024));
        },
      });
      const headers = { 'content-type': type };
      const request = { method: 'POST', headers, body: endless, duplex: 'half' };
      expect((await service.tollgate.receive(new Request(address, request))).status).toBe(413);
      expect(sent).toBeLessThan(100);
    }
    const padding = 'x'.repeat(60_000);
    const body = JSON.stringify({
      type: 'ping',
      timestamp: '2027-01-01',
      version: 1,
      data: { padding },
    });
    expect((await service.tollgate.receive(rawWebhook(clock, body))).status).toBe(204);
  });

  test('a body that breaks off, or is no text', async () => {
    const broken = new ReadableStream({
      pull(controller) {
        controller.error(new Error('gone'));
      },
    });
    const headers = { 'content-type': 'application/secevent+jwt' };
    const request = new Request(address, {
      method: 'POST',
      headers,
      body: broken,
      duplex: 'half',
    } as object);
    expect((await service.tollgate.receive(request)).status).toBe(400);
    const bytes = new Request(address, {
      method: 'POST',
      headers,
      body: new Uint8Array([255, 254]),
    });
    expect((await service.tollgate.receive(bytes)).status).toBe(400);
    const empty = new Request(address, { method: 'POST', headers });
    expect((await service.tollgate.receive(empty)).status).toBe(400);
  });

  test('a refusal is heard of on this side too', async () => {
    await service.tollgate.receive(pushRequest('x'));
    expect(service.warnings).toMatchObject([{ code: 'event_refused' }]);
  });
});

describe('an event that cannot be handled comes again', () => {
  test.each(names)('%s, when onEvent throws: access has ended all the same', async (name) => {
    service.onEvent.run = () => {
      throw new Error('database is gone');
    };
    const again = await encodings[name]();
    const first = await service.tollgate.receive(again.clone());
    expect(first.status).toBe(500);
    expect(await first.text()).not.toContain('database');
    expect(await check()).toBe('token_revoked');
    service.onEvent.run = () => Promise.resolve();
    expect((await service.tollgate.receive(again.clone())).ok).toBe(true);
    expect((await service.tollgate.receive(again)).ok).toBe(true);
    expect(service.events).toHaveLength(2);
  });

  test('copies at the same instant have one effect and one answer', async () => {
    const { promise, resolve } = Promise.withResolvers<void>();
    service.onEvent.run = () => promise;
    const request = await encodings.push();
    const answers = Array.from({ length: 5 }, () => service.tollgate.receive(request.clone()));
    await expect.poll(() => service.events.length).toBe(1);
    resolve();
    expect((await Promise.all(answers)).map(({ status }) => status)).toEqual(Array(5).fill(202));
    expect(service.events).toHaveLength(1);
  });
});

describe('a store of the caller', () => {
  function openStore() {
    const entries = new Map<string, { value: string; ttlSeconds: number }>();
    const broken = { reading: false, writing: false };
    const denylist: DenylistStore = {
      set(key, value, ttlSeconds) {
        if (broken.writing) throw new Error('no connection');
        entries.set(key, { value, ttlSeconds });
        return Promise.resolve();
      },
      getMany: async (keys) => {
        if (broken.reading) throw new Error('no connection');
        return keys.map((key) => entries.get(key)?.value ?? null);
      },
    };
    return { denylist, entries, broken };
  }

  test('is shared: what one process hears all know', async () => {
    const { denylist, entries } = openStore();
    const one = openService(world, clock, { denylist });
    const other = openService(world, clock, { denylist });
    const request = await encodings.push();
    await one.tollgate.receive(request.clone());
    expect(await outcome(other.tollgate.check(await accessToken(world, clock)))).toBe(
      'token_revoked',
    );
    // And what one has heard the other has.
    expect((await other.tollgate.receive(request)).status).toBe(202);
    expect(other.events).toEqual([]);
    for (const { value, ttlSeconds } of entries.values()) {
      expect(value).toBeTypeOf('string');
      expect(ttlSeconds).toBeGreaterThan(0);
      expect(Number.isInteger(ttlSeconds)).toBe(true);
    }
    const [rule] = [...entries].filter(([key]) => key.startsWith('tollgate:revoked:'));
    expect(rule?.[1].ttlSeconds).toBe(906);
  });

  test('is not asked to keep what is over already', async () => {
    const { denylist, entries } = openStore();
    service = openService(world, clock, { denylist });
    const iat = clock.seconds() - 906;
    const request = pushRequest(await securityEvent(world, clock, { ...revoked(), iat }));
    expect((await service.tollgate.receive(request)).status).toBe(202);
    expect([...entries.keys()].filter((key) => !key.startsWith('tollgate:seen:'))).toEqual([]);
  });

  test('that fails lets nobody in: 503', async () => {
    const { denylist, broken } = openStore();
    service = openService(world, clock, { denylist });
    broken.reading = true;
    expect(await check()).toBe('deny_unavailable');
    expect(service.warnings).toMatchObject([{ code: 'deny_unavailable' }]);
    broken.reading = false;
    expect(await check()).toBe('good');
  });

  test('that fails lets in where the service decided so', async () => {
    const { denylist, broken } = openStore();
    service = openService(world, clock, { denylist, whenUnavailable: 'accept' });
    broken.reading = true;
    expect(await check()).toBe('good');
    expect(service.warnings).toMatchObject([{ code: 'deny_unavailable' }]);
  });

  test('that holds something else, or answers too little, is one that fails', async () => {
    const answers = [
      (keys: readonly string[]) => keys.map(() => '{'),
      (keys: readonly string[]) => keys.map(() => '{}'),
      (keys: readonly string[]) => keys.map(() => 'null'),
      (keys: readonly string[]) => keys.map((key) => (key.includes('stale') ? '[["a"]]' : null)),
      () => [],
    ];
    for (const getMany of answers) {
      service = openService(world, clock, { denylist: { set: () => undefined, getMany } });
      expect(await check()).toBe('deny_unavailable');
    }
  });

  test.each(names)('%s that could not be stored is a 503, and comes again', async (name) => {
    const { denylist, broken } = openStore();
    service = openService(world, clock, { denylist });
    const request = await encodings[name]();
    broken.writing = true;
    expect((await service.tollgate.receive(request.clone())).status).toBe(503);
    broken.writing = false;
    expect((await service.tollgate.receive(request)).ok).toBe(true);
    expect(await check()).toBe('token_revoked');
  });

  test('that hangs does not hang the service', async () => {
    const never = new Promise<never>(() => undefined);
    service = openService(world, clock, {
      denylist: { set: () => never, getMany: () => never },
    });
    expect(await check()).toBe('deny_unavailable');
  });
});

describe('the silence of a stream', () => {
  const silent = () => service.warnings.filter(({ code }) => code === 'stream_silent').length;

  test('is noticed once, and again after the next word', async () => {
    clock.advance(900);
    await check();
    expect(silent()).toBe(0);
    clock.advance(1);
    await check();
    await check();
    expect(silent()).toBe(1);
    await service.tollgate.receive(webhookRequest(clock, 'ping', {}, { id: newId() }));
    clock.advance(900);
    await check();
    expect(silent()).toBe(1);
    clock.advance(1);
    await check();
    expect(silent()).toBe(2);
  });

  test('is not broken by what is not of the issuer', async () => {
    clock.advance(500);
    await service.tollgate.receive(pushRequest('x'));
    await service.tollgate.receive(webhookRequest(clock, 'ping', {}, { secrets: [] }));
    // Nor by a logout token: it comes from another sender.
    expect((await service.tollgate.receive(await encodings.logout())).status).toBe(200);
    clock.advance(401);
    await check();
    expect(silent()).toBe(1);
  });

  test('is as long as the service says, and none where no stream is expected', async () => {
    service = openService(world, clock, { silenceSeconds: 60 });
    clock.advance(61);
    await check();
    expect(silent()).toBe(1);
    service = openService(world, clock, { stream: undefined, webhook: undefined });
    clock.advance(100_000);
    await check();
    expect(silent()).toBe(0);
  });

  test('a listener that throws breaks no request', async () => {
    service = openService(world, clock, {
      onWarning: () => {
        throw new Error('no log');
      },
    });
    clock.advance(901);
    expect(await check()).toBe('good');
  });
});
