/**
 * Stripe's objects as they go over the wire when nothing is expanded: the types of Stripe's own
 * package, with ids where it says "id or object", and text where its library makes a `Decimal` of it.
 */

import type Stripe from 'stripe';

type Leaf = string | number | boolean | null | undefined | void;

/** An id where there may be an id or an object; everything else flat in itself. */
type Unexpanded<P> = [Extract<P, string>] extends [never]
  ? Flat<P>
  : Flat<Exclude<P, { object: string }>>;

export type Flat<T> = T extends Leaf
  ? T
  : T extends Stripe.Decimal
    ? string
    : T extends (infer U)[]
      ? Unexpanded<U>[]
      : { [K in keyof T]: Unexpanded<T[K]> };

export type Account = Flat<Stripe.Account>;
export type ActiveEntitlement = Flat<Stripe.Entitlements.ActiveEntitlement>;
export type Charge = Flat<Stripe.Charge>;
export type Coupon = Flat<Stripe.Coupon>;
export type Customer = Flat<Stripe.Customer>;
export type Discount = Flat<Stripe.Discount>;
export type Dispute = Flat<Stripe.Dispute>;
export type EventDestination = Flat<Stripe.V2.Core.EventDestination>;
export type Feature = Flat<Stripe.Entitlements.Feature>;
export type Invoice = Flat<Stripe.Invoice>;
export type InvoiceLineItem = Flat<Stripe.InvoiceLineItem>;
export type InvoicePayment = Flat<Stripe.InvoicePayment>;
export type LineItem = Flat<Stripe.LineItem>;
export type Meter = Flat<Stripe.Billing.Meter>;
export type MeterEvent = Flat<Stripe.Billing.MeterEvent>;
export type PaymentIntent = Flat<Stripe.PaymentIntent>;
export type PaymentMethod = Flat<Stripe.PaymentMethod>;
export type PortalConfiguration = Flat<Stripe.BillingPortal.Configuration>;
export type PortalSession = Flat<Stripe.BillingPortal.Session>;
export type Price = Flat<Stripe.Price>;
export type Product = Flat<Stripe.Product>;
export type ProductFeature = Flat<Stripe.ProductFeature>;
export type PromotionCode = Flat<Stripe.PromotionCode>;
export type Refund = Flat<Stripe.Refund>;
export type CheckoutSession = Flat<Stripe.Checkout.Session>;
export type Subscription = Flat<Stripe.Subscription>;
export type SubscriptionItem = Flat<Stripe.SubscriptionItem>;
export type TestClock = Flat<Stripe.TestHelpers.TestClock>;
export type WebhookEndpoint = Flat<Stripe.WebhookEndpoint>;

/** An event with a snapshot: of any type, so its object is only known by `object`. */
export interface WebhookEvent extends Omit<Flat<Stripe.EventBase>, 'data'> {
  data: { object: { object: string; id?: string }; previous_attributes?: object };
}

/** A thin event: what happened to what, and where to read it. */
export interface ThinEvent extends Flat<Stripe.V2.Core.EventBase> {
  related_object: { id: string; type: string; url: string } | null;
  /** Of the few types that have any; it is not sent, and found at `/v2/core/events`. */
  data?: object;
}
