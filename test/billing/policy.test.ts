import { readFileSync, writeFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { subscriptionClaims } from '../../src/billing/claims.ts';
import { isLockedOut, standingOf } from '../../src/billing/policy.ts';
import { productSchema } from '../../src/config/product_schema.ts';
import type { SubscriptionProjection } from '../../src/storage/documents.ts';
import { allows } from '../../src/verify/index.ts';

const day = 86_400_000;
const now = Date.UTC(2027, 0, 1);

const plans = [
  { id: 'team', name: 'Team', features: ['export', 'audit'] },
  { id: 'hobby', name: 'Hobby', features: ['read'] },
];

const configOf = (access: object = {}, withPlans = true) => ({
  products: [
    productSchema.parse({
      id: 'api',
      name: 'API',
      audience: 'https://api.example.com',
      plans: withPlans ? plans : [],
      access,
    }),
  ],
});

/** The policies of the table, by name. */
const policies: Record<string, object> = {
  'as it comes': {},
  '7 days past due': { pastDueDays: 7 },
  'no day past due': { pastDueDays: 0 },
  'a free plan': { freePlan: 'hobby' },
  'a free plan, 7 days past due': { freePlan: 'hobby', pastDueDays: 7 },
};

const sub = (status: string, more: Partial<SubscriptionProjection> = {}) => ({
  subscription: 'sub_1',
  status,
  plan: 'team',
  periodEnd: now + 10 * day,
  ...more,
});

/** What Stripe may say of a subscription (S12), by name. */
const states: Record<string, SubscriptionProjection | undefined> = {
  'no subscription': undefined,
  'a trial': sub('trialing', { trialEnd: now + 10 * day }),
  'a trial that ended two days ago, without news': sub('trialing', {
    trialEnd: now - 2 * day,
    periodEnd: now - 2 * day,
  }),
  'a trial that ended four days ago, without news': sub('trialing', {
    trialEnd: now - 4 * day,
    periodEnd: now - 4 * day,
  }),
  active: sub('active'),
  'active, of which no period is known': sub('active', { periodEnd: undefined as never }),
  'active, but the period ended 3 days ago': sub('active', { periodEnd: now - 3 * day }),
  'active, ending in 2 days': sub('active', { cancelAt: now + 2 * day }),
  'active, should have ended a second ago': sub('active', { cancelAt: now - 1000 }),
  'past due since today': sub('past_due', { pastDueSince: now, periodEnd: now + 30 * day }),
  'past due for 8 days': sub('past_due', {
    pastDueSince: now - 8 * day,
    periodEnd: now + 22 * day,
  }),
  'past due, nobody knows since when': sub('past_due', { periodEnd: now - day }),
  'past due for 2 days, ended yesterday': sub('past_due', {
    pastDueSince: now - 2 * day,
    cancelAt: now - day,
  }),
  unpaid: sub('unpaid'),
  paused: sub('paused'),
  incomplete: sub('incomplete'),
  'incomplete, and given up': sub('incomplete_expired'),
  canceled: sub('canceled', { endedAt: now - day, periodEnd: now - day }),
  'a word of tomorrow': sub('frozen'),
};

const table = (): string => {
  const days = (at: number | undefined) => (at === undefined ? '' : `${(at - now) / day} d`);
  const rows = Object.entries(states).flatMap(([state, subscription]) =>
    Object.entries(policies).map(([policy, access]) => {
      const account = subscription === undefined ? {} : { subscriptions: { api: subscription } };
      const standing = standingOf(account, 'api', { config: configOf(access), now });
      const { allowed, reason, plan = '', until } = standing;
      return `| ${state} | ${policy} | ${allowed ? 'yes' : 'no'} | ${reason} | ${plan} | ${days(until)} |`;
    }),
  );
  const head = ['| state | policy | access | reason | plan | until |', '| - | - | - | - | - | - |'];
  return `${[...head, ...rows].join('\n')}\n`;
};

describe('what the state of a subscription allows', () => {
  test('S12 the table of states and policies is as it was looked at', () => {
    const file = new URL('golden/policy.md', import.meta.url);
    if (process.env.TOLLGATE_TEST_WRITE_GOLDEN === '1') writeFileSync(file, table());
    expect(table()).toBe(readFileSync(file, 'utf8'));
  });

  test('without plans there is nothing to allow, unless there is a subscription all the same', () => {
    const terms = { config: configOf({ lockOut: true }, false), now };
    expect(standingOf({}, 'api', terms)).toEqual({ allowed: true, reason: 'not_sold' });
    expect(isLockedOut({}, 'api', terms)).toBe(false);
    expect(subscriptionClaims({ entitlements: ['x'] }, 'api', terms)).toEqual({
      entitlements: ['x'],
    });
    const unpaid = { subscriptions: { api: sub('unpaid') } };
    expect(standingOf(unpaid, 'api', terms)).toMatchObject({ allowed: false, reason: 'unpaid' });
    expect(standingOf({}, 'of nobody', terms).reason).toBe('not_sold');
  });

  test('locks out only where that is configured', () => {
    const account = { subscriptions: { api: sub('unpaid') } };
    expect(isLockedOut(account, 'api', { config: configOf(), now })).toBe(false);
    const config = configOf({ lockOut: true });
    expect(isLockedOut(account, 'api', { config, now })).toBe(true);
    expect(isLockedOut({ subscriptions: { api: sub('active') } }, 'api', { config, now })).toBe(
      false,
    );
    expect(isLockedOut({ subscriptions: { api: sub('active') } }, 'other', { config, now })).toBe(
      false,
    );
  });
});

describe('claims', () => {
  test('entitlements are those of Stripe and of the plan, sorted, and gone without access', () => {
    const terms = { config: configOf(), now };
    const account = { entitlements: ['zeta', 'audit'], subscriptions: { api: sub('active') } };
    expect(subscriptionClaims(account, 'api', terms).entitlements).toEqual([
      'audit',
      'export',
      'zeta',
    ]);
    const unpaid = { ...account, subscriptions: { api: sub('unpaid') } };
    const claims = subscriptionClaims(unpaid, 'api', terms);
    expect(claims).toMatchObject({ access: 'none', plan: 'team', subscription_status: 'unpaid' });
    expect(claims.entitlements).toBeUndefined();
    expect(claims.access_until).toBeUndefined();
  });

  test('the free plan after the end: what was paid for is gone, what became of it is said', () => {
    const canceled = sub('canceled', { period: 'month', quantity: 5, endedAt: now - day });
    const account = { subscriptions: { api: canceled } };
    const terms = { config: configOf({ freePlan: 'hobby' }), now };
    expect(subscriptionClaims(account, 'api', terms)).toEqual({
      access: 'full',
      entitlements: ['read'],
      subscription: 'sub_1',
      subscription_status: 'canceled',
      plan: 'hobby',
    });
  });

  test('no end of access is told where the free plan follows', () => {
    const account = { subscriptions: { api: sub('active', { cancelAt: now + day }) } };
    const until = (access: object) =>
      subscriptionClaims(account, 'api', { config: configOf(access), now }).access_until;
    expect(until({})).toBe((now + day) / 1000);
    expect(until({ freePlan: 'hobby' })).toBeUndefined();
  });

  test('time alone changes them', () => {
    const account = {
      subscriptions: { api: sub('past_due', { pastDueSince: now, periodEnd: now + 30 * day }) },
    };
    const config = configOf({ pastDueDays: 7 });
    const at = (ms: number) => subscriptionClaims(account, 'api', { config, now: ms });
    expect(at(now)).toMatchObject({
      access: 'full',
      access_until: (now + 7 * day) / 1000,
      past_due_since: now / 1000,
    });
    expect(at(now + 7 * day - 1).access).toBe('full');
    expect(at(now + 7 * day).access).toBe('none');
  });
});

const times = fc.option(fc.integer({ min: now - 60 * day, max: now + 60 * day }), {
  nil: undefined,
});
const optional = <T>(values: Record<string, T | undefined>) =>
  Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined));
