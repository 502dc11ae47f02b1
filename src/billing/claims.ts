/**
 * What an account's subscription to a product comes to in a token: the one function of it, for access tokens and for
 * the events that say how they have changed. Absent rather than null.
 */

import type { AccountDocument } from '../storage/documents.ts';

export interface SubscriptionClaims {
  /** Features by Stripe Entitlements (RFC 9068 §2.2.3.1). */
  entitlements?: string[];
  /** Stripe customer id, for metered usage. */
  customer?: string;
  /** Stripe subscription id of the token's product, for metered usage. */
  subscription?: string;
  /** Stripe's word: `trialing`, `active`, `past_due`, `unpaid`, `canceled`, `paused`, … */
  subscription_status?: string;
  plan?: string;
  period?: string;
  quantity?: number;
  /** Seconds since the epoch, like all times in a JWT. */
  trial_end?: number;
  period_end?: number;
  cancel_at?: number;
}

const seconds = (milliseconds: number | undefined): number | undefined =>
  milliseconds === undefined ? undefined : Math.floor(milliseconds / 1000);

/** @param product undefined: of none, what is the account's at large */
export function subscriptionClaims(
  account: Pick<AccountDocument, 'entitlements' | 'customer' | 'subscriptions'>,
  product: string | undefined,
): SubscriptionClaims {
  const subscription = product === undefined ? undefined : account.subscriptions?.[product];
  const claims: Record<keyof SubscriptionClaims, unknown> = {
    entitlements: account.entitlements,
    customer: account.customer,
    subscription: subscription?.subscription,
    subscription_status: subscription?.status,
    plan: subscription?.plan,
    period: subscription?.period,
    quantity: subscription?.quantity,
    trial_end: seconds(subscription?.trialEnd),
    period_end: seconds(subscription?.periodEnd),
    cancel_at: seconds(subscription?.cancelAt),
  };
  return Object.fromEntries(
    Object.entries(claims).filter(([, value]) => value !== undefined),
  ) as SubscriptionClaims;
}

export type ClaimChanges = Record<string, string | number | string[] | null>;

/** Those that are different, with their new values; null for one that is gone. */
export function changedClaims(before: SubscriptionClaims, after: SubscriptionClaims): ClaimChanges {
  const [old, now] = [before, after] as Record<string, string | number | string[] | undefined>[];
  const names = new Set([...Object.keys(before), ...Object.keys(after)]);
  const same = (name: string) => JSON.stringify(old?.[name]) === JSON.stringify(now?.[name]);
  return Object.fromEntries(
    [...names].filter((name) => !same(name)).map((name) => [name, now?.[name] ?? null]),
  );
}
