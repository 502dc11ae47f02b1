/** What a sign-up link asks for: read from the query, kept sealed in a cookie on the way through a sign-in, written again. */

import { plansOffered } from '../billing/catalog.ts';
import type { Config } from '../config.ts';
import type { SignupWish } from '../billing/types.ts';
import type { Form } from '../web/form.ts';
import { resolveReturnTo } from '../web/return_to.ts';
import { appOrigins } from './origins.ts';
import { invalid, textOf } from './link_query.ts';
import { findProduct } from './signin.ts';

/** As `SignupWish`, before it is known who wishes. */
export type SignupLink = Omit<SignupWish, 'user' | 'product'> & { product?: string | undefined };

/** What is kept of a sign-up while somebody signs in. */
export type SignupRequest =
  | { link: SignupLink; provider?: string | undefined }
  /** Back to an address of ours: somebody came back from Checkout signed out. */
  | { next: string };

const longest = { word: 64, code: 200, id: 255, locale: 35 };

/** @throws {Problem} `product_unknown`, `parameter_invalid`, `return_to_not_allowed` (400) */
export function readLink(query: Form, config: Config): SignupLink {
  const word = (parameter: string) => textOf(query, parameter, longest.word);
  const returnTo = query.get('return_to') ?? '';
  const link: SignupLink = {
    product: findProduct(config, word('product'))?.id,
    plan: word('plan'),
    period: word('period'),
    quantity: quantityOf(word('quantity')),
    promotionCode: matching(query, 'promotion_code', /^[A-Za-z0-9_-]+$/),
    coupon: matching(query, 'coupon', /^[\w.:+-]+$/),
    trial: trialOf(word('trial')),
    locale: matching(query, 'locale', /^[A-Za-z]{2,8}([-_][A-Za-z0-9]{1,8})*$/)?.replace('_', '-'),
    account: textOf(query, 'account', longest.id),
    returnTo:
      returnTo === ''
        ? undefined
        : resolveReturnTo(returnTo, { origins: [...returnOrigins(config)], fallback: '' }),
  };
  return link;
}

/** Where the sign-up ends by the configuration somebody may be sent by a link as well. */
function returnOrigins(config: Config): ReadonlySet<string> {
  const { success } = config.signup;
  return new Set([...appOrigins(config), ...(success ? [new URL(success).origin] : [])]);
}

function matching(query: Form, parameter: string, pattern: RegExp): string | undefined {
  const value = textOf(query, parameter, longest.code);
  if (value !== undefined && !pattern.test(value)) throw invalid(parameter);
  return value;
}

function quantityOf(value: string | undefined): number | undefined {
  if (value === undefined) return undefined;
  if (!/^[1-9]\d{0,6}$/.test(value)) throw invalid('quantity');
  return Number(value);
}

function trialOf(value: string | undefined): boolean | undefined {
  if (value === undefined || value === 'true') return undefined;
  if (value !== 'false') throw invalid('trial');
  return false;
}

/** The parameters of a link, by their names there. */
export function parametersOf(link: SignupLink): Record<string, string> {
  const { product, plan, period, quantity, promotionCode, coupon } = link;
  const { trial, locale, account, returnTo } = link;
  const all: Record<string, string | undefined> = {
    product,
    plan,
    period,
    quantity: quantity?.toString(),
    promotion_code: promotionCode,
    coupon,
    trial: trial === false ? 'false' : undefined,
    locale,
    account,
    return_to: returnTo,
  };
  const present = Object.entries(all).flatMap(([name, value]) =>
    value === undefined ? [] : [[name, value] as const],
  );
  return Object.fromEntries(present);
}

/** A path of our own. */
export function addressOf(link: SignupLink, provider?: string): string {
  const query = new URLSearchParams(parametersOf(link)).toString();
  const path = provider === undefined ? '/signup' : `/signup/${encodeURIComponent(provider)}`;
  return query === '' ? path : `${path}?${query}`;
}

/** The link that a sign-up began with, so that it can be gone on with. */
export function linkOf(
  document: Omit<SignupLink, 'account'> & { account: string; isNew: boolean },
): SignupLink {
  const { product, plan, period, quantity, promotionCode, coupon, account, isNew } = document;
  const { trial, locale, returnTo } = document;
  const choice = { product, plan, period, quantity, promotionCode, coupon };
  return { ...choice, trial, locale, returnTo, account: isNew ? undefined : account };
}

/** Whether a plan has to be chosen still: the link names none, and its product has not just one that fits. */
export function leavesChoice({ product: id, plan, period }: SignupLink, config: Config): boolean {
  const product = config.products.find((one) => one.id === id);
  if (product === undefined) return true;
  const [only, ...others] =
    plan === undefined
      ? plansOffered(product, period)
      : product.plans.filter(({ id: one }) => one === plan);
  // A plan that is not there is said to be so.
  if (plan !== undefined && only === undefined) return false;
  if (only === undefined || others.length > 0) return true;
  return period === undefined && only.prices.length > 1;
}
