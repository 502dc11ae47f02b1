/** The document of a sign-up: how it begins, what the same wish is, and how an attempt follows another. Pure. */

import { newId } from '../base/ids.ts';
import type { SignupDocument } from '../storage/documents.ts';
import { sessionLifetimeMs } from './checkout.ts';
import { seatsToBuy } from './seats_taken.ts';
import type { Offer, SignupWish } from './types.ts';

/** Whom it is for: an account that is there, or one to be. */
export interface Beneficiary {
  user: string;
  /** Absent: a new one. */
  account?: string;
  /** Who had a subscription to this product, the person or the account, tries it no more. */
  mayTry: boolean;
}

/** What is settled with an attempt. */
export type Terms = Pick<
  SignupDocument,
  | 'product'
  | 'plan'
  | 'period'
  | 'quantity'
  | 'promotionCode'
  | 'coupon'
  | 'trial'
  | 'locale'
  | 'returnTo'
  | 'trialDays'
  | 'direct'
>;

/**
 * Two tabs are one sign-up: one for each person, or account, and product. People and accounts that moved in may have the
 * same ids as each other, with any signs in them; a product's has no colon.
 */
export function signupId(
  { user, account }: Pick<Beneficiary, 'user' | 'account'>,
  product: string,
): string {
  return account === undefined ? `${product}:new:${user}` : `${product}:account:${account}`;
}

const minute = 60_000;
const day = 24 * 60 * minute;
/** What goes without Checkout is finished in the request, or soon after by itself. */
const directDueMs = 2 * minute;
/** So long what is over is kept: a late return or event still finds it. */
export const keptMs = 90 * day;
/** A retry after this could come too late to be the same request. */
const retryMs = 20 * 60 * minute;

export function termsOf(
  { product, plan, price }: Offer,
  wish: SignupWish,
  { mayTry, taken }: Beneficiary & { taken: number },
): Terms {
  const quantity =
    plan.seats === undefined ? undefined : seatsToBuy(plan.seats, wish.quantity, taken);
  const tries = mayTry && wish.trial !== false && price !== undefined;
  const trialDays = tries ? plan.trialDays : undefined;
  // Checkout says what a discount comes to, and whether it is good.
  const isDiscounted = wish.coupon !== undefined || wish.promotionCode !== undefined;
  const startsAlone = trialDays !== undefined && plan.trialWithoutCard && !isDiscounted;
  const isDirect = price === undefined || startsAlone;
  return withoutAbsent({
    product: product.id,
    plan: plan.id,
    period: price?.period,
    quantity,
    promotionCode: wish.promotionCode,
    coupon: wish.coupon,
    trial: wish.trial === false ? false : undefined,
    locale: wish.locale,
    returnTo: wish.returnTo,
    trialDays,
    direct: isDirect ? (true as const) : undefined,
  });
}

/** Documents hold no `undefined`. */
function withoutAbsent<T extends { product: string; plan: string }>(
  fields: T,
): { [K in keyof T]: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as {
    [K in keyof T]: Exclude<T[K], undefined>;
  };
}

/** As they were settled. */
function termsOfDocument(document: SignupDocument): Terms {
  const { product, plan, period, quantity, promotionCode, coupon } = document;
  const { trial, locale, returnTo, trialDays, direct } = document;
  const choice = { product, plan, period, quantity, promotionCode, coupon };
  return withoutAbsent({ ...choice, trial, locale, returnTo, trialDays, direct });
}

const ofTheWish = ['plan', 'period', 'quantity', 'promotionCode', 'coupon', 'trial'] as const;

/** Whether a session that was made for one serves the other. */
export function isSameWish(document: SignupDocument, terms: Terms): boolean {
  return ofTheWish.every((field) => document[field] === terms[field]);
}

export function firstAttempt(
  { user, account }: Beneficiary,
  terms: Terms,
  price: string | undefined,
  now: number,
): SignupDocument {
  return {
    user,
    account: account ?? newId('acc'),
    isNew: account === undefined,
    ...attemptBy(terms, price, now),
    attempt: 1,
    createdAt: now,
  };
}

/** The same under other idempotency keys. Its account, should it be a new one, is another where `afresh`. */
export function sameAgain(
  document: SignupDocument,
  now: number,
  { afresh }: { afresh: boolean },
): SignupDocument {
  const { user, account, isNew } = document;
  const beneficiary = { user, mayTry: true, ...(isNew ? {} : { account }) };
  const { customer: _customer, customerAskedAt: _asked, ...rest } = document;
  const before: SignupDocument = afresh && isNew ? { ...rest, account: newId('acc') } : document;
  return nextAttempt(before, beneficiary, termsOfDocument(document), document.price, now);
}

/** The numbers of attempts only grow, for as long as there is a document: they are in idempotency keys. */
export function nextAttempt(
  before: SignupDocument,
  beneficiary: Beneficiary,
  terms: Terms,
  price: string | undefined,
  now: number,
): SignupDocument {
  const { isNew, createdAt, attempt, session, earlier = [], customer, customerAskedAt } = before;
  const sessions = [...(session === undefined ? [] : [session]), ...earlier].slice(0, mostEarlier);
  const fresh = firstAttempt(beneficiary, terms, price, now);
  // What was done made its account: another sign-up of this person is for another one.
  const goesOn = isNew && before.state !== 'done';
  return {
    ...fresh,
    ...(goesOn ? { account: before.account } : {}),
    ...(goesOn && customer !== undefined ? { customer } : {}),
    ...(goesOn && customerAskedAt !== undefined ? { customerAskedAt } : {}),
    ...(sessions.length > 0 ? { earlier: sessions } : {}),
    attempt: attempt + 1,
    createdAt,
  };
}

const mostEarlier = 20;

function attemptBy(terms: Terms, price: string | undefined, now: number) {
  return {
    ...terms,
    ...(price === undefined ? {} : { price }),
    state: 'open' as const,
    attemptAt: now,
    dueAt: now + (terms.direct === true ? directDueMs : sessionLifetimeMs),
  };
}

/** Whether asking Stripe again is still the same request. */
export function isFresh({ attemptAt }: SignupDocument, now: number): boolean {
  return now < attemptAt + retryMs && now >= attemptAt - minute;
}

/** When an open session is looked at again, should Stripe's word of it be lost: ever more rarely. */
export function nextLookAt({ attemptAt, state }: SignupDocument, now: number): number {
  const age = Math.max(0, now - attemptAt);
  if (state === 'pending') return now + Math.max(60 * minute, Math.min(age, day));
  return now + Math.max(10 * minute, Math.min(age, 6 * 60 * minute));
}

/** Whether this session was one of the sign-up's. */
export function hasSession({ session, earlier }: SignupDocument, id: string): boolean {
  return session === id || (earlier ?? []).includes(id);
}
