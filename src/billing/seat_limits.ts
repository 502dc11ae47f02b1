/** How many members an account may have, by what it pays for: pure functions. */

import { Problem } from '../base/errors.ts';
import type { PlanConfig } from '../config.ts';
import type { AccountDocument } from '../storage/documents.ts';
import { standingOf } from './policy.ts';
import type { Terms } from './policy.ts';
import { isDead } from './subscription_state.ts';

type SeatsConfig = NonNullable<PlanConfig['seats']>;

/** One for each product of which the account has a plan with seats. */
export interface SeatLimit {
  product: string;
  plan: string;
  seats: SeatsConfig;
  /** What is paid for now. */
  quantity: number;
  /** The quantity at Stripe follows the members. */
  raises: boolean;
  /** Absent for a free plan. */
  subscription?: string;
  item?: string;
}

/** What can be added to, and is paid: for seats of a period that is not, Stripe would give credit. */
const serving: ReadonlySet<string> = new Set(['trialing', 'active']);

export function seatLimits(account: AccountDocument, terms: Terms): SeatLimit[] {
  return terms.config.products.flatMap(({ id: product, plans }): SeatLimit[] => {
    const subscription = account.subscriptions?.[product];
    const planNamed = (name: string | undefined) => plans.find(({ id }) => id === name);
    if (subscription === undefined || isDead(subscription)) {
      const free = planNamed(standingOf(account, product, terms).plan);
      if (free?.seats === undefined || free.prices.length > 0) return [];
      const { seats } = free;
      return [{ product, plan: free.id, seats, quantity: seats.max, raises: false }];
    }
    const { status, quantity, item } = subscription;
    const seats = planNamed(subscription.plan)?.seats;
    if (seats === undefined) return [];
    return [
      {
        product,
        plan: subscription.plan,
        seats,
        quantity: quantity ?? seats.min,
        raises: seats.whenFull === 'raise' && serving.has(status),
        subscription: subscription.subscription,
        ...(item === undefined ? {} : { item }),
      },
    ];
  });
}

/** How many seats are to be paid for, where the quantity follows. */
export function quantityFor({ seats }: SeatLimit, taken: number): number {
  return Math.min(seats.max, Math.max(seats.min, taken));
}

/** The first limit that so many members would be beyond. */
export function limitBelow(limits: readonly SeatLimit[], members: number): SeatLimit | undefined {
  return limits.find(({ raises, seats, quantity }) => members > (raises ? seats.max : quantity));
}

/** How many seats there are and are taken, for people to see. `undefined`: nobody counts them. */
export function seatsOf(
  account: AccountDocument,
  terms: Terms,
): { taken: number; total: number } | undefined {
  const totals = seatLimits(account, terms).map(({ raises, seats, quantity }) =>
    raises ? seats.max : quantity,
  );
  // Those who came while nothing was counted are counted with the next one.
  if (totals.length === 0 || account.seats === undefined) return undefined;
  return { taken: account.seats.length, total: Math.min(...totals) };
}

/** @returns with `details.upgrade`, a link to buy one more, where the plan has one more */
export function seatsFull(limit: SeatLimit, account: string, issuer: string): Problem {
  const { product, plan, seats, quantity, subscription } = limit;
  const query = new URLSearchParams({ plan, quantity: String(quantity + 1), account });
  const upgrade = `${issuer}/account/switch/${encodeURIComponent(product)}?${query}`;
  const canGrow = subscription !== undefined && quantity < seats.max;
  return new Problem('seats_full', 402, 'All seats of the plan are taken.', {
    details: { product, plan, quantity, ...(canGrow ? { upgrade } : {}) },
  });
}
