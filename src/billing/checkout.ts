/**
 * Stripe Checkout. All parameters of a session come from the sign-up's document, so that asking again is the same request
 * and, for a day, gives the same session.
 */

import { Problem } from '../base/errors.ts';
import type { Config, ProductConfig } from '../config.ts';
import type { SignupDocument } from '../storage/documents.ts';
import { idOf } from './customer_state.ts';
import { idempotencyKey, referenceOf } from './identifiers.ts';
import type { Stripe, StripeClient } from './stripe.ts';

export type Session = Stripe.Checkout.Session;

export interface CheckoutOptions {
  stripe: StripeClient;
  config: () => Config;
}

export interface StoredSignup {
  id: string;
  document: SignupDocument;
}

/** The session of the sign-up's attempt, the same one each time. @throws {Problem} as `StripeClient.call`; `*_unknown` (400) */
export async function createSession(
  { stripe, config }: CheckoutOptions,
  signup: StoredSignup,
  customer: string,
): Promise<Session> {
  const { document, id } = signup;
  const discounts = await discountsOf(stripe, document);
  const parameters = parametersOf(config(), signup, customer, discounts);
  const key = idempotencyKey('checkout', id, document.attempt);
  try {
    return await stripe.call('checkout.sessions.create', (api) =>
      api.checkout.sessions.create(parameters, { idempotencyKey: key }),
    );
  } catch (error) {
    throw discountProblem(error) ?? priceProblem(error) ?? error;
  }
}

/** Stripe takes from half an hour to a day. With room for a retry that is still the same request. */
export const sessionLifetimeMs = 23 * 3_600_000;

function parametersOf(
  config: Config,
  { id, document }: StoredSignup,
  customer: string,
  discounts: Stripe.Checkout.SessionCreateParams.Discount[],
): Stripe.Checkout.SessionCreateParams {
  const { account, product, price = '', trialDays, locale } = document;
  const metadata = metadataOf(id, document);
  const back = `${config.issuer}/integrations/stripe/checkout`;
  return {
    mode: 'subscription',
    customer,
    client_reference_id: referenceOf(account),
    line_items: [{ price, ...quantityOf(config.products, document) }],
    metadata,
    subscription_data: {
      metadata,
      ...(trialDays === undefined ? {} : { trial_period_days: trialDays }),
    },
    // Stripe puts the id in where it finds this very text.
    success_url: `${back}/success?session_id={CHECKOUT_SESSION_ID}`,
    cancel_url: `${back}/canceled?signup=${encodeURIComponent(id)}&product=${product}`,
    expires_at: Math.floor((document.attemptAt + sessionLifetimeMs) / 1000),
    locale: localeOf(locale),
    ...(discounts.length > 0 ? { discounts } : {}),
    ...(discounts.length === 0 && config.stripe?.promotionCodes === true
      ? { allow_promotion_codes: true }
      : {}),
  };
}

export function metadataOf(id: string, { account, product }: SignupDocument): Stripe.Metadata {
  return { tollgate_account: account, tollgate_product: product, tollgate_signup: id };
}

/** Of metered use there is no quantity; where there are no seats it is one. */
export function quantityOf(
  products: readonly ProductConfig[],
  { product, plan, quantity }: SignupDocument,
): { quantity?: number } {
  const plans = products.find((one) => one.id === product)?.plans ?? [];
  if (plans.find((one) => one.id === plan)?.meter !== undefined) return {};
  return { quantity: quantity ?? 1 };
}

/** A promotion code is what customers type; Stripe wants its id. */
async function discountsOf(
  stripe: StripeClient,
  { promotionCode: code, coupon }: SignupDocument,
): Promise<{ promotion_code?: string; coupon?: string }[]> {
  if (coupon !== undefined) return [{ coupon }];
  if (code === undefined) return [];
  const { data } = await stripe.call('promotionCodes.list', (api) =>
    api.promotionCodes.list({ code, active: true, limit: 1 }),
  );
  const [found] = data;
  if (found === undefined) throw unusable('promotion_code_unknown', 'promotion_code');
  return [{ promotion_code: found.id }];
}

/** What Stripe refuses for the discount is the link's mistake, not ours. */
function discountProblem(error: unknown): Problem | undefined {
  if (!(error instanceof Problem) || error.code !== 'stripe_refused') return undefined;
  const { parameter } = error.details;
  if (typeof parameter !== 'string' || !parameter.startsWith('discounts')) return undefined;
  return parameter.includes('coupon')
    ? unusable('coupon_unknown', 'coupon', error)
    : unusable('promotion_code_unknown', 'promotion_code', error);
}

