/** Collecting what is due: attempts, what comes of them for the subscription, retries and their end. */

import type { Invoice, PaymentIntent, Subscription } from '../objects.ts';
import { now } from '../state.ts';
import type { State } from '../state.ts';
import { day } from '../time.ts';
import { cancelNow } from './cancellation.ts';
import { change, emit } from './events.ts';
import { finalize, markPaid, stopCollecting, subscriptionOf } from './invoices.ts';
import { methodFor } from './methods.ts';
import { attempt, authenticated, debited, intentOf, invoiceOfIntent } from './payments.ts';
import type { Attempt } from './payments.ts';
import { changeSubscription, over } from './subscription_state.ts';

interface Collecting {
  /** Nobody is there to answer the bank. */
  offSession: boolean;
  /** By Stripe itself, by its schedule: it counts. */
  automatic: boolean;
  /** Pays with this one instead of the default. */
  method?: string | undefined;
}

/** Finalizes an invoice where that is still to do, and charges it once. */
export function collect(state: State, invoice: Invoice, how: Collecting): Attempt {
  finalize(state, invoice);
  if (invoice.status === 'paid') {
    afterPaid(state, invoice);
    return { kind: 'succeeded' };
  }
  const subscription = subscriptionOf(state, invoice);
  const methodId =
    how.method ??
    invoice.default_payment_method ??
    (subscription === undefined ? null : methodFor(state, subscription));
  const intent = intentOf(state, invoice);
  if (how.automatic || !invoice.attempted) invoice.attempt_count += 1;
  invoice.attempted = true;
  const method = methodId === null ? undefined : state.paymentMethods.get(methodId);
  const outcome = attempt(state, intent, { method, offSession: how.offSession });
  settle(state, invoice, outcome);
  return outcome;
}

/** The customer has answered the bank. */
export function answerBank(state: State, intent: PaymentIntent, ok: boolean): Attempt {
  const outcome = authenticated(state, intent, ok);
  const invoice = invoiceOfIntent(state, intent);
  if (invoice !== undefined) settle(state, invoice, outcome);
  return outcome;
}

/** The bank has debited, or has refused to. */
export function settleDebit(state: State, intent: PaymentIntent, ok: boolean): Attempt {
  const outcome = debited(state, intent, ok);
  const invoice = invoiceOfIntent(state, intent);
  if (invoice !== undefined) settle(state, invoice, outcome);
  return outcome;
}

function settle(state: State, invoice: Invoice, outcome: Attempt): void {
  const subscription = subscriptionOf(state, invoice);
  switch (outcome.kind) {
    case 'succeeded':
      markPaid(state, invoice);
      afterPaid(state, invoice);
      break;
    case 'processing':
      invoice.next_payment_attempt = null;
      if (subscription?.status === 'incomplete' && state.settings.whileProcessing === 'active') {
        changeSubscription(state, subscription, () => begin(state, subscription));
      }
      break;
    case 'requires_action':
      emit(state, 'invoice.payment_action_required', invoice, { customer: invoice.customer });
      fallBehind(state, invoice, subscription);
      break;
    default:
      afterFailure(state, invoice, subscription, outcome.code);
  }
}

/** A subscription begins with its first paid invoice, and is in order again with its latest. */
function afterPaid(state: State, invoice: Invoice): void {
  const subscription = subscriptionOf(state, invoice);
  if (subscription === undefined) return;
  const behind = ['past_due', 'unpaid'].includes(subscription.status);
  const resumes =
    subscription.status === 'paused' && invoice.billing_reason === 'subscription_update';
  const first = subscription.status === 'incomplete';
  if (!first && !resumes && !(behind && subscription.latest_invoice === invoice.id)) return;
  changeSubscription(state, subscription, () => begin(state, subscription));
  const customer = state.customers.get(subscription.customer);
  if (customer?.delinquent === true && !owesAnything(state, customer.id)) {
    change(state, 'customer.updated', customer, customer.id, () => {
      customer.delinquent = false;
    });
  }
}

function owesAnything(state: State, customer: string): boolean {
  return state.subscriptions
    .of(customer)
    .some((one) => ['past_due', 'unpaid'].includes(one.status));
}

function begin(state: State, subscription: Subscription): void {
  const at = now(state, subscription.customer);
  const trial = subscription.trial_end !== null && subscription.trial_end > at;
  subscription.status = trial ? 'trialing' : 'active';
  delete subscription.status_details;
}

function afterFailure(
  state: State,
  invoice: Invoice,
  subscription: Subscription | undefined,
  code: string,
): void {
  const { afterDays } = state.settings.dunning;
  const first = subscription?.status === 'incomplete';
  const wait = first ? undefined : afterDays[invoice.attempt_count - 1];
  change(state, 'invoice.updated', invoice, invoice.customer, () => {
    invoice.next_payment_attempt =
      wait === undefined ? null : now(state, invoice.customer) + wait * day;
  });
  emit(state, 'invoice.payment_failed', invoice, { customer: invoice.customer });
  if (code === 'authentication_required') {
    emit(state, 'invoice.payment_action_required', invoice, { customer: invoice.customer });
  }
  fallBehind(state, invoice, subscription);
  if (subscription !== undefined && !first && wait === undefined) {
    endDunning(state, invoice, subscription);
  }
}

function fallBehind(state: State, invoice: Invoice, subscription: Subscription | undefined): void {
  if (subscription === undefined || !['active', 'trialing'].includes(subscription.status)) return;
  if (invoice.billing_reason === 'subscription_create' && subscription.status === 'trialing')
    return;
  changeSubscription(state, subscription, () => {
    subscription.status = 'past_due';
  });
  const customer = state.customers.get(subscription.customer);
  if (customer === undefined || customer.delinquent === true) return;
  change(state, 'customer.updated', customer, customer.id, () => {
    customer.delinquent = true;
  });
}

/** The last attempt has failed. */
function endDunning(state: State, invoice: Invoice, subscription: Subscription): void {
  if (over.includes(subscription.status)) return;
  const { finally: end } = state.settings.dunning;
  if (end === 'past_due') return;
  if (end === 'canceled') {
    cancelNow(state, subscription, { reason: 'payment_failed' });
    return;
  }
  stopCollecting(state, invoice);
  changeSubscription(state, subscription, () => {
    subscription.status = 'unpaid';
  });
}
