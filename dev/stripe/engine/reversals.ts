/** Money that goes back: refunds, and disputes. */

import { invalid } from '../errors.ts';
import type { Charge, Dispute, Refund } from '../objects.ts';
import { newId, now } from '../state.ts';
import type { State } from '../state.ts';
import { day } from '../time.ts';
import { emit } from './events.ts';
import { invoicesOf } from './invoices.ts';
import { paymentOf } from './payments.ts';

/** @param id of a charge, of a payment intent, or of a subscription: its last charge. @throws {ApiError} */
export function chargeOf(state: State, id: string): Charge {
  const subscription = state.subscriptions.get(id);
  if (subscription !== undefined) {
    const paid = invoicesOf(state, subscription)
      .toReversed()
      .map((invoice) => paymentOf(state, invoice)?.payment.payment_intent)
      .map((intent) => state.paymentIntents.get(intent ?? '')?.latest_charge)
      .map((charge) => state.charges.get(charge ?? ''))
      .find((charge) => charge?.paid === true);
    if (paid === undefined) throw invalid('Nothing was charged for this subscription.');
    return paid;
  }
  const intent = state.paymentIntents.get(id);
  return state.charges.need(intent?.latest_charge ?? id);
}

interface Refunding {
  amount?: number | undefined;
  reason?: string | undefined;
  metadata?: Record<string, string>;
}

/** @throws {ApiError} where there is not so much left of it */
export function refundCharge(state: State, charge: Charge, how: Refunding = {}): Refund {
  const left = charge.amount - charge.amount_refunded;
  if (left === 0) {
    throw invalid(
      `Charge ${charge.id} has already been refunded.`,
      undefined,
      'charge_already_refunded',
    );
  }
  const amount = how.amount ?? left;
  if (amount > left || amount <= 0) {
    throw invalid(
      `Refund amount (${amount}) is greater than unrefunded amount on charge (${left})`,
      'amount',
      'charge_exceeds_source_limit',
    );
  }
  const refund: Refund = {
    id: newId(state, 're'),
    object: 'refund',
    amount,
    balance_transaction: newId(state, 'txn'),
    charge: charge.id,
    created: now(state, charge.customer),
    currency: charge.currency,
    customer: charge.customer,
    customer_account: null,
    destination_details: { card: { type: 'refund' }, type: 'card' },
    metadata: how.metadata ?? {},
    payment_intent: charge.payment_intent,
    payment_method: charge.payment_method,
    reason: how.reason ?? null,
    receipt_number: null,
    source_transfer_reversal: null,
    status: 'succeeded',
    transfer_reversal: null,
  };
  state.refunds.add(refund);
  charge.amount_refunded += amount;
  charge.refunded = charge.amount_refunded === charge.amount;
  emit(state, 'charge.refunded', charge, { customer: charge.customer });
  emit(state, 'refund.created', refund, { customer: charge.customer });
  return refund;
}

/** The bank takes the money back until it is settled. The subscription goes on, as at Stripe. */
export function disputeCharge(state: State, charge: Charge, reason: string): Dispute {
  if (charge.disputed) throw invalid(`Charge ${charge.id} is disputed already.`);
  const created = now(state, charge.customer);
  const dispute: Dispute = {
    id: newId(state, 'du'),
    object: 'dispute',
    amount: charge.amount,
    balance_transactions: [],
    charge: charge.id,
    created,
    currency: charge.currency,
    enhanced_eligibility_types: [],
    evidence: noEvidence(charge),
    evidence_details: {
      due_by: created + 9 * day,
      enhanced_eligibility: {},
      has_evidence: false,
      past_due: false,
      submission_count: 0,
      submission_method: 'not_submitted',
    },
    intended_submission_method: null,
    is_charge_refundable: false,
    livemode: state.livemode,
    metadata: {},
    payment_intent: charge.payment_intent,
    payment_method_details: {
      card: {
        brand: 'visa',
        case_type: 'chargeback',
        network: 'visa',
        network_reason_code: '10.4',
      },
      type: 'card',
    },
    reason,
    status: 'needs_response',
  };
  state.disputes.add(dispute);
  charge.disputed = true;
  emit(state, 'charge.dispute.created', dispute, { customer: charge.customer });
  return dispute;
}

function noEvidence(charge: Charge): Dispute['evidence'] {
  return {
    access_activity_log: null,
    billing_address: null,
    cancellation_policy: null,
    cancellation_policy_disclosure: null,
    cancellation_rebuttal: null,
    customer_communication: null,
    customer_email_address: charge.billing_details.email,
    customer_name: charge.billing_details.name,
    customer_purchase_ip: null,
    customer_signature: null,
    duplicate_charge_documentation: null,
    duplicate_charge_explanation: null,
    duplicate_charge_id: null,
    enhanced_evidence: {},
    product_description: null,
    receipt: null,
    refund_policy: null,
    refund_policy_disclosure: null,
    refund_refusal_explanation: null,
    service_date: null,
    service_documentation: null,
    shipping_address: null,
    shipping_carrier: null,
    shipping_date: null,
    shipping_documentation: null,
    shipping_tracking_number: null,
    uncategorized_file: null,
    uncategorized_text: null,
  };
}
