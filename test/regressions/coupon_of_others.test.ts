/** The id of a coupon is often a word: whoever guesses one must not get what is meant for somebody else. */

import { afterAll, beforeAll, expect, test } from 'vitest';
import { follow, newcomer, sessionOf, startSignupWorld } from '../kit/signup_world.ts';
import type { SignupWorld } from '../kit/signup_world.ts';

const team = { product: 'api', plan: 'team', period: 'month', quantity: '2' };
let world: SignupWorld;

beforeAll(async () => {
  world = await startSignupWorld({}, { coupons: ['spring'] });
  await world.api.coupons.create({ id: 'spring', percent_off: 10, duration: 'once' });
  await world.api.coupons.create({ id: 'employees', percent_off: 100, duration: 'forever' });
});
afterAll(() => world?.close());

test('a link takes the coupons of the configuration, and no other one of the Stripe account', async () => {
  const who = { someone: newcomer('guesses') };
  const browser = world.browser();
  const guessed = await follow(browser, world.issuer, { ...team, coupon: 'employees' }, who);
  expect([guessed.status, guessed.title]).toEqual([400, 'This code cannot be used – Tollgate']);
  const page = await follow(browser, world.issuer, { ...team, coupon: 'spring' }, who);
  const session = await world.api.checkout.sessions.retrieve(sessionOf(page.url));
  expect(session.amount_total).toBe(1800);
});
