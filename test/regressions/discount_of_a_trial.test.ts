/** A trial without a card left out the discount of its link, and what came after it was charged in full. */

import { afterAll, beforeAll, expect, test } from 'vitest';
import { cards } from '../../dev/stripe/cards.ts';
import { follow, newcomer, sessionOf, startSignupWorld } from '../kit/signup_world.ts';
import type { SignupWorld } from '../kit/signup_world.ts';

let world: SignupWorld;

beforeAll(async () => {
  world = await startSignupWorld({}, { coupons: ['half'] });
  const coupon = await world.api.coupons.create({
    id: 'half',
    percent_off: 50,
    duration: 'forever',
  });
  const promotion = { type: 'coupon' as const, coupon: coupon.id };
  await world.api.promotionCodes.create({ code: 'HALF', promotion });
});
afterAll(() => world?.close());

test.each<Record<string, string>>([{ promotion_code: 'HALF' }, { coupon: 'half' }])(
  '%j counts',
  async (code) => {
    const who = { someone: newcomer(Object.keys(code).join('')) };
    const browser = world.browser();
    const page = await follow(
      browser,
      world.issuer,
      { product: 'api', plan: 'easy', ...code },
      who,
    );
    const session = sessionOf(page.url);
    await world.stripe.checkout.pay(session, { card: cards.pays });
    const { subscription } = await world.api.checkout.sessions.retrieve(session);
    const bought = await world.api.subscriptions.retrieve(String(subscription));
    expect(bought.status).toBe('trialing');
    expect(bought.discounts).toHaveLength(1);
  },
);

test('a code that there is not is refused', async () => {
  const query = { product: 'api', plan: 'easy', promotion_code: 'NONE' };
  const who = { someone: newcomer('invents') };
  const page = await follow(world.browser(), world.issuer, query, who);
  expect([page.status, page.title]).toEqual([400, 'This code cannot be used – Tollgate']);
});
