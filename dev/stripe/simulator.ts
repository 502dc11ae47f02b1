/** A stateful simulator of Stripe over HTTP, on loopback and nowhere else. */

import { listen } from '../upstream/server.ts';
import { routes } from './api/routes.ts';
import type { RecordedCall, StripeOptions, StripeSimulator } from './contract.ts';
import { beginAgenda, catchUp } from './engine/due.ts';
import * as checkout from './engine/checkout.ts';
import { applyCode, setQuantity, view as viewCheckout } from './engine/checkout_view.ts';
import * as portal from './engine/portal.ts';
import { ensureDefaultConfiguration } from './engine/portal_configuration.ts';
import { previewPlanIn, updatePlanIn } from './engine/portal_plans.ts';
import { view as viewPortal } from './engine/portal_sessions.ts';
import { chargeOf, disputeCharge, refundCharge } from './engine/reversals.ts';
import { faults } from './faults.ts';
import { keeper } from './keeper.ts';
import { handle } from './server.ts';
import type { Server } from './server.ts';
import { nowMs, openState } from './state.ts';
import { webhooks } from './webhooks.ts';

export type { StripeOptions, StripeSimulator } from './contract.ts';

/** How often it looks whether anything fell due by itself. */
const lookEveryMs = 1000;
const defaultRetries = [500, 2000, 5000, 15_000];
/** Not secret: it opens nothing but this simulator. */
const defaultKey = 'sk_test_simulator';

export async function startStripe(options: StripeOptions): Promise<StripeSimulator> {
  const secretKey = options.secretKey ?? defaultKey;
  const kept = await keeper(options.file);
  const state = openState(
    {
      clock: options.clock ?? Date.now,
      random: options.random,
      accountId: options.accountId,
      livemode: secretKey.startsWith('sk_live_'),
    },
    kept.saved,
  );
  ensureDefaultConfiguration(state);
  beginAgenda(state);
  const sender = webhooks({ state, retries: options.webhookRetries ?? defaultRetries });
  const calls: RecordedCall[] = [];
  const failing = faults();
  const changed = () => kept.changed(state);

  /** Does what a person does on a page, and keeps what came of it. */
  async function act<T>(work: () => T): Promise<T> {
    catchUp(state);
    try {
      return work();
    } finally {
      catchUp(state);
      changed();
    }
  }

  const server: Server = {
    state,
    routes,
    secretKey,
    faults: failing,
    calls,
    pages: undefined,
    catchUp: () => catchUp(state),
    changed,
  };
  const listening = await listen(options.port, (url) => {
    state.url = url;
    return {
      hosts: [new URL(url).host, `localhost:${new URL(url).port}`],
      handle: ({ request, response }) => handle(server, request, response),
    };
  });
  const looking = setInterval(() => {
    // Where it cannot, the next request is told why.
    try {
      catchUp(state);
    } catch {}
  }, lookEveryMs);
  looking.unref();

  const simulator: StripeSimulator = {
    url: listening.url,
    secretKey,
    accountId: state.accountId,
    now: () => nowMs(state),
    async advance(ms) {
      await act(() => {
        state.movedOn += ms;
      });
    },
    calls,
    fail: (rule) => failing.add(rule),
    clearFaults: () => failing.clear(),
    settings: state.settings,
    webhooks: sender,
    checkout: {
      view: (id) => viewCheckout(state, id),
      pay: (id, paying) => act(() => checkout.pay(state, id, paying)),
      authenticate: (id, ok) => act(() => checkout.authenticate(state, id, ok)),
      leave: (id) => act(() => ({ redirect: state.checkoutSessions.need(id).cancel_url })),
      settle: (id, outcome) => act(() => checkout.settle(state, id, outcome === 'succeeded')),
      applyCode: (id, code) => act(() => applyCode(state, id, code)),
      setQuantity: (id, line, quantity) => act(() => setQuantity(state, id, line, quantity)),
    },
    portal: {
      view: (id) => {
        catchUp(state);
        return viewPortal(state, id);
      },
      cancel: (id, how) => act(() => portal.cancelIn(state, id, how)),
      resume: (id, how) => act(() => portal.resumeIn(state, id, how)),
      pause: (id, how) => act(() => portal.pauseIn(state, id, how)),
      previewPlan: (id, to) => previewPlanIn(state, id, to),
      updatePlan: (id, to) => act(() => updatePlanIn(state, id, to)),
      setCard: (id, card) => act(() => portal.setCardIn(state, id, card)),
      payInvoice: (id, how) => act(() => portal.payInvoiceIn(state, id, how)),
      authenticate: (id, ok) => act(() => portal.authenticateIn(state, id, ok)),
      updateCustomer: (id, to) => act(() => portal.updateCustomerIn(state, id, to)),
      leave: (id) => act(() => portal.leaveIn(state, id)),
    },
    hostedInvoice: {
      view: (id) => structuredClone(state.invoices.need(id)),
      pay: (id, paying) => act(() => portal.payHosted(state, id, paying)),
    },
    dispute: (id, how) =>
      act(() =>
        structuredClone(disputeCharge(state, chargeOf(state, id), how?.reason ?? 'fraudulent')),
      ),
    refund: (id, amount) =>
      act(() => structuredClone(refundCharge(state, chargeOf(state, id), { amount }))),
    objects: {
      customers: () => structuredClone(state.customers.all()),
      subscriptions: () => structuredClone(state.subscriptions.all()),
      invoices: () => structuredClone(state.invoices.all()),
      events: () => structuredClone(state.events.all()),
    },
    async close() {
      clearInterval(looking);
      sender.close();
      await listening.close();
      await kept.close(state);
    },
  };
  server.pages = options.pages?.(simulator);
  return simulator;
}
