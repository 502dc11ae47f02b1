/** Resource indicators (RFC 8707): a product's audience is a resource server. Normalised here alone. */

import { errors } from 'oidc-provider';
import type { Client, KoaContextWithOIDC, ResourceServer } from 'oidc-provider';
import type { Config, ProductConfig } from '../config.ts';
import type { Clients } from './clients.ts';

/** The scopes of OpenID Connect; a JWT for a product carries them too, so that userinfo takes it. */
export const openidScopes = ['openid', 'profile', 'email', 'offline_access'] as const;

/** What may be done with streams of security events: `ssf.manage` is all of it. */
const ssfScopes = ['ssf.read', 'ssf.manage'] as const;

/** The audience of tokens for them. */
export function ssfAudience(issuer: string): string {
  return `${issuer}/ssf`;
}

/** One spelling of an address: without the slash that some libraries add to an origin. */
function normalise(indicator: string): string {
  const url = URL.parse(indicator);
  if (url === null) return indicator;
  return url.pathname === '/' ? url.href.replace(/\/$/, '') : url.href;
}

export interface Resources {
  productOf(audience: string): ProductConfig | undefined;
  /** For the library's configuration. */
  defaultResource(
    ctx: KoaContextWithOIDC,
    client: Client,
    oneOf?: string[],
  ): Promise<string | string[] | undefined>;
  getResourceServerInfo(
    ctx: KoaContextWithOIDC,
    indicator: string,
    client: Client,
  ): Promise<ResourceServer>;
}

export function createResources(config: Config, clients: Clients): Resources {
  const byAudience = new Map(
    config.products.map((product) => [normalise(product.audience), product]),
  );
  const ssf: ResourceServer = {
    scope: ssfScopes.join(' '),
    audience: ssfAudience(config.issuer),
    accessTokenFormat: 'jwt',
    accessTokenTTL: config.lifetimes.accessToken,
    jwt: { sign: { alg: config.accessTokenAlg } },
  };
  return {
    productOf: (audience) => byAudience.get(normalise(audience)),

    // Without `resource`: at the authorization endpoint all that the client may have, at the token
    // endpoint (`oneOf`) its first. So every client gets a JWT without asking for it.
    defaultResource(ctx, client, oneOf) {
      if (wantsSsf(ctx, clients, client)) return Promise.resolve(ssf.audience as string);
      const own = clients.productsOf(client.clientId).map((product) => product.audience);
      if (oneOf !== undefined) {
        return Promise.resolve(own.find((audience) => oneOf.includes(audience)) ?? oneOf[0]);
      }
      return Promise.resolve(own.length > 1 ? own : own[0]);
    },

    getResourceServerInfo(ctx, indicator, client) {
      const product = byAudience.get(normalise(indicator));
      const allowed = clients.productsOf(client.clientId);
      if (normalise(indicator) === ssf.audience && mayHaveSsf(ctx, clients, client)) {
        return Promise.resolve(ssf);
      }
      if (product === undefined || !allowed.includes(product)) {
        return Promise.reject(new errors.InvalidTarget());
      }
      // A client that acts for itself is no user: the scopes of users mean nothing in its token.
      const forItself = ctx.oidc.params?.grant_type === 'client_credentials';
      const scopes = forItself ? product.scopes : [...openidScopes, ...product.scopes];
      const info: ResourceServer = {
        scope: scopes.join(' '),
        audience: product.audience,
        accessTokenFormat: 'jwt',
        accessTokenTTL: config.lifetimes.accessToken,
        jwt: { sign: { alg: config.accessTokenAlg } },
      };
      return Promise.resolve(info);
    },
  };
}

/** A client that acts for itself: no user's token is for streams. */
function mayHaveSsf({ oidc }: KoaContextWithOIDC, clients: Clients, client: Client): boolean {
  const forItself = oidc.params?.grant_type === 'client_credentials';
  return forItself && clients.get(client.clientId)?.ssf === true;
}

/** By its scopes alone, so that a receiver needs to know nothing of `resource` (CAEP interoperability §2.7). */
function wantsSsf(ctx: KoaContextWithOIDC, clients: Clients, client: Client): boolean {
  if (!mayHaveSsf(ctx, clients, client)) return false;
  if (clients.productsOf(client.clientId).length === 0) return true;
  const { scope } = ctx.oidc.params ?? {};
  const asked = typeof scope === 'string' ? scope.split(' ').filter((one) => one !== '') : [];
  return asked.length > 0 && asked.every((one) => ssfScopes.some((known) => known === one));
}
