/** `/v1/checkout/sessions`, for subscriptions, on Stripe's own page. */

import type { z } from 'zod';
import { expireSession } from '../engine/checkout.ts';
import { couponOf } from '../engine/discounts.ts';
import { newLineItem, newSession, totalSession } from '../engine/sessions.ts';
import type { SessionLine } from '../engine/sessions.ts';
import { invalid, missing } from '../errors.ts';
import type { CheckoutSession, Customer, Price } from '../objects.ts';
import { now } from '../state.ts';
import type { State } from '../state.ts';
import type { CheckoutWork } from '../tables.ts';
import { day, minute } from '../time.ts';
import { mergeMetadata, page, route, within } from './route.ts';
import type { Route } from './route.ts';
import { creating, listing, nothing } from './checkout_parameters.ts';
import { listLines } from './session_lines.ts';

export const checkoutSessionRoutes: Route[] = [
  route('POST', '/v1/checkout/sessions', creating, create),
  route('GET', '/v1/checkout/sessions', listing, (state, given) => {
    const rows = state.checkoutSessions
      .newest()
      .filter(
        (one) =>
          (given.customer === undefined || one.customer === given.customer) &&
          (given.subscription === undefined || one.subscription === given.subscription) &&
          (given.payment_intent === undefined || one.payment_intent === given.payment_intent) &&
          (given.status === undefined || one.status === given.status) &&
          (given.customer_details === undefined ||
            one.customer_details?.email === given.customer_details.email) &&
          within(one.created, given.created),
      );
    return page(rows, given, '/v1/checkout/sessions');
  }),
  route('GET', '/v1/checkout/sessions/:id', nothing, (state, _, id) =>
    state.checkoutSessions.need(id),
  ),
  listLines,
  route('POST', '/v1/checkout/sessions/:id/expire', nothing, (state, _, id) => {
    const session = state.checkoutSessions.need(id);
    if (session.status !== 'open') {
      throw invalid(
        `Only Checkout Sessions with a status in ["open"] can be expired. This Checkout Session has a status of ${session.status}.`,
      );
    }
    expireSession(state, session);
    return session;
  }),
];

type Given = z.infer<typeof creating>;

function create(state: State, given: Given): CheckoutSession {
  if (given.mode !== 'subscription') {
    throw invalid('This simulator has Checkout Sessions of `subscription` mode only.', 'mode');
  }
  const customer = customerOf(state, given);
  const lines = given.line_items.map((line, index) => lineOf(state, line, index));
  const first = lines[0]?.price;
  if (first === undefined || !lines.some((line) => line.price.recurring !== null)) {
    throw invalid(
      'You must provide at least one recurring price in `subscription` mode.',
      'line_items',
    );
  }
  if (lines.some((line) => line.price.currency !== first.currency)) {
    throw invalid('All prices on a Checkout Session must have the same currency.', 'line_items');
  }
  requireUrls(given);
  if (given.discounts !== undefined && given.allow_promotion_codes !== undefined) {
    throw invalid(
      'You may only specify one of these parameters: allow_promotion_codes, discounts.',
      'discounts',
    );
  }
  const session = newSession(state, { customer, currency: first.currency });
  session.expires_at = expiryOf(state, session, given);
  assign(session, given);
  const work = workOf(state, session, lines, given);
  totalSession(state, session, work);
  state.checkoutSessions.add(session);
  state.checkoutWork.add(work);
  state.agenda.dirty.add(session.customer ?? '');
  return session;
}

function customerOf(state: State, given: Given): Customer | undefined {
  if (given.customer === undefined) {
    if (given.customer_update !== undefined) {
      throw invalid('`customer_update` can only be used with `customer`.', 'customer_update');
    }
    return undefined;
  }
  if (given.customer_email !== undefined) {
    throw invalid(
      'You may only specify one of these parameters: customer, customer_email.',
      'customer_email',
    );
  }
  if (state.deletedCustomers.has(given.customer)) {
    throw missing('customer', given.customer, 'customer', 400);
  }
  return state.customers.need(given.customer, 'customer');
}

