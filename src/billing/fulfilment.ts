/**
 * What becomes of a Checkout Session: looked at at Stripe, and done accordingly. The browser that comes back, the event
 * and the worker call this, in any order and any number of times.
 */

import { Problem } from '../base/errors.ts';
import { change } from '../directory/change.ts';
import type { SignupDocument } from '../storage/documents.ts';
import { foreignness, hasFailed, readSession } from './checkout.ts';
import type { Session, StoredSignup } from './checkout.ts';
import { idOf } from './customer_state.ts';
import { idempotencyKey } from './identifiers.ts';
import { hasSession, keptMs, nextLookAt } from './signup_document.ts';
import { grant } from './signup_grant.ts';
import type { GrantOptions } from './signup_grant.ts';

export type FulfilmentOptions = GrantOptions;

/** What was found. `unknown`: it is no session of ours. */
export type Found = 'unknown' | 'open' | 'expired' | 'pending' | 'failed' | 'done';

/** The sign-up that has, or had, this session. */
export async function ownSession(
  { store }: Pick<FulfilmentOptions, 'store'>,
  session: string,
): Promise<StoredSignup | undefined> {
  const [found] = await store.find('signup', 'session', session, { limit: 1 });
  return found;
}

/** @throws {Problem} `stripe_unavailable` (503) */
export async function fulfil(options: FulfilmentOptions, sessionId: string): Promise<Found> {
  const { stripe, log } = options;
  const signup = await ownSession(options, sessionId);
  if (signup === undefined) return 'unknown';
  const { document } = signup;
  if (document.state === 'done' && document.session === sessionId) {
    // All but the membership, which a crash may have kept from being written, is there: it is looked at again.
    return settleDone(options, signup);
  }
  const session = await readSession(stripe, sessionId);
  if (session === undefined) return 'unknown';
  const customer = await customerOf(options, document);
  const foreign = foreignness(session, signup, { live: stripe.live, customer });
  if (foreign !== undefined) {
    log.error('a Checkout Session is not what its sign-up says', {
      signup: signup.id,
      session: sessionId,
      field: foreign,
    });
    return 'unknown';
  }
  return settle(options, signup, session);
}

async function settleDone(
  { directory }: FulfilmentOptions,
  { document }: StoredSignup,
): Promise<Found> {
  if (document.isNew) await directory.finishOwner(document.account, document.user);
  return 'done';
}

async function customerOf(
  { store }: FulfilmentOptions,
  { isNew, customer, account }: SignupDocument,
): Promise<string | undefined> {
  if (isNew && customer !== undefined) return customer;
  return (await store.get('account', account))?.document.customer;
}

async function settle(
  options: FulfilmentOptions,
  signup: StoredSignup,
  session: Session,
): Promise<Found> {
  const { stripe } = options;
  if (session.status === 'open') return 'open';
  if (session.status === 'expired') {
    await mark(options, signup, session.id, { state: 'expired' });
    return 'expired';
  }
  if (session.status !== 'complete') return 'open';
  const customer = idOf(session.customer);
  const subscription = idOf(session.subscription);
  if (customer === undefined || subscription === undefined) {
    throw new Problem('stripe_unavailable', 503, 'The payment is not finished yet.', {
      retryAfterSeconds: 5,
    });
  }
  if (await isNobodys(options, signup)) {
    await cancel(options, subscription);
    await mark(options, signup, session.id, { state: 'failed', subscription });
    const { log } = options;
    log.error('somebody was deleted before they had what they paid for: pay it back at Stripe', {
      signup: signup.id,
      subscription,
    });
    return 'failed';
  }
  if (session.payment_status !== 'unpaid') {
    await grant(options, signup, { customer, subscription });
    return 'done';
  }
  if (!(await hasFailed(stripe, session))) {
    await mark(options, signup, session.id, { state: 'pending', subscription });
    return 'pending';
  }
  await cancel(options, subscription);
  await mark(options, signup, session.id, { state: 'failed', subscription });
  return 'failed';
}

/** There is no owner for the account that would be made. */
export async function isNobodys(
  { store }: Pick<FulfilmentOptions, 'store'>,
  { document: { isNew, user, account } }: StoredSignup,
): Promise<boolean> {
  if (!isNew || (await store.get('account', account)) !== undefined) return false;
  const owner = (await store.get('user', user))?.document;
  return owner === undefined || owner.status === 'deleted';
}

/** Nobody owes anything for what they never got. What is canceled already is not found by Stripe. */
export async function cancel(
  { stripe }: Pick<FulfilmentOptions, 'stripe'>,
  subscription: string,
): Promise<void> {
  const key = idempotencyKey('cancel', subscription);
  await stripe.find('subscriptions.cancel', (api) =>
    api.subscriptions.cancel(subscription, {}, { idempotencyKey: key }),
  );
}

async function mark(
  { store, clock }: Pick<FulfilmentOptions, 'store' | 'clock'>,
  { id }: StoredSignup,
  session: string,
  to: Pick<SignupDocument, 'state' | 'subscription'>,
): Promise<void> {
  await change(store, 'signup', id, (present) => {
    const { state } = present;
    // Of an earlier session nothing but a payment matters.
    if (present.session !== session || !hasSession(present, session)) return undefined;
    if (state === 'done' || state === to.state) return undefined;
    const next = { ...present, ...to };
    const now = clock();
    return {
      document: { ...next, dueAt: to.state === 'pending' ? nextLookAt(next, now) : now + keptMs },
    };
  });
}
