import { createLocalJWKSet, jwtVerify } from 'jose';
import type { JSONWebKeySet } from 'jose';
import { beforeAll, describe, expect, test } from 'vitest';
import { streamReceiver } from '../../../src/events/encodings/set.ts';
import type { StreamReceiverOptions } from '../../../src/events/encodings/set.ts';
import { setTypes, supportedSetTypes } from '../../../src/events/encodings/set_types.ts';
import { setsOf } from '../../../src/events/encodings/sets_of.ts';
import type { Sign } from '../../../src/events/receivers.ts';
import { aDelivery, aNotice, at, issuer, noticeId, samples, someKeys } from './samples.ts';

let sign: Sign;
let jwks: JSONWebKeySet;

beforeAll(async () => {
  ({ sign, jwks } = await someKeys());
});

const audience = 'https://api.example.com';
const everyType = new Set<string>(supportedSetTypes);

const receiver = (more: Partial<StreamReceiverOptions> = {}) =>
  streamReceiver({ stream: 'stream_1', issuer, audience, types: everyType, sign, ...more });

const told = Object.keys(samples).filter((type) => setsOf(issuer, aNotice(type)).length > 0);

describe('a security event token', () => {
  test.each(told)(
    'T61, T62, T63 %s: one event, RS256, a subject, a reason, no sub and no exp',
    async (type) => {
      const notice = aNotice(type);
      const [wanted] = receiver().wants(noticeId, notice);
      const { body, headers } = await receiver().encode(noticeId, notice, aDelivery({ ...wanted }));
      expect(headers['content-type']).toBe('application/secevent+jwt');
      const checks = { issuer, audience, typ: 'secevent+jwt', algorithms: ['RS256'] };
      const { payload } = await jwtVerify(body, createLocalJWKSet(jwks), checks);
      expect(Object.keys(payload).toSorted()).toEqual(
        ['iss', 'aud', 'iat', 'jti', 'txn', 'sub_id', 'events'].toSorted(),
      );
      const events = Object.entries(payload.events as Record<string, Record<string, unknown>>);
      expect(events).toHaveLength(1);
      const [uri, event] = events[0]!;
      expect(everyType.has(uri)).toBe(true);
      expect(event).toMatchObject({
        event_timestamp: Math.floor(at / 1000),
        initiating_entity: expect.stringMatching(/^(admin|user|policy|system)$/),
        reason_admin: { en: expect.stringMatching(/^[A-Z].+\.$/) },
      });
    },
  );

  test('T67 sent again it is the same token', async () => {
    const notice = aNotice('user.disabled');
    const [first, second] = await Promise.all(
      [0, 3].map((attempts) => receiver().encode(noticeId, notice, aDelivery({ attempts }))),
    );
    expect(second).toEqual(first);
  });

  test('T67 what its answers mean', () => {
    const { judge } = receiver();
    const meanings = [202, 200, 302, 400, 401, 404, 429, 500].map((one) => judge(one));
    expect(meanings).toEqual([
      'delivered',
      'delivered',
      'later',
      'refused',
      'later',
      'later',
      'later',
      'later',
    ]);
  });

  test('a session with two apps is two, each with an id of its own', async () => {
    const notice = aNotice('session.ended');
    const wanted = receiver().wants(noticeId, notice);
    expect(wanted).toEqual([{}, { part: 1 }]);
    const keys = createLocalJWKSet(jwks);
    const claims = await Promise.all(
      wanted.map(async (one) => {
        const { body } = await receiver().encode(noticeId, notice, aDelivery({ ...one }));
        return (await jwtVerify(body, keys)).payload;
      }),
    );
    expect(claims.map(({ jti }) => jti)).toEqual([noticeId, `${noticeId}.1`]);
    expect(claims.map(({ txn }) => txn)).toEqual([noticeId, noticeId]);
    expect(claims.map(({ sub_id: subject }) => subject)).toMatchObject([
      { session: { format: 'opaque', id: 'sid_of_web' } },
      { session: { format: 'opaque', id: 'sid_of_admin' } },
    ]);
  });

  test('the receiver’s own authorization goes with it, exactly as it was given', async () => {
    const authorization = 'Bearer  of theirs';
    const pushed = receiver({ url: 'https://api.example.com/events', authorization });
    const { headers } = await pushed.encode(noticeId, aNotice('user.disabled'), aDelivery());
    expect(headers.authorization).toBe(authorization);
    expect(pushed.url).toBe('https://api.example.com/events');
  });
});

describe('what a stream is told', () => {
  test('the types that it asked for', () => {
    const only = receiver({ types: new Set([setTypes.accountDisabled]) });
    expect(only.wants(noticeId, aNotice('user.disabled'))).toEqual([{}]);
    expect(only.wants(noticeId, aNotice('session.ended'))).toEqual([]);
  });

  test('subjects that it did not remove', () => {
    const some = receiver({
      wantsSubject: (subject) =>
        !(subject.format === 'complex' && subject.session?.id === 'sid_of_web'),
    });
    expect(some.wants(noticeId, aNotice('session.ended'))).toEqual([{ part: 1 }]);
  });

  test('no session that ran out, for the tokens of its apps live on', () => {
    const data = { ...samples['session.ended'], reason: 'expired' };
    expect(receiver().wants(noticeId, aNotice('session.ended', data))).toEqual([]);
  });

  test('no grant that never had a token: the subject would be all that the user has', () => {
    const { sid: _sid, ...data } = samples['grant.revoked'];
    expect(setsOf(issuer, aNotice('grant.revoked', data))).toEqual([]);
  });

  test('no claims of another product’s subscription than its audience’s', () => {
    const notice = aNotice('subscription.changed');
    expect(receiver({ product: 'api' }).wants(noticeId, notice)).toEqual([{}]);
    expect(receiver({ product: 'reports' }).wants(noticeId, notice)).toEqual([]);
  });

  test('T66 what is about itself, unasked, and nothing about another stream', () => {
    const data = { stream: 'stream_1', state: 'state of theirs' };
    const notice = aNotice('stream.verification', data);
    expect(setsOf(issuer, notice)).toEqual([
      {
        type: setTypes.verification,
        subject: { format: 'opaque', id: 'stream_1' },
        payload: { state: 'state of theirs' },
      },
    ]);
    const none = new Set<string>();
    expect(receiver({ types: none }).wants(noticeId, notice)).toEqual([{}]);
    expect(receiver({ types: none, stream: 'stream_2' }).wants(noticeId, notice)).toEqual([]);
  });

  test('T65 that it was paused or switched off', () => {
    const data = { stream: 'stream_1', status: 'paused', reason: 'maintenance' };
    expect(setsOf(issuer, aNotice('stream.updated', data))).toMatchObject([
      { type: setTypes.streamUpdated, payload: { status: 'paused', reason: 'maintenance' } },
    ]);
  });
});
