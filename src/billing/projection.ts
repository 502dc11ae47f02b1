/**
 * The projection of an account's subscriptions: what we keep of them, on the account's document, so that no token ever
 * waits for Stripe. One write for all products, and with it for each product whose claims are different now the event
 * that says which.
 */

import { isDeepStrictEqual } from 'node:util';
import type { Clock } from '../base/clock.ts';
import { accountUnknown } from '../directory/accounts.ts';
import { change } from '../directory/change.ts';
import { newEvent } from '../events/types.ts';
import type { AccountDocument, SubscriptionProjection } from '../storage/documents.ts';
import type { NewEvent, Store } from '../storage/store.ts';
import { changedClaims, subscriptionClaims } from './claims.ts';
import type { ClaimChanges } from './claims.ts';
import type { Terms } from './policy.ts';

/** What is the account's at large, as a key beside products. No id of a product looks like it. */
const atLarge = '*';

export interface Succession {
  account: string;
  before: AccountDocument;
  after: AccountDocument;
  /** Of now: whose tokens can say something of the account, and what a plan comes to. */
  config: Terms['config'];
  clock: Clock;
}

/** By product, the claims that are different after the write; of those products only where any are. */
function claimChanges(succession: Succession): Map<string, ClaimChanges> {
  const { before, after, config, clock } = succession;
  const terms = { config, now: clock() };
  const products = new Set([
    ...config.products.map(({ id }) => id),
    ...Object.keys(before.subscriptions ?? {}),
    ...Object.keys(after.subscriptions ?? {}),
  ]);
  const changes = new Map<string, ClaimChanges>();
  for (const product of [...products].toSorted()) {
    const [old, now] = [before, after].map((document) =>
      subscriptionClaims(document, product, terms),
    );
    const changed = changedClaims(old ?? {}, now ?? {});
    if (Object.keys(changed).length > 0) changes.set(product, changed);
  }
  return changes;
}

/** The events that belong into the write from `before` to `after`. */
export function successionEvents(succession: Succession): NewEvent[] {
  const { account, clock } = succession;
  return [...claimChanges(succession)].map(([product, claims]) =>
    newEvent(clock, 'subscription.changed', { account, product, claims }),
  );
}

/** By product (and `*`), the names of the fields in which two states of an account differ. */
export function differencesBetween(
  before: AccountDocument,
  after: AccountDocument,
): Record<string, string[]> {
  const differences: Record<string, string[]> = {};
  const [old, now] = [before.subscriptions ?? {}, after.subscriptions ?? {}];
  for (const product of new Set([...Object.keys(old), ...Object.keys(now)])) {
    const fields = differingFields({ ...old[product] }, { ...now[product] });
    if (fields.length > 0) differences[product] = fields;
  }
  const large = ({ entitlements, customerGoneAt }: AccountDocument) => ({
    entitlements,
    customerGoneAt,
  });
  const fields = differingFields(large(before), large(after));
  if (fields.length > 0) differences[atLarge] = fields;
  return differences;
}

function differingFields(before: object, after: object): string[] {
  const [old, now] = [before, after].map((fields) => new Map(Object.entries(fields)));
  const names = new Set([...(old?.keys() ?? []), ...(now?.keys() ?? [])]);
  return [...names].filter((name) => !isDeepStrictEqual(old?.get(name), now?.get(name))).toSorted();
}

/** The account with these subscriptions and no others. */
export function withSubscriptions(
  account: AccountDocument,
  subscriptions: Record<string, SubscriptionProjection>,
): AccountDocument {
  const { subscriptions: _before, ...rest } = account;
  return Object.keys(subscriptions).length === 0 ? rest : { ...rest, subscriptions };
}

/** @returns the claims that changed. @throws {Problem} `account_unknown` (404) */
export type Project = (
  account: string,
  product: string,
  /** `null`: there is no subscription to this product any more. */
  projection: SubscriptionProjection | null,
) => Promise<ClaimChanges>;

/** Writes one product's projection without asking Stripe: for worlds that have none. */
export function createProject(deps: {
  store: Store;
  clock: Clock;
  config: Terms['config'];
}): Project {
  const { store, clock, config } = deps;
  return async (account, product, projection) => {
    let claims: ClaimChanges = {};
    const changed = await change(store, 'account', account, (present) => {
      const { [product]: _before, ...others } = present.subscriptions ?? {};
      const subscriptions = projection === null ? others : { ...others, [product]: projection };
      const next = withSubscriptions(present, subscriptions);
      const succession = { account, before: present, after: next, config, clock };
      claims = claimChanges(succession).get(product) ?? {};
      if (isDeepStrictEqual(next, present)) return undefined;
      return { document: next, events: successionEvents(succession) };
    });
    if (changed === undefined) throw accountUnknown();
    return claims;
  };
}
