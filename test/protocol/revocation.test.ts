/** Revocation (RFC 7009) and introspection (RFC 7662). */

import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { signInForCode } from '../kit/world.ts';
import type { World } from '../kit/world.ts';
import {
  basic,
  credentials,
  post,
  redeem,
  refresh,
  signIn,
  startProtocolWorld,
  userinfo,
} from './kit.ts';

let world: World;

beforeAll(async () => {
  world = await startProtocolWorld();
});

afterAll(() => world.close());

const revoke = (client: string, token: string, more: Record<string, string> = {}) =>
  post(`${world.issuer}/oauth2/revoke`, { ...credentials(client), token, ...more });
const introspect = (client: string, token: string) =>
  post(`${world.issuer}/oauth2/introspect`, { ...credentials(client), token });
const signInAs = (client: string) => signIn(world.issuer, world.browser(), { client });
const dead = { status: 400, body: { error: 'invalid_grant' } };

describe('T49 revocation', () => {
  test('T49 a refresh token takes its whole grant along', async () => {
    const redemption = await signInForCode(world.issuer, world.browser(), { client: 'plain' });
    const { body } = await redeem(world.issuer, redemption);
    const { body: next } = await refresh(world.issuer, 'plain', body.refresh_token);
    expect((await revoke('plain', next.refresh_token ?? '')).status).toBe(200);
    for (const one of [body, next]) {
      expect(await refresh(world.issuer, 'plain', one.refresh_token)).toMatchObject(dead);
      expect((await userinfo(world.issuer, one.access_token)).status).toBe(401);
    }
    // Once more is no error.
    expect((await revoke('plain', next.refresh_token ?? '')).status).toBe(200);
  });

  test('T49 a code that was not redeemed yet dies with the grant', async () => {
    const person = world.browser();
    const first = await signIn(world.issuer, person);
    const redemption = await signInForCode(world.issuer, person);
    await revoke('app', first.refresh_token);
    expect(await redeem(world.issuer, redemption)).toMatchObject(dead);
  });

  test('T49 after it the person can come back', async () => {
    const person = world.browser();
    const first = await signIn(world.issuer, person);
    await revoke('app', first.refresh_token);
    const second = await signIn(world.issuer, person);
    expect((await refresh(world.issuer, 'app', second.refresh_token)).status).toBe(200);
    expect(await refresh(world.issuer, 'app', first.refresh_token)).toMatchObject(dead);
  });

  test('T49 an older refresh token revokes as well', async () => {
    const first = await signInAs('app');
    const { body } = await refresh(world.issuer, 'app', first.refresh_token);
    expect((await revoke('app', first.refresh_token)).status).toBe(200);
    expect(await refresh(world.issuer, 'app', body.refresh_token)).toMatchObject(dead);
  });

  test('T49 an opaque access token dies alone', async () => {
    const tokens = await signInAs('plain');
    expect((await revoke('plain', tokens.access_token)).status).toBe(200);
    expect((await userinfo(world.issuer, tokens.access_token)).status).toBe(401);
    expect((await refresh(world.issuer, 'plain', tokens.refresh_token)).status).toBe(200);
  });

  test('T49 a JWT cannot be revoked, and that is said; the refresh token can', async () => {
    const tokens = await signInAs('app');
    expect(await revoke('app', tokens.access_token)).toMatchObject({
      status: 400,
      body: { error: 'unsupported_token_type' },
    });
    expect((await revoke('app', tokens.refresh_token)).status).toBe(200);
    expect((await userinfo(world.issuer, tokens.access_token)).status).toBe(401);
  });

  test('T49 a token that is unknown, forged or of another kind: 200, and nothing happens', async () => {
    const tokens = await signInAs('plain');
    const { code } = await signInForCode(world.issuer, world.browser(), { client: 'plain' });
    const [prefix, key, grant, family, generation, mac] = tokens.refresh_token.split('.');
    for (const value of [
      'x',
      `${tokens.refresh_token}x`,
      [prefix, key, grant, family, '2', mac].join('.'),
      [prefix, key, grant, family, generation, 'A'.repeat(43)].join('.'),
      [prefix, 'unknown', grant, family, generation, mac].join('.'),
      `tga.${grant}.${'A'.repeat(43)}`,
      `tga.__proto__.${'A'.repeat(43)}`,
      code,
      grant ?? '',
    ]) {
      for (const hint of [{}, { token_type_hint: 'refresh_token' }, { token_type_hint: 'x' }]) {
        expect((await revoke('plain', value, hint as Record<string, string>)).status).toBe(200);
      }
    }
    expect((await refresh(world.issuer, 'plain', tokens.refresh_token)).status).toBe(200);
  });

  for (const client of ['other', 'spa']) {
    test(`T49 ${client} revokes nothing of another client`, async () => {
      const tokens = await signInAs('plain');
      for (const value of [tokens.refresh_token, tokens.access_token]) {
        const { status } = await revoke(client, value);
        expect(status).toBeLessThan(500);
      }
      expect((await userinfo(world.issuer, tokens.access_token)).status).toBe(200);
      expect((await refresh(world.issuer, 'plain', tokens.refresh_token)).status).toBe(200);
    });
  }

  test('T49 a public client revokes its own', async () => {
    const tokens = await signInAs('spa');
    expect((await revoke('spa', tokens.refresh_token)).status).toBe(200);
    expect(await refresh(world.issuer, 'spa', tokens.refresh_token)).toMatchObject(dead);
  });

  test('T51 without the right secret nothing is revoked', async () => {
    const tokens = await signInAs('app');
    const url = `${world.issuer}/oauth2/revoke`;
    const fields = { token: tokens.refresh_token };
    for (const answer of [
      await post(url, { ...fields, client_id: 'app' }),
      await post(url, { ...fields, client_id: 'app', client_secret: 'x'.repeat(40) }),
      await post(url, fields, basic('app', 'x'.repeat(40))),
      await post(url, fields),
    ]) {
      expect([400, 401]).toContain(answer.status);
    }
    expect((await refresh(world.issuer, 'app', tokens.refresh_token)).status).toBe(200);
  });

  test('T49 it takes the secret in the header as well', async () => {
    const tokens = await signInAs('app');
    const url = `${world.issuer}/oauth2/revoke`;
    expect((await post(url, { token: tokens.refresh_token }, basic('app'))).status).toBe(200);
    expect(await refresh(world.issuer, 'app', tokens.refresh_token)).toMatchObject(dead);
  });

  test('T49 without a token there is nothing to do', async () => {
    const answer = await post(`${world.issuer}/oauth2/revoke`, credentials('app'));
    expect(answer).toMatchObject({ status: 400, body: { error: 'invalid_request' } });
  });

  test('T49 50 revocations and refreshes at once: afterwards nothing refreshes', async () => {
    const tokens = await signInAs('app');
    const answers = await Promise.all(
      Array.from({ length: 50 }, (_, index) =>
        index % 5 === 0
          ? revoke('app', tokens.refresh_token)
          : refresh(world.issuer, 'app', tokens.refresh_token),
      ),
    );
    for (const { status } of answers) expect(status).toBeLessThan(500);
    for (const { body } of [...answers, { body: tokens }]) {
      if (body.refresh_token === undefined) continue;
      expect(await refresh(world.issuer, 'app', body.refresh_token)).toMatchObject(dead);
    }
  });

  test('T48 it is told, once', async () => {
    const tokens = await signInAs('app');
    await Promise.all([1, 2, 3].map(() => revoke('app', tokens.refresh_token)));
    await world.server.dispatcher.drain();
    const records = await world.store.find('audit', 'user', 'usr_ada', { limit: 1000 });
    const grant = tokens.refresh_token.split('.')[2];
    const told = records.filter(
      ({ document }) => document.type === 'grant.revoked' && document.data.grant === grant,
    );
    expect(told).toHaveLength(1);
    expect(told[0]?.document.data).toMatchObject({
      reason: 'revocation_endpoint',
      client: 'app',
      account: 'acc_acme',
    });
  });
});

describe('introspection', () => {
  test('a client sees its own opaque token, and no other does', async () => {
    const { access_token: value, refresh_token: again } = await signInAs('plain');
    for (const token of [value, again]) {
      expect((await introspect('plain', token)).body).toMatchObject({ active: true });
      expect((await introspect('other', token)).body).toEqual({ active: false });
    }
    await revoke('plain', again);
    for (const token of [value, again, 'x']) {
      expect((await introspect('plain', token)).body).toEqual({ active: false });
    }
  });

  test('a JWT is checked by its signature: here it is refused', async () => {
    const { access_token: value } = await signInAs('app');
    const { status, body } = await introspect('app', value);
    expect(status).toBe(400);
    expect(body.error).toBe('unsupported_token_type');
  });

  test('without the right secret nothing is told', async () => {
    const { access_token: value } = await signInAs('plain');
    const url = `${world.issuer}/oauth2/introspect`;
    expect((await post(url, { token: value }, basic('plain', 'x'.repeat(40)))).status).toBe(401);
    expect([400, 401]).toContain((await post(url, { token: value })).status);
  });
});
