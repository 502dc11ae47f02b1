/**
 * Lock-out (`products[].access.lockOut`): no tokens for an account whose subscription gives no access. Which products
 * a request is about is decided here, once, for the endpoints and for the pages.
 */

import type { KoaContextWithOIDC } from 'oidc-provider';
import type { Clock } from '../base/clock.ts';
import { isLockedOut } from '../billing/policy.ts';
import type { Config, ProductConfig } from '../config.ts';
import type { AccountDocument } from '../storage/documents.ts';
import type { Clients } from './clients.ts';
import type { Resources } from './resources.ts';

export interface Locks {
  /** The products of an authorization request: what it names (`resource`, `product`), or all that the client has. */
  asked(client: string, params: Record<string, unknown>): ProductConfig[];
  /** The product to be paid for, where the account is locked out of all of these. */
  lockedOut(account: AccountDocument, products: readonly ProductConfig[]): string | undefined;
  /** Whether this request of the token endpoint is refused. @param source the code, or the refresh token */
  refusesToken(
    ctx: KoaContextWithOIDC,
    account: AccountDocument,
    source: { resource?: unknown },
  ): boolean;
}

const texts = (value: unknown): string[] =>
  [value].flat().filter((one): one is string => typeof one === 'string' && one !== '');

export function createLocks(deps: {
  config: Config;
  clock: Clock;
  clients: Clients;
  resources: Resources;
}): Locks {
  const { config, clock, clients, resources } = deps;

  const lockedOut: Locks['lockedOut'] = (account, products) => {
    const terms = { config, now: clock() };
    const isLocked = products.every(({ id }) => isLockedOut(account, id, terms));
    return isLocked ? products[0]?.id : undefined;
  };
  const ofResources = (client: string, named: readonly string[]) =>
    clients
      .productsOf(client)
      .filter((product) => named.some((one) => resources.productOf(one) === product));

  return {
    lockedOut,
    asked(client, { resource, product }) {
      const named = texts(resource);
      const products =
        named.length === 0 ? [...clients.productsOf(client)] : ofResources(client, named);
      const [only] = products.filter(({ id }) => id === product);
      return only === undefined ? products : [only];
    },
    refusesToken({ oidc: { route, client, params } }, account, source) {
      if (route !== 'token' || client === undefined) return false;
      const products = ofResources(client.clientId, texts(params?.resource ?? source.resource));
      // A code signs somebody in for all of them, a refresh is for the first (`resources.ts`).
      const meant = params?.grant_type === 'refresh_token' ? products.slice(0, 1) : products;
      return lockedOut(account, meant) !== undefined;
    },
  };
}
