/**
 * Every code that the link endpoints answer with, in one list: apps handle them by name, and
 * `docs/links.md` has them all. A code's meaning never changes.
 */

import { Problem } from '../base/errors.ts';
import type { ProblemOptions } from '../base/errors.ts';

export interface LinkError {
  status: number;
  /**
   * `signin`: in `signin.failed?error=`, or on a page with this status where that address is not
   * configured. `refresh`: in the answer of `POST /refresh`. `request`: the link itself is wrong, which
   * the app's developer is told at once. `account`: on a page, for the person who followed a link to `/account/*`.
   */
  at: 'signin' | 'refresh' | 'request' | 'account';
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
