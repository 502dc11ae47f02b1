/** What a stream's status and its subjects do to what is delivered, and the events of CAEP and RISC. */

import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { revoke, signIn } from '../kit/world.ts';
import {
  aWhile,
  push,
  startPushReceiver,
  startSsfWorld,
  toldBy,
  toldByAll,
  types,
  verifySet,
} from './world.ts';
import type { Api, PushReceiver, SsfWorld } from './world.ts';

let world: SsfWorld;
let api: Api;
let receiver: PushReceiver;

beforeAll(async () => {
  [world, receiver] = await Promise.all([startSsfWorld(), startPushReceiver()]);
  api = world.api();
});

afterEach(async () => {
  for (const { stream_id: id } of (await api.call('GET', '/ssf/streams')).body) {
    await api.call('DELETE', `/ssf/streams?stream_id=${id}`);
  }
  receiver.pushed.length = 0;
});

afterAll(async () => {
  await world.close();
  await receiver.close();
});

const make = async (wish: object = {}): Promise<string> => (await api.create(wish)).body.stream_id;
const makePushed = () => make({ delivery: { method: push, endpoint_url: receiver.url } });

const toggle = async (user = 'usr_grace') => {
  const { directory } = world.server;
  await directory.setUserStatus(user, 'disabled');
  await directory.setUserStatus(user, 'active');
};

const disabledEnabled = [types.accountDisabled, types.accountEnabled];

describe('T65 a stream', () => {
  test('T65 that is paused holds its events, and has them in order once it is enabled', async () => {
    const id = await makePushed();
    expect((await api.status(id, 'paused')).status).toBe(200);
    await toggle();
    await toggle();
    await world.server.dispatcher.drain();
    await aWhile();
    expect(receiver.pushed).toEqual([]);
    expect((await api.status(id, 'enabled')).status).toBe(200);
    const pushed = await receiver.until(4);
    expect(pushed.map(({ body }) => toldBy(body).type)).toEqual([
      ...disabledEnabled,
      ...disabledEnabled,
    ]);
    expect(new Set(pushed.map(({ body }) => toldBy(body).claims.jti)).size).toBe(4);
  });

  test('T65 that is polled and paused gives nothing out, and all of it afterwards', async () => {
    const id = await make();
    await api.status(id, 'paused');
    await toggle();
    await world.server.dispatcher.drain();
    expect((await api.poll(id)).body).toEqual({ sets: {}, moreAvailable: false });
    await api.status(id, 'enabled');
    const sets = await api.fetched(id, 2);
    expect(toldByAll(sets).map(({ type }) => type)).toEqual(disabledEnabled);
  });

  test.each(['push', 'poll'])(
    'T65 that is disabled (%s) drops its events for good',
    async (how) => {
      const id = await (how === 'push' ? makePushed() : make());
      await api.status(id, 'paused');
      await toggle();
      await world.server.dispatcher.drain();
      await api.status(id, 'disabled');
      await toggle();
      await world.server.dispatcher.drain();
      await api.status(id, 'enabled');
      await aWhile();
      if (how === 'poll') expect((await api.poll(id)).body.sets).toEqual({});
      expect(receiver.pushed).toEqual([]);
      await toggle('usr_linus');
      if (how === 'push') await receiver.until(2);
      else await api.fetched(id, 2);
    },
  );

  test('T65 that is paused and enabled by two at once ends in one of both, and loses nothing', async () => {
    const id = await makePushed();
    await Promise.all([api.status(id, 'paused'), toggle(), api.status(id, 'enabled')]);
    await api.status(id, 'enabled');
    const pushed = await receiver.until(2);
    expect(pushed.map(({ body }) => toldBy(body).type)).toEqual(disabledEnabled);
  });

  test('T65 its reason is kept until the next status', async () => {
    const id = await make();
    const paused = { stream_id: id, status: 'paused', reason: 'At night.' };
    expect((await api.call('POST', '/ssf/status', paused)).body).toEqual(paused);
    expect((await api.call('GET', `/ssf/status?stream_id=${id}`)).body).toEqual(paused);
    expect((await api.status(id, 'enabled')).body).toEqual({ stream_id: id, status: 'enabled' });
  });

  test('T64 that is pushed instead of polled gets what has waited', async () => {
    const id = await make();
    await toggle();
    await api.fetched(id, 2);
    const delivery = { method: push, endpoint_url: receiver.url };
    await api.call('PATCH', '/ssf/streams', { stream_id: id, delivery });
    await receiver.until(2);
  });

  test('T64 that is deleted leaves nothing behind', async () => {
    const id = await make();
    await toggle();
    await api.fetched(id, 2);
    await api.call('DELETE', `/ssf/streams?stream_id=${id}`);
    const left = await world.store.find('delivery', 'receiver', `stream:${id} waiting`);
    expect(left).toEqual([]);
  });
});