const projections = fc
  .record({
    status: fc.oneof(
      fc.constantFrom('trialing', 'active', 'past_due', 'unpaid', 'paused', 'canceled'),
      fc.constantFrom('incomplete', 'incomplete_expired', 'constructor', ''),
      fc.string({ maxLength: 8 }),
    ),
    more: fc
      .record({ periodEnd: times, cancelAt: times, pastDueSince: times, trialEnd: times })
      .map(optional),
  })
  .map(({ status, more }) => sub(status, { periodEnd: undefined as never, ...more }));
const accesses = fc
  .record({
    pastDueDays: fc.option(fc.integer({ min: 0, max: 40 }), { nil: undefined }),
    staleDays: fc.option(fc.integer({ min: 1, max: 40 }), { nil: undefined }),
    freePlan: fc.option(fc.constant('hobby'), { nil: undefined }),
    lockOut: fc.boolean(),
  })
  .map(optional);

test('token, page, lock-out and service agree, for any projection, now and for as long as the token is old', () => {
  fc.assert(
    fc.property(
      fc.option(projections, { nil: undefined }),
      accesses,
      fc.integer({ min: -50, max: 50 }),
      fc.nat({ max: 40 * day }),
      (subscription, access, shift, later) => {
        const account = subscription === undefined ? {} : { subscriptions: { api: subscription } };
        const config = configOf(access);
        const issued = now + shift * day;
        const standing = standingOf(account, 'api', { config, now: issued });
        const claims = subscriptionClaims(account, 'api', { config, now: issued });
        expect(claims.access).toBe(standing.allowed ? 'full' : 'none');
        expect(allows(claims, {}, issued / 1000)).toBe(standing.allowed);
        expect(isLockedOut(account, 'api', { config, now: issued })).toBe(
          access.lockOut === true && !standing.allowed,
        );
        expect(claims.entitlements === undefined).toBe(!standing.allowed);
        // Later, a service that has only the old token says what a new one would.
        const then = standingOf(account, 'api', { config, now: issued + later });
        expect(allows(claims, {}, (issued + later) / 1000)).toBe(then.allowed);
        // Until it says so itself, the answer stays.
        if (standing.until === undefined || issued + later < standing.until) {
          expect(then).toEqual(standing);
        }
      },
    ),
    { numRuns: 2000 },
  );
});
