/** `/v1/invoices` and `/v1/invoice_payments` */

import type Stripe from 'stripe';
import type { z } from 'zod';
import { giveUp } from '../engine/cancellation.ts';
import { collect } from '../engine/collection.ts';
import { finalize, markUncollectible, stopCollecting } from '../engine/invoices.ts';
import { throwIfRefused } from '../engine/subscribing.ts';
import { invalid } from '../errors.ts';
import type { Invoice } from '../objects.ts';
import { bool, choice, group, paging, parameters, range, text } from '../parameters.ts';
import type { State } from '../state.ts';
import { previewRoute } from './invoice_preview.ts';
import { page, route, within } from './route.ts';
import type { Route } from './route.ts';

const listing = parameters<Stripe.InvoiceListParams>()({
  ...paging,
  created: range.optional(),
  customer: text.optional(),
  status: choice('draft', 'open', 'paid', 'uncollectible', 'void').optional(),
  subscription: text.optional(),
});
const paying = parameters<Stripe.InvoicePayParams>()({
  off_session: bool.optional(),
  payment_method: text.optional(),
});
const updating = parameters<Stripe.InvoiceUpdateParams>()({ auto_advance: bool.optional() });
const nothing = parameters<Stripe.InvoiceRetrieveParams>()({});
const listingPayments = parameters<Stripe.InvoicePaymentListParams>()({
  ...paging,
  invoice: text.optional(),
  payment: group({ payment_intent: text.optional(), type: choice('payment_intent') }).optional(),
  status: choice('canceled', 'open', 'paid').optional(),
});

export const invoiceRoutes: Route[] = [
  previewRoute,
  route('GET', '/v1/invoices', listing, (state, given) => {
    const rows = state.invoices
      .newest()
      .filter(
        (one) =>
          (given.customer === undefined || one.customer === given.customer) &&
          (given.status === undefined || one.status === given.status) &&
          (given.subscription === undefined ||
            one.parent?.subscription_details?.subscription === given.subscription) &&
          within(one.created, given.created),
      );
    return page(rows, given, '/v1/invoices');
  }),
  route('GET', '/v1/invoices/:id', nothing, (state, _, id) => state.invoices.need(id)),
  route('POST', '/v1/invoices/:id', updating, (state, given, id) => {
    const invoice = state.invoices.need(id);
    if (given.auto_advance === false) stopCollecting(state, invoice);
    else if (given.auto_advance === true) invoice.auto_advance = true;
    return invoice;
  }),
  route('POST', '/v1/invoices/:id/finalize', nothing, (state, _, id) => {
    const invoice = state.invoices.need(id);
    if (invoice.status !== 'draft') throw wrongStatus(invoice, 'finalized');
    finalize(state, invoice);
    return invoice;
  }),
  route('POST', '/v1/invoices/:id/pay', paying, pay),
  route('POST', '/v1/invoices/:id/void', nothing, (state, _, id) => {
    const invoice = state.invoices.need(id);
    if (!['open', 'uncollectible'].includes(invoice.status ?? ''))
      throw wrongStatus(invoice, 'voided');
    giveUp(state, invoice);
    return invoice;
  }),
  route('POST', '/v1/invoices/:id/mark_uncollectible', nothing, (state, _, id) => {
    const invoice = state.invoices.need(id);
    if (invoice.status !== 'open') throw wrongStatus(invoice, 'marked uncollectible');
    markUncollectible(state, invoice);
    return invoice;
  }),
  route('GET', '/v1/invoice_payments', listingPayments, (state, given) => {
    const rows = state.invoicePayments
      .newest()
      .filter(
        (one) =>
          (given.invoice === undefined || one.invoice === given.invoice) &&
          (given.status === undefined || one.status === given.status) &&
          (given.payment?.payment_intent === undefined ||
            one.payment.payment_intent === given.payment.payment_intent),
      );
    return page(rows, given, '/v1/invoice_payments');
  }),
  route('GET', '/v1/invoice_payments/:id', nothing, (state, _, id) =>
    state.invoicePayments.need(id),
  ),
];

function wrongStatus(invoice: Invoice, what: string) {
  return invalid(`This invoice is ${invoice.status}: it cannot be ${what}.`);
}

/** @throws {ApiError} 402 where it was refused; the attempt is on record */
function pay(state: State, given: z.infer<typeof paying>, id: string): Invoice {
  const invoice = state.invoices.need(id);
  if (invoice.status === 'paid') {
    throw invalid('Invoice is already paid', undefined, 'invoice_already_paid');
  }
  if (!['draft', 'open', 'uncollectible'].includes(invoice.status ?? ''))
    throw wrongStatus(invoice, 'paid');
  if (given.payment_method !== undefined) {
    state.paymentMethods.need(given.payment_method, 'payment_method');
  }
  const outcome = collect(state, invoice, {
    offSession: given.off_session ?? true,
    automatic: false,
    method: given.payment_method,
  });
  if (outcome.kind === 'requires_action') {
    throw invalid(
      'The payment requires action by the customer.',
      undefined,
      'invoice_payment_intent_requires_action',
    );
  }
  throwIfRefused(outcome);
  return invoice;
}