/** It was archived within the minute for which it was known to be there. */
function priceProblem(error: unknown): Problem | undefined {
  if (!(error instanceof Problem) || error.code !== 'stripe_refused') return undefined;
  const { parameter } = error.details;
  if (typeof parameter !== 'string' || !parameter.startsWith('line_items')) return undefined;
  return priceUnavailable(error);
}

export function priceUnavailable(cause?: unknown): Problem {
  const sentence = 'This plan cannot be bought for the moment.';
  const remedy = '`tollgate stripe check` says which price is missing or archived.';
  return new Problem('price_unavailable', 503, sentence, { cause, remedy });
}

/**
 * Anybody can write a link, and the ids of coupons that are meant for somebody else are often words.
 * @throws {Problem} `coupon_unknown` (400)
 */
export function requireCoupon(
  { stripe }: Pick<Config, 'stripe'>,
  coupon: string | undefined,
): void {
  if (coupon === undefined || stripe?.coupons.includes(coupon) === true) return;
  throw unusable('coupon_unknown', 'coupon');
}

function unusable(code: string, parameter: string, cause?: unknown): Problem {
  const sentence = 'This code cannot be used (any more).';
  return new Problem(code, 400, sentence, { cause, details: { parameter } });
}

/** What Stripe writes its pages in; all else is for the browser to say. */
const locales = new Set(
  (
    'bg cs da de el en en-GB es es-419 et fi fil fr fr-CA hr hu id it ja ko lt lv ms mt nb nl pl pt pt-BR ro ru sk sl sv ' +
    'th tr vi zh zh-HK zh-TW'
  ).split(' '),
);

function localeOf(wanted: string | undefined): Stripe.Checkout.SessionCreateParams.Locale {
  if (wanted === undefined) return 'auto';
  const [language = '', region] = wanted.split('-');
  const tag = [language.toLowerCase(), ...(region ? [region.toUpperCase()] : [])].join('-');
  return [tag, language.toLowerCase()].find((one) => locales.has(one)) ?? 'auto';
}

/** @returns `undefined` where Stripe has no such session. @throws {Problem} `stripe_unavailable` (503) */
export function readSession(stripe: StripeClient, id: string): Promise<Session | undefined> {
  return stripe.find('checkout.sessions.retrieve', (api) => api.checkout.sessions.retrieve(id));
}

/** So that nobody can pay it any more. @returns whether it is so; not where it was paid, or had run out, before */
export async function expireSession(stripe: StripeClient, id: string): Promise<boolean> {
  try {
    await stripe.call('checkout.sessions.expire', (api) => api.checkout.sessions.expire(id));
    return true;
  } catch (error) {
    if (error instanceof Problem && error.code === 'stripe_refused') return false;
    throw error;
  }
}

/** Why a session is not what it should be; `undefined`: it is this sign-up's. */
export function foreignness(
  session: Session,
  { id, document }: StoredSignup,
  expected: { live: boolean; customer: string | undefined },
): string | undefined {
  const { metadata } = session;
  const checks: [string, boolean][] = [
    ['mode', session.mode === 'subscription'],
    ['livemode', session.livemode === expected.live],
    ['client_reference_id', session.client_reference_id === referenceOf(document.account)],
    ['tollgate_signup', metadata?.tollgate_signup === id],
    ['tollgate_account', metadata?.tollgate_account === document.account],
    ['tollgate_product', metadata?.tollgate_product === document.product],
    ['customer', expected.customer !== undefined && idOf(session.customer) === expected.customer],
  ];
  return checks.find(([, holds]) => !holds)?.[0];
}

/** Of a session that is complete and unpaid: whether the bank has said no, and the money does not come. */
export async function hasFailed(stripe: StripeClient, session: Session): Promise<boolean> {
  const invoice = idOf(session.invoice);
  if (invoice === undefined) return false;
  const { payments } = await stripe.call('invoices.retrieve', (api) =>
    api.invoices.retrieve(invoice, { expand: ['payments.data.payment.payment_intent'] }),
  );
  const data = payments?.data ?? [];
  const states = data.map(({ payment }) =>
    typeof payment.payment_intent === 'object' ? payment.payment_intent.status : undefined,
  );
  const over = ['requires_payment_method', 'canceled'];
  return states.length > 0 && states.every((state) => state !== undefined && over.includes(state));
}

/** The same for a session that there is not, and for one that is nothing of ours (S6). */
export function checkoutUnknown(): Problem {
  return new Problem('checkout_unknown', 404, 'There is no such payment here.');
}
