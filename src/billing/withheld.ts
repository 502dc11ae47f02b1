/**
 * Which subscriptions give nothing yet: those whose first payment takes days, or has failed (S7). Stripe has them as
 * `active` meanwhile.
 */

import type { Store } from '../storage/store.ts';
import { readSession } from './checkout.ts';
import { idOf } from './customer_state.ts';
import type { Withheld } from './customer_state.ts';
import { isDead } from './subscription_state.ts';
import type { StripeClient } from './stripe.ts';

export function createWithheld({
  store,
  stripe,
}: {
  store: Store;
  stripe: StripeClient;
}): Withheld {
  return async (subscription) => {
    const signup = subscription.metadata.tollgate_signup;
    if (signup === undefined || isDead(subscription)) return false;
    const document = (await store.get('signup', signup))?.document;
    if (document === undefined || document.state === 'done') return false;
    const { state, session: sessionId, subscription: itsOwn } = document;
    if (state === 'failed' && itsOwn === subscription.id) return true;
    if (sessionId === undefined) return false;
    // Read, since Stripe may tell of the subscription before it tells of the session.
    const session = await readSession(stripe, sessionId);
    return session?.payment_status === 'unpaid' && idOf(session.subscription) === subscription.id;
  };
}
