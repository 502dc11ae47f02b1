/** What a stranger can have written down has a limit for each address. */

import { afterEach, beforeEach, expect, test } from 'vitest';
import { postForm } from '../kit/post.ts';
import { authorizationRequest, startWorld } from '../kit/world.ts';
import type { World } from '../kit/world.ts';
import { get } from '../protocol/kit.ts';

const limit = 10;
const minute = 60_000;
const forever = Number.MAX_SAFE_INTEGER;
let now: number;
let world: World;

beforeEach(async () => {
  now = Date.now();
  world = await startWorld({
    clock: () => now,
    config: { limits: { perAddressPerMinute: limit } },
  });
});

afterEach(() => world.close());

async function times(count: number, ask: () => Promise<{ status: number }>): Promise<number[]> {
  const statuses: number[] = [];
  for (let index = 0; index < count; index += 1) statuses.push((await ask()).status);
  return statuses;
}

test('T77 the page that signs out makes no sessions beyond the limit', async () => {
  const ask = () => get(`${world.issuer}/oauth2/logout`, { accept: 'text/html' });
  const statuses = await times(3 * limit, ask);
  expect(statuses.slice(0, limit)).toEqual(Array(limit).fill(200));
  expect(statuses.slice(limit)).toEqual(Array(2 * limit).fill(429));
  expect((await world.store.due('session', forever, 1000)).length).toBeLessThanOrEqual(limit);
  now += minute;
  expect(await times(1, ask)).toEqual([200]);
});

test('T77 requests are not pushed beyond the limit', async () => {
  const { searchParams } = new URL(authorizationRequest(world.issuer, 'spa').url);
  const ask = () => postForm(`${world.issuer}/oauth2/par`, searchParams);
  const statuses = await times(3 * limit, ask);
  expect(statuses.slice(0, limit)).toEqual(Array(limit).fill(201));
  expect(statuses.slice(limit)).toEqual(Array(2 * limit).fill(429));
  expect((await world.store.due('par', forever, 1000)).length).toBeLessThanOrEqual(limit);
  now += minute;
  expect(await times(1, ask)).toEqual([201]);
});
