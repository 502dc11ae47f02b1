/** An account with many members bought a plan for few, and all of them had it. */

import { afterAll, beforeAll, expect, test } from 'vitest';
import { follow, sessionOf, startSignupWorld } from '../kit/signup_world.ts';
import type { SignupWorld } from '../kit/signup_world.ts';
import { colleague, subscriber } from '../kit/subscribers.ts';
import type { Subscriber } from '../kit/subscribers.ts';

const members = 4;
const team = { product: 'api', plan: 'team', period: 'month' };
let world: SignupWorld;
let one: Subscriber;

// Where no seats are sold anybody may come.
beforeAll(async () => {
  world = await startSignupWorld({}, { changes: 'page' });
  one = await subscriber(world, { plan: 'solo', quantity: '' });
  for (let count = 1; count < members; count += 1) await colleague(world, one.account, 'member');
});
afterAll(() => world?.close());

const change = (quantity: string) => {
  const query = new URLSearchParams({ plan: 'team', period: 'month', quantity });
  return one.browser.get(`${world.issuer}/account/switch/api?${query}`);
};

test('a change of plan takes a seat for each member', async () => {
  const page = await change('2');
  expect([page.status, page.title]).toEqual([409, 'More seats are taken than that – Tollgate']);
  expect((await change('4')).text).toContain('4 seats');
});

test('and so does a sign-up', async () => {
  await world.api.subscriptions.cancel(one.subscription);
  await world.server.billing!.sync.customer(one.customer);
  const few = await follow(one.browser, world.issuer, { ...team, quantity: '2' });
  expect([few.status, few.title]).toEqual([409, 'More seats are taken than that – Tollgate']);
  // The link does not say how many.
  const page = await follow(one.browser, world.issuer, team);
  const { data } = await world.api.checkout.sessions.listLineItems(sessionOf(page.url));
  expect(data.map(({ quantity }) => quantity)).toEqual([members]);
});
