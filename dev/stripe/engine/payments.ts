/** Payments: an intent for each invoice, a charge for each attempt, and what the card says. */

import { cards } from '../cards.ts';
import type { Charge, Invoice, InvoicePayment, PaymentIntent, PaymentMethod } from '../objects.ts';
import { now } from '../state.ts';
import type { State } from '../state.ts';
import { emit } from './events.ts';
import { newCharge } from './charges.ts';
import { newIntent, newInvoicePayment } from './intents.ts';
import type { ChargeOutcome } from './charges.ts';

export type Attempt =
  | { kind: 'succeeded' }
  /** The bank debits it in some days. */
  | { kind: 'processing' }
  /** The bank asks the customer. */
  | { kind: 'requires_action' }
  | { kind: 'declined'; code: string; declineCode: string | undefined; message: string };

interface Attempting {
  method: PaymentMethod | undefined;
  /** Nobody is there to answer the bank. */
  offSession: boolean;
}

/** The intent that an open invoice is paid by; one is made where there is none. */
export function intentOf(state: State, invoice: Invoice): PaymentIntent {
  const payment = paymentOf(state, invoice);
  const there = state.paymentIntents.get(payment?.payment.payment_intent ?? '');
  if (there !== undefined) return there;
  const intent = newIntent(state, invoice);
  state.paymentIntents.add(intent);
  state.invoicePayments.add(newInvoicePayment(state, invoice, intent));
  emit(state, 'payment_intent.created', intent, { customer: invoice.customer });
  return intent;
}

export function paymentOf(state: State, invoice: Invoice): InvoicePayment | undefined {
  return state.invoicePayments.of(invoice.id)[0];
}

export function invoiceOfIntent(state: State, intent: PaymentIntent): Invoice | undefined {
  const [payment] = state.invoicePayments.of(intent.id);
  return payment === undefined ? undefined : state.invoices.get(payment.invoice);
}

/** Charges an intent once. */
export function attempt(
  state: State,
  intent: PaymentIntent,
  { method, offSession }: Attempting,
): Attempt {
  const { customer } = intent;
  if (method === undefined) {
    return {
      kind: 'declined',
      code: 'resource_missing',
      declineCode: undefined,
      message: 'There is no payment method to charge.',
    };
  }
  const outcome = judge(state, method, offSession);
  intent.payment_method = method.id;
  intent.payment_method_types = [method.type];
  switch (outcome.kind) {
    case 'requires_action':
      intent.status = 'requires_action';
      intent.next_action = {
        type: 'redirect_to_url',
        redirect_to_url: { return_url: null, url: `${state.url}/c/authenticate/${intent.id}` },
      };
      emit(state, 'payment_intent.requires_action', intent, { customer });
      return outcome;
    case 'succeeded':
      succeed(state, intent, charge(state, intent, method, { status: 'succeeded' }));
      return outcome;
    case 'processing': {
      const pending = charge(state, intent, method, { status: 'pending' });
      intent.status = 'processing';
      intent.latest_charge = pending.id;
      intent.next_action = null;
      emit(state, 'charge.pending', pending, { customer });
      emit(state, 'payment_intent.processing', intent, { customer });
      return outcome;
    }
    default: {
      const failed = charge(state, intent, method, { status: 'failed', ...outcome });
      emit(state, 'charge.failed', failed, { customer });
      fail(state, intent, failed, outcome);
      return outcome;
    }
  }
}

/** What the bank answers to its question: yes, or no. */
export function authenticated(state: State, intent: PaymentIntent, ok: boolean): Attempt {
  const method = state.paymentMethods.get(intent.payment_method ?? '');
  const card = state.cards.get(intent.payment_method ?? '');
  if (method === undefined || card === undefined) throw new Error('Nobody asked the bank.');
  if (!ok) {
    const outcome: Attempt = {
      kind: 'declined',
      code: 'payment_intent_authentication_failure',
      declineCode: undefined,
      message:
        'We are unable to authenticate your payment method. Please choose a different payment method and try again.',
    };
    fail(state, intent, undefined, outcome);
    return outcome;
  }
  card.authenticated = true;
  succeed(state, intent, charge(state, intent, method, { status: 'succeeded' }));
  return { kind: 'succeeded' };
}

