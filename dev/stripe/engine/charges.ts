/** The whole charge. */

import type { Charge, PaymentIntent, PaymentMethod } from '../objects.ts';
import { newId, now } from '../state.ts';
import type { State } from '../state.ts';

export interface ChargeOutcome {
  status: 'succeeded' | 'pending' | 'failed';
  code?: string;
  declineCode?: string | undefined;
  message?: string;
}

export function newCharge(
  state: State,
  intent: PaymentIntent,
  method: PaymentMethod,
  outcome: ChargeOutcome,
): Charge {
  const id = newId(state, 'ch');
  const failed = outcome.status === 'failed';
  const paid = outcome.status === 'succeeded';
  return {
    id,
    object: 'charge',
    amount: intent.amount,
    amount_captured: paid ? intent.amount : 0,
    amount_refunded: 0,
    application: null,
    application_fee: null,
    application_fee_amount: null,
    balance_transaction: failed ? null : newId(state, 'txn'),
    billing_details: structuredClone(method.billing_details),
    calculated_statement_descriptor: state.settings.merchant.toUpperCase().slice(0, 22),
    captured: paid,
    created: now(state, intent.customer),
    currency: intent.currency,
    customer: intent.customer,
    description: intent.description,
    disputed: false,
    failure_balance_transaction: null,
    failure_code: failed ? (outcome.code ?? null) : null,
    failure_message: failed ? (outcome.message ?? null) : null,
    fraud_details: {},
    livemode: state.livemode,
    metadata: {},
    on_behalf_of: null,
    outcome: {
      advice_code: failed ? 'try_again_later' : null,
      network_advice_code: null,
      network_decline_code: null,
      network_status: failed ? 'declined_by_network' : 'approved_by_network',
      reason: failed ? (outcome.declineCode ?? outcome.code ?? null) : null,
      risk_level: 'normal',
      risk_score: 20,
      seller_message: failed
        ? 'The bank did not return any further details with this decline.'
        : 'Payment complete.',
      type: failed ? 'issuer_declined' : 'authorized',
    },
    paid,
    payment_intent: intent.id,
    payment_method: method.id,
    payment_method_details: detailsOf(state, method),
    receipt_email: null,
    receipt_number: null,
    receipt_url: paid ? `${state.url}/p/receipt/${id}` : null,
    refunded: false,
    review: null,
    shipping: null,
    source: null,
    source_transfer: null,
    statement_descriptor: null,
    statement_descriptor_suffix: null,
    status: outcome.status,
    transfer_data: null,
    transfer_group: null,
  };
}

function detailsOf(state: State, method: PaymentMethod): Charge['payment_method_details'] {
  const { card, sepa_debit: debit } = method;
  if (debit !== undefined) {
    return {
      type: 'sepa_debit',
      sepa_debit: {
        bank_code: debit.bank_code,
        branch_code: debit.branch_code,
        country: debit.country,
        fingerprint: debit.fingerprint,
        last4: debit.last4,
        mandate: newId(state, 'mandate'),
      },
    };
  }
  return {
    type: 'card',
    card: {
      amount_authorized: null,
      authorization_code: null,
      brand: card?.brand ?? null,
      checks: card?.checks ?? null,
      country: card?.country ?? null,
      electronic_commerce_indicator: null,
      exp_month: card?.exp_month ?? 12,
      exp_year: card?.exp_year ?? 2034,
      extended_authorization: { status: 'disabled' },
      fingerprint: card?.fingerprint ?? null,
      funding: card?.funding ?? null,
      incremental_authorization: { status: 'unavailable' },
      installments: null,
      last4: card?.last4 ?? null,
      mandate: null,
      multicapture: { status: 'unavailable' },
      network: 'visa',
      network_token: { used: false },
      network_transaction_id: null,
      overcapture: { maximum_amount_capturable: 0, status: 'unavailable' },
      regulated_status: 'unregulated',
      three_d_secure: null,
      transaction_link_id: null,
      wallet: null,
    },
  };
}
