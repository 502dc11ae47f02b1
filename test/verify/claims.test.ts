import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import type { AccountClaims } from '../../src/oidc/claims.ts';
import type { AccessClaims } from '../../src/verify/index.ts';

test('the type says what Tollgate issues, and docs/claims.md has a row for each', () => {
  // Types: each claim that Tollgate makes is one that services know, as the same.
  const issued = (claims: AccountClaims): Partial<AccessClaims> => claims;
  expect(issued).toBeDefined();
  const page = readFileSync(new URL('../../docs/claims.md', import.meta.url), 'utf8');
  const rows = [...page.matchAll(/^\| (`.+?`) \|/gm)].flatMap(([, names = '']) =>
    [...names.matchAll(/`(\w+)`/g)].map(([, name]) => name),
  );
  const every: Record<keyof AccessClaims, true> = {
    iss: true,
    aud: true,
    sub: true,
    client_id: true,
    iat: true,
    exp: true,
    jti: true,
    scope: true,
    sid: true,
    cnf: true,
    account: true,
    roles: true,
    access: true,
    access_until: true,
    entitlements: true,
    customer: true,
    subscription: true,
    subscription_status: true,
    plan: true,
    period: true,
    quantity: true,
    trial_end: true,
    period_end: true,
    past_due_since: true,
    cancel_at: true,
    name: true,
    email: true,
  };
  expect(rows.toSorted()).toEqual(Object.keys(every).toSorted());
});
