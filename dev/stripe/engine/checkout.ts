/** What people do at Checkout: pay, answer their bank, leave, wait for a debit. */

import { cards } from '../cards.ts';
import type { CheckoutOutcome, Paying } from '../contract.ts';
import { ApiError, invalid, missing } from '../errors.ts';
import type { CheckoutSession, Customer, PaymentMethod, Subscription } from '../objects.ts';
import { now } from '../state.ts';
import type { State } from '../state.ts';
import type { Billing } from '../tables.ts';
import { answerBank, collect, settleDebit } from './collection.ts';
import { openSession, trialEndFor } from './checkout_view.ts';
import type { Open } from './checkout_view.ts';
import { couponOf } from './discounts.ts';
import { change, emit } from './events.ts';
import { attach, newMethod } from './methods.ts';
import { newCustomer } from './new_customer.ts';
import { intentOf, judge } from './payments.ts';
import type { Attempt } from './payments.ts';
import { needsPaymentMethod, totalSession } from './sessions.ts';
import { subscribe } from './subscribing.ts';
import { changeSubscription, over } from './subscription_state.ts';

export function pay(state: State, id: string, paying: Paying): CheckoutOutcome {
  const open = openSession(state, id);
  const { session, work } = open;
  const billing = paying.billing ?? {};
  const customer = customerOf(state, open, billing);
  work.asking = null;
  const end = work.subscription.trial_end;
  if (end !== null && end <= now(state, customer.id)) {
    work.subscription.trial_end = null;
    totalSession(state, session, work);
  }
  let method: PaymentMethod | undefined;
  if (paying.card !== '') {
    try {
      method = newMethod(state, {
        ...paying,
        billing: { ...billing, email: billing.email ?? customer.email ?? '' },
      });
    } catch (error) {
      if (!(error instanceof ApiError) || error.status !== 402) throw error;
      return {
        kind: 'declined',
        code: error.body.code ?? '',
        declineCode: undefined,
        message: error.message,
      };
    }
  } else if (needsPaymentMethod(session)) {
    throw invalid('A payment method is needed.', 'payment_method', 'parameter_missing');
  }
  if ((session.amount_total ?? 0) > 0 && method !== undefined) {
    return payNow(state, open, customer, method, billing);
  }
  if (method !== undefined) {
    const outcome = setUp(state, method);
    if (outcome.kind === 'requires_action') {
      work.asking = { about: 'card', paymentMethod: method.id, billing };
      return outcome;
    }
    if (outcome.kind === 'declined') return outcome;
  }
  return beginLater(state, open, customer, method, billing);
}

/** What the bank says of a card that is to be charged later. */
function setUp(state: State, method: PaymentMethod): Attempt {
  const number = state.cards.get(method.id)?.number;
  if (number === cards.failsLater || number === cards.bankDebit) return { kind: 'succeeded' };
  return judge(state, method, false);
}

/** There is something to pay today: the subscription begins when it is paid. */
function payNow(
  state: State,
  open: Open,
  customer: Customer,
  method: PaymentMethod,
  billing: Billing,
): CheckoutOutcome {
  const { work } = open;
  const before = state.subscriptions.get(work.subscriptionId ?? '');
  let subscription: Subscription;
  let outcome: Attempt | undefined;
  if (before !== undefined && !over.includes(before.status)) {
    subscription = before;
    changeSubscription(state, subscription, () => {
      subscription.default_payment_method = method.id;
    });
    const invoice = state.invoices.need(subscription.latest_invoice ?? '');
    outcome = collect(state, invoice, { offSession: false, automatic: false, method: method.id });
  } else {
    ({ subscription, outcome } = begin(state, open, customer, method));
  }
  work.subscriptionId = subscription.id;
  if (outcome?.kind === 'declined') return outcome;
  if (outcome?.kind === 'requires_action') {
    work.asking = { about: 'payment', paymentMethod: method.id, billing };
    return outcome;
  }
  attach(state, method, customer);
  return complete(
    state,
    open,
    subscription,
    billing,
    outcome?.kind === 'processing' ? 'unpaid' : 'paid',
  );
}

/** There is nothing to pay today. */
function beginLater(
  state: State,
  open: Open,
  customer: Customer,
  method: PaymentMethod | undefined,
  billing: Billing,
): CheckoutOutcome {
  if (method !== undefined) attach(state, method, customer);
  const { subscription } = begin(state, open, customer, method);
  return complete(state, open, subscription, billing, 'no_payment_required');
}

function begin(
  state: State,
  { session, work }: Open,
  customer: Customer,
  method: PaymentMethod | undefined,
) {
  const data = work.subscription;
  return subscribe(state, {
    customer,
    items: work.lines.map((line) => ({
      price: state.prices.need(line.price?.id ?? ''),
      quantity: line.quantity ?? 1,
    })),
    metadata: data.metadata,
    description: data.description,
    trialEnd: trialEndFor(state, work, customer.id),
    missingPaymentMethod: data.missing_payment_method,
    discounts: work.discounts.map((one) =>
      couponOf(
        state,
        one.promotion_code === null
          ? { coupon: one.coupon }
          : { promotion_code: one.promotion_code },
        'discounts[0]',
      ),
    ),
    defaultMethod: method?.id ?? null,
    anchor: data.billing_cycle_anchor,
    prorationBehavior: data.proration_behavior,
    paymentBehavior: 'allow_incomplete',
    offSession: false,
    checkoutSession: session.id,
  });
}

