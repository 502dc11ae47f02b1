/** The tables: of whole objects, and beside them of what Stripe does not show. */

import type { Settings } from './contract.ts';
import type { Kept } from './idempotency.ts';
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
  Subscription,
  TestClock,
  ThinEvent,
  WebhookEndpoint,
  WebhookEvent,
} from './objects.ts';
import { table } from './table.ts';
import type { Table } from './table.ts';

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
  subscriptionWork: SubscriptionWork;
  subscriptions: Subscription;
  testClocks: TestClock;
  thinEvents: ThinEvent;
  webhookEndpoints: WebhookEndpoint;
}

export type Tables = { [K in keyof Rows]: Table<Rows[K]> };

/** What a file keeps. */
export type Saved = { [K in keyof Rows]?: Rows[K][] } & {
  accountId?: string;
  movedOn?: number;
  deletedCustomers?: string[];
  idempotencyKeys?: Kept[];
  settings?: Settings;
};

/** @param saved of a file: what was one object is one again */
export function openTables(saved: Saved): Tables {
  const tables = {
    activeEntitlements: table('active entitlement', saved.activeEntitlements, (one) => [
      one.customer,
    ]),
    cards: table('card', saved.cards),
    charges: table('charge', saved.charges),
    checkoutSessions: table('checkout.session', saved.checkoutSessions, (one) => [one.customer]),
    checkoutWork: table('checkout.session', saved.checkoutWork),
    coupons: table('coupon', saved.coupons),
    customers: table('customer', saved.customers),
    discounts: table('discount', saved.discounts),
    disputes: table('dispute', saved.disputes),
    eventDestinations: table('event destination', saved.eventDestinations),
    events: table('event', saved.events),
    features: table('entitlements feature', saved.features),
    invoicePayments: table('invoice payment', saved.invoicePayments, (one) => [
      one.invoice,
      one.payment.payment_intent,
    ]),
    invoices: table('invoice', saved.invoices, (one) => [
      one.customer,
      one.parent?.subscription_details?.subscription,
    ]),
    meterEvents: table('meter event', saved.meterEvents),
    meters: table('billing meter', saved.meters),
    paymentIntents: table('payment_intent', saved.paymentIntents, (one) => [one.customer]),
    paymentMethods: table('PaymentMethod', saved.paymentMethods),
    portalConfigurations: table('configuration', saved.portalConfigurations),
    portalSessions: table('billing portal session', saved.portalSessions),
    prices: table('price', saved.prices),
    productFeatures: table('product feature', saved.productFeatures),
    products: table('product', saved.products),
    promotionCodes: table('promotion code', saved.promotionCodes),
    refunds: table('refund', saved.refunds),
    subscriptionWork: table('subscription', saved.subscriptionWork),
    subscriptions: table('subscription', saved.subscriptions, (one) => [one.customer]),
    testClocks: table('test clock', saved.testClocks),
    thinEvents: table('event', saved.thinEvents, (one) => [one.snapshot_event]),
    webhookEndpoints: table('webhook endpoint', saved.webhookEndpoints),
  };
  relink(tables);
  return tables;
}

/** A price that changes changes wherever it stands. */
function relink({ prices, features, subscriptions, checkoutWork, productFeatures }: Tables): void {
  for (const { items } of subscriptions.all()) {
    for (const item of items.data) item.price = prices.get(item.price.id) ?? item.price;
  }
  for (const { lines } of checkoutWork.all()) {
    for (const line of lines) line.price = prices.get(line.price?.id ?? '') ?? line.price;
  }
  for (const row of productFeatures.all()) {
    row.entitlement_feature = features.get(row.entitlement_feature.id) ?? row.entitlement_feature;
  }
}

export function rowsOf(tables: Tables): Saved {
  return {
    activeEntitlements: tables.activeEntitlements.all(),
    cards: tables.cards.all(),
    charges: tables.charges.all(),
    checkoutSessions: tables.checkoutSessions.all(),
    checkoutWork: tables.checkoutWork.all(),
    coupons: tables.coupons.all(),
    customers: tables.customers.all(),
    discounts: tables.discounts.all(),
    disputes: tables.disputes.all(),
    eventDestinations: tables.eventDestinations.all(),
    events: tables.events.all(),
    features: tables.features.all(),
    invoicePayments: tables.invoicePayments.all(),
    invoices: tables.invoices.all(),
    meterEvents: tables.meterEvents.all(),
    meters: tables.meters.all(),
    paymentIntents: tables.paymentIntents.all(),
    paymentMethods: tables.paymentMethods.all(),
    portalConfigurations: tables.portalConfigurations.all(),
    portalSessions: tables.portalSessions.all(),
    prices: tables.prices.all(),
    productFeatures: tables.productFeatures.all(),
    products: tables.products.all(),
    promotionCodes: tables.promotionCodes.all(),
    refunds: tables.refunds.all(),
    subscriptionWork: tables.subscriptionWork.all(),
    subscriptions: tables.subscriptions.all(),
    testClocks: tables.testClocks.all(),
    thinEvents: tables.thinEvents.all(),
    webhookEndpoints: tables.webhookEndpoints.all(),
  };
}
