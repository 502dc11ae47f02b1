/** Delivery by polling (RFC 8936), and what happened of late. */

import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { startSsfWorld, toldBy, toldByAll, types, verifySet } from './world.ts';
import type { Api, SsfWorld } from './world.ts';

let world: SsfWorld;
let api: Api;

beforeAll(async () => {
  world = await startSsfWorld();
  api = world.api();
});

afterEach(async () => {
  for (const { stream_id: id } of (await api.call('GET', '/ssf/streams')).body) {
    await api.call('DELETE', `/ssf/streams?stream_id=${id}`);
  }
});

afterAll(() => world.close());

const make = async (wish: object = {}): Promise<string> => (await api.create(wish)).body.stream_id;

/** Each is one security event about somebody of their own. */
async function disable(count: number, name: string): Promise<void> {
  for (let index = 0; index < count; index += 1) {
    const user = `usr_${name}_${index}`;
    const identities = [{ provider: 'upstream', issuer: world.upstream.issuer, subject: user }];
    await world.server.directory.createUser({ id: user, name, identities });
    await world.server.directory.setUserStatus(user, 'disabled');
    // Those of one millisecond have no order.
    await delay(2);
  }
}

const usersOf = (sets: Record<string, string>) =>
  toldByAll(sets).map(({ claims }) => (claims.sub_id as { sub: string }).sub);

describe('T68 a poll', () => {
  test('T68 un-acknowledged events come again, acknowledged ones do not', async () => {
    const id = await make();
    await disable(3, 'again');
    const first = await api.fetched(id, 3);
    expect((await api.poll(id)).body.sets).toEqual(first);
    const [one = '', two = '', three = ''] = Object.keys(first);
    const { body } = await api.poll(id, { ack: [two], returnImmediately: true });
    expect(Object.keys(body.sets)).toEqual([one, three]);
    await api.poll(id, { ack: [one, three, two, 'unknown'], maxEvents: 0 });
    expect((await api.poll(id)).body).toEqual({ sets: {}, moreAvailable: false });
  });

  test('T68 in the order of time; maxEvents bounds it, and moreAvailable tells of the rest', async () => {
    const id = await make();
    await disable(5, 'order');
    const all = await api.fetched(id, 5);
    expect(usersOf(all)).toEqual([0, 1, 2, 3, 4].map((index) => `usr_order_${index}`));
    const { body } = await api.poll(id, { maxEvents: 2, returnImmediately: true });
    expect(Object.keys(body.sets)).toEqual(Object.keys(all).slice(0, 2));
    expect(body.moreAvailable).toBe(true);
    const rest = await api.poll(id, {
      maxEvents: 1000,
      ack: Object.keys(body.sets),
      returnImmediately: true,
    });
    expect(Object.keys(rest.body.sets)).toHaveLength(3);
    expect(rest.body.moreAvailable).toBe(false);
  });

  test('T68 an event with setErrs does not come again, and the error is recorded', async () => {
    const id = await make();
    await disable(2, 'errors');
    const [bad = '', good = ''] = Object.keys(await api.fetched(id, 2));
    const setErrs = { [bad]: { err: 'jwtAud', description: 'not for me' }, unknown: { err: 'a' } };
    const { body } = await api.poll(id, { setErrs, returnImmediately: true });
    expect(Object.keys(body.sets)).toEqual([good]);
    expect(world.log.lines).toContainEqual({
      level: 'warn',
      message: 'a receiver refused a security event',
      fields: { stream: id, event: bad, err: 'jwtAud', description: 'not for me' },
    });
    const [dead] = await world.store.find('delivery', 'receiver', `stream:${id} dead`);
    expect(dead?.document).toMatchObject({ notice: bad, last: { problem: 'refused: jwtAud' } });
  });

  test('T68 two who poll and acknowledge at once miss nothing', async () => {
    const id = await make();
    const seen = new Set<string>();
    let isOver = false;
    const poller = async () => {
      let ack: string[] = [];
      while (!isOver || ack.length > 0) {
        const { status, body } = await api.poll(id, { ack, maxEvents: 3, returnImmediately: true });
        expect(status).toBe(200);
        ack = Object.keys(body.sets);
        for (const user of usersOf(body.sets)) seen.add(user);
      }
    };
    const pollers = [poller(), poller()];
    await disable(20, 'both');
    await world.server.dispatcher.drain();
    while ((await world.store.find('delivery', 'receiver', `stream:${id} waiting`)).length > 0) {
      await delay(20);
    }
    isOver = true;
    await Promise.all(pollers);
    expect(seen.size).toBe(20);
  });

  test('T68 one that may wait hears of it as it happens', async () => {
    const id = await make();
    const asked = api.poll(id, {});
    await delay(300);
    await disable(1, 'late');
    const { status, body } = await asked;
    expect(status).toBe(200);
    expect(usersOf(body.sets)).toEqual(['usr_late_0']);
  });

  test('T68 only so many of one stream wait: the others are answered at once', async () => {
    const id = await make();
    const waiting = Array.from({ length: 4 }, () => api.poll(id, {}));
    await delay(300);
    expect((await api.poll(id, {})).body.sets).toEqual({});
    await disable(1, 'woken');
    for (const { body } of await Promise.all(waiting)) {
      expect(usersOf(body.sets)).toEqual(['usr_woken_0']);
    }
  });

  test('an acknowledgement of one stream leaves another one alone', async () => {
    const [one, two] = [await make(), await make()];
    await disable(1, 'streams');
    const sets = await api.fetched(one);
    expect(await api.fetched(two)).toEqual(sets);
    await api.poll(one, { ack: Object.keys(sets), maxEvents: 0 });
    expect((await api.poll(two)).body.sets).toEqual(sets);
  });

  test('a stream that is pushed has nothing to poll', async () => {
    const delivery = { method: 'urn:ietf:rfc:8935', endpoint_url: 'https://a.example.com/' };
    expect((await api.poll(await make({ delivery }))).status).toBe(404);
  });
});

