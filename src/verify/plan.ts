/** What an account's subscription allows. Pure functions of the claims: nobody is asked. */

import type { AccessClaims } from './claims.ts';

/**
 * A service's own rules. Where the token says what Tollgate's configuration makes of the subscription (`access`), they
 * can only be stricter than that; otherwise they decide.
 */
export interface PlanPolicy {
  /** Stripe's words that give access. Default: `trialing`, `active`, `past_due`. Any other gives none. */
  statuses?: readonly string[];
  /**
   * How many days `past_due` gives access: after `past_due_since`, or after `period_end` where the token does not say
   * that. Default: as long as Stripe says `past_due`. Where it is set and the token has neither, there is no access.
   */
  pastDueGraceDays?: number;
  /** Whether an account without a subscription has access: a free plan. Default: no, unless the token says so. */
  withoutSubscription?: boolean;
}

type Claims = Pick<
  AccessClaims,
  'access' | 'access_until' | 'subscription_status' | 'past_due_since' | 'period_end'
>;

const usual: readonly string[] = ['trialing', 'active', 'past_due'];
const daySeconds = 86_400;

/** Whether the subscription entitles the account to a feature (Stripe Entitlements). */
export function may(claims: Pick<AccessClaims, 'entitlements'>, feature: string): boolean {
  return claims.entitlements?.includes(feature) === true;
}

/**
 * Whether the state of the subscription gives access.
 * @param nowSeconds since the epoch
 */
export function allows(
  claims: Claims,
  policy: PlanPolicy = {},
  nowSeconds: number = Date.now() / 1000,
): boolean {
  const { access, access_until: until, subscription_status: status } = claims;
  const told = access !== undefined;
  if (told && (access !== 'full' || (until !== undefined && nowSeconds >= until))) return false;
  const { statuses = told ? undefined : usual, withoutSubscription = told } = policy;
  if (status === undefined) return withoutSubscription;
  if (statuses?.includes(status) === false) return false;
  return status !== 'past_due' || isWithinGrace(claims, policy, nowSeconds);
}

function isWithinGrace(claims: Claims, policy: PlanPolicy, nowSeconds: number): boolean {
  const { pastDueGraceDays: days } = policy;
  if (days === undefined) return true;
  const since = claims.past_due_since ?? claims.period_end;
  return since !== undefined && nowSeconds < since + days * daySeconds;
}
