/**
 * The projection of a subscription: what we keep of it, on the account's document, so that no token ever waits for
 * Stripe. One write, and with it the event that says which claims are different now, if any are.
 */

import { isDeepStrictEqual } from 'node:util';
import type { Clock } from '../base/clock.ts';
import { accountUnknown } from '../directory/accounts.ts';
import { change } from '../directory/change.ts';
import { newEvent } from '../events/types.ts';
import type { AccountDocument, SubscriptionProjection } from '../storage/documents.ts';
import type { Store } from '../storage/store.ts';
import { changedClaims, subscriptionClaims } from './claims.ts';
import type { ClaimChanges } from './claims.ts';
import type { Terms } from './policy.ts';

/** @returns the claims that changed. @throws {Problem} `account_unknown` (404) */
export type Project = (
  account: string,
  product: string,
  /** `null`: there is no subscription to this product any more. */
  projection: SubscriptionProjection | null,
) => Promise<ClaimChanges>;

export function createProject(deps: {
  store: Store;
  clock: Clock;
  config: Terms['config'];
}): Project {
  const { store, clock, config } = deps;
  return async (account, product, projection) => {
    let claims: ClaimChanges = {};
    const changed = await change(store, 'account', account, (present) => {
      const next = projected(present, product, projection);
      const terms = { config, now: clock() };
      claims = changedClaims(
        subscriptionClaims(present, product, terms),
        subscriptionClaims(next, product, terms),
      );
      if (isDeepStrictEqual(next, present)) return undefined;
      const event = newEvent(clock, 'subscription.changed', { account, product, claims });
      return { document: next, events: Object.keys(claims).length === 0 ? [] : [event] };
    });
    if (changed === undefined) throw accountUnknown();
    return claims;
  };
}

function projected(
  account: AccountDocument,
  product: string,
  projection: SubscriptionProjection | null,
): AccountDocument {
  const { subscriptions, ...rest } = account;
  const { [product]: _before, ...others } = subscriptions ?? {};
  const next = projection === null ? others : { ...others, [product]: projection };
  return Object.keys(next).length === 0 ? rest : { ...rest, subscriptions: next };
}
