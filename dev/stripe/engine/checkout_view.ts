/** What Checkout shows, and what may be adjusted before it is paid. */

import type { CheckoutView } from '../contract.ts';
import { invalid } from '../errors.ts';
import type { CheckoutSession } from '../objects.ts';
import { now } from '../state.ts';
import type { State } from '../state.ts';
import type { CheckoutWork } from '../tables.ts';
import { couponOf, isUsable } from './discounts.ts';
import { needsPaymentMethod, totalSession } from './sessions.ts';
import { trialEndOf } from './subscribing.ts';

export interface Open {
  session: CheckoutSession;
  work: CheckoutWork;
}

/** @throws {ApiError} where it is not open, or not there */
export function openSession(state: State, id: string): Open {
  const session = state.checkoutSessions.need(id);
  const work = state.checkoutWork.need(id);
  if (session.status !== 'open') {
    throw invalid(
      `This Checkout Session is ${session.status ?? 'gone'} and can no longer be paid.`,
    );
  }
  return { session, work };
}

export function view(state: State, id: string): CheckoutView {
  const session = state.checkoutSessions.need(id);
  const work = state.checkoutWork.need(id);
  const customer = session.customer === null ? undefined : state.customers.get(session.customer);
  return structuredClone({
    session,
    merchant: state.settings.merchant,
    lines: work.lines.map((item) => {
      const price = state.prices.need(item.price?.id ?? '');
      return {
        item,
        price,
        product: state.products.need(price.product),
        adjustable: item.adjustable_quantity?.enabled === true,
      };
    }),
    trialEnd: trialEndFor(state, work, session.customer ?? ''),
    dueToday: session.amount_total ?? 0,
    needsPaymentMethod: needsPaymentMethod(session),
    needsEmail: (customer?.email ?? null) === null && session.customer_email === null,
    authenticating: work.asking !== null,
    email: customer?.email ?? session.customer_email,
  });
}

export function trialEndFor(state: State, work: CheckoutWork, customer: string): number | null {
  const { trial_end: end } = work.subscription;
  // A trial that was to end by now is none any more.
  if (end !== null) return end > now(state, customer) ? end : null;
  return trialEndOf(state, customer, work.subscription);
}

/** @throws {ApiError} where there is no such code, or none may be entered */
export function applyCode(state: State, id: string, code: string): CheckoutView {
  const { session, work } = openSession(state, id);
  if (session.allow_promotion_codes !== true) throw invalid('No codes may be entered here.');
  const found = state.promotionCodes
    .newest()
    .find((one) => one.code.toLowerCase() === code.trim().toLowerCase() && isUsable(state, one));
  const mine = (found?.customer ?? null) === null || found?.customer === session.customer;
  if (found === undefined || !mine || found.promotion.coupon === null) {
    throw invalid('This code is invalid.', 'promotion_code');
  }
  couponOf(state, { promotion_code: found.id }, 'discounts[0]');
  work.discounts = [{ coupon: found.promotion.coupon, promotion_code: found.id }];
  totalSession(state, session, work);
  return view(state, id);
}

/** @throws {ApiError} where it may not be adjusted, or not so far */
export function setQuantity(
  state: State,
  id: string,
  lineId: string,
  quantity: number,
): CheckoutView {
  const { session, work } = openSession(state, id);
  const line = work.lines.find((one) => one.id === lineId);
  const adjustable = line?.adjustable_quantity;
  const within =
    adjustable?.enabled === true &&
    quantity >= (adjustable.minimum ?? 1) &&
    quantity <= (adjustable.maximum ?? 99);
  if (line === undefined || !within)
    throw invalid('The quantity may not be adjusted so.', 'quantity');
  line.quantity = quantity;
  totalSession(state, session, work);
  return view(state, id);
}
