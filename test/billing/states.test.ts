/** S12: what Stripe says of a subscription, and what is kept of it. And which of several to one product counts. */

import { describe, expect, test } from 'vitest';
import { aPrice, aSubscription } from '../kit/scripted_stripe.ts';
import { openBillingWorld } from './world.ts';

type Json = Record<string, unknown>;

const end = 1_770_000_000;

/** What stands in the account after Stripe was read. */
async function projected(...subscriptions: Json[]): Promise<Json | undefined> {
  const world = await openBillingWorld();
  world.stripe.customers.set('cus_office', { subscriptions, entitlements: [] });
  await world.sync.customer('cus_office');
  const found = (await world.account()).document.subscriptions?.api;
  return found === undefined ? undefined : { ...found };
}

const one = (more: Json = {}) => aSubscription('sub_1', 'cus_office', more);

const item = (id: string, price: string, more: Json = {}) => ({
  id,
  object: 'subscription_item',
  price: aPrice(price),
  current_period_end: end,
  ...more,
});

const details = (more: Json) => ({ comment: null, feedback: null, reason: null, ...more });

/** By what happened: the fields that tell of it, and none of the others. */
const table: [string, Json, Json][] = [
  ['active', one(), { status: 'active' }],
  [
    'in a trial',
    one({ status: 'trialing', trial_end: end }),
    { status: 'trialing', trialEnd: end * 1000 },
  ],
  ['a payment failed', one({ status: 'past_due' }), { status: 'past_due' }],
  ['Stripe gave up to collect', one({ status: 'unpaid' }), { status: 'unpaid' }],
  [
    'paused: the trial ended without a card',
    one({ status: 'paused', trial_end: 1_767_300_000 }),
    { status: 'paused', trialEnd: 1_767_300_000_000 },
  ],
  [
    'collection is paused: the service goes on',
    one({ pause_collection: { behavior: 'void', resumes_at: null } }),
    { status: 'active' },
  ],
  ['the first payment is not made', one({ status: 'incomplete' }), { status: 'incomplete' }],
  [
    'it never was',
    one({ status: 'incomplete_expired', ended_at: 1_767_400_000 }),
    { status: 'incomplete_expired', endedAt: 1_767_400_000_000 },
  ],
  [
    'canceled for the end of the period, as the API does it',
    one({
      cancel_at_period_end: true,
      cancellation_details: details({ reason: 'cancellation_requested' }),
    }),
    {
      status: 'active',
      cancelAt: end * 1000,
      cancellation: { reason: 'cancellation_requested' },
    },
  ],
  [
    'canceled in the portal: a date, not a flag',
    one({ cancel_at: end - 5, cancellation_details: details({ feedback: 'too_expensive' }) }),
    { status: 'active', cancelAt: (end - 5) * 1000, cancellation: { feedback: 'too_expensive' } },
  ],
  [
    'ended: there is no end to wait for any more',
    one({ status: 'canceled', cancel_at: end, ended_at: end }),
    { status: 'canceled', endedAt: end * 1000 },
  ],
  [
    'a dispute ended it',
    one({
      status: 'canceled',
      ended_at: end,
      cancellation_details: details({ reason: 'payment_disputed' }),
    }),
    {
      status: 'canceled',
      endedAt: end * 1000,
      cancellation: { reason: 'payment_disputed' },
    },
  ],
  ['another quantity', one({ quantity: 40 }), { status: 'active', quantity: 40 }],
  [
    'another plan',
    one({ price: 'price_business' }),
    { status: 'active', plan: 'business', price: 'price_business' },
  ],
  [
    'paid by the year',
    one({
      price: aPrice('price_y', { lookup_key: 'team_yearly', recurring: { interval: 'year' } }),
    }),
    { status: 'active', period: 'year', price: 'price_y' },
  ],
  [
    'several items: the plan’s counts, wherever it stands, and the latest end',
    one({
      items: {
        data: [
          item('si_support', 'price_support', { quantity: 1 }),
          item('si_plan', 'price_team', { quantity: 7, current_period_end: end - 1000 }),
        ],
      },
    }),
    { status: 'active', quantity: 7, item: 'si_plan' },
  ],
  [
    'metered: without a quantity',
    one({ items: { data: [item('si_metered', 'price_team')] } }),
    { status: 'active', quantity: undefined, item: 'si_metered' },
  ],
];

describe('S12 a state of Stripe is a state of ours', () => {
  const usual = {
    subscription: 'sub_1',
    plan: 'team',
    period: 'month',
    quantity: 5,
    periodEnd: end * 1000,
    item: 'si_sub_1',
    price: 'price_team',
  };

  test.each(table)('%s', async (_what, subscription, expected) => {
    const { quantity, ...rest } = { ...usual, ...expected };
    const whole = quantity === undefined ? rest : { ...rest, quantity };
    expect(await projected(subscription)).toEqual(whole);
  });

  test('a long comment is cut', async () => {
    const comment = 'x'.repeat(10_000);
    const found = await projected(one({ cancellation_details: details({ comment }) }));
    expect(found?.cancellation).toEqual({ comment: 'x'.repeat(500) });
  });
});

describe('of several to one product', () => {
  const made = (id: string, created: number, status: string, more: Json = {}) =>
    aSubscription(id, 'cus_office', { created, status, ...more });

  test.each([
    ['one that serves before one that does not', made('a', 1, 'unpaid'), made('b', 2, 'active')],
    [
      'a live one before a dead one',
      made('a', 1, 'canceled', { ended_at: 3 }),
      made('b', 2, 'past_due'),
    ],
    ['a paused one before an attempt', made('a', 1, 'incomplete'), made('b', 2, 'paused')],
    [
      'what may still be paid before what is over',
      made('a', 1, 'canceled'),
      made('b', 2, 'incomplete'),
    ],
    [
      'what was once before what never was',
      made('a', 2, 'incomplete_expired'),
      made('b', 1, 'canceled'),
    ],
    ['the older of two that live', made('a', 2, 'active'), made('b', 1, 'trialing')],
    [
      'of two that ended the last',
      made('a', 2, 'canceled', { ended_at: 5 }),
      made('b', 1, 'canceled', { ended_at: 9 }),
    ],
    ['of two of the same second always the same', made('c', 1, 'active'), made('b', 1, 'active')],
  ])('%s', async (_rule, other, best) => {
    expect((await projected(other, best))?.subscription).toBe('b');
    expect((await projected(best, other))?.subscription).toBe('b');
  });
});
