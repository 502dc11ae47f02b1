/** Payment methods, made of test cards, and whose turn it is to pay. */

import { cards } from '../cards.ts';
import type { Paying } from '../contract.ts';
import { declined, invalid } from '../errors.ts';
import type { Customer, PaymentMethod, Subscription } from '../objects.ts';
import { newId, now } from '../state.ts';
import type { State } from '../state.ts';
import { change, emit } from './events.ts';

/** @throws {ApiError} where it is no number of a test card */
export function newMethod(state: State, { card, billing }: Paying): PaymentMethod {
  const number = card.replaceAll(/[\s-]/g, '');
  const known: readonly string[] = Object.values(cards);
  if (!known.includes(number)) {
    throw declined({
      code: 'incorrect_number',
      message: 'Your card number is incorrect. The simulator takes the numbers in cards.ts.',
      param: 'number',
    });
  }
  const method: PaymentMethod = {
    ...(number === cards.bankDebit ? debitPart() : cardPart(number)),
    id: newId(state, 'pm'),
    object: 'payment_method',
    allow_redisplay: 'limited',
    billing_details: {
      address: {
        city: null,
        country: billing?.country ?? null,
        line1: null,
        line2: null,
        postal_code: billing?.postalCode ?? null,
        state: null,
      },
      email: billing?.email ?? null,
      name: billing?.name ?? null,
      phone: null,
      tax_id: null,
    },
    created: now(state),
    customer: null,
    customer_account: null,
    livemode: state.livemode,
    metadata: {},
  };
  state.paymentMethods.add(method);
  state.cards.add({ id: method.id, number, authenticated: false });
  return method;
}

function cardPart(number: string): Pick<PaymentMethod, 'type' | 'card'> {
  return {
    type: 'card',
    card: {
      brand: 'visa',
      checks: {
        address_line1_check: null,
        address_postal_code_check: null,
        cvc_check: 'pass',
      },
      country: 'US',
      display_brand: 'visa',
      exp_month: 12,
      exp_year: 2034,
      fingerprint: `Fp${number.slice(-8)}`,
      funding: 'credit',
      generated_from: null,
      last4: number.slice(-4),
      networks: { available: ['visa'], preferred: null },
      regulated_status: 'unregulated',
      three_d_secure_usage: { supported: true },
      wallet: null,
    },
  };
}

function debitPart(): Pick<PaymentMethod, 'type' | 'sepa_debit'> {
  return {
    type: 'sepa_debit',
    sepa_debit: {
      bank_code: '37040044',
      branch_code: null,
      country: 'DE',
      fingerprint: 'FpBankDebit',
      generated_from: { charge: null, setup_attempt: null },
      last4: '3000',
    },
  };
}

/** Attaches it to a customer, as a payment with it does. */
export function attach(state: State, method: PaymentMethod, customer: Customer): void {
  if (method.customer === customer.id) return;
  if (method.customer !== null) {
    throw invalid('This PaymentMethod is attached to another customer.', 'payment_method');
  }
  method.customer = customer.id;
  emit(state, 'payment_method.attached', method, { customer: customer.id });
}

/** What later invoices are paid with. */
export function setDefault(state: State, customer: Customer, method: PaymentMethod): void {
  change(state, 'customer.updated', customer, customer.id, () => {
    customer.invoice_settings.default_payment_method = method.id;
  });
}

/** The method that an invoice of this subscription is charged to, in Stripe's order. */
export function methodFor(state: State, subscription: Subscription): string | null {
  const customer = state.customers.get(subscription.customer);
  return (
    subscription.default_payment_method ?? customer?.invoice_settings.default_payment_method ?? null
  );
}
