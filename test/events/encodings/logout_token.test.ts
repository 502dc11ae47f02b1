import { createLocalJWKSet, decodeJwt, jwtVerify } from 'jose';
import type { JSONWebKeySet } from 'jose';
import { beforeAll, describe, expect, test } from 'vitest';
import { clientReceivers } from '../../../src/events/client_receivers.ts';
import { clientReceiver } from '../../../src/events/encodings/logout_token.ts';
import type { Sign } from '../../../src/events/receivers.ts';
import { aDelivery, aNotice, at, issuer, noticeId, samples, someKeys } from './samples.ts';

let sign: Sign;
let jwks: JSONWebKeySet;

beforeAll(async () => {
  ({ sign, jwks } = await someKeys());
});

const url = 'https://web.example.com/logout';

function receiver(id = 'web', idTokenAlg: 'RS256' | 'ES256' = 'RS256', now = at) {
  return clientReceiver({ client: { id, url, idTokenAlg }, issuer, sign, clock: () => now });
}

const ended = aNotice('session.ended');
const delivery = aDelivery({ logout: { sub: 'usr_ada', sid: 'sid_of_web' } });

async function tokenOf(from = receiver()): Promise<string> {
  const { body, headers } = await from.encode(noticeId, ended, delivery);
  expect(headers).toEqual({ 'content-type': 'application/x-www-form-urlencoded' });
  const form = new URLSearchParams(body);
  expect([...form.keys()]).toEqual(['logout_token']);
  return form.get('logout_token') ?? '';
}

describe('a logout token', () => {
  test.each(['RS256', 'ES256'] as const)(
    'T45 has what the standard asks for and no nonce, signed as the ID token is: %s',
    async (alg) => {
      const now = new Date(at);
      const { payload, protectedHeader } = await jwtVerify(
        await tokenOf(receiver('web', alg)),
        createLocalJWKSet(jwks),
        { issuer, audience: 'web', typ: 'logout+jwt', algorithms: [alg], currentDate: now },
      );
      expect(protectedHeader).toEqual({ alg, kid: `kid_of_${alg}`, typ: 'logout+jwt' });
      const iat = Math.floor(at / 1000);
      expect(payload).toEqual({
        iss: issuer,
        aud: 'web',
        sub: 'usr_ada',
        sid: 'sid_of_web',
        iat,
        exp: iat + 120,
        jti: expect.stringMatching(/^[\w-]{22}$/),
        events: { 'http://schemas.openid.net/event/backchannel-logout': {} },
      });
    },
  );

  test('T46 sent again it is a fresh one', async () => {
    const first = decodeJwt(await tokenOf());
    const second = decodeJwt(await tokenOf(receiver('web', 'RS256', at + 600_000)));
    expect(second.iat).toBe(Number(first.iat) + 600);
    expect(second.exp).toBe(Number(first.exp) + 600);
    expect(second.jti).not.toBe(first.jti);
  });

  test('T46 what its answers mean', () => {
    const { judge } = receiver();
    const meanings = [200, 204, 302, 400, 404, 410, 429, 500, 503].map((one) => judge(one));
    expect(meanings).toEqual([
      'delivered',
      'delivered',
      'later',
      'refused',
      'later',
      'gone',
      'later',
      'later',
      'later',
    ]);
  });
});

describe('who gets one', () => {
  test('each app that the session was signed in to, with its own sid', () => {
    const logoutsOf = (id: string) => receiver(id).wants(noticeId, ended);
    expect(logoutsOf('web')).toEqual([{ logout: { sub: 'usr_ada', sid: 'sid_of_web' } }]);
    expect(logoutsOf('admin')).toEqual([{ logout: { sub: 'usr_ada', sid: 'sid_of_admin' } }]);
    expect(logoutsOf('other')).toEqual([]);
  });

  test('the app of a grant that was revoked', () => {
    const notice = aNotice('grant.revoked');
    const logout = { sub: 'usr_ada', sid: 'sid_of_web' };
    expect(receiver().wants(noticeId, notice)).toEqual([{ logout }]);
    expect(receiver('admin').wants(noticeId, notice)).toEqual([]);
  });

  test('T48 nobody a second time: a grant that ends with its session', () => {
    const data = { ...samples['grant.revoked'], reason: 'session_ended' };
    expect(receiver().wants(noticeId, aNotice('grant.revoked', data))).toEqual([]);
  });

  test('nobody of a session that ran out, for tokens live on', () => {
    const data = { ...samples['session.ended'], reason: 'expired' };
    expect(receiver().wants(noticeId, aNotice('session.ended', data))).toEqual([]);
  });
});

test('apps come and go with the configuration', async () => {
  let clients = [
    { id: 'web', backchannelLogoutUri: url, idTokenAlg: 'RS256' as const },
    { id: 'silent', idTokenAlg: 'RS256' as const },
  ];
  const source = clientReceivers({ issuer, clients: () => clients, sign, clock: () => at });
  const first = await source.all();
  expect(first.map(({ id, url: to }) => [id, to])).toEqual([['client:web', url]]);
  expect(await source.all()).toBe(first);
  clients = clients.slice(1);
  expect(await source.all()).toEqual([]);
});
