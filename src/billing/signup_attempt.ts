/** What an attempt asks of Stripe: a Checkout Session, or a subscription at once. */

import { Problem } from '../base/errors.ts';
import type { Config } from '../config.ts';
import { change } from '../directory/change.ts';
import { requireStaying } from '../directory/closing.ts';
import type { SignupDocument } from '../storage/documents.ts';
import { createSession, expireSession } from './checkout.ts';
import type { Session, StoredSignup } from './checkout.ts';
import type { Customers } from './customers.ts';
import { subscribeDirectly } from './direct.ts';
import { cancel, isNobodys } from './fulfilment.ts';
import type { FulfilmentOptions } from './fulfilment.ts';
import { isOfGoneCustomer, isSpent } from './identifiers.ts';
import { hasSession, nextLookAt, sameAgain } from './signup_document.ts';
import { grant } from './signup_grant.ts';
import type { SignupStep } from './types.ts';

export interface AttemptOptions extends FulfilmentOptions {
  config: () => Config;
  customers: Customers;
}

function customerOf({ customers }: AttemptOptions, { id, document }: StoredSignup) {
  return document.isNew ? customers.customerOfSignup(id) : customers.customerOf(document.account);
}

/** @returns `again`: the world has moved on, and another attempt was settled. @throws {Problem} */
export async function openSession(
  options: AttemptOptions,
  signup: StoredSignup,
): Promise<Session | 'again'> {
  const customer = await customerOf(options, signup);
  await endUnpaid(options, signup.document);
  try {
    return await createSession(options, signup, customer);
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    return recover(options, signup, error, customer);
  }
}

/** A subscription whose first payment never came could be paid beside the one that is bought now. */
async function endUnpaid(
  options: AttemptOptions,
  { isNew, account, product }: SignupDocument,
): Promise<void> {
  if (isNew) return;
  const present = (await options.store.get('account', account))?.document;
  const before = present?.subscriptions?.[product];
  if (before?.status === 'incomplete') await cancel(options, before.subscription);
}

/**
 * What Stripe has answered it answers again under the same key. A session that may have been made for all that is of no use
 * to anybody, since nobody was given its address: so the next try has another key.
 */
async function recover(
  options: AttemptOptions,
  { id, document }: StoredSignup,
  error: Problem,
  customer: string,
): Promise<'again'> {
  const { store, sync, clock } = options;
  const isGone = isOfGoneCustomer(error);
  // No answer, or one that Stripe does not keep: the same key leads on.
  if (error.code === 'stripe_unavailable' && !isSpent(error)) throw error;
  // Finds that the customer was deleted: the account gets another one.
  if (isGone && !document.isNew) await sync.customer(customer);
  await change(store, 'signup', id, (present) => {
    if (present.attempt !== document.attempt || present.session !== undefined) return undefined;
    return { document: sameAgain(present, clock(), { afresh: isGone }) };
  });
  if (error.code !== 'stripe_key_reused' && !isGone) throw error;
  return 'again';
}

/** The browser goes to a session only when the sign-up knows it. */
export async function keepSession(
  options: AttemptOptions,
  { id, document }: StoredSignup,
  session: Session,
): Promise<SignupStep | 'again'> {
  const { store, stripe, clock } = options;
  const kept = await change(store, 'signup', id, (present) => {
    if (present.attempt !== document.attempt || present.session !== undefined) return undefined;
    const next: SignupDocument = { ...present, session: session.id, state: 'paying' };
    return { document: { ...next, dueAt: nextLookAt(next, clock()) } };
  });
  if (kept?.document.session === session.id) {
    await requireAccount(options, kept.document, session);
    // Under its key Stripe answers as it did then: it may be paid by now.
    return kept.written && session.status === 'open' && session.url !== null
      ? { at: 'checkout', signup: id, url: session.url }
      : 'again';
  }
  // Another attempt took over: nobody was given this session, and nobody shall have it.
  if (kept === undefined || !hasSession(kept.document, session.id)) {
    await expireSession(stripe, session.id);
  }
  return 'again';
}

/**
 * Whoever closes the account looks for open payment pages behind their decision, and here is looked for the decision
 * behind the page: one of both finds the other.
 * @throws {Problem} `account_closed`, `account_closing` (409)
 */
async function requireAccount(
  { store, stripe }: AttemptOptions,
  { account, isNew }: SignupDocument,
  session: Session,
): Promise<void> {
  if (isNew) return;
  const document = (await store.get('account', account))?.document;
  if (document === undefined) return;
  try {
    requireStaying(document);
  } catch (error) {
    await expireSession(stripe, session.id);
    throw error;
  }
}

/**
 * A free plan, or a trial without a card.
 * @returns `refused`: Stripe does not want it, or nobody is there any more to have it; nothing was done
 */
export async function finishDirectly(
  options: AttemptOptions,
  signup: StoredSignup,
): Promise<StoredSignup | 'refused'> {
  try {
    return await subscribe(options, signup);
  } catch (error) {
    if (!isOfGoneCustomer(error)) throw error;
    // It was settled anew for another customer: once, since that one is there.
    const document = (await options.store.get('signup', signup.id))?.document;
    if (document === undefined || document.state !== 'open') throw error;
    return subscribe(options, { id: signup.id, document });
  }
}

async function subscribe(
  options: AttemptOptions,
  signup: StoredSignup,
): Promise<StoredSignup | 'refused'> {
  const { id, document } = signup;
  if (await isNobodys(options, signup)) return 'refused';
  if (document.price === undefined) {
    return { id, document: await grant(options, signup, {}) };
  }
  const customer = await customerOf(options, signup);
  try {
    const subscription = await subscribeDirectly(options, signup, customer);
    if (subscription === undefined) return 'refused';
    return { id, document: await grant(options, signup, { customer, subscription }) };
  } catch (error) {
    await settleAnew(options, signup, error, customer);
    throw error;
  }
}

/** Whether it was made for all that is seen in Stripe's list before it is asked for again. */
async function settleAnew(
  { store, clock, sync }: AttemptOptions,
  { id, document }: StoredSignup,
  error: unknown,
  customer: string,
): Promise<void> {
  const isGone = isOfGoneCustomer(error);
  if (!isGone && !isSpent(error)) return;
  // Finds that the customer was deleted: the account gets another one.
  if (isGone && !document.isNew) await sync.customer(customer);
  await change(store, 'signup', id, (present) => {
    if (present.attempt !== document.attempt || present.state !== 'open') return undefined;
    return { document: sameAgain(present, clock(), { afresh: isGone }) };
  });
}