/** What the bank says of a debit, days later. */
export function debited(state: State, intent: PaymentIntent, ok: boolean): Attempt {
  const pending = state.charges.get(intent.latest_charge ?? '');
  if (pending === undefined || intent.status !== 'processing') {
    throw new Error('The payment is not being processed.');
  }
  if (ok) {
    pending.status = 'succeeded';
    pending.paid = true;
    pending.captured = true;
    pending.amount_captured = pending.amount;
    succeed(state, intent, pending);
    return { kind: 'succeeded' };
  }
  const outcome: Attempt = {
    kind: 'declined',
    code: 'payment_intent_payment_attempt_failed',
    declineCode: 'insufficient_funds',
    message: 'The customer’s account has insufficient funds to cover this payment.',
  };
  pending.status = 'failed';
  pending.failure_code = 'insufficient_funds';
  pending.failure_message = outcome.message;
  emit(state, 'charge.failed', pending, { customer: intent.customer });
  fail(state, intent, pending, outcome);
  return outcome;
}

/** What the card says to a charge now, without one. */
export function judge(state: State, method: PaymentMethod, offSession: boolean): Attempt {
  const card = state.cards.get(method.id);
  switch (card?.number) {
    case cards.declined:
    case cards.failsLater:
      return no('card_declined', 'generic_decline', 'Your card was declined.');
    case cards.insufficientFunds:
      return no('card_declined', 'insufficient_funds', 'Your card has insufficient funds.');
    case cards.expired:
      return no('expired_card', undefined, 'Your card has expired.');
    case cards.bankDebit:
      return { kind: 'processing' };
    case cards.authenticates:
    case cards.alwaysAuthenticates:
      if (card.number === cards.authenticates && card.authenticated) return { kind: 'succeeded' };
      return offSession
        ? no(
            'authentication_required',
            'authentication_required',
            'Your card was declined. This transaction requires authentication.',
          )
        : { kind: 'requires_action' };
    default:
      return { kind: 'succeeded' };
  }
}

function no(code: string, declineCode: string | undefined, message: string): Attempt {
  return { kind: 'declined', code, declineCode, message };
}

function charge(
  state: State,
  intent: PaymentIntent,
  method: PaymentMethod,
  how: ChargeOutcome,
): Charge {
  return state.charges.add(newCharge(state, intent, method, how));
}

function succeed(state: State, intent: PaymentIntent, done: Charge): void {
  const { customer } = intent;
  intent.status = 'succeeded';
  intent.amount_received = intent.amount;
  intent.latest_charge = done.id;
  intent.last_payment_error = null;
  intent.next_action = null;
  emit(state, 'charge.succeeded', done, { customer });
  emit(state, 'payment_intent.succeeded', intent, { customer });
  const [payment] = state.invoicePayments.of(intent.id);
  if (payment === undefined) return;
  payment.status = 'paid';
  payment.amount_paid = intent.amount;
  payment.status_transitions.paid_at = now(state, customer);
  emit(state, 'invoice_payment.paid', payment, { customer });
}

function fail(
  state: State,
  intent: PaymentIntent,
  failed: Charge | undefined,
  outcome: Extract<Attempt, { kind: 'declined' }>,
): void {
  intent.status = 'requires_payment_method';
  intent.next_action = null;
  if (failed !== undefined) intent.latest_charge = failed.id;
  intent.last_payment_error = {
    type: 'card_error',
    code: outcome.code,
    message: outcome.message,
    ...(outcome.declineCode === undefined ? {} : { decline_code: outcome.declineCode }),
    ...(failed === undefined ? {} : { charge: failed.id }),
  };
  emit(state, 'payment_intent.payment_failed', intent, { customer: intent.customer });
}

/** An intent that nobody will pay any more. */
export function cancelIntent(state: State, intent: PaymentIntent, reason: string): void {
  if (['canceled', 'succeeded'].includes(intent.status)) return;
  intent.status = 'canceled';
  intent.canceled_at = now(state, intent.customer);
  intent.cancellation_reason = reason;
  intent.next_action = null;
  emit(state, 'payment_intent.canceled', intent, { customer: intent.customer });
}
