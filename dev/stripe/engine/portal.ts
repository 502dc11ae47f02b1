/** What people do in the portal. */

import { cards } from '../cards.ts';
import type { Paying, PlanChange, PortalCancellation, PortalOutcome } from '../contract.ts';
import { invalid } from '../errors.ts';
import type { Invoice, Subscription } from '../objects.ts';
import type { State } from '../state.ts';
import { cancelNow, scheduleEnd } from './cancellation.ts';
import { answerBank, collect } from './collection.ts';
import { change } from './events.ts';
import { attach, newMethod, setDefault } from './methods.ts';
import { intentOf, judge } from './payments.ts';
import { pause, resume } from './pausing.ts';
import { liveOf, outcomeOf, requireEnabled, subscriptionFor, visit } from './portal_sessions.ts';
import { throwIfRefused } from './subscribing.ts';
import { changeSubscription, latestPeriodEnd } from './subscription_state.ts';

/** At the period's end as flexible billing has it: by `cancel_at`, not by the flag. */
export function cancelIn(state: State, id: string, how: PortalCancellation = {}): PortalOutcome {
  const at = visit(state, id);
  const feature = at.configuration.features.subscription_cancel;
  requireEnabled(feature.enabled, 'subscription cancellation');
  const subscription = subscriptionFor(state, at, how.subscription);
  const leaving = {
    reason: 'cancellation_requested',
    feedback: how.reason ?? null,
    comment: how.comment ?? null,
  };
  if (how.atPeriodEnd ?? feature.mode === 'at_period_end') {
    if (subscription.cancel_at !== null) {
      throw invalid('This subscription is already set to be canceled.');
    }
    changeSubscription(state, subscription, () => {
      scheduleEnd(state, subscription, latestPeriodEnd(subscription), leaving);
    });
  } else {
    cancelNow(state, subscription, leaving);
  }
  return outcomeOf(at);
}

export function resumeIn(
  state: State,
  id: string,
  how: { subscription?: string } = {},
): PortalOutcome {
  const at = visit(state, id);
  const subscription = subscriptionFor(state, at, how.subscription);
  if (subscription.status === 'paused') {
    resume(state, subscription, {
      anchor: 'now',
      paymentBehavior: 'resume_on_payment_attempt',
      prorationBehavior: 'create_prorations',
    });
    return outcomeOf(at);
  }
  if (subscription.cancel_at === null) throw invalid('This subscription goes on as it is.');
  changeSubscription(state, subscription, () => scheduleEnd(state, subscription, null));
  return outcomeOf(at);
}

export function pauseIn(
  state: State,
  id: string,
  how: { subscription?: string } = {},
): PortalOutcome {
  const at = visit(state, id);
  requireEnabled(at.configuration.features.subscription_pause.enabled, 'subscription pause');
  pause(state, subscriptionFor(state, at, how.subscription), {
    credit: 'now',
    usage: 'now',
    invoicing: 'pending_invoice_item',
  });
  return outcomeOf(at);
}

/** A card for what is charged from now on, of the customer and of each subscription. */
export function setCardIn(state: State, id: string, card: string): PortalOutcome {
  const at = visit(state, id);
  requireEnabled(at.configuration.features.payment_method_update.enabled, 'payment method update');
  const customer = state.customers.need(at.session.customer);
  const method = newMethod(state, { card });
  const work = state.cards.need(method.id);
  if (work.number !== cards.failsLater && work.number !== cards.bankDebit) {
    const outcome = judge(state, method, false);
    // The bank's question about a card for later is answered with yes here.
    if (outcome.kind === 'requires_action') work.authenticated = true;
    else throwIfRefused(outcome);
  }
  attach(state, method, customer);
  setDefault(state, customer, method);
  for (const subscription of liveOf(state, customer.id)) {
    changeSubscription(state, subscription, () => {
      subscription.default_payment_method = method.id;
    });
  }
  return outcomeOf(at);
}

export function payInvoiceIn(
  state: State,
  id: string,
  how: { invoice?: string } = {},
): PortalOutcome {
  const at = visit(state, id);
  const invoice = openInvoice(state, at.session.customer, how.invoice);
  const outcome = collect(state, invoice, { offSession: false, automatic: false });
  if (outcome.kind === 'requires_action') return outcomeOf(at, true);
  throwIfRefused(outcome);
  return outcomeOf(at);
}

function openInvoice(state: State, customer: string, id: string | undefined): Invoice {
  const found = state.invoices
    .newest()
    .find(
      (one) =>
        one.customer === customer && one.status === 'open' && (id === undefined || one.id === id),
    );
  if (found === undefined) throw invalid('There is no open invoice.', 'invoice');
  return found;
}

export function authenticateIn(state: State, id: string, ok: boolean): PortalOutcome {
  const at = visit(state, id);
  const intent = state.paymentIntents
    .newest()
    .find((one) => one.customer === at.session.customer && one.status === 'requires_action');
  if (intent === undefined) throw invalid('The bank has not been asked anything.');
  throwIfRefused(answerBank(state, intent, ok));
  return outcomeOf(at);
}

export function updateCustomerIn(
  state: State,
  id: string,
  to: { name?: string; email?: string },
): PortalOutcome {
  const at = visit(state, id);
  requireEnabled(at.configuration.features.customer_update.enabled, 'customer update');
  const customer = state.customers.need(at.session.customer);
  change(state, 'customer.updated', customer, customer.id, () => {
    if (to.name !== undefined) customer.name = to.name;
    if (to.email !== undefined) customer.email = to.email;
  });
  return outcomeOf(at);
}

/** On the page of one invoice. @throws {ApiError} 402 where it was refused */
export function payHosted(state: State, id: string, paying: Paying | undefined): Invoice {
  const invoice = state.invoices.need(id);
  if (invoice.status !== 'open') throw invalid(`This invoice is ${invoice.status}.`);
  const method = paying === undefined ? undefined : newMethod(state, paying).id;
  const outcome = collect(state, invoice, { offSession: false, automatic: false, method });
  if (outcome.kind === 'requires_action') {
    throwIfRefused(answerBank(state, intentOf(state, invoice), true));
  } else {
    throwIfRefused(outcome);
  }
  return structuredClone(invoice);
}

/** What the flow `subscription_update_confirm` was made with. */
export function confirmedChange(state: State, id: string): PlanChange {
  const flow = visit(state, id).session.flow?.subscription_update_confirm;
  const item = flow?.items[0];
  if (flow === undefined || flow === null || item === undefined) {
    throw invalid('Which plan is meant is not known.', 'price');
  }
  const subscription = state.subscriptions.need(flow.subscription);
  const before = itemOf(subscription, item.id);
  return {
    subscription: flow.subscription,
    price: item.price ?? before.price.id,
    quantity: item.quantity ?? before.quantity ?? 1,
  };
}

export function itemOf(subscription: Subscription, id: string | null) {
  const found = subscription.items.data.find((one) => id === null || one.id === id);
  if (found === undefined) throw invalid('No such subscription item.', 'items[0][id]');
  return found;
}

export function leaveIn(state: State, id: string): { redirect: string | null } {
  const session = state.portalSessions.need(id);
  return { redirect: session.return_url };
}
