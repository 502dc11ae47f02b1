/**
 * The end of an account's subscriptions, at Stripe. That a closing has set the end is noted on the subscription, by the
 * very request that sets it: so taking it back undoes that and nothing else, whatever got lost in between.
 */

import { Problem } from '../base/errors.ts';
import type { Log } from '../base/log.ts';
import { isFeedback } from '../directory/closing_reason.ts';
import type { ClosingReason } from '../storage/documents.ts';
import { subscriptionsOf } from './customer_state.ts';
import type { Stripe, StripeClient } from './stripe.ts';
import { closingMark, isDead } from './subscription_state.ts';
import type { Catalog } from './types.ts';

/** What the subscriptions of an account are to do. */
export type Wish =
  | { is: 'go_on' }
  /** With what is paid for. */
  | { is: 'end'; why: ClosingReason }
  | { is: 'end_now'; why: ClosingReason };

export interface ArrangeOptions {
  stripe: StripeClient;
  catalog: Catalog;
  log: Log;
}

interface Arranged {
  changed: number;
  refused: number;
}

/** In the mark: there was no other end before. */
const noOther = 'yes';
/** Stripe takes more; it is read by people. */
const longestComment = 1000;

/**
 * All of them, whatever becomes of one.
 * @returns how many were changed, and how many Stripe does not let be changed: those go on as they are
 * @throws {Problem} `stripe_unavailable` (503), `stripe_refused` (502): one of a closed account could not be ended
 */
export async function arrange(
  options: ArrangeOptions,
  { account, customer, wish }: { account: string; customer: string; wish: Wish },
): Promise<Arranged> {
  const { stripe, catalog, log } = options;
  // What is sold otherwise, by whoever runs the Stripe account, is theirs to end.
  const isOurs = ({ items, metadata }: Stripe.Subscription) =>
    metadata.tollgate_account === account ||
    items.data.some(({ price }) => catalog.planOf(price) !== undefined);
  const all = await subscriptionsOf(stripe, customer);
  const arranged: Arranged = { changed: 0, refused: 0 };
  let failed: { error: unknown } | undefined;
  for (const subscription of all.filter((one) => !isDead(one) && isOurs(one))) {
    const { id } = subscription;
    try {
      const what = await follow(options, subscription, wish);
      if (what === undefined) continue;
      if (what === 'refused') {
        arranged.refused += 1;
        continue;
      }
      arranged.changed += 1;
      log.info(`a subscription ${what}`, { account, subscription: id });
    } catch (error) {
      failed ??= { error };
      // Whoever does not answer for one does not for the next.
      if (!isRefused(error)) break;
    }
  }
  if (failed !== undefined) throw failed.error;
  return arranged;
}

/** @returns what it does from now on, where that is something else; `refused`: what it did before */
async function follow(
  options: ArrangeOptions,
  subscription: Stripe.Subscription,
  wish: Wish,
): Promise<string | undefined> {
  switch (wish.is) {
    case 'end_now':
      await cancel(options, subscription, wish.why);
      return 'of a closed account was ended';
    case 'end':
      // An unpaid attempt ends by itself, or is looked at again when it is paid.
      if (subscription.status === 'incomplete' || endsWithPeriod(subscription)) return undefined;
      return (await update(options, subscription, endingOf(subscription, wish.why)))
        ? 'ends with its account'
        : 'refused';
    case 'go_on': {
      const mark = closingMark(subscription);
      if (mark === undefined) return undefined;
      return (await update(options, subscription, asBefore(mark))) ? 'goes on' : 'refused';
    }
  }
}

/** Nothing is renewed, whoever has said so. */
function endsWithPeriod({
  cancel_at: at,
  cancel_at_period_end: isSet,
  items,
}: Stripe.Subscription): boolean {
  const ends = items.data.map((item) => item.current_period_end);
  return isSet || (at !== null && at <= Math.max(...ends));
}

function endingOf(
  { cancel_at: at }: Stripe.Subscription,
  why: ClosingReason,
): Stripe.SubscriptionUpdateParams {
  return {
    cancel_at_period_end: true,
    ...detailsOf(why),
    metadata: { tollgate_closing: at === null ? noOther : String(at) },
  };
}

/** An end that was later than the period's is set again. */
function asBefore(mark: string): Stripe.SubscriptionUpdateParams {
  const at = Number(mark);
  return {
    ...(Number.isSafeInteger(at) && mark !== ''
      ? { cancel_at: at }
      : { cancel_at_period_end: false }),
    cancellation_details: { feedback: '', comment: '' },
    metadata: { tollgate_closing: '' },
  };
}

/** Without a key of idempotency: doing it again is what is wanted, and after taking it back so is the same once more. */
async function update(
  { stripe, log }: ArrangeOptions,
  { id }: Stripe.Subscription,
  parameters: Stripe.SubscriptionUpdateParams,
): Promise<boolean> {
  try {
    const found = await stripe.find('subscriptions.update', (api) =>
      api.subscriptions.update(id, parameters),
    );
    return found !== undefined;
  } catch (error) {
    if (!isRefused(error)) throw error;
    // It ended just now, or a schedule of Stripe's has it: with the account it ends in any case.
    log.error('Stripe did not set the end of a subscription', { subscription: id, error });
    return false;
  }
}

const isRefused = (error: unknown) => error instanceof Problem && error.code === 'stripe_refused';

/** Nothing is paid back, and nothing more is asked for. One that is over already is not found. */
async function cancel(
  { stripe }: ArrangeOptions,
  { id }: Stripe.Subscription,
  why: ClosingReason,
): Promise<void> {
  const parameters = { prorate: false, invoice_now: false, ...detailsOf(why) };
  await stripe.find('subscriptions.cancel', (api) => api.subscriptions.cancel(id, parameters));
}

/** Of a word that Stripe does not know, kept from before there were any, the text alone. */
function detailsOf({ feedback, reason }: ClosingReason) {
  const word = feedbackOf(feedback);
  const comment = reason?.slice(0, longestComment);
  if (word === undefined && comment === undefined) return {};
  return {
    cancellation_details: {
      ...(word === undefined ? {} : { feedback: word }),
      ...(comment === undefined ? {} : { comment }),
    },
  };
}

const feedbackOf = (word: string | undefined) => (isFeedback(word) ? word : undefined);
