/** Time: what falls due of it, and doing it in order. */

import type { Invoice, PaymentIntent, Subscription } from '../objects.ts';
import { nowMs } from '../state.ts';
import type { State } from '../state.ts';
import { day, hour } from '../time.ts';
import { expireIncomplete, giveUp } from './cancellation.ts';
import { expireSession } from './checkout.ts';
import { collect, settleDebit } from './collection.ts';
import { emit } from './events.ts';
import { newInvoice, subscriptionOf, total } from './invoices.ts';
import { intentOf, invoiceOfIntent, paymentOf } from './payments.ts';
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

/**
 * Does what fell due for everybody up to now, each at its own time. What is due of one customer changes
 * with their own events only, so only those who had any are looked at again.
 */
export function catchUp(state: State): void {
  const target = Math.floor(nowMs(state) / 1000);
  if (state.standing !== undefined) return;
  const { agenda } = state;
  try {
    for (let step = 0; step < maxSteps; step += 1) {
      for (const customer of agenda.dirty) note(state, customer);
      agenda.dirty.clear();
      const [customer, at] = soonest(agenda.at);
      if (customer === undefined || at > target) return;
      state.standing = at * 1000;
      earliest(allDue(state, customer))?.run();
      agenda.dirty.add(customer);
    }
  } finally {
    state.standing = undefined;
  }
  throw new Error('Time does not come to an end.');
}

/** After a start: everybody is looked at. */
export function beginAgenda(state: State): void {
  for (const { id } of state.customers.all()) state.agenda.dirty.add(id);
  state.agenda.dirty.add('');
}

function note(state: State, customer: string): void {
  const { agenda } = state;
  const onTestClock = (state.customers.get(customer)?.test_clock ?? null) !== null;
  const due = onTestClock ? undefined : earliest(allDue(state, customer));
  if (due === undefined) agenda.at.delete(customer);
  else agenda.at.set(customer, due.at);
}

function soonest(agenda: ReadonlyMap<string, number>): [string | undefined, number] {
  let first: [string | undefined, number] = [undefined, Infinity];
  for (const entry of agenda) if (entry[1] < first[1]) first = entry;
  return first;
}

/** Moves a test clock on, and does what falls due for its customers. */
export function advanceClock(state: State, clockId: string, target: number): void {
  const clock = state.testClocks.need(clockId);
  const customers = state.customers.all().filter((one) => one.test_clock === clockId);
  for (let step = 0; step < maxSteps; step += 1) {
    const due = customers.map(({ id }) => earliest(allDue(state, id)));
    const next = earliest(due.filter((one) => one !== undefined));
    if (next === undefined || next.at > target) {
      clock.frozen_time = target;
      return;
    }
    clock.frozen_time = Math.max(clock.frozen_time, next.at);
    next.run();
  }
  throw new Error('Time does not come to an end.');
}

function earliest(all: Iterable<Due>): Due | undefined {
  let first: Due | undefined;
  for (const due of all) if (first === undefined || due.at < first.at) first = due;
  return first;
}

/** Of one customer; `''` for sessions that have none yet. Of two at one moment the first is done first. */
function* allDue(state: State, customer: string): Generator<Due> {
  for (const subscription of state.subscriptions.of(customer)) {
    if (!over.includes(subscription.status)) yield* subscriptionDue(state, subscription);
  }
  for (const invoice of state.invoices.of(customer)) yield* invoiceDue(state, invoice);
  for (const intent of state.paymentIntents.of(customer)) {
    // The first payment of a Checkout Session waits for `settle`.
    if (intent.status !== 'processing' || isFirst(state, intent)) continue;
    yield {
      at: intent.created + debitTakes,
      run: () => {
        settleDebit(state, intent, true);
      },
    };
  }
  for (const session of state.checkoutSessions.of(customer)) {
    if (session.status !== 'open') continue;
    yield { at: session.expires_at, run: () => expireSession(state, session) };
  }
}

function isFirst(state: State, intent: PaymentIntent): boolean {
  return invoiceOfIntent(state, intent)?.billing_reason === 'subscription_create';
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
