import { describe, expect, test } from 'vitest';
import { allows, may } from '../../src/verify/index.ts';
import type { AccessClaims, PlanPolicy } from '../../src/verify/index.ts';

const now = 1_800_000_000;
const day = 86_400;

type Case = [claims: Partial<AccessClaims>, policy: PlanPolicy, access: boolean];

const cases: Case[] = [
  [{ subscription_status: 'trialing' }, {}, true],
  [{ subscription_status: 'active' }, {}, true],
  [{ subscription_status: 'past_due' }, {}, true],
  [{ subscription_status: 'unpaid' }, {}, false],
  [{ subscription_status: 'canceled' }, {}, false],
  [{ subscription_status: 'paused' }, {}, false],
  [{ subscription_status: 'incomplete' }, {}, false],
  [{ subscription_status: 'incomplete_expired' }, {}, false],
  // A word that Stripe invents tomorrow.
  [{ subscription_status: 'frozen' }, {}, false],
  [{ subscription_status: 'ACTIVE' }, {}, false],
  [{ subscription_status: '' }, {}, false],
  // No subscription.
  [{}, {}, false],
  [{}, { withoutSubscription: true }, true],
  [{ subscription_status: 'canceled' }, { withoutSubscription: true }, false],
  // Words of the service's own choice.
  [{ subscription_status: 'active' }, { statuses: [] }, false],
  [{ subscription_status: 'paused' }, { statuses: ['active', 'paused'] }, true],
  [{ subscription_status: 'trialing' }, { statuses: ['active', 'paused'] }, false],
  // Past due, for some days after the period.
  [
    { subscription_status: 'past_due', period_end: now - 7 * day + 1 },
    { pastDueGraceDays: 7 },
    true,
  ],
  [{ subscription_status: 'past_due', period_end: now - 7 * day }, { pastDueGraceDays: 7 }, false],
  [{ subscription_status: 'past_due', period_end: now + 1 }, { pastDueGraceDays: 0 }, true],
  [{ subscription_status: 'past_due', period_end: now }, { pastDueGraceDays: 0 }, false],
  [{ subscription_status: 'past_due' }, { pastDueGraceDays: 7 }, false],
  [{ subscription_status: 'active', period_end: now - 30 * day }, { pastDueGraceDays: 7 }, true],
  [
    { subscription_status: 'past_due', period_end: now },
    { pastDueGraceDays: 7, statuses: ['active'] },
    false,
  ],
  // Since when it is past due counts; the end of the period has moved on by then.
  [
    { subscription_status: 'past_due', past_due_since: now - 8 * day, period_end: now + 22 * day },
    { pastDueGraceDays: 7 },
    false,
  ],
  // The token says what Tollgate makes of it: that is believed, and a policy is only ever stricter.
  [{ access: 'full' }, {}, true],
  [{ access: 'full' }, { withoutSubscription: false }, false],
  [{ access: 'none' }, { withoutSubscription: true }, false],
  [{ access: 'none', subscription_status: 'active' }, { statuses: ['active'] }, false],
  [{ access: 'full', subscription_status: 'canceled' }, {}, true],
  [{ access: 'full', subscription_status: 'canceled' }, { statuses: ['active'] }, false],
  [{ access: 'full', subscription_status: 'paused' }, { statuses: ['paused'] }, true],
  [{ access: 'full', subscription_status: 'active', access_until: now + 1 }, {}, true],
  [{ access: 'full', subscription_status: 'active', access_until: now }, {}, false],
  [
    { access: 'full', subscription_status: 'past_due', past_due_since: now - 3 * day },
    { pastDueGraceDays: 3 },
    false,
  ],
  // A word of another version.
  [{ access: 'some' as 'full', subscription_status: 'active' }, {}, false],
];

describe('which state of a subscription gives access', () => {
  test.each(cases)('%j by %j: %s', (claims, policy, access) => {
    expect(allows(claims, policy, now)).toBe(access);
  });

  test('by the clock where no time is given', () => {
    const claims = { subscription_status: 'past_due', period_end: Date.now() / 1000 - 10 * day };
    expect(allows(claims, { pastDueGraceDays: 7 })).toBe(false);
    expect(allows(claims, { pastDueGraceDays: 11 })).toBe(true);
  });
});

test('a feature is one of the entitlements, and nothing else', () => {
  expect(may({ entitlements: ['export'] }, 'export')).toBe(true);
  expect(may({ entitlements: ['export'] }, 'exp')).toBe(false);
  expect(may({ entitlements: [] }, 'export')).toBe(false);
  expect(may({}, 'export')).toBe(false);
  expect(may({}, 'constructor')).toBe(false);
});
