/** `/v1/coupons` and `/v1/promotion_codes` */

import type Stripe from 'stripe';
import type { z } from 'zod';
import { change, emit } from '../engine/events.ts';
import { invalid } from '../errors.ts';
import type { Coupon, PromotionCode } from '../objects.ts';
import {
  bool,
  choice,
  decimal,
  group,
  int,
  metadata,
  paging,
  parameters,
  range,
  text,
  whole,
} from '../parameters.ts';
import { newId, now } from '../state.ts';
import type { State } from '../state.ts';
import { mergeMetadata, page, route, within } from './route.ts';
import type { Route } from './route.ts';

const creating = parameters<Stripe.CouponCreateParams>()({
  amount_off: whole.optional(),
  currency: text.optional(),
  duration: choice('forever', 'once', 'repeating').optional(),
  duration_in_months: whole.optional(),
  id: text.max(200).optional(),
  max_redemptions: whole.optional(),
  metadata: metadata.optional(),
  name: text.max(40).optional(),
  percent_off: decimal.optional(),
  redeem_by: int.optional(),
});
const updating = parameters<Stripe.CouponUpdateParams>()({
  metadata: metadata.optional(),
  name: text.max(40).optional(),
});
const listing = parameters<Stripe.CouponListParams>()({ ...paging, created: range.optional() });
const nothing = parameters<Stripe.CouponRetrieveParams>()({});

const creatingCode = parameters<Stripe.PromotionCodeCreateParams>()({
  active: bool.optional(),
  code: text.max(500).optional(),
  customer: text.optional(),
  expires_at: int.optional(),
  max_redemptions: whole.optional(),
  metadata: metadata.optional(),
  promotion: group({ coupon: text, type: choice('coupon') }),
});
const updatingCode = parameters<Stripe.PromotionCodeUpdateParams>()({
  active: bool.optional(),
  metadata: metadata.optional(),
});
const listingCodes = parameters<Stripe.PromotionCodeListParams>()({
  ...paging,
  active: bool.optional(),
  code: text.optional(),
  coupon: text.optional(),
  created: range.optional(),
  customer: text.optional(),
});

export const couponRoutes: Route[] = [
  route('POST', '/v1/coupons', creating, create),
  route('GET', '/v1/coupons', listing, (state, given) =>
    page(
      state.coupons.newest().filter((one) => within(one.created, given.created)),
      given,
      '/v1/coupons',
    ),
  ),
  route('GET', '/v1/coupons/:id', nothing, (state, _, id) => state.coupons.need(id)),
  route('POST', '/v1/coupons/:id', updating, (state, given, id) => {
    const coupon = state.coupons.need(id);
    change(state, 'coupon.updated', coupon, null, () => {
      if (given.name !== undefined) coupon.name = given.name;
      coupon.metadata = mergeMetadata(coupon.metadata ?? {}, given.metadata);
    });
    return coupon;
  }),
  route('DELETE', '/v1/coupons/:id', nothing, (state, _, id) => {
    const coupon = state.coupons.need(id);
    state.coupons.remove(id);
    emit(state, 'coupon.deleted', coupon);
    return { id, object: 'coupon', deleted: true };
  }),
  route('POST', '/v1/promotion_codes', creatingCode, createCode),
  route('GET', '/v1/promotion_codes', listingCodes, (state, given) => {
    const rows = state.promotionCodes
      .newest()
      .filter(
        (one) =>
          (given.active === undefined || one.active === given.active) &&
          (given.code === undefined || one.code.toLowerCase() === given.code.toLowerCase()) &&
          (given.coupon === undefined || one.promotion.coupon === given.coupon) &&
          (given.customer === undefined || one.customer === given.customer) &&
          within(one.created, given.created),
      );
    return page(rows, given, '/v1/promotion_codes');
  }),
  route('GET', '/v1/promotion_codes/:id', nothing, (state, _, id) => state.promotionCodes.need(id)),
  route('POST', '/v1/promotion_codes/:id', updatingCode, (state, given, id) => {
    const code = state.promotionCodes.need(id);
    change(state, 'promotion_code.updated', code, null, () => {
      if (given.active !== undefined) code.active = given.active;
      code.metadata = mergeMetadata(code.metadata ?? {}, given.metadata);
    });
    return code;
  }),
];

function create(state: State, given: z.infer<typeof creating>): Coupon {
  if ((given.amount_off === undefined) === (given.percent_off === undefined)) {
    throw invalid('You must specify one of amount_off or percent_off.', 'percent_off');
  }
  if (given.amount_off !== undefined && given.currency === undefined) {
    throw invalid(
      'You must pass currency when passing amount_off.',
      'currency',
      'parameter_missing',
    );
  }
  const duration = given.duration ?? 'once';
  if (duration === 'repeating' && given.duration_in_months === undefined) {
    throw invalid(
      'Missing required param: duration_in_months.',
      'duration_in_months',
      'parameter_missing',
    );
  }
  if (given.id !== undefined && state.coupons.get(given.id) !== undefined) {
    throw invalid('Coupon already exists.', 'id', 'resource_already_exists');
  }
  const coupon: Coupon = {
    id: given.id ?? newId(state, '', 8).slice(1),
    object: 'coupon',
    amount_off: given.amount_off ?? null,
    created: now(state),
    currency: given.currency ?? null,
    duration,
    duration_in_months: given.duration_in_months ?? null,
    livemode: state.livemode,
    max_redemptions: given.max_redemptions ?? null,
    metadata: mergeMetadata({}, given.metadata),
    name: given.name ?? null,
    percent_off: given.percent_off === undefined ? null : Number(given.percent_off),
    redeem_by: given.redeem_by ?? null,
    times_redeemed: 0,
    valid: true,
  };
  state.coupons.add(coupon);
  emit(state, 'coupon.created', coupon);
  return coupon;
}

function createCode(state: State, given: z.infer<typeof creatingCode>): PromotionCode {
  state.coupons.need(given.promotion.coupon, 'promotion[coupon]');
  if (given.customer !== undefined) state.customers.need(given.customer, 'customer');
  const text = given.code ?? newId(state, '', 8).slice(1).toUpperCase();
  const taken = state.promotionCodes
    .all()
    .some((one) => one.active && one.code.toLowerCase() === text.toLowerCase());
  if (taken)
    throw invalid(`An active promotion code with \`code: ${text}\` already exists.`, 'code');
  const code: PromotionCode = {
    id: newId(state, 'promo'),
    object: 'promotion_code',
    active: given.active ?? true,
    code: text,
    created: now(state),
    customer: given.customer ?? null,
    customer_account: null,
    expires_at: given.expires_at ?? null,
    livemode: state.livemode,
    max_redemptions: given.max_redemptions ?? null,
    metadata: mergeMetadata({}, given.metadata),
    promotion: { coupon: given.promotion.coupon, type: 'coupon' },
    restrictions: {
      first_time_transaction: false,
      minimum_amount: null,
      minimum_amount_currency: null,
    },
    times_redeemed: 0,
  };
  state.promotionCodes.add(code);
  emit(state, 'promotion_code.created', code);
  return code;
}
