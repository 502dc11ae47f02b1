/**
 * The one function that decides what an account may do with a product: from what we keep of its subscription, from
 * the configuration, and from the time. Tokens, pages, lock-out and events use it, and what tokens say of it is what
 * services believe (`src/verify/plan.ts`). Pure; `docs/claims.md` and `docs/billing.md` have it as a table.
 */

import type { Config, ProductConfig } from '../config.ts';
import type { AccountDocument, SubscriptionProjection } from '../storage/documents.ts';

/** By which terms, and when. */
export interface Terms {
  config: Pick<Config, 'products'>;
  /** In milliseconds since the epoch. */
  now: number;
}

export type StandingReason =
  | 'trialing'
  | 'active'
  /** Late, and within the days that the configuration gives. */
  | 'past_due'
  /** Late for longer than that. */
  | 'grace_over'
  | 'unpaid'
  | 'paused'
  /** The first payment is not made. */
  | 'incomplete'
  /** Canceled, given up before it began, or past its scheduled end. */
  | 'ended'
  /** A period is long over, and Stripe never told us of the next one (S10). */
  | 'stale'
  /** A word of Stripe's that we do not know: no access. */
  | 'unknown_status'
  /** No subscription. */
  | 'none'
  /** The configured free plan, in place of `none`, `ended` or `stale`. */
  | 'free'
  /** No plans are configured, so there is nothing to subscribe to. */
  | 'not_sold';

export interface Standing {
  allowed: boolean;
  reason: StandingReason;
  /** Of a subscription, or the free one. */
  plan?: string;
  /** When this answer changes by itself, in milliseconds, to the second. Absent: not by itself. */
  until?: number;
}

type Access = ProductConfig['access'];
type Account = Pick<AccountDocument, 'subscriptions'>;

const day = 86_400_000;
/** What somebody without a debt falls back to the free plan from. Who owes us something settles that first. */
const freeAfter: ReadonlySet<StandingReason> = new Set(['none', 'ended', 'stale']);

/** @param product of the configuration; one that is not there is not sold */
export function standingOf(account: Account, product: string, { config, now }: Terms): Standing {
  const sold = config.products.find(({ id }) => id === product);
  const subscription = account.subscriptions?.[product];
  if (subscription === undefined && (sold?.plans.length ?? 0) === 0) {
    return { allowed: true, reason: 'not_sold' };
  }
  const access: Access = sold?.access ?? { staleDays: 3, lockOut: false };
  const standing: Standing =
    subscription === undefined
      ? { allowed: false, reason: 'none' }
      : ofSubscription(subscription, access, now);
  if (access.freePlan === undefined || !freeAfter.has(standing.reason)) return standing;
  return { allowed: true, reason: 'free', plan: access.freePlan };
}

/** Whether tokens for the product are refused to this account now. */
export function isLockedOut(account: Account, product: string, terms: Terms): boolean {
  const sold = terms.config.products.find(({ id }) => id === product);
  return sold?.access.lockOut === true && !standingOf(account, product, terms).allowed;
}

/** When access ends should nothing new come; `undefined` where a free plan follows, or it ends never. */
export function accessEnds(account: Account, product: string, terms: Terms): number | undefined {
  const { allowed, until } = standingOf(account, product, terms);
  if (!allowed || until === undefined) return undefined;
  const after = standingOf(account, product, { ...terms, now: until });
  return after.allowed ? undefined : until;
}

function ofSubscription(
  subscription: SubscriptionProjection,
  access: Access,
  now: number,
): Standing {
  const { plan } = subscription;
  const refused = (reason: StandingReason): Standing => ({ allowed: false, reason, plan });
  const bounds = boundsOf(subscription, access);
  if (bounds === undefined) return refused(refusals.get(subscription.status) ?? 'unknown_status');
  // The earliest counts; of two at one moment the one that is said first.
  const first = bounds
    .map(({ at, ...bound }) => ({ ...bound, at: Math.floor(at / 1000) * 1000 }))
    .reduce<Bound | undefined>((one, two) => (one && one.at <= two.at ? one : two), undefined);
  if (first !== undefined && first.at <= now) return refused(first.reason);
  return {
    allowed: true,
    reason: subscription.status as 'trialing' | 'active' | 'past_due',
    plan,
    ...(first === undefined ? {} : { until: first.at }),
  };
}

const refusals: ReadonlyMap<string, StandingReason> = new Map([
  ['unpaid', 'unpaid'],
  ['paused', 'paused'],
  ['incomplete', 'incomplete'],
  ['incomplete_expired', 'ended'],
  ['canceled', 'ended'],
]);

/** Access ends at this time, for this reason. */
interface Bound {
  at: number;
  reason: StandingReason;
}

/** @returns `undefined`: the status gives no access at all */
function boundsOf(subscription: SubscriptionProjection, access: Access): Bound[] | undefined {
  const { status, cancelAt, periodEnd, pastDueSince } = subscription;
  const bounds: Bound[] = cancelAt === undefined ? [] : [{ at: cancelAt, reason: 'ended' }];
  const stale: Bound[] =
    periodEnd === undefined ? [] : [{ at: periodEnd + access.staleDays * day, reason: 'stale' }];
  switch (status) {
    case 'trialing':
    case 'active':
      return [...bounds, ...stale];
    case 'past_due': {
      const { pastDueDays } = access;
      if (pastDueDays === undefined) return [...bounds, ...stale];
      // By now Stripe has moved the end of the period on. Where nothing says since when, no day is given for free.
      const since = pastDueSince ?? periodEnd ?? 0;
      return [...bounds, { at: since + pastDueDays * day, reason: 'grace_over' }];
    }
    default:
      return undefined;
  }
}

/** What gives access back: paying what is late, going on with what is stopped, or subscribing anew. */
export type Remedy = 'pay' | 'resume' | 'subscribe';

export function remedyOf({ reason }: Pick<Standing, 'reason'>): Remedy {
  if (reason === 'none' || reason === 'ended') return 'subscribe';
  return reason === 'paused' || reason === 'stale' ? 'resume' : 'pay';
}