describe('T69 subjects', () => {
  const at = (what: 'add' | 'remove', id: string, subject: object) =>
    api.call('POST', `/ssf/subjects/${what}`, { stream_id: id, subject, verified: true });
  const ada = () => ({ format: 'iss_sub', iss: world.issuer, sub: 'usr_ada' });

  test('T69 stream-subject-control: 200 and 204, whoever it is and whether anybody knows', async () => {
    const id = await make();
    const subjects = [
      ada(),
      { format: 'iss_sub', iss: world.issuer, sub: 'usr_nobody' },
      { format: 'email', email: 'ada@example.com' },
      { format: 'email', email: 'nobody@example.com' },
      { format: 'opaque', id: 'valid' },
      { format: 'made-up', name: 'x' },
    ];
    for (const subject of subjects) {
      const added = await at('add', id, subject);
      expect([added.status, added.text]).toEqual([200, '']);
      const removed = await at('remove', id, subject);
      expect([removed.status, removed.text]).toEqual([204, '']);
    }
    const stored = JSON.stringify((await world.store.get('stream', id))?.document);
    expect(stored).not.toContain('nobody');
  });

  test('that were removed are not told of, until they are added again', async () => {
    const id = await make();
    await at('remove', id, { ...ada(), ignored: 'member' });
    await toggle('usr_ada');
    await toggle('usr_grace');
    const subjects = toldByAll(await api.fetched(id, 2)).map(({ claims }) => claims.sub_id);
    for (const subject of subjects) expect(subject).toMatchObject({ sub: 'usr_grace' });
    await at('add', id, ada());
    await toggle('usr_ada');
    await api.fetched(id, 4);
  });

  test('a user who was removed is so in all accounts; a pair only together', async () => {
    const { directory } = world.server;
    const whole = await make();
    const pair = await make();
    const tenant = { format: 'opaque', id: 'acc_acme' };
    await at('remove', whole, ada());
    await at('remove', pair, { format: 'complex', user: ada(), tenant });
    await directory.setRoles('acc_initech', 'usr_ada', ['billing']);
    await directory.setRoles('acc_acme', 'usr_ada', ['owner', 'billing']);
    const [told, ...rest] = toldByAll(await api.fetched(pair));
    expect(told?.claims.sub_id).toMatchObject({ user: ada(), tenant: { id: 'acc_initech' } });
    expect(rest).toEqual([]);
    expect((await api.poll(whole)).body.sets).toEqual({});
  });

  test('a thousand of them may be removed', async () => {
    const id = await make();
    for (let page = 0; page < 100; page += 1) {
      const identifiers = Array.from({ length: 10 }, (_, index) => ({
        format: 'opaque',
        id: `${page}-${index}`,
      }));
      expect((await at('remove', id, { format: 'aliases', identifiers })).status).toBe(204);
    }
    const tooMany = await at('remove', id, { format: 'opaque', id: 'one more' });
    expect([tooMany.status, tooMany.body.error.code]).toEqual([409, 'subjects_too_many']);
    expect((await at('remove', id, { format: 'opaque', id: '0-0' })).status).toBe(204);
  });
});

describe('stream-caep-interop', () => {
  test('T61 T63 session-revoked when a grant ends, as the profile wants it', async () => {
    const id = await make({ events_requested: [types.sessionRevoked] });
    const tokens = await signIn(world.issuer, world.browser());
    await revoke(world.issuer, 'app', tokens.refresh_token);
    const [set = ''] = Object.values(await api.fetched(id));
    const { payload } = await verifySet(world.issuer, set);
    expect(payload).not.toHaveProperty('sub');
    expect(payload).not.toHaveProperty('exp');
    expect(payload.txn).toBeTruthy();
    expect(Object.keys(payload.events as object)).toEqual([types.sessionRevoked]);
    expect(toldBy(set).payload).toEqual({
      event_timestamp: expect.any(Number),
      initiating_entity: expect.stringMatching(/^(admin|user|policy|system)$/),
      reason_admin: { en: expect.stringMatching(/./) },
    });
    expect(payload.sub_id).toMatchObject({
      format: 'complex',
      user: { format: 'iss_sub', iss: world.issuer, sub: 'usr_ada' },
    });
  });

  test('T63 T71 T64 only what was asked for is delivered', async () => {
    const id = await make({ events_requested: [types.accountEnabled, 'urn:unknown'] });
    await toggle();
    const sets = await api.fetched(id);
    expect(toldByAll(sets).map(({ type }) => type)).toEqual([types.accountEnabled]);
    expect(toldBy(Object.values(sets)[0]).claims.sub_id).toEqual({
      format: 'iss_sub',
      iss: world.issuer,
      sub: 'usr_grace',
    });
  });
});
