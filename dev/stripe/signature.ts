/** `Stripe-Signature`: HMAC-SHA-256 of the time and the body. */

import { createHmac } from 'node:crypto';

/** @param at in seconds */
export function signatureHeader(body: string, secret: string, at: number): string {
  const mac = createHmac('sha256', secret).update(`${at}.${body}`).digest('hex');
  return `t=${at},v1=${mac}`;
}
