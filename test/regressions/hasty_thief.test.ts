/** Who steals a refresh token and rotates it all the time does not get the theft forgotten. */

import { afterAll, afterEach, beforeAll, expect, test, vi } from 'vitest';
import { refresh, signIn } from '../kit/world.ts';
import type { World } from '../kit/world.ts';
import { startProtocolWorld, travel } from '../protocol/kit.ts';

const client = 'spa';
let world: World;

beforeAll(async () => {
  world = await startProtocolWorld();
});

afterEach(() => void vi.useRealTimers());
afterAll(() => world.close());

/** Refreshes every four seconds, for a quarter of an hour. @returns the last token */
async function hurry(first: string): Promise<string> {
  let latest = first;
  for (let round = 0; round < 220; round += 1) {
    travel(4);
    const { status, body } = await refresh(world.issuer, client, latest);
    expect(status).toBe(200);
    latest = body.refresh_token ?? '';
  }
  return latest;
}

test('T50 the token of before two hundred rotations, used again, ends the sign-in', async () => {
  const person = world.browser();
  const { refresh_token: first = '' } = await signIn(world.issuer, person, { client });
  const latest = await hurry(first);
  const dead = { status: 400, body: { error: 'invalid_grant' } };
  expect(await refresh(world.issuer, client, first)).toMatchObject(dead);
  expect(await refresh(world.issuer, client, latest)).toMatchObject(dead);
  await world.server.dispatcher.drain();
  const grants = await world.store.find('grant', 'user', 'usr_ada');
  expect(grants.map(({ document }) => document.ended)).not.toContain(undefined);
});

test('T50 who has the only copy may refresh as often, and what is kept of it stays small', async () => {
  const person = world.browser();
  const how = { client, person: 'grace' } as const;
  const { refresh_token: first = '' } = await signIn(world.issuer, person, how);
  const latest = await hurry(first);
  const [grant] = await world.store.find('grant', 'user', 'usr_grace');
  expect(JSON.stringify(grant?.document).length).toBeLessThan(10_000);
  expect((await refresh(world.issuer, client, latest)).status).toBe(200);
});
