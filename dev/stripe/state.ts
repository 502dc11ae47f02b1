/** All that the simulator knows: tables of whole objects, and beside them what Stripe does not show. */

import { randomInt } from 'node:crypto';
import type { Settings } from './contract.ts';
import type {
  ActiveEntitlement,
  Charge,
  CheckoutSession,
  Coupon,
  Customer,
  Discount,
  Dispute,
  EventDestination,
  Feature,
  Invoice,
  InvoiceLineItem,
  InvoicePayment,
  LineItem,
  Meter,
  MeterEvent,
  PaymentIntent,
  PaymentMethod,
  PortalConfiguration,
  PortalSession,
  Price,
  Product,
  ProductFeature,
  PromotionCode,
  Refund,
  SetupIntent,
  Subscription,
  TestClock,
  ThinEvent,
  WebhookEndpoint,
  WebhookEvent,
} from './objects.ts';
import { idempotencyKeys } from './idempotency.ts';
import type { Kept, Keys } from './idempotency.ts';
import { table } from './table.ts';
import type { Table } from './table.ts';

/** Of the API, and of what is sent to receivers that name none. */
export const apiVersion = '2026-10-28.endive';

/** What a card does, see `cards.ts`. */
export interface CardWork {
  id: string;
  number: string;
  /** The bank has been asked, and has agreed to later charges without the customer. */
  authenticated: boolean;
}

export interface SubscriptionWork {
  id: string;
  /** The trial's end that was announced. */
  trialAnnounced: number | null;
  /** The period's end for which `invoice.upcoming` was sent. */
  upcomingAnnounced: number | null;
  /** Prorations that go onto the next invoice. */
  pending: InvoiceLineItem[];
  /** Paused until then; null for a pause without an end. */
  resumesAt: number | null;
  /** Changes that begin with the next period (portal: `schedule_at_period_end`). */
  scheduled: { item: string; price: string; quantity: number }[];
}

export interface CheckoutWork {
  id: string;
  lines: LineItem[];
  subscription: SubscriptionData;
  /** Codes and coupons by id, as the subscription will have them. */
  discounts: { coupon: string; promotion_code: string | null }[];
  /** Of a first attempt to pay: the next one pays the same. */
  subscriptionId: string | null;
  /** What the bank has been asked: about a payment, or about a card for later. */
  asking: { about: 'payment' | 'card'; paymentMethod: string; billing: Billing } | null;
  /** Whether name and address go to the customer that the session was made for. */
  updates: { name: boolean; address: boolean };
}

export interface Billing {
  name?: string;
  email?: string;
  country?: string;
  postalCode?: string;
}

/** `subscription_data` of a Checkout Session. */
export interface SubscriptionData {
  metadata: Record<string, string>;
  description: string | null;
  trial_end: number | null;
  trial_period_days: number | null;
  missing_payment_method: string;
  billing_cycle_anchor: number | null;
  proration_behavior: string;
}

export interface ProductFeatureRow extends ProductFeature {
  product: string;
}

export interface ActiveEntitlementRow extends ActiveEntitlement {
  customer: string;
}

/** Meter events have no id at Stripe; here it is the identifier. */
export interface MeterEventRow extends MeterEvent {
  id: string;
}

interface Rows {
  activeEntitlements: ActiveEntitlementRow;
  cards: CardWork;
  charges: Charge;
  checkoutSessions: CheckoutSession;
  checkoutWork: CheckoutWork;
  coupons: Coupon;
  customers: Customer;
  discounts: Discount;
  disputes: Dispute;
  eventDestinations: EventDestination;
  events: WebhookEvent;
  features: Feature;
  invoicePayments: InvoicePayment;
  invoices: Invoice;
  meterEvents: MeterEventRow;
  meters: Meter;
  paymentIntents: PaymentIntent;
  paymentMethods: PaymentMethod;
  portalConfigurations: PortalConfiguration;
  portalSessions: PortalSession;
  prices: Price;
  productFeatures: ProductFeatureRow;
  products: Product;
  promotionCodes: PromotionCode;
  refunds: Refund;
  setupIntents: SetupIntent;
  subscriptionWork: SubscriptionWork;
  subscriptions: Subscription;
  testClocks: TestClock;
  thinEvents: ThinEvent;
  webhookEndpoints: WebhookEndpoint;
}

type Tables = { [K in keyof Rows]: Table<Rows[K]> };

/** What a file keeps. */
export type Saved = { [K in keyof Rows]?: Rows[K][] } & {
  accountId?: string;
  movedOn?: number;
  deletedCustomers?: string[];
  idempotencyKeys?: Kept[];
  settings?: Settings;
};

export interface State extends Tables {
  accountId: string;
  livemode: boolean;
  /** Where its pages are. */
  url: string;
  /** The request that is being answered: events say by which one they were caused. */
  request: { id: string; idempotency_key: string | null } | null;
  /** Known that they were there: they answer `deleted: true`. */
  deletedCustomers: Set<string>;
  keys: Keys;
  settings: Settings;
  /** By how many ms everybody's time was moved on. */
  movedOn: number;
  /** The moment, in ms, at which something is done that fell due meanwhile. */
  standing: number | undefined;
  /** The machine's clock, in ms. */
  clock: () => number;
  random: () => number;
  /** Hears of each event, and of its thin ones. */
  heard: ((event: WebhookEvent, thin: readonly ThinEvent[]) => void)[];
}

