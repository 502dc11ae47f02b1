/** Time: what falls due of it, and doing it in order. */

import type { Invoice, Subscription } from '../objects.ts';
import { nowMs } from '../state.ts';
import type { State } from '../state.ts';
import { day, hour } from '../time.ts';
import { expireIncomplete, giveUp } from './cancellation.ts';
import { expireSession } from './checkout.ts';
import { collect, settleDebit } from './collection.ts';
import { emit } from './events.ts';
import { newInvoice, subscriptionOf, total } from './invoices.ts';
import { intentOf, paymentOf } from './payments.ts';
import { resume } from './pausing.ts';
import { collectDraft, endAsScheduled, endTrial, renew } from './renewing.ts';
import { changeSubscription, over, periodEnd, workOf } from './subscription_state.ts';
import { nextLines } from './updating.ts';

interface Due {
  /** In seconds. */
  at: number;
  run: () => void;
}

const maxSteps = 100_000;
const debitTakes = 5 * day;
/** How long a first payment may take, and that of a subscription that resumes. */
const patience = 23 * hour;

/** Does what fell due for everybody up to now, each at its own time. */
export function catchUp(state: State): void {
  const target = nowMs(state);
  if (state.standing !== undefined) return;
  try {
    steps(state, null, Math.floor(target / 1000), (at) => {
      state.standing = at * 1000;
    });
  } finally {
    state.standing = undefined;
  }
}

/** Moves a test clock on, and does what falls due for its customers. */
export function advanceClock(state: State, clockId: string, target: number): void {
  const clock = state.testClocks.need(clockId);
  steps(state, clockId, target, (at) => {
    clock.frozen_time = Math.max(clock.frozen_time, at);
  });
  clock.frozen_time = target;
}

function steps(
  state: State,
  clock: string | null,
  target: number,
  moveTo: (at: number) => void,
): void {
  for (let step = 0; step < maxSteps; step += 1) {
    const next = earliest(state, clock);
    if (next === undefined || next.at > target) return;
    moveTo(next.at);
    next.run();
  }
  throw new Error('Time does not come to an end.');
}

function earliest(state: State, clock: string | null): Due | undefined {
  let first: Due | undefined;
  for (const due of allDue(state, clock)) {
    if (first === undefined || due.at < first.at) first = due;
  }
  return first;
}

/** Of two at the same moment the one that is named first is done first. */
function* allDue(state: State, clock: string | null): Generator<Due> {
  const mine = (customer: string | null) =>
    (customer === null ? null : (state.customers.get(customer)?.test_clock ?? null)) === clock;
  for (const subscription of state.subscriptions.all()) {
    if (over.includes(subscription.status) || !mine(subscription.customer)) continue;
    yield* subscriptionDue(state, subscription);
  }
  for (const invoice of state.invoices.all()) {
    if (!mine(invoice.customer)) continue;
    yield* invoiceDue(state, invoice);
  }
  for (const intent of state.paymentIntents.all()) {
    if (intent.status !== 'processing' || !mine(intent.customer)) continue;
    // The first payment of a Checkout Session waits for `settle`.
    if (isFirst(state, intent.id)) continue;
    yield {
      at: intent.created + debitTakes,
      run: () => {
        settleDebit(state, intent, true);
      },
    };
  }
  for (const session of state.checkoutSessions.all()) {
    if (session.status !== 'open' || !mine(session.customer)) continue;
    yield { at: session.expires_at, run: () => expireSession(state, session) };
  }
}

function isFirst(state: State, intentId: string): boolean {
  const payment = state.invoicePayments
    .all()
    .find((one) => one.payment.payment_intent === intentId);
  return state.invoices.get(payment?.invoice ?? '')?.billing_reason === 'subscription_create';
}

function* subscriptionDue(state: State, subscription: Subscription): Generator<Due> {
  const work = workOf(state, subscription);
  const { trial_end: trialEnd, cancel_at: cancelAt, customer, status } = subscription;
  if (status === 'incomplete') {
    if (isProcessing(state, subscription)) return;
    yield {
      at: subscription.created + patience,
      run: () => expireIncomplete(state, subscription),
    };
    return;
  }
  if (cancelAt !== null) {
    yield { at: cancelAt, run: () => endAsScheduled(state, subscription) };
  }
  const collectsAgain = subscription.pause_collection?.resumes_at ?? null;
  if (collectsAgain !== null) {
    yield {
      at: collectsAgain,
      run: () => {
        changeSubscription(state, subscription, () => {
          subscription.pause_collection = null;
        });
      },
    };
  }
  if (status === 'paused') {
    if (work.resumesAt !== null)
      yield { at: work.resumesAt, run: () => resumeByItself(state, subscription) };
    return;
  }
  if (status === 'trialing' && trialEnd !== null) {
    if (work.trialAnnounced !== trialEnd) {
      yield {
        at: Math.max(trialEnd - 3 * day, subscription.created),
        run: () => {
          work.trialAnnounced = trialEnd;
          emit(state, 'customer.subscription.trial_will_end', subscription, { customer });
        },
      };
    }
    yield { at: trialEnd, run: () => endTrial(state, subscription) };
    return;
  }
  const end = periodEnd(subscription);
  if (work.upcomingAnnounced !== end && (cancelAt === null || cancelAt > end)) {
    yield {
      at: Math.max(end - state.settings.upcomingDays * day, subscription.created + 1),
      run: () => {
        work.upcomingAnnounced = end;
        announce(state, subscription);
      },
    };
  }
  yield { at: end, run: () => renew(state, subscription) };
}

function isProcessing(state: State, subscription: Subscription): boolean {
  const invoice = state.invoices.get(subscription.latest_invoice ?? '');
  const payment = invoice === undefined ? undefined : paymentOf(state, invoice);
  return state.paymentIntents.get(payment?.payment.payment_intent ?? '')?.status === 'processing';
}

function resumeByItself(state: State, subscription: Subscription): void {
  resume(state, subscription, {
    anchor: 'now',
    paymentBehavior: 'resume_on_payment_attempt',
    prorationBehavior: 'create_prorations',
  });
}

function* invoiceDue(state: State, invoice: Invoice): Generator<Due> {
  if (invoice.status === 'draft') {
    if (invoice.automatically_finalizes_at === null) return;
    yield { at: invoice.automatically_finalizes_at, run: () => collectDraft(state, invoice) };
    return;
  }
  if (invoice.status !== 'open') return;
  if (invoice.next_payment_attempt !== null) {
    yield {
      at: invoice.next_payment_attempt,
      run: () => {
        collect(state, invoice, { offSession: true, automatic: true });
      },
    };
  }
  const subscription = subscriptionOf(state, invoice);
  if (subscription?.status === 'paused' && subscription.latest_invoice === invoice.id) {
    if (intentOf(state, invoice).status === 'processing') return;
    yield { at: invoice.created + patience, run: () => giveUp(state, invoice) };
  }
}

/** The invoice to come: it has no id yet. */
function announce(state: State, subscription: Subscription): void {
  const pending = structuredClone(workOf(state, subscription).pending);
  const lines = [...pending, ...nextLines(state, subscription, subscription.items.data)];
  const invoice = newInvoice(state, subscription, 'upcoming', lines);
  total(state, invoice);
  const { id: _, ...upcoming } = invoice;
  emit(state, 'invoice.upcoming', upcoming, { customer: subscription.customer });
}
