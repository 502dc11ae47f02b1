import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { claimsOf, redeem, refresh, signIn, signInForCode, startWorld } from '../kit/world.ts';
import type { World } from '../kit/world.ts';

let world: World;

beforeAll(async () => {
  world = await startWorld();
});

afterAll(() => world.close());

describe('signing in', () => {
  test('through the upstream and the chooser, a client gets tokens for the chosen account', async () => {
    const tokens = await signIn(world.issuer, world.browser(), { account: 'acc_globex' });
    expect(claimsOf(tokens.access_token)).toMatchObject({
      iss: world.issuer,
      sub: 'usr_ada',
      aud: 'https://api.example.com',
      client_id: 'app',
      account: 'acc_globex',
      roles: ['owner'],
    });
    const refreshed = await refresh(world.issuer, 'app', tokens.refresh_token);
    expect(refreshed.status).toBe(200);
    expect(claimsOf(refreshed.body.access_token)).toMatchObject({ account: 'acc_globex' });
  });

  test('who has exactly one account is not asked', async () => {
    const browser = world.browser();
    const tokens = await signIn(world.issuer, browser, {
      person: 'grace',
      account: 'none',
    });
    expect(claimsOf(tokens.access_token)).toMatchObject({
      sub: 'usr_grace',
      account: 'acc_initech',
    });
  });

  test('T07 a code works once', async () => {
    const redemption = await signInForCode(world.issuer, world.browser());
    expect((await redeem(world.issuer, redemption)).status).toBe(200);
    expect((await redeem(world.issuer, redemption)).body).toMatchObject({ error: 'invalid_grant' });
  });
});
