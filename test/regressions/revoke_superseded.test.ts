/** Who revokes a refresh token means the sign-in that it came from, also when another tab was quicker. */

import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import { refresh, revoke, signIn } from '../kit/world.ts';
import type { World } from '../kit/world.ts';
import { startProtocolWorld, travel } from '../protocol/kit.ts';

let world: World;

beforeAll(async () => {
  world = await startProtocolWorld();
});

afterEach(() => void vi.useRealTimers());
afterAll(() => world.close());

const dead = { status: 400, body: { error: 'invalid_grant' } };

describe('T49 revoking a refresh token that has a successor already', () => {
  const cases = [
    ['strict', 0],
    ['strict', 3],
    ['strict', 30],
    ['spa', 0],
    ['spa', 35],
    ['spa', 60],
  ] as const;
  test.each(cases)('ends the sign-in of "%s", %i s later', async (client, seconds) => {
    const { issuer } = world;
    const first = await signIn(issuer, world.browser(), { client, person: 'grace' });
    const next = await refresh(issuer, client, first.refresh_token);
    expect(next.status).toBe(200);
    travel(seconds);
    expect((await revoke(issuer, client, first.refresh_token)).status).toBe(200);
    expect(await refresh(issuer, client, next.body.refresh_token)).toMatchObject(dead);
    expect(await refresh(issuer, client, first.refresh_token)).toMatchObject(dead);
  });

  test('is for the client that it was made for: at another it has no effect', async () => {
    const { issuer } = world;
    const first = await signIn(issuer, world.browser(), { client: 'spa', person: 'grace' });
    const next = await refresh(issuer, 'spa', first.refresh_token);
    travel(60);
    await revoke(issuer, 'other', first.refresh_token);
    expect((await refresh(issuer, 'spa', next.body.refresh_token)).status).toBe(200);
  });

  test('leaves the sign-in at another browser alone', async () => {
    const { issuer } = world;
    const here = await signIn(issuer, world.browser(), { client: 'spa', person: 'grace' });
    const there = await signIn(issuer, world.browser(), { client: 'spa', person: 'grace' });
    await refresh(issuer, 'spa', here.refresh_token);
    travel(60);
    expect((await revoke(issuer, 'spa', here.refresh_token)).status).toBe(200);
    expect((await refresh(issuer, 'spa', there.refresh_token)).status).toBe(200);
  });
});
