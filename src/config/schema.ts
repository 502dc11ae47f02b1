/**
 * All that an operator can set: each key with its type, its default and the sentence that
 * `docs/configuration.md` shows for it. What concerns several keys is in `rules.ts`.
 */

import { z } from 'zod';
import { complainOfEventType } from './event_types.ts';
import {
  address,
  audience,
  checked,
  contact,
  httpsAddress,
  id,
  origin,
  picture,
  range,
  receiverAddress,
  scope,
  seconds,
  text,
} from './fields.ts';
import { hotAddress, storeAddress } from './store_address.ts';

const day = 24 * 60 * 60;

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

const clientSchema = z.strictObject({
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
  initiateLoginUri: httpsAddress
    .optional()
    .describe(
      'Where the app begins a sign-in, for when somebody kept an old page open. Always https.',
    ),
});

const productSchema = z.strictObject({
  id: id.describe('Its name in `client.product` and in links.'),
  name: text.describe('Its name on pages.'),
  audience: audience.describe('The `aud` of its access tokens: an absolute URI.'),
  scopes: z.array(scope).default([]).describe('The scopes that its services know.'),
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

const lifetimesSchema = z.strictObject({
  accessToken: seconds(60, 900)
    .default(900)
    .describe('Access tokens. They cannot be recalled, hence 15 minutes at most.'),
  idToken: seconds(60, 86_400).default(3600).describe('ID tokens.'),
  code: seconds(10, 600).default(60).describe('Authorization codes.'),
  interaction: seconds(60, day).default(3600).describe('A sign-in that was begun.'),
  transaction: seconds(60, 3600).default(600).describe('The way to a provider and back.'),
  sessionIdle: seconds(60, 365 * day)
    .default(14 * day)
    .describe('A session that is not used.'),
  sessionAbsolute: seconds(60, 365 * day)
    .default(30 * day)
    .describe('A session, however much it is used.'),
  refreshIdle: seconds(60, 365 * day)
    .default(14 * day)
    .describe('A refresh token that is not used.'),
  refreshAbsolute: seconds(60, 730 * day)
    .default(90 * day)
    .describe('A refresh token with all its successors.'),
});

const brandSchema = z.strictObject({
  name: text.default('Tollgate').describe('The name on all pages.'),
  logo: picture
    .optional()
    .describe('A picture, as `data:image/…`, or as a path of the issuer that your proxy answers.'),
  accent: z
    .string()
    .regex(/^#[0-9a-f]{6}$/i, 'A colour is written as #4f46e5.')
    .default('#4f46e5')
    .describe('The colour of buttons and links, as `#rrggbb`.'),
  terms: address.optional().describe('Your terms of service.'),
  privacy: address.optional().describe('Your privacy policy.'),
  support: contact
    .optional()
    .describe('An e-mail address or an address, for people who are stuck.'),
});

const metricsSchema = z.strictObject({
  host: text.default('127.0.0.1').describe('The address of this machine to listen at.'),
  port: z
    .number()
    .int()
    .min(0)
    .max(65_535)
    .default(9464)
    .describe('The port to listen at, another one than `port`. 0 is any free one.'),
});

const endings = (success: string, failed: string) =>
  z.strictObject({
    success: address.describe(success),
    failed: address.optional().describe(failed),
  });

export const configSchema = z.strictObject({
  issuer: origin.describe(
    'The public address of Tollgate, such as `https://id.example.com`: an origin without a slash at the end. Plain http only on this machine.',
  ),
  host: text
    .default('127.0.0.1')
    .describe('The address of this machine to listen at. `0.0.0.0` and `::` are all of them.'),
  port: z
    .number()
    .int()
    .min(0)
    .max(65_535)
    .default(4400)
    .describe('The port to listen at. 0 is any free one.'),
  store: storeAddress
    .default('sqlite:./data/tollgate.db')
    .describe(
      'Where all state is kept: `sqlite:` and the path of a file, or `mongodb://…` (`mongodb+srv://…`) with the name of the database. Better in `TOLLGATE_STORE` when a password is in it.',
    ),
  hot: hotAddress
    .optional()
    .describe(
      'Where what lives as long as a sign-in is kept, if not in `store`: `redis://…`, `redis+sentinel://…/name`, `redis+cluster://…`, each with `rediss` for TLS. Better in `TOLLGATE_HOT`. See [stores](stores.md).',
    ),
  secrets: z
    .array(z.string())
    .min(1)
    .describe('What everything else is derived from, newest first. Better in `TOLLGATE_SECRET`.'),
  providers: z
    .array(providerSchema)
    .describe('Who vouches for people: at least one upstream provider.'),
  defaultProvider: id.optional().describe('The provider that `/signin` goes to without asking.'),
  registration: z
    .enum(['open', 'checkout', 'invitation'])
    .default('invitation')
    .describe(
      'What happens to somebody new: `open` makes a user and a personal account, `invitation` lets in only who is a member already. `checkout` comes with billing, and is refused until then.',
    ),
  clients: z.array(clientSchema).default([]).describe('The apps that people sign in to.'),
  receivers: z
    .array(receiverSchema)
    .default([])
    .describe('Services that are told of events by webhooks. Commands can add others.'),
  products: z.array(productSchema).default([]).describe('What is sold; each has its services.'),
  signin: endings(
    'Where links end after signing in, unless they say otherwise.',
    'Where they end when it failed, with `?error=`. By default a page of ours.',
  ).describe('Where sign-in links end.'),
  signout: endings(
    'Where links end after signing out.',
    'Where they end when it failed, with `?error=`. By default a page of ours.',
  ).describe('Where sign-out links end.'),
  returnOrigins: z
    .array(origin)
    .default([])
    .describe(
      'The origins that `return_to` may name, and that `POST /refresh` and `/session/events` answer.',
    ),
  lifetimes: lifetimesSchema.prefault({}).describe('How long things last, in seconds.'),
  claims: z
    .strictObject({
      name: z.boolean().default(false).describe('Whether access tokens tell the name.'),
      email: z.boolean().default(false).describe('Whether access tokens tell the e-mail address.'),
    })
    .prefault({})
    .describe('What access tokens tell beyond what services need.'),
  accessTokenAlg: z
    .enum(['ES256', 'RS256'])
    .default('ES256')
    .describe('The signature of access tokens.'),
  brand: brandSchema.prefault({}).describe('How pages look.'),
  logLevel: z
    .enum(['debug', 'info', 'warn', 'error'])
    .default('info')
    .describe('The least important records that are logged.'),
  ssf: z
    .strictObject({
      heartbeat: seconds(10, day)
        .default(300)
        .describe('How often a stream gets a sign of life, in seconds.'),
    })
    .prefault({})
    .describe('Streams of security events, for services.'),
  metrics: metricsSchema
    .optional()
    .describe(
      'Where what is measured can be fetched, in the format of Prometheus (`GET /metrics`): an address of its own, not for the internet. Without it nothing is measured. See [operations](operations.md).',
    ),
  trustedProxies: z
    .array(range)
    .default([])
    .describe('The networks of your load balancers. Only their `X-Forwarded-*` is believed.'),
  stopDelaySeconds: z
    .number()
    .int()
    .min(0)
    .max(60)
    .default(5)
    .describe(
      'How long a process that was told to stop still takes requests while `/health/ready` says 503: until your load balancers have noticed. It does not wait where nobody asks for `/health/ready`.',
    ),
  outgoing: z
    .strictObject({
      allowPrivate: z
        .array(range)
        .default([])
        .describe('Private networks that requests may go to. By default only the internet.'),
    })
    .prefault({})
    .describe('Requests that Tollgate makes.'),
  limits: z
    .strictObject({
      perAddressPerMinute: z
        .number()
        .int()
        .min(10)
        .max(1_000_000)
        .default(300)
        .describe('Requests of one address to the sign-in pages in a minute.'),
      sessionEventConnections: z
        .number()
        .int()
        .min(0)
        .max(100_000)
        .default(1000)
        .describe('Pages that may listen to `/session/events` at one process at the same time.'),
    })
    .prefault({})
    .describe('Against those who try too often.'),
});

export type Config = z.output<typeof configSchema>;
export type ConfigInput = z.input<typeof configSchema>;
export type ProviderConfig = z.output<typeof providerSchema>;
export type ClientConfig = z.output<typeof clientSchema>;
export type ProductConfig = z.output<typeof productSchema>;
export type ReceiverConfig = z.output<typeof receiverSchema>;