/** The customer that the session was made for, or a new one. */
function customerOf(state: State, { session, work }: Open, billing: Billing): Customer {
  if (session.customer !== null) {
    const customer = state.customers.get(session.customer);
    if (customer === undefined) throw missing('customer', session.customer, 'customer', 400);
    change(state, 'customer.updated', customer, customer.id, () => {
      customer.email ??= billing.email ?? null;
      if (work.updates.name && billing.name !== undefined) customer.name = billing.name;
      if (work.updates.address && billing.country !== undefined) {
        customer.address = addressOf(billing);
      }
    });
    return customer;
  }
  const customer = newCustomer(state, { created: now(state), test_clock: null });
  customer.email = session.customer_email ?? billing.email ?? null;
  customer.name = billing.name ?? null;
  if (billing.country !== undefined) customer.address = addressOf(billing);
  state.customers.add(customer);
  emit(state, 'customer.created', customer, { customer: customer.id });
  session.customer = customer.id;
  return customer;
}

function addressOf(billing: Billing) {
  return {
    city: null,
    country: billing.country ?? null,
    line1: null,
    line2: null,
    postal_code: billing.postalCode ?? null,
    state: null,
  };
}

function complete(
  state: State,
  { session, work }: Open,
  subscription: Subscription,
  billing: Billing,
  paymentStatus: string,
): CheckoutOutcome {
  const customer = state.customers.need(subscription.customer);
  work.asking = null;
  session.status = 'complete';
  session.url = null;
  session.payment_status = paymentStatus;
  session.subscription = subscription.id;
  session.invoice = subscription.latest_invoice;
  session.customer = customer.id;
  session.customer_details = {
    address: billing.country === undefined ? (customer.address ?? null) : addressOf(billing),
    business_name: null,
    email: billing.email ?? customer.email,
    individual_name: null,
    name: billing.name ?? customer.name ?? null,
    phone: customer.phone ?? null,
    tax_exempt: customer.tax_exempt ?? 'none',
    tax_ids: [],
  };
  session.collected_information = {
    business_name: null,
    individual_name: null,
    shipping_details: null,
  };
  emit(state, 'checkout.session.completed', session, { customer: customer.id });
  const redirect = (session.success_url ?? '').replaceAll('{CHECKOUT_SESSION_ID}', session.id);
  return { kind: 'completed', session: structuredClone(session), redirect };
}

/** The answer to the bank's question. @throws {ApiError} where none was asked */
export function authenticate(state: State, id: string, ok: boolean): CheckoutOutcome {
  const open = openSession(state, id);
  const { session, work } = open;
  const { asking } = work;
  if (asking === null) throw invalid('The bank has not been asked anything.');
  work.asking = null;
  const method = state.paymentMethods.need(asking.paymentMethod);
  const customer = state.customers.need(session.customer ?? '');
  if (asking.about === 'card') {
    if (!ok) {
      return {
        kind: 'declined',
        code: 'setup_intent_authentication_failure',
        declineCode: undefined,
        message:
          'We are unable to authenticate your payment method. Please choose a different payment method and try again.',
      };
    }
    const card = state.cards.get(method.id);
    if (card !== undefined) card.authenticated = true;
    return beginLater(state, open, customer, method, asking.billing);
  }
  const subscription = state.subscriptions.need(work.subscriptionId ?? '');
  const invoice = state.invoices.need(subscription.latest_invoice ?? '');
  const outcome = answerBank(state, intentOf(state, invoice), ok);
  if (outcome.kind === 'declined') return outcome;
  attach(state, method, customer);
  return complete(state, open, subscription, asking.billing, 'paid');
}

/** What the bank says of the debit. @throws {ApiError} where none is under way */
export function settle(state: State, id: string, ok: boolean): void {
  const session = state.checkoutSessions.need(id);
  const subscription = state.subscriptions.get(session.subscription ?? '');
  const invoice = state.invoices.get(session.invoice ?? '');
  const intent = invoice === undefined ? undefined : intentOf(state, invoice);
  if (subscription === undefined || intent?.status !== 'processing') {
    throw invalid('No debit of this Checkout Session is under way.');
  }
  settleDebit(state, intent, ok);
  if (ok) session.payment_status = 'paid';
  emit(
    state,
    ok ? 'checkout.session.async_payment_succeeded' : 'checkout.session.async_payment_failed',
    session,
    { customer: session.customer },
  );
}

export function expireSession(state: State, session: CheckoutSession): void {
  session.status = 'expired';
  session.url = null;
  emit(state, 'checkout.session.expired', session, { customer: session.customer });
}
