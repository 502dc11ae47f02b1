/** The whole Checkout Session, and what it comes to. */

import type { CheckoutSession, Customer, LineItem, Price } from '../objects.ts';
import { newId, now } from '../state.ts';
import type { State } from '../state.ts';
import type { CheckoutWork } from '../tables.ts';
import { day } from '../time.ts';
import { takenOff } from './discounts.ts';
import { amountOf } from './lines.ts';

export interface SessionLine {
  price: Price;
  quantity: number | null;
  adjustable: { enabled: boolean; maximum: number | null; minimum: number | null } | null;
}

export function newLineItem(state: State, { price, quantity, adjustable }: SessionLine): LineItem {
  return {
    id: newId(state, 'li'),
    object: 'item',
    adjustable_quantity: adjustable,
    amount_discount: 0,
    amount_subtotal: 0,
    amount_tax: 0,
    amount_total: 0,
    currency: price.currency,
    description: state.products.get(price.product)?.name ?? null,
    metadata: {},
    price,
    quantity,
  };
}

/** What is due today: nothing during a trial, and nothing for what is measured first. */
export function totalSession(state: State, session: CheckoutSession, work: CheckoutWork): void {
  const { trial_end: end, trial_period_days: days } = work.subscription;
  const trial = end !== null || days !== null;
  const coupons = work.discounts.map((one) => state.coupons.get(one.coupon));
  for (const line of work.lines) {
    const metered = line.price?.recurring?.usage_type === 'metered';
    const amount =
      line.price === null || trial || metered ? 0 : amountOf(line.price, line.quantity ?? 1);
    let off = 0;
    for (const coupon of coupons) off += takenOff(coupon, amount - off);
    line.amount_subtotal = amount;
    line.amount_discount = off;
    line.amount_total = amount - off;
  }
  const sum = (key: 'amount_subtotal' | 'amount_discount' | 'amount_total') =>
    work.lines.reduce((total, line) => total + line[key], 0);
  session.amount_subtotal = sum('amount_subtotal');
  session.amount_total = sum('amount_total');
  session.total_details = {
    amount_discount: sum('amount_discount'),
    amount_shipping: 0,
    amount_tax: 0,
  };
  session.discounts = work.discounts.map((one) => ({
    coupon: one.promotion_code === null ? one.coupon : null,
    promotion_code: one.promotion_code,
  }));
}

/** `if_required`: a card is asked for where something is due today. */
export function needsPaymentMethod(session: CheckoutSession): boolean {
  return session.payment_method_collection !== 'if_required' || (session.amount_total ?? 0) > 0;
}

function detailsOf(customer: Customer | undefined): CheckoutSession['customer_details'] {
  if (customer === undefined) return null;
  return {
    address: customer.address ?? null,
    business_name: null,
    email: customer.email,
    individual_name: null,
    name: customer.name ?? null,
    phone: customer.phone ?? null,
    tax_exempt: customer.tax_exempt ?? 'none',
    tax_ids: [],
  };
}

export function newSession(
  state: State,
  known: { customer: Customer | undefined; currency: string },
): CheckoutSession {
  const id = newId(state, state.livemode ? 'cs_live' : 'cs_test', 58);
  const created = now(state, known.customer?.id);
  return {
    id,
    object: 'checkout.session',
    adaptive_pricing: null,
    after_expiration: null,
    allow_promotion_codes: null,
    allowed_payment_method_types: null,
    amount_subtotal: 0,
    amount_total: 0,
    automatic_tax: { enabled: false, liability: null, provider: null, status: null },
    billing_address_collection: null,
    cancel_url: null,
    client_reference_id: null,
    client_secret: null,
    collected_information: null,
    consent: null,
    consent_collection: null,
    created,
    currency: known.currency,
    currency_conversion: null,
    custom_fields: [],
    custom_text: {
      after_submit: null,
      shipping_address: null,
      submit: null,
      terms_of_service_acceptance: null,
    },
    customer: known.customer?.id ?? null,
    customer_account: null,
    customer_creation: known.customer === undefined ? 'always' : null,
    customer_details: detailsOf(known.customer),
    customer_email: null,
    discounts: [],
    expires_at: created + day,
    integration_identifier: null,
    invoice: null,
    invoice_creation: null,
    livemode: state.livemode,
    locale: null,
    managed_payments: null,
    metadata: {},
    mode: 'subscription',
    origin_context: null,
    payment_intent: null,
    payment_link: null,
    payment_method_collection: 'always',
    payment_method_configuration_details: null,
    payment_method_options: {},
    payment_method_types: ['card', 'sepa_debit'],
    payment_status: 'unpaid',
    permissions: null,
    phone_number_collection: { enabled: false },
    recovered_from: null,
    saved_payment_method_options: null,
    setup_intent: null,
    shipping_address_collection: null,
    shipping_cost: null,
    shipping_options: [],
    status: 'open',
    submit_type: null,
    subscription: null,
    success_url: null,
    total_details: { amount_discount: 0, amount_shipping: 0, amount_tax: 0 },
    ui_mode: 'hosted_page',
    url: `${state.url}/c/pay/${id}`,
    wallet_options: null,
  };
}
