/** Coupons and promotion codes, and what they take off. */

import { invalid } from '../errors.ts';
import type { Coupon, Discount, PromotionCode, Subscription } from '../objects.ts';
import { newId, now } from '../state.ts';
import type { State } from '../state.ts';
import { after } from '../time.ts';

export interface GivenDiscount {
  coupon?: string | undefined;
  promotion_code?: string | undefined;
}

/** @throws {ApiError} where it is not, or no longer, to be had */
export function couponOf(
  state: State,
  given: GivenDiscount,
  param: string,
): { coupon: Coupon; code: PromotionCode | undefined } {
  const code =
    given.promotion_code === undefined
      ? undefined
      : state.promotionCodes.need(given.promotion_code, `${param}[promotion_code]`);
  if (code !== undefined && !isUsable(state, code)) {
    throw invalid('This promotion code is not active.', `${param}[promotion_code]`);
  }
  const id = code?.promotion.coupon ?? given.coupon;
  if (id === undefined) {
    throw invalid(
      `Missing required param: ${param}[coupon].`,
      `${param}[coupon]`,
      'parameter_missing',
    );
  }
  const coupon = state.coupons.need(id, `${param}[coupon]`);
  refreshCoupon(state, coupon);
  if (!coupon.valid) throw invalid(`Coupon expired: ${id}`, `${param}[coupon]`, 'coupon_expired');
  return { coupon, code };
}

export function isUsable(state: State, code: PromotionCode): boolean {
  return (
    code.active &&
    (code.expires_at === null || code.expires_at > now(state)) &&
    (code.max_redemptions === null || code.times_redeemed < code.max_redemptions)
  );
}

function refreshCoupon(state: State, coupon: Coupon): void {
  const used = coupon.max_redemptions !== null && coupon.times_redeemed >= coupon.max_redemptions;
  const late = coupon.redeem_by !== null && coupon.redeem_by <= now(state);
  coupon.valid = !used && !late;
}

export function redeem(
  state: State,
  { coupon, code }: { coupon: Coupon; code: PromotionCode | undefined },
  known: { customer: string; subscription: string; checkout_session?: string },
): Discount {
  coupon.times_redeemed += 1;
  refreshCoupon(state, coupon);
  if (code !== undefined) code.times_redeemed += 1;
  const start = now(state, known.customer);
  const months = coupon.duration_in_months;
  return state.discounts.add({
    id: newId(state, 'di'),
    object: 'discount',
    checkout_session: known.checkout_session ?? null,
    customer: known.customer,
    customer_account: null,
    end:
      coupon.duration === 'repeating' && months !== null
        ? after(start, { interval: 'month', interval_count: 1 }, months)
        : null,
    invoice: null,
    invoice_item: null,
    promotion_code: code?.id ?? null,
    source: { coupon: coupon.id, type: 'coupon' },
    start,
    subscription: known.subscription,
    subscription_item: null,
  });
}

/** Those that count now, of a subscription. */
export function discountsOf(state: State, subscription: Subscription, at: number): Discount[] {
  return subscription.discounts
    .map((id) => state.discounts.get(id))
    .filter((one) => one !== undefined)
    .filter((one) => one.end === null || one.end > at);
}

/** What a discount takes off an amount. */
export function takenOff(coupon: Coupon | undefined, amount: number): number {
  if (coupon === undefined || amount <= 0) return 0;
  if (coupon.percent_off !== null) return Math.round((amount * coupon.percent_off) / 100);
  return Math.min(coupon.amount_off ?? 0, amount);
}

export function couponOfDiscount(state: State, discount: Discount): Coupon | undefined {
  return discount.source.coupon === null ? undefined : state.coupons.get(discount.source.coupon);
}
