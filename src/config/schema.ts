/**
 * All that an operator can set: each key with its type, its default and the sentence that
 * `docs/configuration.md` shows for it. What concerns several keys is in `rules.ts`.
 */

import { z } from 'zod';
import { address, contact, id, origin, picture, range, seconds, text } from './fields.ts';
import { clientSchema, providerSchema, receiverSchema } from './list_schemas.ts';
import { productSchema, signupSchema, stripeSchema } from './product_schema.ts';
import { mailSchema, peopleSchema, rolesSchema } from './people_schema.ts';
import { hotAddress, storeAddress } from './store_address.ts';

const day = 24 * 60 * 60;

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
      'What happens to somebody new: `open` makes a user and a personal account, `checkout` lets people in by `/signup`, `invitation` lets in only who was invited, or imported.',
    ),
  clients: z.array(clientSchema).default([]).describe('The apps that people sign in to.'),
  receivers: z
    .array(receiverSchema)
    .default([])
    .describe('Services that are told of events by webhooks. Commands can add others.'),
  products: z.array(productSchema).default([]).describe('What is sold; each has its services.'),
  roles: rolesSchema,
  people: peopleSchema.prefault({}).describe('Members, invitations and people who leave.'),
  mail: mailSchema
    .optional()
    .describe('How e-mails are sent. Without it, invitations are links that are handed on.'),
  stripe: stripeSchema
    .optional()
    .describe('How subscriptions are sold. Without it nothing is. See [billing](billing.md).'),
  signup: signupSchema.prefault({}).describe('Where sign-up links end.'),
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
        .describe(
          'Requests of one address to each kind of page (sign-in, sign-up, account) in a minute.',
        ),
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
export type PlanConfig = ProductConfig['plans'][number];
export type PriceConfig = PlanConfig['prices'][number];
export type MailConfig = z.output<typeof mailSchema>;
export type StripeConfig = z.output<typeof stripeSchema>;
