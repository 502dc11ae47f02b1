/** Userinfo: who may ask, how, and what is told. */

import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { claimsOf } from '../kit/world.ts';
import type { World } from '../kit/world.ts';
import { credentials, get, post, signIn, startProtocolWorld, token, userinfo } from './kit.ts';
import type { Tokens } from './kit.ts';

let world: World;
let tokens: Record<'app' | 'plain' | 'bare', Tokens>;

beforeAll(async () => {
  world = await startProtocolWorld();
  const browser = () => world.browser();
  tokens = {
    app: await signIn(world.issuer, browser()),
    plain: await signIn(world.issuer, browser(), { client: 'plain' }),
    bare: await signIn(world.issuer, browser(), { parameters: { scope: 'read', nonce: '' } }),
  };
});

afterAll(() => world.close());

const address = () => `${world.issuer}/oauth2/userinfo`;
const bearer = (value: string) => ({ authorization: `Bearer ${value}` });

for (const client of ['app', 'plain'] as const) {
  describe(`T42 with the token of ${client}`, () => {
    test('T42 by GET, by POST, and by POST with the token in the form', async () => {
      const value = tokens[client].access_token;
      const answers = [
        await get(address(), bearer(value)),
        await post(address(), {}, bearer(value)),
        await post(address(), { access_token: value }),
      ];
      for (const { status, body, headers } of answers) {
        expect(status).toBe(200);
        expect(headers.get('cache-control')).toBe('no-store');
        expect(body).toMatchObject({
          sub: claimsOf(tokens[client].id_token).sub,
          name: 'Ada Lovelace',
          email: 'ada@example.com',
          email_verified: true,
        });
      }
    });

    test('T42 twice in one request is refused', async () => {
      const value = tokens[client].access_token;
      const { status, body } = await post(address(), { access_token: value }, bearer(value));
      expect(status).toBe(400);
      expect(body.error).toBe('invalid_request');
    });

    test('T15 in the address it is refused', async () => {
      for (const method of ['GET', 'POST']) {
        const url = `${address()}?access_token=${tokens[client].access_token}`;
        const { status } = await fetch(url, { method });
        expect(status).toBe(400);
      }
    });

    test('T32 as DPoP, without a proof, it is refused', async () => {
      const { status } = await userinfo(world.issuer, tokens[client].access_token, 'DPoP');
      expect([400, 401]).toContain(status);
    });
  });
}

test('T42 without the scope openid there is no ID token and no userinfo', async () => {
  expect(tokens.bare.id_token).toBeUndefined();
  const { status, body, headers } = await userinfo(world.issuer, tokens.bare.access_token);
  expect(status).toBe(403);
  expect(body.error).toBe('insufficient_scope');
  expect(headers.get('www-authenticate')).toMatch(/^Bearer .*error="insufficient_scope"/);
});

test('T42 without a token, or with a bad one, the answer says what is wanted', async () => {
  const none = await get(address());
  expect([400, 401]).toContain(none.status);
  expect(none.headers.get('www-authenticate')).toMatch(/^Bearer/);
  for (const value of ['x', 'tga.x.y', 'a.b.c', `${tokens.plain.access_token}x`]) {
    const { status, body, headers } = await userinfo(world.issuer, value);
    expect(status).toBe(401);
    expect(body.error).toBe('invalid_token');
    expect(headers.get('www-authenticate')).toMatch(/error="invalid_token"/);
  }
  for (const header of ['Bearer', 'Bearer ', 'Basic x', `bearer  ${tokens.plain.access_token} x`]) {
    const { status } = await get(address(), { authorization: header });
    expect([400, 401]).toContain(status);
  }
});

test('T42 only what was granted is told', async () => {
  const { access_token: value } = await signIn(world.issuer, world.browser(), {
    parameters: { scope: 'openid' },
  });
  const { body } = await userinfo(world.issuer, value);
  expect(body).toMatchObject({ sub: 'usr_ada', account: 'acc_acme' });
  expect(body).not.toHaveProperty('email');
  expect(body).not.toHaveProperty('name');
});

test('T42 a claim that was asked for by name is told', async () => {
  const claims = JSON.stringify({ userinfo: { name: { essential: true } } });
  const { access_token: value } = await signIn(world.issuer, world.browser(), {
    client: 'plain',
    parameters: { scope: 'openid', claims },
  });
  expect((await userinfo(world.issuer, value)).body).toMatchObject({ name: 'Ada Lovelace' });
});

test('T42 a JWT does not carry what was asked for by name: there the scopes alone count', async () => {
  const claims = JSON.stringify({ userinfo: { name: { essential: true } } });
  const { access_token: value } = await signIn(world.issuer, world.browser(), {
    parameters: { scope: 'openid', claims },
  });
  const { status, body } = await userinfo(world.issuer, value);
  expect(status).toBe(200);
  expect(body).not.toHaveProperty('name');
});

test('T49 the token of a grant that was revoked is refused, also a JWT', async () => {
  for (const client of ['app', 'plain']) {
    const mine = await signIn(world.issuer, world.browser(), { client });
    expect((await userinfo(world.issuer, mine.access_token)).status).toBe(200);
    const url = `${world.issuer}/oauth2/revoke`;
    await post(url, { ...credentials(client), token: mine.refresh_token });
    expect((await userinfo(world.issuer, mine.access_token)).status).toBe(401);
  }
});

test('T22 after a refresh with less scope less is told', async () => {
  const mine = await signIn(world.issuer, world.browser());
  const { body } = await token(world.issuer, 'app', {
    grant_type: 'refresh_token',
    refresh_token: mine.refresh_token,
    scope: 'openid',
  });
  expect((await userinfo(world.issuer, body.access_token)).body).not.toHaveProperty('email');
});