function lineOf(state: State, line: Given['line_items'][number], index: number): SessionLine {
  const param = `line_items[${index}][price]`;
  const price: Price = state.prices.need(line.price, param);
  const product = state.products.get(price.product);
  if (!price.active || product?.active === false) {
    throw invalid(`The price specified is inactive. This field only accepts active prices.`, param);
  }
  if (price.recurring === null) {
    throw invalid('This simulator takes recurring prices only.', param);
  }
  const metered = price.recurring.usage_type === 'metered';
  if (metered && line.quantity !== undefined) {
    throw invalid(
      'Quantity should not be specified where usage_type is `metered`.',
      `line_items[${index}][quantity]`,
    );
  }
  if (!metered && line.quantity === undefined) {
    throw invalid(
      'Quantity is required. Add `quantity` to `line_items`.',
      `line_items[${index}][quantity]`,
      'parameter_missing',
    );
  }
  const { adjustable_quantity: adjustable } = line;
  return {
    price,
    quantity: line.quantity ?? null,
    adjustable:
      adjustable === undefined
        ? null
        : {
            enabled: adjustable.enabled,
            maximum: adjustable.maximum ?? 99,
            minimum: adjustable.minimum ?? 0,
          },
  };
}

function requireUrls(given: Given): void {
  if (given.success_url === undefined) {
    throw invalid('Missing required param: success_url.', 'success_url', 'parameter_missing');
  }
  for (const [param, url] of Object.entries({
    success_url: given.success_url,
    cancel_url: given.cancel_url,
  })) {
    if (url !== undefined && !/^https?:\/\/[^/]+/.test(url)) {
      throw invalid('Not a valid URL', param, 'url_invalid');
    }
  }
}

/**
 * From 30 minutes to 24 hours after it was made. Who asks has a clock of their own, that was not moved on: what is past
 * here is meant by that one.
 */
function expiryOf(state: State, session: CheckoutSession, given: Given): number {
  if (given.expires_at === undefined) return session.expires_at;
  const isPast = given.expires_at <= session.created;
  const expiry = given.expires_at + (isPast ? Math.floor(state.movedOn / 1000) : 0);
  const wait = expiry - session.created;
  if (wait < 30 * minute) {
    throw invalid(
      'The `expires_at` timestamp must be at least 30 minutes from Checkout Session creation.',
      'expires_at',
    );
  }
  if (wait > day) {
    throw invalid(
      'The `expires_at` timestamp must be less than 24 hours from Checkout Session creation.',
      'expires_at',
    );
  }
  return expiry;
}

function assign(session: CheckoutSession, given: Given): void {
  session.allow_promotion_codes = given.allow_promotion_codes ?? null;
  session.allowed_payment_method_types = given.allowed_payment_method_types ?? null;
  session.billing_address_collection = given.billing_address_collection ?? null;
  session.cancel_url = given.cancel_url ?? null;
  session.client_reference_id = given.client_reference_id ?? null;
  session.customer_email = given.customer_email ?? null;
  session.locale = given.locale ?? null;
  session.metadata = mergeMetadata({}, given.metadata);
  session.payment_method_collection = given.payment_method_collection ?? 'always';
  session.success_url = given.success_url ?? null;
}

function workOf(
  state: State,
  session: CheckoutSession,
  lines: readonly SessionLine[],
  given: Given,
): CheckoutWork {
  const data = given.subscription_data;
  if (data?.trial_end !== undefined && data.trial_end < now(state, session.customer) + 2 * day) {
    throw invalid(
      'The `trial_end` date has to be at least 2 days in the future.',
      'subscription_data[trial_end]',
    );
  }
  if (data?.trial_end !== undefined && data.trial_period_days !== undefined) {
    throw invalid(
      'You may only specify one of these parameters: trial_end, trial_period_days.',
      'subscription_data[trial_end]',
    );
  }
  return {
    id: session.id,
    lines: lines.map((line) => newLineItem(state, line)),
    subscription: {
      metadata: mergeMetadata({}, data?.metadata),
      description: data?.description ?? null,
      trial_end: data?.trial_end ?? null,
      trial_period_days: data?.trial_period_days ?? null,
      missing_payment_method:
        data?.trial_settings?.end_behavior.missing_payment_method ?? 'create_invoice',
      billing_cycle_anchor: data?.billing_cycle_anchor ?? null,
      proration_behavior: data?.proration_behavior ?? 'create_prorations',
    },
    discounts: (given.discounts ?? []).map((one, index) => {
      const { coupon, code } = couponOf(state, one, `discounts[${index}]`);
      return { coupon: coupon.id, promotion_code: code?.id ?? null };
    }),
    subscriptionId: null,
    asking: null,
    updates: {
      name: given.customer_update?.name === 'auto',
      address: given.customer_update?.address === 'auto',
    },
  };
}
