/** What an account's subscription allows. Pure functions of the claims: nobody is asked. */

import type { AccessClaims } from './claims.ts';

export interface PlanPolicy {
  /** Stripe's words that give access. Default: `trialing`, `active`, `past_due`. Any other gives none. */
  statuses?: readonly string[];
  /**
   * How many days after `period_end` `past_due` gives access. Default: as long as Stripe says
   * `past_due`. Where it is set and the token has no `period_end`, there is no access.
   */
  pastDueGraceDays?: number;
  /** Whether an account without a subscription has access: a free plan. Default: no. */
  withoutSubscription?: boolean;
}

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
  claims: Pick<AccessClaims, 'subscription_status' | 'period_end'>,
  policy: PlanPolicy = {},
  nowSeconds: number = Date.now() / 1000,
): boolean {
  const { statuses = usual, pastDueGraceDays, withoutSubscription = false } = policy;
  const { subscription_status: status, period_end: periodEnd } = claims;
  if (status === undefined) return withoutSubscription;
  if (!statuses.includes(status)) return false;
  if (status !== 'past_due' || pastDueGraceDays === undefined) return true;
  if (periodEnd === undefined) return false;
  return nowSeconds < periodEnd + pastDueGraceDays * daySeconds;
}