describe('recent events', () => {
  const recent = async (query: string, owner = api) => {
    const { status, body } = await owner.call('GET', `/ssf/recent${query}`);
    expect(status).toBe(200);
    return body as { sets: Record<string, string>; moreAvailable: boolean };
  };

  test('are those of the last minutes, whoever was told, signed for whoever asks', async () => {
    const since = Math.floor(Date.now() / 1000);
    await disable(2, 'recent');
    await world.server.dispatcher.drain();
    const { sets, moreAvailable } = await recent(`?since=${since}`);
    expect(usersOf(sets).slice(-2)).toEqual(['usr_recent_0', 'usr_recent_1']);
    expect(moreAvailable).toBe(false);
    const [set = ''] = Object.values(sets);
    await verifySet(world.issuer, set, 'receiver');
    const others = await recent(`?since=${since}`, world.api('rival'));
    expect(Object.keys(others.sets)).toEqual(Object.keys(sets));
    await verifySet(world.issuer, Object.values(others.sets)[0] ?? '', 'rival');
  });

  test('are the same events, by `jti`, that streams deliver', async () => {
    const id = await make();
    const since = Math.floor(Date.now() / 1000);
    await disable(1, 'same');
    const [jti = ''] = Object.keys(await api.fetched(id));
    expect((await recent(`?since=${since}`)).sets).toHaveProperty([jti]);
  });

  test('go on behind the last one that was read', async () => {
    const since = Math.floor(Date.now() / 1000);
    await disable(3, 'pages');
    await world.server.dispatcher.drain();
    const all = Object.keys((await recent(`?since=${since}`)).sets);
    const rest = await recent(`?since=${since}&after=${all[0]}`);
    expect(Object.keys(rest.sets)).toEqual(all.slice(1));
    expect((await recent(`?after=${all.at(-1)}`)).sets).toEqual({});
  });

  test('of one cause with several events are read one by one', async () => {
    const at = Date.now();
    const id = `evt_${at.toString(16).padStart(12, '0')}${'0'.repeat(20)}`;
    const clients = ['a', 'b', 'c'].map((client) => ({ client, sid: `sid_${client}` }));
    const notice = {
      type: 'session.ended',
      at,
      data: { session: 'one', user: 'usr_ada', reason: 'signed_out', clients },
      cause: { kind: 'session', id: 'one', version: 1 },
      expiresAt: at + 60_000,
    };
    await world.store.write('notice', id, notice, { expect: 'absent' });
    const { sets } = await recent('');
    expect(Object.keys(sets).filter((jti) => jti.startsWith(id))).toEqual([
      id,
      `${id}.1`,
      `${id}.2`,
    ]);
    const { sets: rest } = await recent(`?after=${id}.1`);
    expect(Object.keys(rest)[0]).toBe(`${id}.2`);
  });

  test('are never those about a stream, and never older than twenty minutes', async () => {
    const id = await make();
    await api.call('POST', '/ssf/verify', { stream_id: id });
    await api.fetched(id);
    const at = Date.now() - 21 * 60 * 1000;
    const old = `evt_${at.toString(16).padStart(12, '0')}${'0'.repeat(20)}`;
    const notice = {
      type: 'user.disabled',
      at,
      data: { user: 'usr_old' },
      cause: { kind: 'user', id: 'usr_old', version: 1 },
      expiresAt: Date.now() + 60_000,
    };
    await world.store.write('notice', old, notice, { expect: 'absent' });
    const { sets } = await recent('?since=0');
    expect(sets).not.toHaveProperty([old]);
    for (const set of Object.values(sets)) expect(toldBy(set).type).not.toBe(types.verification);
  });
});

test('a process that is about to stop keeps nobody waiting', async () => {
  const id = await make();
  const asked = api.poll(id, {});
  await delay(300);
  world.server.leave();
  expect((await asked).body).toEqual({ sets: {}, moreAvailable: false });
});
