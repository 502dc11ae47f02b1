/** Verification events over push and poll: modules `transmitter-stream-verification-…`. */

import { decodeProtectedHeader } from 'jose';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { poll, push, startPushReceiver, startSsfWorld, toldBy, types, verifySet } from './world.ts';
import type { Api, PushReceiver, SsfWorld } from './world.ts';

let world: SsfWorld;
let api: Api;
let receiver: PushReceiver;

beforeAll(async () => {
  [world, receiver] = await Promise.all([startSsfWorld(), startPushReceiver()]);
  api = world.api();
});

afterEach(async () => {
  receiver.pushed.length = 0;
  receiver.answer = 202;
  for (const { stream_id: id } of (await api.call('GET', '/ssf/streams')).body) {
    await api.call('DELETE', `/ssf/streams?stream_id=${id}`);
  }
});

afterAll(async () => {
  await world.close();
  await receiver.close();
});

const verify = (id: string, state?: string) =>
  api.call('POST', '/ssf/verify', { stream_id: id, ...(state === undefined ? {} : { state }) });

const pushed = async (header?: string): Promise<string> => {
  const delivery = {
    method: push,
    endpoint_url: receiver.url,
    ...(header === undefined ? {} : { authorization_header: header }),
  };
  return (await api.create({ delivery })).body.stream_id;
};

const polled = async (): Promise<string> =>
  (await api.create({ delivery: { method: poll } })).body.stream_id;

/** What every SET has to be. */
async function checkSet(set: string, stream: string, state: string | undefined): Promise<void> {
  const { protectedHeader, payload } = await verifySet(world.issuer, set);
  expect(protectedHeader).toEqual({ alg: 'RS256', typ: 'secevent+jwt', kid: expect.any(String) });
  expect(Object.keys(payload).toSorted()).toEqual([
    'aud',
    'events',
    'iat',
    'iss',
    'jti',
    'sub_id',
    'txn',
  ]);
  expect(payload.iat).toBeLessThanOrEqual(Math.ceil(Date.now() / 1000) + 60);
  expect(payload.sub_id).toEqual({ format: 'opaque', id: stream });
  expect(payload.events).toEqual({ [types.verification]: state === undefined ? {} : { state } });
}

describe('by push', () => {
  test('T61 T62 T66 T67 stream-verification-push: with its state and the header as given', async () => {
    const id = await pushed('Bearer exactly this');
    const asked = await verify(id, 'the state');
    expect(asked.status).toBe(204);
    expect(asked.text).toBe('');
    const [one] = await receiver.until(1);
    expect(one?.headers['content-type']).toBe('application/secevent+jwt');
    expect(one?.headers.authorization).toBe('Bearer exactly this');
    await checkSet(one?.body ?? '', id, 'the state');
  });

  test('T66 stream-verification-error-push-no-auth: without a header none is sent', async () => {
    const id = await pushed();
    await verify(id, 'another state');
    const [one] = await receiver.until(1);
    expect(one?.headers).not.toHaveProperty('authorization');
    await checkSet(one?.body ?? '', id, 'another state');
  });

  test('T66 without a state there is none in it', async () => {
    const id = await pushed();
    await verify(id);
    const [one] = await receiver.until(1);
    await checkSet(one?.body ?? '', id, undefined);
  });

  test('T67 what was not taken comes again, the same to the byte', async () => {
    const id = await pushed();
    receiver.answer = 503;
    await verify(id, 'again');
    await receiver.until(1);
    receiver.answer = 202;
    world.step(5);
    const [one, two] = await receiver.until(2);
    expect(two?.body).toBe(one?.body);
    await checkSet(two?.body ?? '', id, 'again');
  });

  test('T67 what was refused with 400 does not come again', async () => {
    const id = await pushed();
    receiver.answer = 400;
    await verify(id, 'refused');
    await receiver.until(1);
    receiver.answer = 202;
    world.step(11);
    await verify(id, 'next');
    const [, two] = await receiver.until(2);
    expect(toldBy(two?.body).payload).toEqual({ state: 'next' });
  });
});

describe('by poll', () => {
  test('T61 T66 T68 stream-verification-poll-only', async () => {
    const id = await polled();
    await verify(id, 'polled');
    const sets = await api.fetched(id);
    const [[jti, set] = ['', '']] = Object.entries(sets);
    await checkSet(set, id, 'polled');
    expect(toldBy(set).claims.jti).toBe(jti);
    expect(decodeProtectedHeader(set).typ).toBe('secevent+jwt');
  });

  test('T68 stream-verification-poll-and-ack: acknowledges one and gets the next in one call', async () => {
    const id = await polled();
    await verify(id, 'one');
    const [first = ''] = Object.keys(await api.fetched(id));
    world.step(11);
    expect((await verify(id, 'two')).status).toBe(204);
    await api.fetched(id, 2);
    const { body } = await api.poll(id, { ack: [first], maxEvents: 1, returnImmediately: true });
    expect(Object.keys(body.sets)).toHaveLength(1);
    expect(body.sets).not.toHaveProperty(first);
    expect(toldBy(Object.values<string>(body.sets)[0]).payload).toEqual({ state: 'two' });
  });

  test('T68 stream-verification-ack-only: with maxEvents 0 nothing comes, and nothing waits', async () => {
    const id = await polled();
    await verify(id, 'one');
    const [first = ''] = Object.keys(await api.fetched(id));
    const answer = await api.poll(id, { ack: [first], maxEvents: 0 });
    expect(answer.status).toBe(200);
    expect(answer.body).toEqual({ sets: {}, moreAvailable: false });
    expect((await api.poll(id)).body.sets).toEqual({});
  });
});

test('T66 more often than min_verification_interval: 429 with Retry-After', async () => {
  const { stream_id: id, min_verification_interval: interval } = (await api.create()).body;
  expect((await verify(id)).status).toBe(204);
  const early = await verify(id);
  expect(early.status).toBe(429);
  expect(Number(early.headers.get('retry-after'))).toBeLessThanOrEqual(interval);
  expect(early.body.error.code).toBe('rate_limited');
  world.step(interval + 1);
  expect((await verify(id)).status).toBe(204);
});

test('T66 of several at once, one is let through', async () => {
  const { stream_id: id } = (await api.create()).body;
  const answers = await Promise.all(Array.from({ length: 8 }, () => verify(id)));
  expect(answers.filter(({ status }) => status === 204)).toHaveLength(1);
  expect(answers.filter(({ status }) => status === 429)).toHaveLength(7);
  await api.fetched(id);
  expect(Object.keys((await api.poll(id)).body.sets)).toHaveLength(1);
});

test('a verification is for its own stream alone', async () => {
  const [one, two] = [await polled(), await polled()];
  await verify(one, 'mine');
  await api.fetched(one);
  expect((await api.poll(two)).body.sets).toEqual({});
});
