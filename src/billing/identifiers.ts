/** By what a request to Stripe is known as the same one, and by what an object of Stripe's is known as ours. */

import { createHash } from 'node:crypto';
import { Problem } from '../base/errors.ts';

/** Stripe takes 255 characters; ids that people moved in with can be as long by themselves. */
const longestKey = 255;
const longestReference = 200;

const shortened = (text: string, longest: number): string =>
  text.length <= longest ? text : createHash('sha256').update(text).digest('base64url');

/**
 * `tollgate:customer:acc_…`: a request that may have been done although no answer came is sent again under the same key.
 * Stripe forgets a key after a day.
 */
export function idempotencyKey(what: string, ...about: (string | number)[]): string {
  const prefix = `tollgate:${what}:`;
  return `${prefix}${shortened(about.join(':'), longestKey - prefix.length)}`;
}

/** For `client_reference_id`. */
export function referenceOf(account: string): string {
  return shortened(account, longestReference);
}

/**
 * Whether Stripe answered a request with a failure of its own, which it repeats for as long as it remembers the
 * idempotency key: only another key leads on, once it is known that nothing was done (or that nobody has it).
 */
export function isSpent(error: unknown): boolean {
  return (
    error instanceof Problem &&
    error.code === 'stripe_unavailable' &&
    error.details.status !== undefined
  );
}

/** Whether Stripe refused a request because it has deleted the customer that it was for. */
export function isOfGoneCustomer(error: unknown): boolean {
  if (!(error instanceof Problem) || error.code !== 'stripe_refused') return false;
  const { stripe: code, parameter } = error.details;
  return code === 'resource_missing' && parameter === 'customer';
}
