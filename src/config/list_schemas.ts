/**
 * Those that an operator lists: upstream providers, apps, and receivers of events. What is sold is in
 * `product_schema.ts`, the whole in `schema.ts`.
 */

import { z } from 'zod';
import { complainOfEventType } from './event_types.ts';
import { address, checked, id, receiverAddress, scope, text } from './fields.ts';

export const providerSchema = z.strictObject({
  id: id.describe('Its name in addresses (`/signin/google`) and in variables.'),
  preset: z
    .enum(['google', 'github'])
    .optional()
    .describe('A vendor that is known: only the credentials are needed then.'),
  name: text.optional().describe('The text of its button. By default the name of the preset.'),
  type: z
    .enum(['oidc', 'oauth2'])
    .optional()
    .describe('Its protocol. By default that of the preset, or `oidc`.'),
  issuer: address
    .optional()
    .describe('Its issuer. OpenID Connect: the endpoints are discovered from it.'),
  clientId: z.string().min(1).describe('The client id that it gave you.'),
  clientSecret: z
    .string()
    .min(1)
    .optional()
    .describe('The secret that it gave you. Better in `TOLLGATE_PROVIDER_<ID>_SECRET`.'),
  scopes: z
    .array(scope)
    .optional()
    .describe('The scopes to ask for. By default those that tell name and e-mail address.'),
  authorizationEndpoint: address
    .optional()
    .describe('OAuth 2.0: where the browser is sent. The three endpoints are set together.'),
  tokenEndpoint: address.optional().describe('OAuth 2.0: where the code is redeemed.'),
  userinfoEndpoint: address.optional().describe('OAuth 2.0: what tells who signed in.'),
  emailsEndpoint: address
    .optional()
    .describe('OAuth 2.0: what lists the e-mail addresses, where that is apart.'),
  subjectField: text
    .optional()
    .describe('OAuth 2.0: the field of userinfo that never changes for a person. Default `sub`.'),
  pkce: z.boolean().optional().describe('Whether to use PKCE with it. Default `true`.'),
  tokenEndpointAuthMethod: z
    .enum(['client_secret_basic', 'client_secret_post'])
    .optional()
    .describe('How it takes the secret. By default what it announces.'),
  hostedDomains: z
    .array(z.string().regex(/^[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+$/, 'It is no domain name.'))
    .optional()
    .describe('Google: only people of these organisations are let in.'),
  trustEmail: z
    .boolean()
    .default(false)
    .describe('Whether its word that an e-mail address is verified is passed on to apps.'),
});

export const clientSchema = z.strictObject({
  id: id.describe('Its `client_id`.'),
  name: text.describe('Its name on pages.'),
  secret: z
    .string()
    .optional()
    .describe('Its `client_secret`. Better in `TOLLGATE_CLIENT_<ID>_SECRET`.'),
  public: z
    .boolean()
    .optional()
    .describe('`true` for an app that cannot keep a secret. Otherwise a secret is demanded.'),
  redirectUris: z
    .array(z.string())
    .default([])
    .describe(
      'Where answers may be sent. Compared exactly; native apps may use any loopback port.',
    ),
  postLogoutRedirectUris: z
    .array(z.string())
    .default([])
    .describe('Where the browser may be sent after signing out.'),
  backchannelLogoutUri: address
    .optional()
    .describe(
      'Where the app is told that a session has ended (OpenID Connect Back-Channel Logout).',
    ),
  grantTypes: z
    .array(z.enum(['authorization_code', 'refresh_token', 'client_credentials']))
    .min(1)
    .default(['authorization_code', 'refresh_token'])
    .describe('What it may do. `client_credentials` is for services, and needs a secret.'),
  applicationType: z
    .enum(['web', 'native'])
    .default('web')
    .describe('`native` for desktop and mobile apps and command lines (RFC 8252).'),
  firstParty: z
    .boolean()
    .default(true)
    .describe(
      'Whether it is your own. People are asked before an app of others sees who they are.',
    ),
  product: id.optional().describe('The product whose access tokens it gets.'),
  ssf: z
    .boolean()
    .optional()
    .describe(
      'Whether it may have streams of security events (`docs/ssf.md`). It needs `client_credentials`.',
    ),
  idTokenAlg: z
    .enum(['RS256', 'ES256'])
    .default('RS256')
    .describe('The signature of its ID tokens. Client libraries expect `RS256` unasked.'),
  requirePkce: z
    .boolean()
    .default(false)
    .describe('Whether PKCE is demanded of it though it has a secret. Of others it always is.'),
  refreshGraceSeconds: z
    .number()
    .int()
    .min(0)
    .max(60)
    .default(30)
    .describe('How long a refresh token that was replaced is still answered: tabs that race.'),
  initiateLoginUri: address
    .optional()
    .describe(
      'Where the app begins a sign-in that it did not ask for (OpenID Connect Core §4): from the list of apps, after an invitation, or when somebody kept an old page open. Always https, but on this machine.',
    ),
  launchUrl: address
    .optional()
    .describe('Where the list of apps leads to, for an app without `initiateLoginUri`.'),
  listed: z
    .boolean()
    .default(true)
    .describe('Whether the list of apps shows it, where it has an address to lead to.'),
});

export const receiverSchema = z.strictObject({
  id: id.describe('Its name in commands, and in variables.'),
  url: receiverAddress.describe(
    'Where events are sent to. Plain http only to networks of `outgoing.allowPrivate`.',
  ),
  types: z
    .array(checked(z.string(), complainOfEventType))
    .min(1)
    .optional()
    .describe('The events that it wants, such as `session.ended` or `member.*`. By default all.'),
  secret: z
    .string()
    .optional()
    .describe('What they are signed with. Better in `TOLLGATE_RECEIVER_<ID>_SECRET`.'),
});
