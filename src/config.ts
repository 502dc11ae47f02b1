/**
 * The configuration: one schema. Everything that an operator can set is here, with its type, its
 * default and the sentence that `docs/configuration.md` shows for it.
 */

import { z } from 'zod';

const id = z.string().regex(/^[A-Za-z0-9._-]{1,64}$/);
const address = z.url();

export const providerSchema = z.object({
  id,
  preset: z.enum(['google', 'github']).optional(),
  name: z.string().optional(),
  type: z.enum(['oidc', 'oauth2']).optional(),
  issuer: address.optional(),
  clientId: z.string(),
  clientSecret: z.string().optional(),
  scopes: z.array(z.string()).optional(),
  authorizationEndpoint: address.optional(),
  tokenEndpoint: address.optional(),
  userinfoEndpoint: address.optional(),
  emailsEndpoint: address.optional(),
  subjectField: z.string().optional(),
  pkce: z.boolean().optional(),
  tokenEndpointAuthMethod: z.enum(['client_secret_basic', 'client_secret_post']).optional(),
  hostedDomains: z.array(z.string()).optional(),
  trustEmail: z.boolean().default(false),
});

export const clientSchema = z.object({
  id,
  name: z.string(),
  secret: z.string().optional(),
  redirectUris: z.array(z.string()).default([]),
  postLogoutRedirectUris: z.array(z.string()).default([]),
  backchannelLogoutUri: address.optional(),
  grantTypes: z
    .array(z.enum(['authorization_code', 'refresh_token', 'client_credentials']))
    .default(['authorization_code', 'refresh_token']),
  applicationType: z.enum(['web', 'native']).default('web'),
  firstParty: z.boolean().default(true),
  product: z.string().optional(),
  idTokenAlg: z.enum(['RS256', 'ES256']).default('RS256'),
  requirePkce: z.boolean().default(false),
  refreshGraceSeconds: z.number().int().min(0).max(60).default(30),
  initiateLoginUri: address.optional(),
});

export const productSchema = z.object({
  id,
  name: z.string(),
  audience: z.string(),
  scopes: z.array(z.string()).default([]),
});

export const configSchema = z.object({
  issuer: address,
  host: z.string().default('127.0.0.1'),
  port: z.number().int().min(0).max(65535).default(4400),
  store: z.string().default('sqlite:./data/tollgate.db'),
  secrets: z.array(z.string()).min(1),
  providers: z.array(providerSchema),
  defaultProvider: id.optional(),
  registration: z.enum(['open', 'checkout', 'invitation']).default('invitation'),
  clients: z.array(clientSchema).default([]),
  products: z.array(productSchema).default([]),
  signin: z.object({ success: address, failed: address.optional() }),
  signout: z.object({ success: address, failed: address.optional() }),
  returnOrigins: z.array(z.string()).default([]),
  lifetimes: z
    .object({
      accessToken: z.number().default(900),
      idToken: z.number().default(3600),
      code: z.number().default(60),
      interaction: z.number().default(3600),
      transaction: z.number().default(600),
      sessionIdle: z.number().default(14 * 86400),
      sessionAbsolute: z.number().default(30 * 86400),
      refreshIdle: z.number().default(14 * 86400),
      refreshAbsolute: z.number().default(90 * 86400),
    })
    .prefault({}),
  claims: z
    .object({ name: z.boolean().default(false), email: z.boolean().default(false) })
    .prefault({}),
  accessTokenAlg: z.enum(['ES256', 'RS256']).default('ES256'),
  brand: z
    .object({
      name: z.string().default('Tollgate'),
      logo: z.string().optional(),
      accent: z.string().default('#4f46e5'),
      terms: address.optional(),
      privacy: address.optional(),
      support: z.string().optional(),
    })
    .prefault({}),
  logLevel: z.enum(['debug', 'info', 'warn', 'error']).default('info'),
  trustedProxies: z.array(z.string()).default([]),
  outgoing: z.object({ allowPrivate: z.array(z.string()).default([]) }).prefault({}),
});

export type Config = z.output<typeof configSchema>;
export type ConfigInput = z.input<typeof configSchema>;
export type ProviderConfig = z.output<typeof providerSchema>;
export type ClientConfig = z.output<typeof clientSchema>;
export type ProductConfig = z.output<typeof productSchema>;

/** Types a TypeScript configuration. `secrets` comes from TOLLGATE_SECRET when it is left out. */
export function defineConfig<T extends Omit<ConfigInput, 'secrets'> & { secrets?: string[] }>(config: T): T {
  return config;
}
