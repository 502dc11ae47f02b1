/**
 * Every code that the link endpoints answer with, in one list: apps handle them by name, and
 * `docs/links.md` has them all. A code's meaning never changes.
 */

import { Problem } from '../base/errors.ts';
import type { ProblemOptions } from '../base/errors.ts';

export interface LinkError {
  status: number;
  /**
   * `signin`: in `signin.failed?error=` (or `signup.failed?error=`), or on a page with this status where that address
   * is not configured. `signup`: in `signup.failed?error=`, or on a page. `page`: on a page of ours, always, since the
   * person can go on from there. `account`: on a page, for the person who followed a link to `/account/*`. `refresh`: in
   * the answer of `POST /refresh`. `request`: the link itself is wrong, which the app's developer is told at once.
   */
  at: 'signin' | 'signup' | 'page' | 'account' | 'refresh' | 'request';
  /** Shown to people and to developers. */
  sentence: string;
  /** What the app does about it. */
  advice: string;
}

export const linkErrors = {
  access_denied: {
    status: 403,
    at: 'signin',
    sentence: 'The sign-in was cancelled, or it is not allowed here.',
    advice: 'Show that nobody is signed in, and offer to sign in.',
  },
  signin_expired: {
    status: 400,
    at: 'signin',
    sentence: 'This sign-in took too long, or was begun in another browser.',
    advice: 'Offer to sign in again.',
  },
  signin_failed: {
    status: 400,
    at: 'signin',
    sentence: 'The sign-in did not succeed.',
    advice: 'Offer to sign in again.',
  },
  signin_unavailable: {
    status: 503,
    at: 'signin',
    sentence: 'Signing in does not work for the moment.',
    advice: 'Offer to try again in a moment.',
  },
  payment_failed: {
    status: 402,
    at: 'signup',
    sentence: 'The payment did not succeed. Nothing is owed.',
    advice: 'Offer to choose a plan again.',
  },
  checkout_expired: {
    status: 402,
    at: 'signup',
    sentence: 'The payment page was open for too long, and nothing was paid.',
    advice: 'Offer to choose a plan again.',
  },
  payment_unavailable: {
    status: 503,
    at: 'page',
    sentence: 'The payment service does not answer for the moment.',
    advice: 'Nothing: the page offers to try again, which is harmless.',
  },
  payment_unconfirmed: {
    status: 503,
    at: 'page',
    sentence: 'The payment service does not answer for the moment, so the payment is not seen yet.',
    advice: 'Nothing: the page offers to look again. The account comes by itself, too.',
  },
  price_unavailable: {
    status: 503,
    at: 'page',
    sentence: 'This plan cannot be bought for the moment.',
    advice: 'Compare the configuration with Stripe: its price is missing there, or archived.',
  },
  checkout_unknown: {
    status: 404,
    at: 'page',
    sentence: 'There is no such payment here.',
    advice: 'Nothing: somebody typed or shortened an address.',
  },
  checkout_foreign: {
    status: 403,
    at: 'page',
    sentence: 'This payment was made by somebody else.',
    advice: 'Nothing: they have to sign in as who paid.',
  },
  account_unknown: {
    status: 404,
    at: 'page',
    sentence: 'There is no such account.',
    advice: 'Name an account of this person, or none.',
  },
  not_owner: {
    status: 403,
    at: 'page',
    sentence: 'Only an owner of the account can do this.',
    advice: 'Show links that cost something only to owners (claim `roles`).',
  },
  login_required: {
    status: 401,
    at: 'refresh',
    sentence: 'Nobody is signed in.',
    advice: 'Offer to sign in: send the browser to `/signin`.',
  },
  account_locked: {
    status: 403,
    at: 'refresh',
    sentence: 'This account cannot be used any more.',
    advice: 'Send the browser to `/signin`, where another account can be chosen.',
  },
  origin_not_allowed: {
    status: 403,
    at: 'refresh',
    sentence: 'This site may not ask for tokens.',
    advice: 'List the origin in `returnOrigins`; it must be on the same site as the issuer.',
  },
  temporarily_unavailable: {
    status: 503,
    at: 'refresh',
    sentence: 'This does not work for the moment.',
    advice: 'Try again after the seconds in `Retry-After`; the browser stays signed in.',
  },
  return_to_not_allowed: {
    status: 400,
    at: 'request',
    sentence: 'The address to return to is not allowed.',
    advice: 'List its origin in `returnOrigins`.',
  },
  product_unknown: {
    status: 400,
    at: 'request',
    sentence: 'There is no such product.',
    advice: 'Name the id of one of the configured `products`.',
  },
  plan_unknown: {
    status: 400,
    at: 'request',
    sentence: 'There is no such plan.',
    advice: 'Name the id of one of the plans of the product.',
  },
  plan_not_offered: {
    status: 400,
    at: 'request',
    sentence: 'This plan is not offered any more.',
    advice: 'Name a plan that is offered.',
  },
  period_unknown: {
    status: 400,
    at: 'request',
    sentence: 'This plan is not paid for by that period.',
    advice: 'Name a period that the plan has a price for.',
  },
  quantity_invalid: {
    status: 400,
    at: 'request',
    sentence: 'This plan cannot be bought that many times.',
    advice: 'Keep within the `seats` of the plan.',
  },
  promotion_code_unknown: {
    status: 400,
    at: 'request',
    sentence: 'This code cannot be used (any more).',
    advice: 'Leave `promotion_code` out, or name one that is active at Stripe.',
  },
  coupon_unknown: {
    status: 400,
    at: 'request',
    sentence: 'This code cannot be used (any more).',
    advice: 'Leave `coupon` out, or name one of `stripe.coupons` that is valid at Stripe.',
  },
  provider_unknown: {
    status: 404,
    at: 'request',
    sentence: 'There is no such sign-in provider.',
    advice: 'Name the id of one of the configured `providers`.',
  },
  parameter_invalid: {
    status: 400,
    at: 'request',
    sentence: 'A parameter of this link is not valid.',
    advice: 'See `parameter` in the answer.',
  },
  app_unknown: {
    status: 404,
    at: 'page',
    sentence: 'There is no such app here.',
    advice: 'Nothing: somebody typed or shortened an address.',
  },
  account_foreign: {
    status: 403,
    at: 'account',
    sentence: 'You do not belong to this account.',
    advice: 'Link with the account of the token, or without `account`.',
  },
  account_missing: {
    status: 403,
    at: 'account',
    sentence: 'You have no account.',
    advice: 'Link to `/account/*` only for people who have one.',
  },
  billing_unavailable: {
    status: 404,
    at: 'account',
    sentence: 'There is nothing to pay for here.',
    advice: 'Configure `stripe`, and plans for the product.',
  },
  navigation_expected: {
    status: 400,
    at: 'request',
    sentence: 'This address is for browsers to go to, not for scripts to fetch.',
    advice: 'Use a link, or set `location.href`.',
  },
} as const satisfies Record<string, LinkError>;

export type LinkErrorCode = keyof typeof linkErrors;

export function linkProblem(code: LinkErrorCode, options?: ProblemOptions): Problem {
  const { status, sentence } = linkErrors[code];
  return new Problem(code, status, sentence, options);
}
