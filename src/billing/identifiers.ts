/** By what a request to Stripe is known as the same one, and by what an object of Stripe's is known as ours. */

import { createHash } from 'node:crypto';

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

/** On customers, sessions and subscriptions that we make. */
export interface OurMetadata {
  tollgate_account: string;
  tollgate_product?: string;
  tollgate_signup?: string;
}
