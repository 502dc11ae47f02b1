/** Invoices: drafted, finalized, paid, void or uncollectible; whole at each step. */

import type { Invoice, InvoiceLineItem, Subscription } from '../objects.ts';
import { newId, now } from '../state.ts';
import type { State } from '../state.ts';
import { hour } from '../time.ts';
import { couponOfDiscount, discountsOf, takenOff } from './discounts.ts';
import { change, emit } from './events.ts';

export interface Drafting {
  reason: string;
  lines: InvoiceLineItem[];
  /** Finalized by itself an hour later; otherwise by whoever made it. */
  later: boolean;
  /** Of a subscription that is unpaid: it stays a draft. */
  held?: boolean;
}

/** Makes an invoice for a subscription, as a draft, and makes it the latest. */
export function draftInvoice(
  state: State,
  subscription: Subscription,
  { reason, lines, later, held = false }: Drafting,
): Invoice {
  const invoice = newInvoice(state, subscription, reason, lines);
  applyDiscounts(state, subscription, invoice);
  total(state, invoice);
  if (held) invoice.auto_advance = false;
  else if (later) invoice.automatically_finalizes_at = invoice.created + hour;
  state.invoices.add(invoice);
  subscription.latest_invoice = invoice.id;
  emit(state, 'invoice.created', invoice, { customer: subscription.customer });
  return invoice;
}

export function newInvoice(
  state: State,
  subscription: Subscription,
  reason: string,
  lines: InvoiceLineItem[],
): Invoice {
  const { customer: customerId } = subscription;
  const created = now(state, customerId);
  const customer = state.customers.get(customerId);
  const id = newId(state, 'in');
  for (const line of lines) line.invoice = id;
  return {
    id,
    object: 'invoice',
    account_country: 'US',
    account_name: state.settings.merchant,
    account_tax_ids: null,
    amount_due: 0,
    amount_overpaid: 0,
    amount_paid: 0,
    amount_remaining: 0,
    amount_shipping: 0,
    application: null,
    attempt_count: 0,
    attempted: false,
    auto_advance: true,
    automatic_tax: {
      disabled_reason: null,
      enabled: false,
      liability: null,
      provider: null,
      status: null,
    },
    automatically_finalizes_at: null,
    billing_reason: reason,
    collection_method: 'charge_automatically',
    created,
    currency: subscription.currency,
    custom_fields: null,
    customer: customerId,
    customer_account: null,
    customer_address: customer?.address ?? null,
    customer_email: customer?.email ?? null,
    customer_name: customer?.name ?? null,
    customer_phone: customer?.phone ?? null,
    customer_shipping: null,
    customer_tax_exempt: customer?.tax_exempt ?? 'none',
    customer_tax_ids: [],
    default_payment_method: null,
    default_source: null,
    default_tax_rates: [],
    description: null,
    discounts: [],
    due_date: null,
    effective_at: null,
    ending_balance: null,
    footer: null,
    from_invoice: null,
    hosted_invoice_url: null,
    invoice_pdf: null,
    issuer: { type: 'self' },
    last_finalization_error: null,
    latest_revision: null,
    lines: { object: 'list', data: lines, has_more: false, url: `/v1/invoices/${id}/lines` },
    livemode: state.livemode,
    metadata: {},
    next_payment_attempt: null,
    number: null,
    on_behalf_of: null,
    parent: {
      quote_details: null,
      subscription_details: {
        metadata: { ...subscription.metadata },
        subscription: subscription.id,
      },
      type: 'subscription_details',
    },
    payment_settings: {
      default_mandate: null,
      payment_method_options: null,
      payment_method_types: null,
    },
    period_end: created,
    period_start: created,
    post_payment_credit_notes_amount: 0,
    pre_payment_credit_notes_amount: 0,
    receipt_number: null,
    rendering: null,
    shipping_cost: null,
    shipping_details: null,
    starting_balance: customer?.balance ?? 0,
    statement_descriptor: null,
    status: 'draft',
    status_transitions: {
      finalized_at: null,
      marked_uncollectible_at: null,
      paid_at: null,
      voided_at: null,
    },
    subtotal: 0,
    subtotal_excluding_tax: 0,
    test_clock: subscription.test_clock,
    total: 0,
    total_discount_amounts: [],
    total_excluding_tax: 0,
    total_pretax_credit_amounts: [],
    total_taxes: [],
    webhooks_delivered_at: null,
  };
}

export function applyDiscounts(state: State, subscription: Subscription, invoice: Invoice): void {
  for (const discount of discountsOf(state, subscription, invoice.created)) {
    const coupon = couponOfDiscount(state, discount);
    let fixed = coupon?.amount_off ?? 0;
    let all = 0;
    for (const line of invoice.lines.data) {
      if (!line.discountable) continue;
      const taken = line.discount_amounts?.reduce((sum, one) => sum + one.amount, 0) ?? 0;
      const left = line.amount - taken;
      const amount =
        (coupon?.percent_off ?? null) === null
          ? Math.min(fixed, Math.max(0, left))
          : takenOff(coupon, left);
      fixed -= amount;
      if (amount === 0) continue;
      line.discount_amounts = [...(line.discount_amounts ?? []), { amount, discount: discount.id }];
      line.discounts = [...line.discounts, discount.id];
      all += amount;
    }
    if (all === 0) continue;
    invoice.discounts = [...invoice.discounts, discount.id];
    invoice.total_discount_amounts = [
      ...(invoice.total_discount_amounts ?? []),
      { amount: all, discount: discount.id },
    ];
    // For one invoice only: the subscription has it no more.
    if (coupon?.duration === 'once') {
      subscription.discounts = subscription.discounts.filter((id) => id !== discount.id);
    }
  }
}

