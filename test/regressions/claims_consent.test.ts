/** Single claims are released to somebody else's app as scopes are: after consent, and no others. */

import { afterAll, beforeAll, expect, test } from 'vitest';
import { authorizationRequest, claimsOf, redeem } from '../kit/world.ts';
import type { World } from '../kit/world.ts';
import { silently, startProtocolWorld, walkThrough } from '../protocol/kit.ts';

let world: World;

beforeAll(async () => {
  world = await startProtocolWorld();
});

afterAll(() => world.close());

const asking = {
  scope: 'openid',
  claims: JSON.stringify({
    id_token: { email: null, name: null },
    userinfo: { email: null, name: null, picture: null },
  }),
};

test('T38 who allowed an app to know who they are has not told it their name and address', async () => {
  const { issuer } = world;
  const browser = world.browser();
  const allowed = authorizationRequest(issuer, 'partner', { scope: 'openid' });
  const arrived = await walkThrough(browser, allowed.url);
  expect(arrived.searchParams.get('code')).not.toBeNull();

  const silent = await silently(issuer, browser, 'partner', asking);
  expect(silent.parameters.get('code')).toBeNull();
  expect(silent.parameters.get('error')).toBe('consent_required');
});

test('T38 who is asked for single claims and allows them has them released, then and later', async () => {
  const { issuer } = world;
  const browser = world.browser();
  const request = authorizationRequest(issuer, 'partner', { ...asking, resource: '' });
  const arrived = await walkThrough(browser, request.url, { person: 'grace' });
  const code = arrived.searchParams.get('code') ?? '';
  const first = await redeem(issuer, { ...request, code });
  const again = await silently(issuer, browser, 'partner', asking);
  const second = await redeem(issuer, again.request);

  for (const { body } of [first, second]) {
    const email = 'grace@example.com';
    expect(claimsOf(body.id_token)).toMatchObject({ sub: 'usr_grace', email });
  }
  const more = await silently(issuer, browser, 'partner', { scope: 'openid email' });
  expect(more.parameters.get('error')).toBe('consent_required');
});
