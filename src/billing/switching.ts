/**
 * A change of plan: whether it is possible, what it costs, and doing it. All is asked of Stripe afresh, never taken from
 * what we keep. Whoever does it twice, or goes on after a crash, finds it done and changes nothing.
 */

import { Problem } from '../base/errors.ts';
import type { Clock } from '../base/clock.ts';
import { sha256 } from '../base/secrets.ts';
import type { PlanConfig, PriceConfig } from '../config.ts';
import type { Account } from '../directory/accounts.ts';
import { requireStaying } from '../directory/closing.ts';
import type { SubscriptionProjection } from '../storage/documents.ts';
import type { Store } from '../storage/store.ts';
import { idOf } from './customer_state.ts';
import { changeNotPossible } from './portal.ts';
import type { Stripe, StripeClient } from './stripe.ts';
import { seatsTaken, seatsToBuy } from './seats_taken.ts';
import { isDead } from './subscription_state.ts';
import type { Catalog, PlanWish } from './types.ts';

/** What will be, and what it takes. */
export interface Change {
  customer: string;
  product: string;
  plan: PlanConfig;
  price: PriceConfig;
  /** At Stripe, all of them. */
  priceId: string;
  subscription: string;
  item: string;
  quantity: number | undefined;
  trialing: boolean;
  now: PlanNow;
  /** Of what we knew when it was prepared: two changes from one state are the same change. */
  basis: string;
}

/** What the subscription is of, by Stripe. */
export interface PlanNow {
  plan: string;
  period: SubscriptionProjection['period'];
  quantity: number | undefined;
  /** In the smallest unit, for all seats. */
  amount: number | undefined;
  currency: string;
}

/** In the smallest unit of the currency. */
export interface Preview {
  currency: string;
  /** To be paid at once. */
  due: number;
  /** Left over, for invoices to come. */
  credit: number;
  /** In seconds: the moment that all of it is reckoned for. */
  prorationDate: number;
}

export type Prepared =
  | { is: 'change'; change: Change }
  | { is: 'same'; plan: PlanConfig }
  /** There is no live subscription: a sign-up makes one. */
  | { is: 'subscribe' }
  /** The plan that is wished for is free: the paid one is to end. */
  | { is: 'end'; customer: string; subscription: string };

export interface Switching {
  /**
   * @param wish what it leaves out stays as it is
   * @throws {Problem} those of `Catalog.offer`; `account_closing`, `seats_taken`, `payment_late`,
   *   `change_not_possible` (409);
   *   `stripe_unavailable`, `price_unavailable` (503)
   */
  prepare(account: Account, wish: PlanWish): Promise<Prepared>;
  /** Changes nothing. @param prorationDate the one of an earlier preview; now when not given */
  preview(change: Change, prorationDate?: number): Promise<Preview>;
  /**
   * Changes the plan and takes the payment, or neither.
   * @param attempt names the page that was agreed to: sent twice it is one change, and what was declined is not for ever
   * @throws {Problem} `card_declined` (402), `change_refused` (502), `stripe_unavailable` (503)
   */
  apply(change: Change, preview: Preview, attempt: string): Promise<void>;
}

/** What is to be paid is paid at once, so that what was shown is what is taken. */
const prorating = { proration_behavior: 'always_invoice' } as const;

export function createSwitching(deps: {
  store: Store;
  stripe: StripeClient;
  catalog: Catalog;
  clock: Clock;
}): Switching {
  const { stripe, clock } = deps;
  return {
    prepare: (account, wish) => prepare(deps, account, wish),

    async preview(change, prorationDate = Math.floor(clock() / 1000)) {
      const invoice = await stripe.call('invoices.createPreview', (api) =>
        api.invoices.createPreview({
          customer: change.customer,
          subscription: change.subscription,
          subscription_details: {
            items: [itemOf(change)],
            ...prorating,
            ...(change.trialing ? {} : { proration_date: prorationDate }),
          },
        }),
      );
      const { currency, total, amount_due: due } = invoice;
      // A trial costs nothing; what Stripe previews then is the invoice after it.
      return change.trialing
        ? { currency, due: 0, credit: 0, prorationDate }
        : { currency, due, credit: Math.max(0, -total), prorationDate };
    },

    async apply(change, { prorationDate }, attempt) {
      const key = ['switch', change.subscription, change.priceId, change.quantity ?? 1];
      const hash = sha256(JSON.stringify([...key, change.basis, attempt]));
      const idempotencyKey = `tollgate:${hash}`;
      try {
        await stripe.call('subscriptions.update', (api) =>
          api.subscriptions.update(
            change.subscription,
            {
              items: [itemOf(change)],
              ...prorating,
              ...(change.trialing ? {} : { proration_date: prorationDate }),
              payment_behavior: 'error_if_incomplete',
            },
            { idempotencyKey },
          ),
        );
      } catch (error) {
        if (!(error instanceof Problem) || error.code !== 'stripe_refused') throw error;
        const sentence = 'The payment service did not accept the change.';
        throw new Problem('change_refused', 502, sentence, { cause: error });
      }
    },
  };
}