/** What the lines come to; a credit that is left over goes to the customer's balance when it is final. */
export function total(state: State, invoice: Invoice): void {
  invoice.subtotal = invoice.lines.data.reduce((sum, line) => sum + line.amount, 0);
  const off = invoice.total_discount_amounts?.reduce((sum, one) => sum + one.amount, 0) ?? 0;
  invoice.subtotal_excluding_tax = invoice.subtotal;
  invoice.total = invoice.subtotal - off;
  invoice.total_excluding_tax = invoice.total;
  const balance =
    invoice.customer === null ? 0 : (state.customers.get(invoice.customer)?.balance ?? 0);
  invoice.starting_balance = balance;
  invoice.amount_due = Math.max(0, invoice.total + balance);
  invoice.amount_remaining = invoice.amount_due - invoice.amount_paid;
}

/** A draft becomes an open invoice, with a number and pages; where nothing is due it is paid. */
export function finalize(state: State, invoice: Invoice): void {
  if (invoice.status !== 'draft') return;
  const customer = invoice.customer === null ? undefined : state.customers.get(invoice.customer);
  const at = now(state, invoice.customer);
  total(state, invoice);
  if (customer !== undefined) {
    // A negative balance is credit: it was used, and what is left of a negative total is added to it.
    const ending = Math.min(0, invoice.total + customer.balance);
    invoice.ending_balance = ending;
    if (customer.balance !== ending) {
      change(state, 'customer.updated', customer, customer.id, () => {
        customer.balance = ending;
      });
    }
    const sequence = customer.next_invoice_sequence ?? 1;
    invoice.number = `${customer.invoice_prefix ?? 'X'}-${String(sequence).padStart(4, '0')}`;
    customer.next_invoice_sequence = sequence + 1;
  }
  invoice.status = 'open';
  invoice.effective_at = at;
  invoice.automatically_finalizes_at = null;
  invoice.hosted_invoice_url = `${state.url}/p/invoice/${invoice.id}`;
  invoice.invoice_pdf = `${state.url}/p/invoice/${invoice.id}/pdf`;
  invoice.status_transitions.finalized_at = at;
  emit(state, 'invoice.finalized', invoice, { customer: invoice.customer });
  if (invoice.amount_due === 0) markPaid(state, invoice);
}

export function markPaid(state: State, invoice: Invoice): void {
  change(state, 'invoice.updated', invoice, invoice.customer, () => {
    invoice.status = 'paid';
    invoice.attempted = true;
    invoice.auto_advance = false;
    invoice.amount_paid = invoice.amount_due;
    invoice.amount_remaining = 0;
    invoice.next_payment_attempt = null;
    invoice.status_transitions.paid_at = now(state, invoice.customer);
  });
  emit(state, 'invoice.paid', invoice, { customer: invoice.customer });
  emit(state, 'invoice.payment_succeeded', invoice, { customer: invoice.customer });
}

export function voidInvoice(state: State, invoice: Invoice): void {
  change(state, 'invoice.updated', invoice, invoice.customer, () => {
    invoice.status = 'void';
    invoice.auto_advance = false;
    invoice.next_payment_attempt = null;
    invoice.status_transitions.voided_at = now(state, invoice.customer);
  });
  emit(state, 'invoice.voided', invoice, { customer: invoice.customer });
}

export function markUncollectible(state: State, invoice: Invoice): void {
  change(state, 'invoice.updated', invoice, invoice.customer, () => {
    invoice.status = 'uncollectible';
    invoice.auto_advance = false;
    invoice.next_payment_attempt = null;
    invoice.status_transitions.marked_uncollectible_at = now(state, invoice.customer);
  });
  emit(state, 'invoice.marked_uncollectible', invoice, { customer: invoice.customer });
}

/** No more attempts to collect it. */
export function stopCollecting(state: State, invoice: Invoice): void {
  if (invoice.auto_advance === false && invoice.next_payment_attempt === null) return;
  change(state, 'invoice.updated', invoice, invoice.customer, () => {
    invoice.auto_advance = false;
    invoice.next_payment_attempt = null;
    invoice.automatically_finalizes_at = null;
  });
}

export function subscriptionOf(state: State, invoice: Invoice): Subscription | undefined {
  return state.subscriptions.get(invoice.parent?.subscription_details?.subscription ?? '');
}

export function invoicesOf(state: State, subscription: Subscription): Invoice[] {
  return state.invoices.of(subscription.id);
}
