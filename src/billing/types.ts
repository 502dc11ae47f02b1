/** What the billing room offers to the rooms above it: contracts only. Each part has a file of its own. */

import type { Handler } from '../events/handlers.ts';
import type { PlanConfig, PriceConfig, ProductConfig } from '../config.ts';
import type { SignupDocument } from '../storage/documents.ts';
import type { Stripe } from './stripe.ts';
import type { Stray } from './subscription_state.ts';

/** A plan that somebody can have, with the price that fits the period. */
export interface Offer {
  product: ProductConfig;
  plan: PlanConfig;
  /** Absent for a free plan. */
  price?: PriceConfig;
}

/** What a link or a form asks for, as it came, checked for nothing but its shape. */
export interface PlanWish {
  product: string;
  plan?: string | undefined;
  period?: string | undefined;
  quantity?: number | undefined;
}

/** What an account has already. */
export interface KeptPlan {
  /** It may be named though it is not offered. */
  plan?: string | undefined;
  /** It stays where none is wished for and the plan is sold for it. */
  period?: string | undefined;
}

/** The configuration's products, and their prices at Stripe (`catalog.ts`). */
export interface Catalog {
  /**
   * @throws {Problem} `product_unknown`, `plan_unknown`, `plan_not_offered`, `period_unknown`, `quantity_invalid` (400),
   *   each with `details.parameter`, and `details.known` where that helps
   */
  offer(wish: PlanWish, keep?: KeptPlan): Offer;
  /**
   * The price's id at Stripe, by its lookup key where the configuration names that. Cached for a minute.
   * @throws {Problem} `price_unavailable` (503): Stripe has no such price, or it is archived; an operator's mistake
   */
  priceId(price: PriceConfig): Promise<string>;
  /** Which plan a price of Stripe belongs to; `undefined` when none of the configuration. */
  planOf(price: Stripe.Price): { product: string; plan: string } | undefined;
}

/** Makes an account what Stripe says it is (`sync.ts`). */
export interface Sync {
  /**
   * Reads the customer's subscriptions and entitlements from Stripe and writes them to the account's document, under
   * the version that it had before Stripe was read, with `subscription.changed` for each product whose claims differ.
   * Any number of times, in any order, at the same time. Does nothing where no account has the customer.
   * @param onlyKnown a customer that Stripe does not know at all is left as it is; otherwise it counts as deleted
   * @throws {Problem} `stripe_unavailable` (503), `customer_unknown` (409) with `onlyKnown`
   */
  customer(customer: string, options?: { onlyKnown?: boolean }): Promise<SyncResult>;
}

export interface SyncResult {
  /** Absent: no account has this customer. */
  account?: string;
  /** What was different before, by product (`*`: the account at large): names of fields. Empty: nothing was. */
  differences: Record<string, string[]>;
  /** Live subscriptions that stand for nothing in any token. */
  strays?: Stray[];
}

export interface SignupWish extends PlanWish {
  user: string;
  /** An existing account, or `new`. By default the one that they own, if it is one. */
  account?: string | undefined;
  promotionCode?: string | undefined;
  coupon?: string | undefined;
  /** `false`: pay at once, though the plan can be tried. */
  trial?: boolean | undefined;
  locale?: string | undefined;
  returnTo?: string | undefined;
}

/** Where a sign-up stands: what the browser is to be shown, or sent to. */
export type SignupStep =
  /** `url` is a bearer's: never logged. */
  | { at: 'checkout'; signup: string; url: string }
  | { at: 'done'; signup: string; account: string; product: string; returnTo?: string }
  /** Paid by a method that takes days. */
  | { at: 'pending'; signup: string; document: SignupDocument }
  /** The Checkout Session is open: not paid (yet). */
  | { at: 'unpaid'; signup: string; document: SignupDocument }
  | { at: 'failed'; signup: string; document: SignupDocument }
  /** They own several accounts that could have it. */
  | { at: 'choose_account'; accounts: { id: string; name: string }[] }
  /** This account has a live subscription to the product: it is never sent to a second Checkout. */
  | { at: 'subscribed'; account: string; product: string; returnTo?: string };

/** Sign-ups (`signups.ts`). Every step may be repeated, by anybody, at any time. */
export interface Signups {
  /** @throws {Problem} those of `Catalog.offer`; `account_unknown` (404), `not_owner` (403), `seats_taken` (409), `stripe_unavailable` (503) */
  begin(wish: SignupWish): Promise<SignupStep>;
  /** An unfinished one of this person for this product. */
  unfinished(user: string): Promise<{ signup: string; document: SignupDocument }[]>;
  /** Those for this account that are paid, by a method that takes days, by whomever: their plans. */
  pending(account: string): Promise<Pick<SignupDocument, 'product' | 'plan'>[]>;
  /**
   * The browser is back from Checkout.
   * @throws {Problem} `checkout_unknown` (404): no such session here; `checkout_foreign` (403): somebody else's
   */
  returned(session: string, user: string): Promise<SignupStep>;
  /** The person left Checkout: the sign-up stays, and can be gone on with. */
  canceled(signup: string, user: string): Promise<SignupDocument | undefined>;
  /** What a webhook says, or the time: makes of a Checkout Session what is due. Idempotent. */
  fulfil(session: string): Promise<void>;
  /** Looks again at sign-ups whose time has come. @param goOn asked before each; false ends it there */
  sweep(goOn?: () => boolean): Promise<void>;
}

/** Something that runs beside requests. */
export interface Worker {
  start(): void;
  stop(): Promise<void>;
}

export interface Background {
  handlers: Handler[];
  workers: Worker[];
}
