/**
 * What the simulator of Stripe offers beside its API: to tests and to the demo, and to its own pages,
 * which call the same functions as the tests do.
 */

import type { IncomingMessage, ServerResponse } from 'node:http';
import type {
  CheckoutSession,
  Customer,
  Dispute,
  Invoice,
  LineItem,
  PaymentMethod,
  PortalConfiguration,
  PortalSession,
  Price,
  Product,
  Refund,
  Subscription,
  WebhookEvent,
} from './objects.ts';

export interface StripeOptions {
  /** 0 picks a free one. */
  port: number;
  /** In ms. It is moved on by `advance`; signatures are dated by the clock itself. */
  clock?: () => number;
  /** `sk_test_…`: what is answered says `livemode: false`; with `sk_live_…` it says true. */
  secretKey?: string;
  accountId?: string;
  /** Keeps all that it knows there between starts, written atomically. */
  file?: string;
  /** How long after a failed delivery the next attempt is made, in ms; as many retries as entries. */
  webhookRetries?: readonly number[];
  /** From 0 up to 1, for ids and for the disorder that is asked for. */
  random?: () => number;
  pages?: (simulator: StripeSimulator) => PageHandler;
}

/** Answers what begins with `/c/`, `/p/` or `/dashboard`. @returns whether it answered */
export type PageHandler = (request: IncomingMessage, response: ServerResponse) => Promise<boolean>;

export interface StripeSimulator {
  /** `http://127.0.0.1:…`: what `apiBase` is set to, and where its pages are. */
  url: string;
  secretKey: string;
  accountId: string;
  /** In ms: the machine's clock, and what it was moved on by. */
  now(): number;
  /** Moves everybody's time on by so many ms, doing in order of time all that falls due meanwhile. */
  advance(ms: number): Promise<void>;
  /** What was asked, oldest first; the last 10 000. */
  calls: readonly RecordedCall[];
  fail(rule: FaultRule): void;
  clearFaults(): void;
  settings: Settings;
  webhooks: WebhookControl;
  checkout: CheckoutDesk;
  portal: PortalDesk;
  /** The page of one invoice, `hosted_invoice_url` (`/p/invoice/<id>`): whoever has the link may pay. */
  hostedInvoice: {
    view(invoiceId: string): Invoice;
    /** With another card than the customer's own, where one is given. @throws {ApiError} 402 */
    pay(invoiceId: string, paying?: Paying): Promise<Invoice>;
  };
  /** The bank takes the customer's side. @param id of a charge, or of a subscription: its last charge */
  dispute(id: string, options?: { reason?: string }): Promise<Dispute>;
  /** @param id of a charge, or of a subscription: its last charge. @param amount all, where left out */
  refund(id: string, amount?: number): Promise<Refund>;
  /** What is kept, for tests and for the page of the clock. Copies: changing them changes nothing. */
  objects: {
    customers(): Customer[];
    subscriptions(): Subscription[];
    invoices(): Invoice[];
    events(): WebhookEvent[];
  };
  close(): Promise<void>;
}

/** What a company sets in Stripe's Dashboard, and there only. May be changed at any time. */
export interface Settings {
  /** Shown on the pages. */
  merchant: string;
  /** When a failed payment is tried again, in days after the failure before; and what comes after the last. */
  dunning: { afterDays: number[]; finally: 'canceled' | 'unpaid' | 'past_due' };
  /** How many days before a renewal `invoice.upcoming` is sent. */
  upcomingDays: number;
  /** What a subscription is while its first payment is with the bank: Stripe's documents say `incomplete`. */
  whileProcessing: 'incomplete' | 'active';
}

export interface RecordedCall {
  method: string;
  /** Without the query. */
  path: string;
  idempotencyKey: string | undefined;
  apiVersion: string | undefined;
  /** As read from query and body; nested as Stripe's library was given them. Values are texts. */
  parameters: Record<string, unknown>;
  /** Of the answer; 0 where none was sent (yet). */
  status: number;
}

/** What happens to a request instead of its answer. */
export type Fault =
  /** An error of Stripe's: nothing was done. A 500 is kept for its idempotency key, as at Stripe. */
  | { kind: 'status'; status: 400 | 401 | 402 | 403 | 409 | 429 | 500 | 503 }
  /** Nothing was done, and no answer ever comes. */
  | { kind: 'silence' }
  /** The work is done after so many ms, and answered. */
  | { kind: 'slow'; ms: number }
  /** The connection is cut, and nothing was done. */
  | { kind: 'cut_before' }
  /** The work was done, and the connection is cut instead of an answer. */
  | { kind: 'cut_after' }
  /** The work was done, and the answer is a 500; for its idempotency key it is kept so. */
  | { kind: 'error_after' };

export type FaultRule = Fault & {
  /** Every method, where left out. */
  method?: 'GET' | 'POST' | 'DELETE';
  /** The whole path, `*` for one segment (`/v1/customers/*`); every path, where left out. */
  path?: string;
  /** Once, where left out. */
  times?: number;
  /** Lets so many that match go through before it begins. */
  after?: number;
};

export interface WebhookControl {
  /** Holds everything back until `resume`. */
  pause(): void;
  resume(): void;
  /** Sends what waits, without regard to how long a retry would wait. Resolves when nothing waits. */
  flush(): Promise<void>;
  /** What is disturbed from now on; by default nothing. */
  options: {
    /** How often each delivery is repeated after it was taken. */
    duplicates: number;
    /** Deliveries that wait at one time go out in any order. */
    shuffle: boolean;
    /** How long each delivery waits before it is sent. */
    delayMs: number;
  };
  /** What was neither taken nor given up, oldest first. */
  readonly pending: readonly PendingDelivery[];
  /** All attempts, oldest first; the last 10 000. */
  readonly attempts: readonly DeliveryAttempt[];
  /** Sends an event again to every receiver of it, also while paused. */
  redeliver(eventId: string): Promise<DeliveryAttempt[]>;
  /** Sends these one after the other in this order, also while paused; they wait no longer. */
  deliver(eventIds: readonly string[]): Promise<DeliveryAttempt[]>;
  /** Forgets what waits: as if it had been lost. */
  drop(): void;
}

