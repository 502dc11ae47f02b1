/** Authorization codes: once, by whom they were made for, and soon. */

import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import { addressOf, claimsOf, signInForCode } from '../kit/world.ts';
import type { World } from '../kit/world.ts';
import {
  basic,
  credentials,
  post,
  redeem,
  refresh,
  signIn,
  startProtocolWorld,
  travel,
  userinfo,
} from './kit.ts';

let world: World;

beforeAll(async () => {
  world = await startProtocolWorld();
});

afterEach(() => void vi.useRealTimers());
afterAll(() => world.close());

const invalidGrant = { status: 400, body: { error: 'invalid_grant' } };

describe('T07 a code works once, and for a minute', () => {
  test('T07 used again at once it is refused, and what it brought lives: that was a race', async () => {
    const redemption = await signInForCode(world.issuer, world.browser());
    const { body } = await redeem(world.issuer, redemption);
    expect(await redeem(world.issuer, redemption)).toMatchObject(invalidGrant);
    expect((await refresh(world.issuer, 'app', body.refresh_token)).status).toBe(200);
  });

  test('T07 used again later it was stolen: what it brought is dead', async () => {
    const client = 'plain';
    const redemption = await signInForCode(world.issuer, world.browser(), { client });
    const { body } = await redeem(world.issuer, redemption);
    expect((await userinfo(world.issuer, body.access_token)).status).toBe(200);
    travel(20);
    expect(await redeem(world.issuer, redemption)).toMatchObject(invalidGrant);
    expect(await refresh(world.issuer, client, body.refresh_token)).toMatchObject(invalidGrant);
    expect((await userinfo(world.issuer, body.access_token)).status).toBe(401);
  });

  test('T07 used again after its minute: refused, and what it brought is dead as well', async () => {
    const redemption = await signInForCode(world.issuer, world.browser());
    const { body } = await redeem(world.issuer, redemption);
    travel(40);
    expect(await redeem(world.issuer, redemption)).toMatchObject(invalidGrant);
    expect(await refresh(world.issuer, 'app', body.refresh_token)).toMatchObject(invalidGrant);
    // A JWT cannot be recalled; userinfo knows.
    expect((await userinfo(world.issuer, body.access_token)).status).toBe(401);
  });

  test('T07 after 60 seconds it is too late', async () => {
    const late = await signInForCode(world.issuer, world.browser());
    const inTime = await signInForCode(world.issuer, world.browser());
    travel(50);
    expect((await redeem(world.issuer, inTime)).status).toBe(200);
    travel(30);
    expect(await redeem(world.issuer, late)).toMatchObject(invalidGrant);
  });

  test('T07 a thief who redeems without the proof of the client ends nothing', async () => {
    const redemption = await signInForCode(world.issuer, world.browser());
    const { body } = await redeem(world.issuer, redemption);
    travel(20);
    const fields = { grant_type: 'authorization_code', code: redemption.code };
    const wrong = basic('app', 'x'.repeat(32));
    const url = `${world.issuer}/oauth2/token`;
    expect((await post(url, { ...fields, redirect_uri: addressOf('app') }, wrong)).status).toBe(
      401,
    );
    const other = { ...credentials('other'), ...fields, redirect_uri: addressOf('app') };
    expect(await post(url, other)).toMatchObject(invalidGrant);
    expect((await refresh(world.issuer, 'app', body.refresh_token)).status).toBe(200);
  });
});

test('T08 of 50 parallel redemptions one succeeds', async () => {
  const redemption = await signInForCode(world.issuer, world.browser());
  const answers = await Promise.all(
    Array.from({ length: 50 }, () => redeem(world.issuer, redemption)),
  );
  const winners = answers.filter(({ status }) => status === 200);
  expect(winners).toHaveLength(1);
  for (const answer of answers) {
    if (answer.status !== 200) expect(answer).toMatchObject(invalidGrant);
  }
  expect((await refresh(world.issuer, 'app', winners[0]?.body.refresh_token)).status).toBe(200);
});

describe('T09 a code is for the client and the address that it was made for', () => {
  test('T09 another client is refused, and the right one is served', async () => {
    for (const client of ['other', 'spa']) {
      const redemption = await signInForCode(world.issuer, world.browser());
      const stolen = { ...redemption, client };
      const address = { redirect_uri: addressOf('app') };
      expect(await redeem(world.issuer, stolen, address)).toMatchObject(invalidGrant);
      expect(await redeem(world.issuer, stolen)).toMatchObject(invalidGrant);
      expect((await redeem(world.issuer, redemption)).status).toBe(200);
    }
  });

  test('T09 another address, or none, is refused', async () => {
    const redemption = await signInForCode(world.issuer, world.browser());
    for (const address of [`${addressOf('app')}/`, addressOf('other'), '']) {
      const { status, body } = await redeem(world.issuer, redemption, { redirect_uri: address });
      expect(status).toBe(400);
      expect(['invalid_grant', 'invalid_request']).toContain(body.error);
    }
    expect((await redeem(world.issuer, redemption)).status).toBe(200);
  });

  test('T09 what is no code at all is refused', async () => {
    const redemption = await signInForCode(world.issuer, world.browser());
    const tokens = await signIn(world.issuer, world.browser());
    const [prefix, grant, random] = redemption.code.split('.');
    for (const code of [
      'x',
      `${redemption.code}x`,
      redemption.code.slice(0, -1),
      `tga.${grant}.${random}`,
      `${prefix}..${random}`,
      `${prefix}.${grant}.`,
      `${prefix}.__proto__.${random}`,
      `${prefix}.${grant}.__proto__`,
      tokens.refresh_token,
      tokens.access_token,
      'x'.repeat(5000),
    ]) {
      expect(await redeem(world.issuer, { ...redemption, code })).toMatchObject(invalidGrant);
      // T58: and a code is no token of another kind.
      expect(
        await refresh(world.issuer, 'app', code === tokens.refresh_token ? 'x' : code),
      ).toMatchObject(invalidGrant);
    }
    expect(await refresh(world.issuer, 'app', redemption.code)).toMatchObject(invalidGrant);
    expect((await userinfo(world.issuer, redemption.code)).status).toBe(401);
    expect((await redeem(world.issuer, redemption)).status).toBe(200);
  });

  test('T38 the ID token carries the nonce of the request', async () => {
    const redemption = await signInForCode(world.issuer, world.browser());
    const { body } = await redeem(world.issuer, redemption);
    expect(claimsOf(body.id_token)).toMatchObject({ nonce: `nonce-${redemption.state}` });
  });
});
