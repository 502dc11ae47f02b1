/** What Stripe refuses is a sentence on the page that asked for it. */

import { ApiError } from '../errors.ts';

export type Attempt<T> = { value: T } | { trouble: string };

/** @throws whatever is no refusal of Stripe's */
export async function attempt<T>(work: () => T | Promise<T>): Promise<Attempt<T>> {
  try {
    return { value: await work() };
  } catch (error) {
    if (error instanceof ApiError) return { trouble: error.message };
    throw error;
  }
}