export interface PendingDelivery {
  eventId: string;
  type: string;
  /** Of the webhook endpoint (`we_…`) or event destination (`ed_…`). */
  receiver: string;
  url: string;
  attempts: number;
}

export interface DeliveryAttempt {
  eventId: string;
  type: string;
  receiver: string;
  /** 0 where there was no answer. */
  status: number;
}

/** A card by its number, in digits, or `bank_debit`: paid later, see `settle`. `cards.ts` has names. */
export interface Paying {
  card: string;
  billing?: { name?: string; email?: string; country?: string; postalCode?: string };
}

/** What the checkout page does next. */
export type CheckoutOutcome =
  /** Goes to `redirect`: the `success_url`, with the session's id in it. */
  | { kind: 'completed'; session: CheckoutSession; redirect: string }
  /** Shows why, and asks for another card. */
  | { kind: 'declined'; code: string; declineCode: string | undefined; message: string }
  /** Shows the bank's question; the answer goes to `authenticate`. */
  | { kind: 'requires_action' };

export interface CheckoutDesk {
  /** What the page shows. @throws {ApiError} `resource_missing` */
  view(sessionId: string): CheckoutView;
  /** @throws {ApiError} where the session is not open */
  pay(sessionId: string, paying: Paying): Promise<CheckoutOutcome>;
  /** The bank's question was answered with yes (`ok`), or failed. */
  authenticate(sessionId: string, ok: boolean): Promise<CheckoutOutcome>;
  /** Goes back: the session stays open. `redirect` is the `cancel_url`. */
  leave(sessionId: string): Promise<{ redirect: string | null }>;
  /** What the bank says days later of a session that was paid by a delayed method. */
  settle(sessionId: string, outcome: 'succeeded' | 'failed'): Promise<void>;
  /** @throws {ApiError} where the code is not valid, or none may be entered */
  applyCode(sessionId: string, code: string): Promise<CheckoutView>;
  /** @throws {ApiError} where the quantity may not be adjusted so */
  setQuantity(sessionId: string, lineItemId: string, quantity: number): Promise<CheckoutView>;
}

export interface CheckoutView {
  session: CheckoutSession;
  merchant: string;
  lines: { item: LineItem; price: Price; product: Product; adjustable: boolean }[];
  /** In seconds; null without a trial. */
  trialEnd: number | null;
  /** In the currency's smallest unit. */
  dueToday: number;
  needsPaymentMethod: boolean;
  /** Asked beside the card where the session has no customer with one. */
  needsEmail: boolean;
  /** The bank's question waits for an answer. */
  authenticating: boolean;
  /** The customer's, or what the session was made with. */
  email: string | null;
}

/** Where the portal goes after something was done: `redirect`, or its own confirmation where null. */
export interface PortalOutcome {
  redirect: string | null;
  message: string | null;
  /** The bank asks: the answer goes to `authenticate`. */
  requiresAction: boolean;
}

export interface PortalCancellation {
  subscription?: string;
  /** Of Stripe's list of `feedback`, such as `too_expensive`. */
  reason?: string;
  comment?: string;
  /** As the configuration says, where left out. */
  atPeriodEnd?: boolean;
}

/**
 * What is refused is thrown as an `ApiError`, with a sentence for the page; a card that said no has status 402.
 * `subscription` may be left out where the flow names one, or the customer has one only.
 */
export interface PortalDesk {
  view(sessionId: string): PortalView;
  cancel(sessionId: string, how?: PortalCancellation): Promise<PortalOutcome>;
  /** Takes a scheduled end back, or ends a pause. */
  resume(sessionId: string, how?: { subscription?: string }): Promise<PortalOutcome>;
  pause(sessionId: string, how?: { subscription?: string }): Promise<PortalOutcome>;
  /** What `updatePlan` would be charged now. */
  previewPlan(sessionId: string, to: PlanChange): Invoice;
  /** Without `to`: what a flow `subscription_update_confirm` was made with. */
  updatePlan(sessionId: string, to?: PlanChange): Promise<PortalOutcome>;
  /** A card becomes the customer's default; open invoices are tried with it by `payInvoice`. */
  setCard(sessionId: string, card: string): Promise<PortalOutcome>;
  /** Pays an open invoice: the subscription's, or the one that is named. */
  payInvoice(sessionId: string, how?: { invoice?: string }): Promise<PortalOutcome>;
  /** The answer to the bank's question about an invoice. */
  authenticate(sessionId: string, ok: boolean): Promise<PortalOutcome>;
  updateCustomer(sessionId: string, to: { name?: string; email?: string }): Promise<PortalOutcome>;
  /** Where the page's "back" goes. */
  leave(sessionId: string): Promise<{ redirect: string | null }>;
}

export interface PlanChange {
  subscription?: string;
  price: string;
  quantity?: number;
}

export interface PortalView {
  session: PortalSession;
  configuration: PortalConfiguration;
  merchant: string;
  customer: Customer;
  subscriptions: { subscription: Subscription; price: Price; product: Product }[];
  /** Of what the configuration lets be chosen. */
  plans: { price: Price; product: Product }[];
  /** Newest first. */
  invoices: Invoice[];
  paymentMethods: PaymentMethod[];
  defaultPaymentMethod: string | null;
}
