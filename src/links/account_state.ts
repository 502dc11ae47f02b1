/**
 * How an account stands with a product, in the states that our page has words for, and what gives the remedy. It is the
 * policy's answer (`src/billing/policy.ts`), told apart by what people want to know of it. Pure.
 */

import { accessEnds, standingOf } from '../billing/policy.ts';
import type { Terms } from '../billing/policy.ts';
import { isDead } from '../billing/subscription_state.ts';
import type { ProductConfig } from '../config.ts';
import type { Account } from '../directory/accounts.ts';
import type { ProductBillingView, StateName, StateView } from '../../views/account_billing.ts';
import { texts } from '../../views/texts.ts';

type Subscription = NonNullable<Account['subscriptions']>[string];

export interface Asked {
  account: Pick<Account, 'subscriptions'>;
  product: ProductConfig;
  /** The plan of a sign-up whose payment takes days, where there is one. */
  pending: string | undefined;
  terms: Terms;
}

function planName({ plans }: Pick<ProductConfig, 'plans'>, id: string): string {
  return plans.find((plan) => plan.id === id)?.name ?? texts.selectAccount.plan(id);
}

/** A subscription that is not over for good. */
export function liveOf({ account, product }: Pick<Asked, 'account' | 'product'>) {
  const subscription = account.subscriptions?.[product.id];
  return subscription === undefined || isDead(subscription) ? undefined : subscription;
}

/** What they have now. */
export function factsOf(asked: Asked): ProductBillingView['plan'] {
  const { account, product, terms } = asked;
  const { reason, plan: free } = standingOf(account, product.id, terms);
  if (reason === 'free' && free !== undefined) return { name: planName(product, free) };
  const live = liveOf(asked);
  if (live === undefined) return undefined;
  const { plan, period, quantity } = live;
  const hasSeats = product.plans.find(({ id }) => id === plan)?.seats !== undefined;
  return { name: planName(product, plan), period, seats: hasSeats ? quantity : undefined };
}

export function stateOf(asked: Asked): StateView {
  const { account, product, pending, terms } = asked;
  const subscription = account.subscriptions?.[product.id];
  const { reason, plan = '' } = standingOf(account, product.id, terms);
  const free =
    reason === 'free' ? ({ plan: planName(product, plan), when: 'meanwhile' } as const) : undefined;
  if (pending !== undefined && liveOf(asked) === undefined) {
    return { is: 'pending', name: planName(product, pending), free };
  }
  if (subscription === undefined) {
    return free === undefined
      ? { is: 'none', name: product.name }
      : { is: 'free', name: free.plan };
  }
  switch (reason) {
    case 'trialing':
    case 'active':
      return running(asked, subscription);
    case 'past_due':
      return { is: 'past_due', at: accessEnds(account, product.id, terms), name: product.name };
    case 'grace_over':
      return { is: 'grace_over', at: subscription.pastDueSince, name: product.name };
    case 'unpaid':
    case 'incomplete':
    case 'paused':
      return { is: reason, name: product.name };
    case 'stale':
    case 'ended':
    case 'free':
      return { ...over(asked, subscription), free };
    default:
      return { is: 'unknown', name: product.name };
  }
}

/** It serves: until when, and what comes then. */
function running(asked: Asked, subscription: Subscription): StateView {
  const { account, product, terms } = asked;
  const { plan: id, status, trialEnd, periodEnd, cancelAt } = subscription;
  const plan = planName(product, id);
  if (cancelAt !== undefined) {
    const after = standingOf(account, product.id, { ...terms, now: cancelAt });
    const free =
      after.reason === 'free' && after.plan !== undefined
        ? ({ plan: planName(product, after.plan), when: 'afterwards' } as const)
        : undefined;
    return { is: 'ending', at: cancelAt, name: plan, free };
  }
  const isTrial = status === 'trialing';
  const at = isTrial ? (trialEnd ?? periodEnd) : periodEnd;
  if (at !== undefined && at <= terms.now) return { is: 'renewing', at, name: plan };
  if (!isTrial) return { is: 'active', at, name: plan };
  const needsCard = product.plans.find((one) => one.id === id)?.trialWithoutCard === true;
  return { is: needsCard ? 'trial_without_card' : 'trialing', at, name: plan };
}

/** It does not serve any more, and nothing is owed. */
function over({ product, terms }: Asked, subscription: Subscription): StateView {
  const { status, endedAt, cancelAt, periodEnd } = subscription;
  const name = planName(product, subscription.plan);
  if (status === 'incomplete_expired') return { is: 'never_begun', name };
  const isOver = isDead(subscription) || (cancelAt !== undefined && cancelAt <= terms.now);
  return isOver
    ? { is: 'ended', at: endedAt ?? cancelAt, name }
    : { is: 'stale', at: periodEnd, name };
}

type Remedy = NonNullable<ProductBillingView['action']>['is'];

/** By the state, where nothing else speaks against it. */
export const remedies: Readonly<Record<StateName, Remedy | undefined>> = {
  trialing: undefined,
  trial_without_card: 'card',
  active: undefined,
  renewing: undefined,
  ending: 'keep',
  past_due: 'pay',
  grace_over: 'pay',
  unpaid: 'pay',
  incomplete: 'pay',
  paused: 'resume',
  stale: 'open',
  ended: 'subscribe',
  never_begun: 'subscribe',
  unknown: 'open',
  none: 'subscribe',
  free: 'subscribe',
  pending: undefined,
};

/** The one thing to do. @returns `undefined` where nothing has to be done, or can be */
export function remedyFor(asked: Asked, { is }: Pick<StateView, 'is'>): Remedy | undefined {
  const remedy = remedies[is];
  if (remedy !== 'subscribe') return remedy;
  // By our clock it is over, and Stripe has not said so yet: it is asked on the way back from there.
  if (liveOf(asked) !== undefined) return 'open';
  const { plans } = asked.product;
  const canBuy = plans.some(
    ({ offered, prices }) => offered && (prices.length > 0 || is !== 'free'),
  );
  return canBuy ? 'subscribe' : undefined;
}
