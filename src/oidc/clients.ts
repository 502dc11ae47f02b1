/** Clients: from the configuration, and the two of our own that every installation has. */

import type { ClientMetadata } from 'oidc-provider';
import type { ClientConfig, Config, ProductConfig } from '../config.ts';
import type { RotationPolicy } from './rotation.ts';

/** First-party and confidential; its secret never leaves the process, for it calls no endpoint. */
export const linkClientId = 'tollgate-links';

/**
 * For sign-ups and invitations, which want to know who somebody is and nothing else: its codes are never redeemed.
 */
export const signupClientId = 'tollgate-signup';

/** Where it is answered on the way to an invitation. */
export const invitationReturnPath = '/invitation/return';

export interface Clients {
  metadata: ClientMetadata[];
  get(id: string): ClientConfig | undefined;
  /** The products whose tokens this client may get; the first is its default. */
  productsOf(id: string): readonly ProductConfig[];
  rotationPolicy(id: string): RotationPolicy;
}

function metadataOf(client: ClientConfig): ClientMetadata {
  const interactive = client.grantTypes.includes('authorization_code');
  return {
    client_id: client.id,
    client_name: client.name,
    application_type: client.applicationType,
    // Either spelling of the secret is taken, in the header or in the body.
    token_endpoint_auth_method: client.secret === undefined ? 'none' : 'client_secret_basic',
    ...(client.secret === undefined ? {} : { client_secret: client.secret }),
    grant_types: [...client.grantTypes],
    response_types: interactive ? ['code'] : [],
    redirect_uris: interactive ? [...client.redirectUris] : [],
    post_logout_redirect_uris: [...client.postLogoutRedirectUris],
    id_token_signed_response_alg: client.idTokenAlg,
    // The library takes https alone, and has no use for it.
    ...(client.initiateLoginUri?.startsWith('https:') === true
      ? { initiate_login_uri: client.initiateLoginUri }
      : {}),
  };
}

/** @param linkSecret derived from the installation's secret */
export function createClients(config: Config, linkSecret: string): Clients {
  const link: ClientConfig = {
    id: linkClientId,
    name: config.brand.name,
    secret: linkSecret,
    redirectUris: [`${config.issuer}/signin/return`],
    postLogoutRedirectUris: [],
    grantTypes: ['authorization_code', 'refresh_token'],
    applicationType: 'web',
    firstParty: true,
    idTokenAlg: 'RS256',
    requirePkce: true,
    refreshGraceSeconds: 30,
    listed: false,
  };
  // No product: its grants name no account, which may not be there yet.
  const signup: ClientConfig = {
    ...link,
    id: signupClientId,
    redirectUris: [`${config.issuer}/signup/return`, `${config.issuer}${invitationReturnPath}`],
    grantTypes: ['authorization_code'],
  };
  const own = [link, signup];
  const byId = new Map([...config.clients, ...own].map((client) => [client.id, client]));
  const products = new Map(config.products.map((product) => [product.id, product]));
  return {
    metadata: [...byId.values()].map(metadataOf),
    get: (id) => byId.get(id),
    productsOf(id) {
      if (id === linkClientId) return config.products;
      const product = products.get(byId.get(id)?.product ?? '');
      return product === undefined ? [] : [product];
    },
    rotationPolicy(id) {
      const client = byId.get(id);
      return {
        graceMs: (client?.refreshGraceSeconds ?? 0) * 1000,
        // Whoever holds the link client's cookie needs no secret: it is as good as a public client.
        confidential: client?.secret !== undefined && id !== linkClientId,
      };
    },
  };
}
