import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { configSchema } from '../../src/config.ts';
import { accountClaims } from '../../src/oidc/claims.ts';
import type { Acting } from '../../src/oidc/claims.ts';

const day = 86_400_000;
const now = Date.UTC(2027, 0, 1);

const acting: Acting = {
  user: { status: 'active', name: 'Ada', email: 'ada@example.com', identities: [], createdAt: now },
  account: {
    id: 'acc_acme',
    name: 'Acme',
    status: 'active',
    owners: ['usr_ada'],
    customer: 'cus_1',
    entitlements: ['export'],
    subscriptions: {
      api: {
        subscription: 'sub_1',
        status: 'trialing',
        plan: 'team',
        period: 'year',
        quantity: 5,
        trialEnd: now + 3 * day,
        periodEnd: now + 14 * day + 999,
        cancelAt: now + 14 * day,
      },
    },
    createdAt: now,
  },
  roles: ['owner'],
};

const configOf = (claims: { name: boolean; email: boolean }, products: object[] = []) => ({
  config: configSchema.pick({ products: true, claims: true }).parse({ products, claims }),
  now,
});
const seconds = (milliseconds: number) => Math.floor(milliseconds / 1000);

describe('what an access token says of an account', () => {
  test('everything, for the product that the token is for', () => {
    expect(accountClaims(acting, 'api', configOf({ name: true, email: true }))).toEqual({
      account: 'acc_acme',
      roles: ['owner'],
      access: 'full',
      access_until: seconds(now + 14 * day),
      entitlements: ['export'],
      customer: 'cus_1',
      subscription: 'sub_1',
      subscription_status: 'trialing',
      plan: 'team',
      period: 'year',
      quantity: 5,
      trial_end: seconds(now + 3 * day),
      period_end: seconds(now + 14 * day),
      cancel_at: seconds(now + 14 * day),
      name: 'Ada',
      email: 'ada@example.com',
    });
  });

  test('another product, or no subscription: absent rather than null', () => {
    const bare = {
      account: 'acc_acme',
      roles: ['owner'],
      entitlements: ['export'],
      customer: 'cus_1',
    };
    expect(accountClaims(acting, 'reports', configOf({ name: false, email: false }))).toEqual(bare);
    expect(accountClaims(acting, undefined, configOf({ name: false, email: false }))).toEqual(bare);
  });

  test('docs/claims.md has a row for each', () => {
    const page = readFileSync(new URL('../../docs/claims.md', import.meta.url), 'utf8');
    for (const claim of Object.keys(
      accountClaims(acting, 'api', configOf({ name: true, email: true })),
    )) {
      expect(page).toContain(`| \`${claim}\` |`);
    }
  });
});
