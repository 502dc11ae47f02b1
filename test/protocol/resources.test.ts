/** Resource indicators (RFC 8707), and scopes: nothing grows after it was granted. */

import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { authorizationRequest, claimsOf, signInForCode } from '../kit/world.ts';
import type { World } from '../kit/world.ts';
import {
  api,
  billing,
  get,
  redeem,
  refresh,
  signIn,
  startProtocolWorld,
  toldBy,
  token,
} from './kit.ts';

let world: World;

beforeAll(async () => {
  world = await startProtocolWorld();
});

afterAll(() => world.close());

const invalidTarget = { status: 400, body: { error: 'invalid_target' } };
const bad = [
  'https://elsewhere.example.net',
  'api',
  '/api',
  `${api}#x`,
  `${api}/more`,
  `${api}?x=1`,
  'https://api.example.com.evil.example.net',
  // Of a product that this client has nothing to do with.
  billing,
];

describe('T20 which resource', () => {
  for (const resource of bad) {
    test(`T20 ${resource} is no target, wherever it is asked for`, async () => {
      const { url } = authorizationRequest(world.issuer, 'app', { resource, prompt: 'none' });
      expect(toldBy(await get(url))).toMatchObject({ error: 'invalid_target' });
      const redemption = await signInForCode(world.issuer, world.browser());
      expect(await redeem(world.issuer, redemption, { resource })).toMatchObject(invalidTarget);
      const fields = { grant_type: 'client_credentials', resource };
      expect(await token(world.issuer, 'machine', fields)).toMatchObject(invalidTarget);
    });
  }

  test('T20 an app without a product has no target', async () => {
    const { url } = authorizationRequest(world.issuer, 'plain', { resource: api, prompt: 'none' });
    expect(toldBy(await get(url))).toMatchObject({ error: 'invalid_target' });
  });

  test('T20 the right one may be named, with a slash as some libraries add it', async () => {
    for (const resource of [api, `${api}/`]) {
      const tokens = await signIn(world.issuer, world.browser(), { parameters: { resource } });
      expect(claimsOf(tokens.access_token).aud).toBe(api);
      const again = await refresh(world.issuer, 'app', tokens.refresh_token, { resource });
      expect(claimsOf(again.body.access_token).aud).toBe(api);
    }
  });

  test('T20 the right one and a wrong one are refused together', async () => {
    const url = new URL(authorizationRequest(world.issuer, 'app', { prompt: 'none' }).url);
    url.searchParams.append('resource', api);
    url.searchParams.append('resource', billing);
    expect(toldBy(await get(url.href))).toMatchObject({ error: 'invalid_target' });
  });
});

describe('T21 at the refresh', () => {
  for (const resource of bad) {
    test(`T21 ${resource} is no target, and nothing is burned`, async () => {
      const { refresh_token: present } = await signIn(world.issuer, world.browser());
      const refused = await refresh(world.issuer, 'app', present, { resource });
      expect(refused).toMatchObject(invalidTarget);
      const { status, body } = await refresh(world.issuer, 'app', present);
      expect(status).toBe(200);
      expect(claimsOf(body.access_token).aud).toBe(api);
    });
  }
});

describe('T22 scopes', () => {
  const scope = 'openid profile email read';

  test('T22 a scope of the product is in the token, others are dropped', async () => {
    const parameters = { scope: 'openid read invoices nonsense' };
    const tokens = await signIn(world.issuer, world.browser(), { parameters });
    expect(claimsOf(tokens.access_token).scope).toBe('openid read');
    expect(tokens.scope).toBe('openid read');
  });

  test('T22 less may be asked for at the refresh, and later all again', async () => {
    const tokens = await signIn(world.issuer, world.browser(), { parameters: { scope } });
    const less = await refresh(world.issuer, 'app', tokens.refresh_token, { scope: 'openid' });
    expect(claimsOf(less.body.access_token).scope).toBe('openid');
    const all = await refresh(world.issuer, 'app', less.body.refresh_token);
    expect(claimsOf(all.body.access_token).scope).toBe(scope);
  });

  for (const more of ['write', `${scope} write`, `write ${scope} offline_access`]) {
    test(`T22 more is refused: ${more}`, async () => {
      const tokens = await signIn(world.issuer, world.browser(), { parameters: { scope } });
      const refused = await refresh(world.issuer, 'app', tokens.refresh_token, { scope: more });
      expect(refused).toMatchObject({ status: 400, body: { error: 'invalid_scope' } });
      const again = await refresh(world.issuer, 'app', tokens.refresh_token);
      expect(claimsOf(again.body.access_token).scope).toBe(scope);
    });
  }

  test('T22 what the app got in another sign-in does not leak into this one', async () => {
    const browser = world.browser();
    const less = await signIn(world.issuer, browser, { parameters: { scope: 'openid' } });
    await signIn(world.issuer, browser, { parameters: { scope: 'openid read write' } });
    const refused = await refresh(world.issuer, 'app', less.refresh_token, {
      scope: 'openid write',
    });
    expect(refused).toMatchObject({ status: 400, body: { error: 'invalid_scope' } });
    const again = await refresh(world.issuer, 'app', less.refresh_token);
    expect(claimsOf(again.body.access_token).scope).toBe('openid');
  });

  test('T22 the whole scope that was once asked for may be repeated', async () => {
    const asked = 'openid profile email offline_access nonsense';
    const tokens = await signIn(world.issuer, world.browser(), { parameters: { scope: asked } });
    const again = await refresh(world.issuer, 'app', tokens.refresh_token, { scope: asked });
    expect(again.status).toBe(200);
    expect(claimsOf(again.body.access_token).scope).toBe(claimsOf(tokens.access_token).scope);
  });

  test('a scope at the redemption changes nothing', async () => {
    const redemption = await signInForCode(world.issuer, world.browser(), {
      parameters: { scope },
    });
    const { status, body } = await redeem(world.issuer, redemption, { scope: 'write' });
    expect(status).toBe(200);
    expect(claimsOf(body.access_token).scope).toBe(scope);
  });
});
