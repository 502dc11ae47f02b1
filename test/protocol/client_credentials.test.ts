/** A service that acts for itself. */

import { afterAll, beforeAll, expect, test } from 'vitest';
import { claimsOf } from '../kit/world.ts';
import type { World } from '../kit/world.ts';
import { api, basic, json, post, serviceFor, startProtocolWorld, token, userinfo } from './kit.ts';

let world: World;

beforeAll(async () => {
  world = await startProtocolWorld();
});

afterAll(() => world.close());

const ask = (fields: Record<string, string> = {}) =>
  token(world.issuer, 'machine', { grant_type: 'client_credentials', ...fields });

test('T24 the subject is the client, and there is no user, account or session in it', async () => {
  const { status, body } = await ask({ scope: 'read' });
  expect(status).toBe(200);
  expect(Object.keys(body).toSorted()).toEqual([
    'access_token',
    'expires_in',
    'scope',
    'token_type',
  ]);
  const claims = claimsOf(body.access_token);
  expect(json((body.access_token ?? '').split('.')[0])).toMatchObject({ typ: 'at+jwt' });
  expect(claims).toMatchObject({ sub: 'machine', client_id: 'machine', aud: api, scope: 'read' });
  for (const name of ['account', 'roles', 'sid']) expect(claims).not.toHaveProperty(name);
  expect(Number(claims.exp) - Number(claims.iat)).toBeLessThanOrEqual(900);
});

test('T24 a service that wants a user takes none of them', async () => {
  const { body } = await ask();
  await expect(serviceFor(world.issuer)(body.access_token)).rejects.toThrow(/account/);
  expect((await userinfo(world.issuer, body.access_token)).status).toBe(401);
});

test('T24 a user whose id is that of a client is still told apart', async () => {
  // The directory makes none; one may be older than the client.
  const older = { status: 'active', name: 'Mallory', createdAt: 0 } as const;
  await world.store.write('user', 'machine', { ...older, identities: [] }, { expect: 'absent' });
  const { body } = await ask({ scope: 'openid' });
  const answer = await userinfo(world.issuer, body.access_token);
  expect(answer.status).toBe(401);
  const known = await world.server.directory.user('machine');
  expect(known?.document.name).toBe('Mallory');
});

test("T22 scopes that are not the product's are refused or dropped", async () => {
  for (const scope of ['openid', 'invoices', 'read invoices', 'offline_access']) {
    const { status, body } = await ask({ scope });
    if (status === 200) {
      const granted = (claimsOf(body.access_token).scope as string | undefined) ?? '';
      expect(granted.split(' ').filter((one) => one !== 'read' && one !== '')).toEqual([]);
    } else {
      expect(body.error).toBe('invalid_scope');
    }
  }
});

test('T51 without or with a wrong secret there is nothing', async () => {
  const url = `${world.issuer}/oauth2/token`;
  const fields = { grant_type: 'client_credentials' };
  const wrong = 'x'.repeat(40);
  const answers = await Promise.all([
    post(url, { ...fields, client_id: 'machine' }),
    post(url, { ...fields, client_id: 'machine', client_secret: wrong }),
    post(url, fields, basic('machine', wrong)),
    post(url, fields, basic('nobody', wrong)),
    post(url, fields, basic('machine', '')),
    post(url, fields, { authorization: 'Basic !' }),
  ]);
  for (const answer of answers) {
    expect([400, 401]).toContain(answer.status);
    expect(['invalid_client', 'invalid_request']).toContain(answer.body.error);
    expect(answer.headers.get('cache-control')).toBe('no-store');
  }
  expect(answers[2]?.headers.get('www-authenticate')).toMatch(/^Basic/);
});