export interface StateOptions {
  clock: () => number;
  random: (() => number) | undefined;
  accountId: string | undefined;
  livemode: boolean;
}

export function openState(options: StateOptions, saved: Saved = {}): State {
  const random = options.random ?? (() => randomInt(2 ** 40) / 2 ** 40);
  return {
    ...openTables(saved),
    accountId: saved.accountId ?? options.accountId ?? newId({ random }, 'acct'),
    livemode: options.livemode,
    url: '',
    request: null,
    deletedCustomers: new Set(saved.deletedCustomers ?? []),
    keys: idempotencyKeys(saved.idempotencyKeys),
    settings: saved.settings ?? {
      merchant: 'Example Company',
      dunning: { afterDays: [3, 5, 7], finally: 'canceled' },
      upcomingDays: 7,
      whileProcessing: 'incomplete',
    },
    movedOn: saved.movedOn ?? 0,
    standing: undefined,
    clock: options.clock,
    random,
    heard: [],
  };
}

function openTables(saved: Saved): Tables {
  return {
    activeEntitlements: table('active entitlement', saved.activeEntitlements),
    cards: table('card', saved.cards),
    charges: table('charge', saved.charges),
    checkoutSessions: table('checkout.session', saved.checkoutSessions),
    checkoutWork: table('checkout.session', saved.checkoutWork),
    coupons: table('coupon', saved.coupons),
    customers: table('customer', saved.customers),
    discounts: table('discount', saved.discounts),
    disputes: table('dispute', saved.disputes),
    eventDestinations: table('event destination', saved.eventDestinations),
    events: table('event', saved.events),
    features: table('entitlements feature', saved.features),
    invoicePayments: table('invoice payment', saved.invoicePayments),
    invoices: table('invoice', saved.invoices),
    meterEvents: table('meter event', saved.meterEvents),
    meters: table('billing meter', saved.meters),
    paymentIntents: table('payment_intent', saved.paymentIntents),
    paymentMethods: table('PaymentMethod', saved.paymentMethods),
    portalConfigurations: table('configuration', saved.portalConfigurations),
    portalSessions: table('billing portal session', saved.portalSessions),
    prices: table('price', saved.prices),
    productFeatures: table('product feature', saved.productFeatures),
    products: table('product', saved.products),
    promotionCodes: table('promotion code', saved.promotionCodes),
    refunds: table('refund', saved.refunds),
    setupIntents: table('setupintent', saved.setupIntents),
    subscriptionWork: table('subscription', saved.subscriptionWork),
    subscriptions: table('subscription', saved.subscriptions),
    testClocks: table('test clock', saved.testClocks),
    thinEvents: table('event', saved.thinEvents),
    webhookEndpoints: table('webhook endpoint', saved.webhookEndpoints),
  };
}

export function savedOf(state: State): Saved {
  return {
    accountId: state.accountId,
    movedOn: state.movedOn,
    deletedCustomers: [...state.deletedCustomers],
    idempotencyKeys: state.keys.all(),
    settings: state.settings,
    activeEntitlements: state.activeEntitlements.all(),
    cards: state.cards.all(),
    charges: state.charges.all(),
    checkoutSessions: state.checkoutSessions.all(),
    checkoutWork: state.checkoutWork.all(),
    coupons: state.coupons.all(),
    customers: state.customers.all(),
    discounts: state.discounts.all(),
    disputes: state.disputes.all(),
    eventDestinations: state.eventDestinations.all(),
    events: state.events.all(),
    features: state.features.all(),
    invoicePayments: state.invoicePayments.all(),
    invoices: state.invoices.all(),
    meterEvents: state.meterEvents.all(),
    meters: state.meters.all(),
    paymentIntents: state.paymentIntents.all(),
    paymentMethods: state.paymentMethods.all(),
    portalConfigurations: state.portalConfigurations.all(),
    portalSessions: state.portalSessions.all(),
    prices: state.prices.all(),
    productFeatures: state.productFeatures.all(),
    products: state.products.all(),
    promotionCodes: state.promotionCodes.all(),
    refunds: state.refunds.all(),
    setupIntents: state.setupIntents.all(),
    subscriptionWork: state.subscriptionWork.all(),
    subscriptions: state.subscriptions.all(),
    testClocks: state.testClocks.all(),
    thinEvents: state.thinEvents.all(),
    webhookEndpoints: state.webhookEndpoints.all(),
  };
}

const letters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789';

/** @param kind what it begins with, such as `cus`; @param length of what follows */
export function newId(from: { random: () => number }, kind: string, length = 24): string {
  let id = `${kind}_`;
  for (let index = 0; index < length; index += 1) {
    id += letters[Math.floor(from.random() * letters.length)] ?? 'A';
  }
  return id;
}

/** Everybody's time, in ms. */
export function nowMs(state: State): number {
  return state.standing ?? state.clock() + state.movedOn;
}

/** In seconds: everybody's time, or that of the customer's test clock. */
export function now(state: State, customerId?: string | null): number {
  const clock = state.customers.get(customerId ?? '')?.test_clock ?? '';
  const frozen = state.testClocks.get(clock)?.frozen_time;
  return frozen ?? Math.floor(nowMs(state) / 1000);
}
