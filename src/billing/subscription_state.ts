/**
 * From Stripe's subscriptions of a customer to what we keep of them: pure functions. Periods are read from the items,
 * where Stripe has them since 2025-03; a scheduled end is `cancel_at` as well as `cancel_at_period_end`.
 */

import type { LateSince } from './late.ts';
import type { SubscriptionProjection } from '../storage/documents.ts';
import type { Stripe } from './stripe.ts';
import type { Catalog } from './types.ts';

/** A subscription that stands for nothing in any token. */
export interface Stray {
  subscription: string;
  /** `duplicate`: the account has an older live one to this product. `unknown_product`: no plan has its price. */
  why: 'duplicate' | 'unknown_product';
  product?: string;
}

export interface SubscriptionState {
  subscriptions: Record<string, SubscriptionProjection>;
  strays: Stray[];
  /** Words for a status that we do not know. */
  unknownStatuses: string[];
}

/** The best first: those that serve, those that may serve again, what may become one, what is over. */
const ranks: Readonly<Record<string, number>> = {
  active: 0,
  trialing: 0,
  past_due: 0,
  unpaid: 1,
  paused: 1,
  incomplete: 2,
  canceled: 3,
  incomplete_expired: 4,
};
const unknownRank = 1;
const attempted = 2;
const firstOfDead = 3;
const longestComment = 500;

const rankOf = (subscription: Stripe.Subscription) => ranks[subscription.status] ?? unknownRank;

/** Whether it is over for good; `incomplete` may still be paid. */
export function isDead({ status }: { status: string }): boolean {
  return (ranks[status] ?? unknownRank) >= firstOfDead;
}

/** @param subscriptions all of one customer, in any order, but for those that are withheld */
export function stateOf(
  subscriptions: readonly Stripe.Subscription[],
  catalog: Catalog,
  products: readonly string[],
  lateSince: LateSince = new Map(),
): SubscriptionState {
  const strays: Stray[] = [];
  const byProduct = new Map<string, Stripe.Subscription[]>();
  for (const subscription of subscriptions) {
    const product = productOf(subscription, catalog, products);
    if (product !== undefined) {
      byProduct.set(product, [...(byProduct.get(product) ?? []), subscription]);
    } else if (!isDead(subscription)) {
      strays.push({ subscription: subscription.id, why: 'unknown_product' });
    }
  }
  const chosen: Record<string, SubscriptionProjection> = {};
  for (const [product, candidates] of byProduct) {
    const [best, ...others] = candidates.toSorted(better);
    if (best === undefined) continue;
    chosen[product] = projectionOf(best, product, catalog, lateSince.get(best.id));
    for (const other of others) {
      // An unpaid attempt at another one ends by itself.
      if (rankOf(other) >= attempted) continue;
      strays.push({ subscription: other.id, why: 'duplicate', product });
    }
  }
  const unknown = subscriptions.filter(({ status }) => ranks[status] === undefined);
  return { subscriptions: chosen, strays, unknownStatuses: unknown.map(({ status }) => status) };
}

/** Of several to one product: the better state; of those alive the older one, of those that are over the last. */
function better(one: Stripe.Subscription, other: Stripe.Subscription): number {
  const byRank = rankOf(one) - rankOf(other);
  if (byRank !== 0) return byRank;
  const byAge = isDead(one)
    ? (other.ended_at ?? other.created) - (one.ended_at ?? one.created)
    : one.created - other.created;
  return byAge !== 0 ? byAge : one.id < other.id ? -1 : 1;
}

/** What its prices say; what was noted on it only where no plan has any of them (any more). */
function productOf(
  { items, metadata }: Stripe.Subscription,
  catalog: Catalog,
  products: readonly string[],
): string | undefined {
  for (const { price } of items.data) {
    const plan = catalog.planOf(price);
    if (plan !== undefined) return plan.product;
  }
  return products.find((product) => product === metadata.tollgate_product);
}

function projectionOf(
  subscription: Stripe.Subscription,
  product: string,
  catalog: Catalog,
  /** When the oldest of its open invoices was made. */
  lateSince?: number,
): SubscriptionProjection {
  const { items, status } = subscription;
  const planned = items.data.find(({ price }) => catalog.planOf(price)?.product === product);
  const item = planned ?? items.data[0];
  const price = item?.price;
  const plan = price === undefined ? undefined : catalog.planOf(price);
  const ends = items.data.map((one) => one.current_period_end);
  const periodEnd = ends.length === 0 ? undefined : Math.max(...ends);
  const isOver = isDead(subscription);
  const scheduled = subscription.cancel_at_period_end ? periodEnd : undefined;
  const cancelAt = isOver ? undefined : (subscription.cancel_at ?? scheduled);
  return withoutAbsent({
    subscription: subscription.id,
    status,
    plan: plan?.product === product ? plan.plan : (price?.id ?? 'unknown'),
    period: periodOf(price),
    quantity: item?.quantity,
    trialEnd: milliseconds(subscription.trial_end),
    periodEnd: milliseconds(periodEnd),
    pastDueSince: status === 'past_due' ? lateSince : undefined,
    cancelAt: milliseconds(cancelAt),
    endedAt: milliseconds(subscription.ended_at),
    item: item?.id,
    price: price?.id,
    cancellation: cancellationOf(subscription),
    closing: closingMark(subscription) === undefined ? undefined : true,
  });
}

function milliseconds(seconds: number | null | undefined): number | undefined {
  return typeof seconds === 'number' ? seconds * 1000 : undefined;
}

const periods = ['day', 'week', 'month', 'year'] as const;

function periodOf(price: Stripe.Price | undefined): SubscriptionProjection['period'] {
  return periods.find((period) => period === price?.recurring?.interval);
}

/** What a closing of its account has noted on it (`closing_subscriptions.ts`). */
export function closingMark({ metadata }: Stripe.Subscription): string | undefined {
  return metadata['tollgate_closing'] || undefined;
}

function cancellationOf({
  cancellation_details: details,
}: Stripe.Subscription): SubscriptionProjection['cancellation'] {
  const { reason, feedback, comment } = details ?? {};
  const known = {
    ...(reason ? { reason } : {}),
    ...(feedback ? { feedback } : {}),
    ...(comment ? { comment: comment.slice(0, longestComment) } : {}),
  };
  return Object.keys(known).length === 0 ? undefined : known;
}

type Possibly<T> = { [K in keyof Required<T>]: T[K] | undefined };

/** Documents hold no `undefined`: it would come back as a difference. */
function withoutAbsent(
  fields: Possibly<SubscriptionProjection> &
    Pick<SubscriptionProjection, 'subscription' | 'status' | 'plan'>,
): SubscriptionProjection {
  const { subscription, status, plan, ...rest } = fields;
  const present = Object.entries(rest).filter(([, value]) => value !== undefined);
  return { subscription, status, plan, ...Object.fromEntries(present) };
}