function itemOf({ item: id, priceId: price, quantity }: Change) {
  return { id, price, ...(quantity === undefined ? {} : { quantity }) };
}

async function prepare(
  { store, stripe, catalog }: { store: Store; stripe: StripeClient; catalog: Catalog },
  account: Account,
  wish: PlanWish,
): Promise<Prepared> {
  const { customer } = account;
  const known = account.subscriptions?.[wish.product];
  const { product, plan, price } = catalog.offer(filledIn(wish, known), known);
  if (customer === undefined || account.customerGoneAt !== undefined) return { is: 'subscribe' };
  if (known === undefined || isDead(known)) return { is: 'subscribe' };
  const subscription = await stripe.find('subscriptions.retrieve', (api) =>
    api.subscriptions.retrieve(known.subscription),
  );
  if (subscription === undefined || isDead(subscription)) return { is: 'subscribe' };
  if (idOf(subscription.customer) !== customer) throw changeNotPossible();
  if (price === undefined) return { is: 'end', customer, subscription: subscription.id };
  const item = requireChangeable(subscription);
  const taken = await seatsTaken(store, plan, account.id);
  const quantity = quantityFor(plan, wish.quantity ?? item.quantity, taken);
  const priceId = await catalog.priceId(price);
  requireStaying(account);
  if (item.price.id === priceId && (quantity ?? item.quantity) === item.quantity) {
    return { is: 'same', plan };
  }
  const basis = JSON.stringify([known.item, known.price, known.quantity, known.periodEnd]);
  const change: Change = {
    customer,
    product: product.id,
    plan,
    price,
    priceId,
    quantity,
    subscription: subscription.id,
    item: item.id,
    trialing: subscription.status === 'trialing',
    now: presentOf(known, item),
    basis,
  };
  return { is: 'change', change };
}

/** What is not wished for stays, where it can: the period of another plan too, which `offer` is told to keep. */
function filledIn(wish: PlanWish, known: SubscriptionProjection | undefined): PlanWish {
  const { plan = known?.plan, period, ...rest } = wish;
  const isSamePlan = plan === known?.plan;
  return { ...rest, plan, period: period ?? (isSamePlan ? known?.period : undefined) };
}

/** What the portal can change, and so can we: one item, without a schedule, of which nothing is owed. */
function requireChangeable(subscription: Stripe.Subscription): Stripe.SubscriptionItem {
  const { items, schedule, status } = subscription;
  const [item, ...more] = items.data;
  if (item === undefined || more.length > 0 || schedule !== null) throw changeNotPossible();
  // For time that nobody has paid for, Stripe would give credit.
  if (status === 'trialing' || status === 'active') return item;
  const sentence = 'Pay what is open first, then change the plan.';
  throw new Problem('payment_late', 409, sentence, { details: { status } });
}

/** @returns `undefined` for a plan that counts use, and no seats */
function quantityFor(
  { seats, meter }: PlanConfig,
  wished: number | undefined,
  taken: number,
): number | undefined {
  if (meter !== undefined) return undefined;
  return seats === undefined ? 1 : seatsToBuy(seats, wished, taken);
}

function presentOf(known: SubscriptionProjection, item: Stripe.SubscriptionItem): PlanNow {
  const { unit_amount: unit, currency } = item.price;
  return {
    plan: known.plan,
    period: known.period,
    quantity: item.quantity,
    amount: unit === null ? undefined : unit * (item.quantity ?? 1),
    currency,
  };
}
