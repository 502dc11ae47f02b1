/** A stateful simulator of Stripe over HTTP, on loopback and nowhere else. */

import type { StripeOptions, StripeSimulator } from './contract.ts';

export type { StripeOptions, StripeSimulator } from './contract.ts';

export function startStripe(options: StripeOptions): Promise<StripeSimulator> {
  return Promise.reject(new Error(`Not there yet (port ${options.port}).`));
}
