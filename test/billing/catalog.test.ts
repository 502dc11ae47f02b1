/** What can be chosen, and what is said of what cannot. */

import { describe, expect, test } from 'vitest';
import { Problem } from '../../src/base/errors.ts';
import type { KeptPlan, PlanWish } from '../../src/billing/types.ts';
import { problemOf } from '../directory/world.ts';
import { aPrice } from '../kit/scripted_stripe.ts';
import { openBillingWorld } from './world.ts';

async function refusal(wish: PlanWish, keep?: KeptPlan) {
  const { catalog } = await openBillingWorld();
  try {
    const { plan, price } = catalog.offer(wish, keep);
    return { plan: plan.id, period: price?.period };
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    return { code: error.code, status: error.status, ...error.details };
  }
}

const known = ['free', 'team', 'business'];

describe('a wish', () => {
  test.each<[string, PlanWish, object]>([
    [
      'plan and period',
      { product: 'api', plan: 'team', period: 'year' },
      { plan: 'team', period: 'year' },
    ],
    [
      'a plan with one period',
      { product: 'api', plan: 'business' },
      { plan: 'business', period: 'month' },
    ],
    ['a product with one plan', { product: 'reports' }, { plan: 'basic', period: 'month' }],
    [
      'a period that only one has',
      { product: 'api', period: 'year' },
      { plan: 'team', period: 'year' },
    ],
    [
      'a free plan has no period',
      { product: 'api', plan: 'free', period: 'year' },
      { plan: 'free' },
    ],
    ['seats', { product: 'api', plan: 'team', period: 'month', quantity: 50 }, { plan: 'team' }],
    ['one of what has none', { product: 'reports', quantity: 1 }, { plan: 'basic' }],
  ])('%s', async (_what, wish, expected) => {
    expect(await refusal(wish)).toMatchObject(expected);
  });

  test.each<[string, PlanWish, object]>([
    [
      'another product',
      { product: 'shoes' },
      { code: 'product_unknown', parameter: 'product', known: ['api', 'reports'] },
    ],
    [
      'another plan',
      { product: 'api', plan: 'huge' },
      { code: 'plan_unknown', parameter: 'plan', known },
    ],
    [
      'no plan where several are',
      { product: 'api' },
      { code: 'plan_unknown', parameter: 'plan', known },
    ],
    [
      'a plan of before',
      { product: 'api', plan: 'old' },
      { code: 'plan_not_offered', parameter: 'plan', known },
    ],
    [
      'another period',
      { product: 'api', plan: 'team', period: 'week' },
      { code: 'period_unknown', parameter: 'period', known: ['month', 'year'] },
    ],
    [
      'no period where there are two',
      { product: 'api', plan: 'team' },
      { code: 'period_unknown', parameter: 'period', known: ['month', 'year'] },
    ],
    ...[1, 51, 2.5, -3, Number.NaN].map((quantity): [string, PlanWish, object] => [
      `${quantity} seats`,
      { product: 'api', plan: 'team', period: 'month', quantity },
      { code: 'quantity_invalid', parameter: 'quantity', known: ['2', '50'] },
    ]),
    ['two of what has no seats', { product: 'reports', quantity: 2 }, { code: 'quantity_invalid' }],
  ])('%s: refused', async (_what, wish, expected) => {
    expect(await refusal(wish)).toMatchObject({ status: 400, ...expected });
  });

  test('who has a plan of before may name it', async () => {
    const wish = { product: 'api', plan: 'old' };
    expect(await refusal(wish, { plan: 'old' })).toEqual({ plan: 'old', period: 'month' });
    expect(await refusal(wish, { plan: 'team' })).toMatchObject({ code: 'plan_not_offered' });
  });

  test('who has another plan keeps the period, where the new one is sold for it', async () => {
    const wish = { product: 'api', plan: 'team' };
    const kept = { plan: 'business', period: 'month' };
    expect(await refusal(wish, kept)).toEqual({ plan: 'team', period: 'month' });
    expect(await refusal({ ...wish, period: 'year' }, kept)).toMatchObject({ period: 'year' });
    expect(await refusal(wish, { ...kept, period: 'week' })).toMatchObject({
      code: 'period_unknown',
    });
  });
});

describe('a price at Stripe', () => {
  const byId = { period: 'month', price: 'price_team' } as const;
  const byKey = { period: 'year', lookupKey: 'team_yearly' } as const;

  test('is asked for once a minute', async () => {
    const world = await openBillingWorld();
    world.stripe.objects.set('price_team', aPrice('price_team'));
    for (let time = 0; time < 3; time += 1) {
      expect(await world.catalog.priceId(byId)).toBe('price_team');
    }
    expect(world.stripe.calls).toHaveLength(1);
    world.now += 61_000;
    await world.catalog.priceId(byId);
    expect(world.stripe.calls).toHaveLength(2);
  });

  test('is found by its lookup key', async () => {
    const world = await openBillingWorld();
    const list = { object: 'list', data: [aPrice('price_7')], has_more: false, url: '/v1/prices' };
    world.stripe.objects.set('prices', list);
    expect(await world.catalog.priceId(byKey)).toBe('price_7');
    world.stripe.objects.set('prices', { ...list, data: [] });
    world.now += 61_000;
    expect(await problemOf(world.catalog.priceId(byKey))).toBe('price_unavailable');
  });

  test('archived, or none at all: it cannot be bought, and that is not remembered', async () => {
    const world = await openBillingWorld();
    expect(await problemOf(world.catalog.priceId(byId))).toBe('price_unavailable');
    world.stripe.objects.set('price_team', aPrice('price_team', { active: false }));
    expect(await problemOf(world.catalog.priceId(byId))).toBe('price_unavailable');
    world.stripe.objects.set('price_team', aPrice('price_team'));
    expect(await world.catalog.priceId(byId)).toBe('price_team');
  });
});
