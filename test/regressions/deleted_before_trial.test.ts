/** A customer who is deleted at Stripe before the trial began does not keep its person from ever having one. */

import { afterAll, beforeAll, expect, test } from 'vitest';
import { ends, follow, newcomer, startSignupWorld, tokenAt } from '../kit/signup_world.ts';
import type { SignupWorld } from '../kit/signup_world.ts';

const trial = { product: 'api', plan: 'easy' };

let world: SignupWorld;
beforeAll(async () => {
  world = await startSignupWorld();
});
afterAll(() => world?.close());

test('a trial without a card begins, for another customer', async () => {
  const who = { someone: newcomer('hasty') };
  const browser = world.browser();
  const times = 2;
  world.stripe.fail({
    kind: 'status',
    status: 503,
    method: 'POST',
    path: '/v1/subscriptions',
    times,
  });
  const page = await follow(browser, world.issuer, trial, who);
  expect(page.status).toBe(503);
  const [first] = world.stripe.objects.customers();
  await world.api.customers.del(first?.id ?? '');
  const end = await browser.follow(page, 'Try again');
  expect(end.url).toBe(ends.success);
  const { claims } = await tokenAt(browser, world.issuer);
  expect(claims).toMatchObject({ plan: 'easy', subscription_status: 'trialing' });
  expect(claims.customer).not.toBe(first?.id);
});
