/**
 * Sign-ups whose time has come: what Stripe did not tell us of is found, what runs out is closed, what is long over is
 * forgotten. One process at a time does it, under a lease; all of it is idempotent.
 */

import { Problem } from '../base/errors.ts';
import { change } from '../directory/change.ts';
import { leasedWorker } from '../events/leased_worker.ts';
import type { LeasedWorkerOptions } from '../events/leased_worker.ts';
import { Conflict } from '../storage/store.ts';
import type { StoredSignup } from './checkout.ts';
import { fulfil } from './fulfilment.ts';
import type { FulfilmentOptions } from './fulfilment.ts';
import { keptMs, nextLookAt } from './signup_document.ts';
import type { Worker } from './types.ts';

type Stored = StoredSignup & { version: number };

const batch = 100;
const afterFailureMs = 15 * 60_000;

/** @param finishDirectly for those that go without Checkout */
export async function sweepSignups(
  options: FulfilmentOptions,
  finishDirectly: (signup: StoredSignup) => Promise<unknown>,
  goOn: () => boolean = () => true,
): Promise<void> {
  const { store, clock, log } = options;
  for (const signup of await store.due('signup', clock(), batch)) {
    if (!goOn()) return;
    try {
      await lookAt(options, signup, finishDirectly);
    } catch (error) {
      await postpone(options, signup);
      // Of the others none would fare better.
      if (error instanceof Problem && error.code === 'stripe_unavailable') throw error;
      log.error('a sign-up cannot be gone on with', { signup: signup.id, error });
    }
  }
}

async function lookAt(
  options: FulfilmentOptions,
  signup: Stored,
  finishDirectly: (signup: StoredSignup) => Promise<unknown>,
): Promise<void> {
  const { id, document } = signup;
  const { state, session } = document;
  if (state === 'open' && document.direct === true) {
    // What Stripe refuses is left for who comes back.
    if ((await finishDirectly(signup)) === 'refused') await close(options, id, document.attempt);
    return;
  }
  if (state === 'open') return close(options, id, document.attempt);
  if (session === undefined || (state !== 'paying' && state !== 'pending')) {
    return forget(options, signup);
  }
  const found = await fulfil(options, session);
  // Of money that is on its way somebody has to know, even where Stripe does not (a key of another account).
  if (found === 'unknown' && state === 'paying') return close(options, id, document.attempt);
  if (found === 'open' || found === 'pending' || found === 'unknown') {
    await postpone(options, signup);
  }
}

/** Nobody can pay it, and nobody has. */
async function close(
  { store, clock }: FulfilmentOptions,
  id: string,
  attempt: number,
): Promise<void> {
  await change(store, 'signup', id, (present) => {
    const isOver = present.state !== 'open' && present.state !== 'paying';
    if (present.attempt !== attempt || isOver) return undefined;
    return { document: { ...present, state: 'expired', dueAt: clock() + keptMs } };
  });
}

async function forget({ store }: FulfilmentOptions, { id, version }: Stored): Promise<void> {
  try {
    await store.write('signup', id, null, { expect: version });
  } catch (error) {
    // Somebody has come back.
    if (!(error instanceof Conflict)) throw error;
  }
}

async function postpone(
  { store, clock }: FulfilmentOptions,
  { id, version, document }: Stored,
): Promise<void> {
  const now = clock();
  const waits = document.state === 'paying' || document.state === 'pending';
  const dueAt = waits ? nextLookAt(document, now) : now + afterFailureMs;
  try {
    await store.write('signup', id, { ...document, dueAt }, { expect: version });
  } catch (error) {
    if (!(error instanceof Conflict)) throw error;
  }
}

export interface SignupWorkerOptions extends LeasedWorkerOptions {
  sweep(goOn: () => boolean): Promise<void>;
}

export function createSignupWorker({ sweep, ...options }: SignupWorkerOptions): Worker {
  return leasedWorker(options, { lease: 'signups', name: 'looking after sign-ups', round: sweep });
}
