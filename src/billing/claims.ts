/**
 * What an account's subscription to a product comes to in a token: the one function of it, for access tokens and for
 * the events that say how they have changed. Absent rather than null.
 */

import type { AccountDocument } from '../storage/documents.ts';
import { accessEnds, standingOf } from './policy.ts';
import type { Standing, Terms } from './policy.ts';

export interface SubscriptionClaims {
  /** What the policy of the product comes to (`policy.ts`); absent where no product is sold. */
  access?: 'full' | 'none';
  /** When `full` becomes `none` by itself. Seconds since the epoch, like all times in a JWT. */
  access_until?: number;
  /** Stripe's active entitlements, and the features of the plan; none without access (RFC 9068 §2.2.3.1). */
  entitlements?: string[];
  /** Stripe customer id, for metered usage. */
  customer?: string;
  /** Stripe subscription id of the token's product, for metered usage. */
  subscription?: string;
  /** Stripe's word: `trialing`, `active`, `past_due`, `unpaid`, `canceled`, `paused`, … */
  subscription_status?: string;
  /** Of the subscription, or the free plan where that is what the account has. */
  plan?: string;
  period?: string;
  quantity?: number;
  trial_end?: number;
  period_end?: number;
  past_due_since?: number;
  cancel_at?: number;
}

const seconds = (milliseconds: number | undefined): number | undefined =>
  milliseconds === undefined ? undefined : Math.floor(milliseconds / 1000);

type Account = Pick<AccountDocument, 'entitlements' | 'customer' | 'subscriptions'>;

/** @param product undefined: of none, what is the account's at large */
export function subscriptionClaims(
  account: Account,
  product: string | undefined,
  terms: Terms,
): SubscriptionClaims {
  const standing = product === undefined ? undefined : standingOf(account, product, terms);
  const subscription = product === undefined ? undefined : account.subscriptions?.[product];
  // What is on the free plan now has no period that somebody paid for.
  const paid = standing?.reason === 'free' ? undefined : subscription;
  const claims: Record<keyof SubscriptionClaims, unknown> = {
    ...accessClaims(account, product, standing, terms),
    entitlements: entitlementsOf(account, product, standing, terms),
    customer: account.customer,
    subscription: subscription?.subscription,
    subscription_status: subscription?.status,
    plan: standing?.plan,
    period: paid?.period,
    quantity: paid?.quantity,
    trial_end: seconds(paid?.trialEnd),
    period_end: seconds(paid?.periodEnd),
    past_due_since: paid?.status === 'past_due' ? seconds(paid.pastDueSince) : undefined,
    cancel_at: seconds(paid?.cancelAt),
  };
  return Object.fromEntries(
    Object.entries(claims).filter(([, value]) => value !== undefined),
  ) as SubscriptionClaims;
}

function accessClaims(
  account: Account,
  product: string | undefined,
  standing: Standing | undefined,
  terms: Terms,
): Record<'access' | 'access_until', unknown> {
  if (product === undefined || standing === undefined || standing.reason === 'not_sold') {
    return { access: undefined, access_until: undefined };
  }
  return {
    access: standing.allowed ? 'full' : 'none',
    access_until: seconds(accessEnds(account, product, terms)),
  };
}

/** Sorted: the same list for the same rights, whatever the order in which Stripe gives them. */
function entitlementsOf(
  { entitlements = [] }: Account,
  product: string | undefined,
  standing: Standing | undefined,
  { config }: Terms,
): string[] | undefined {
  if (standing?.allowed === false) return undefined;
  const sold = config.products.find(({ id }) => id === product);
  const plan = sold?.plans.find(({ id }) => id === standing?.plan);
  const all = new Set([...entitlements, ...(plan?.features ?? [])]);
  return all.size === 0 ? undefined : [...all].toSorted();
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
