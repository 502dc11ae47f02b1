/** What is sold: products with their services, plans, and prices. And how we speak with Stripe about it. */

import { z } from 'zod';
import { address, audience, checked, id, origin, role, scope, text } from './fields.ts';
import type { Complaint } from './fields.ts';

const count = (least: number, most: number) => z.number().int().min(least).max(most);

const priceSchema = z
  .strictObject({
    period: z.enum(['day', 'week', 'month', 'year']).describe('What is paid for at a time.'),
    price: z
      .string()
      .regex(/^[A-Za-z0-9_]{3,255}$/, 'It is no id of a price.')
      .optional()
      .describe('Its id at Stripe (`price_…`). This or `lookupKey`.'),
    lookupKey: text
      .optional()
      .describe('Its lookup key at Stripe, which may move to another price.'),
    amount: count(0, 99_999_999)
      .optional()
      .describe('In the smallest unit (cents): for pages, `stripe check` and `stripe push`.'),
    currency: z
      .string()
      .regex(/^[a-z]{3}$/, 'A currency is written as eur.')
      .optional()
      .describe('Of `amount`, in three small letters.'),
  })
  .describe('One price of a plan.');

const seatsSchema = z.strictObject({
  min: count(1, 100_000).default(1).describe('The fewest that can be bought.'),
  max: count(1, 100_000).default(1000).describe('The most that can be bought.'),
  whenFull: z
    .enum(['refuse', 'raise'])
    .default('refuse')
    .describe(
      'What a member beyond the paid seats meets: `refuse`, with a link to buy more, or `raise`: the quantity at Stripe follows.',
    ),
});

const planSchema = z.strictObject({
  id: id.describe('The claim `plan`, and its name in links.'),
  name: text.describe('Its name on pages.'),
  description: text.optional().describe('A sentence about it, for the page that offers plans.'),
  prices: z
    .array(priceSchema)
    .max(20)
    .default([])
    .describe('By period. A plan without prices is free: nobody is sent to Stripe for it.'),
  features: z
    .array(scope)
    .max(100)
    .default([])
    .describe('What it entitles to, as lookup keys of Stripe Entitlements (claim `entitlements`).'),
  trialDays: count(1, 730).optional().describe('How long it can be tried. By default not at all.'),
  trialWithoutCard: z
    .boolean()
    .default(false)
    .describe('Whether a trial begins without Stripe Checkout, and ends unless a card comes.'),
  seats: seatsSchema.optional().describe('Where members are paid for, each with a seat.'),
  meter: text
    .optional()
    .describe('Metered use: the `event_name` of the Stripe meter that its prices count.'),
  offered: z
    .boolean()
    .default(true)
    .describe('Whether people can choose it. Otherwise only who has it keeps it.'),
});

const accessSchema = z.strictObject({
  pastDueDays: count(0, 365)
    .optional()
    .describe(
      'How many days after a period ended unpaid (`past_due`) there is access. By default as long as Stripe tries.',
    ),
  staleDays: count(1, 90)
    .default(3)
    .describe(
      'How many days after the end of a period what we know still counts, should Stripe not tell of the next one.',
    ),
  freePlan: id
    .optional()
    .describe('The plan of an account without a subscription, or after its end. By default none.'),
  lockOut: z
    .boolean()
    .default(false)
    .describe(
      'Whether tokens are refused to an account without access. By default they say so, and apps decide.',
    ),
});

export const productSchema = z.strictObject({
  id: id.describe('Its name in `client.product` and in links.'),
  name: text.describe('Its name on pages.'),
  audience: audience.describe('The `aud` of its access tokens: an absolute URI.'),
  scopes: z.array(scope).default([]).describe('The scopes that its services know.'),
  plans: z
    .array(planSchema)
    .max(50)
    .default([])
    .describe('What people can subscribe to. See [billing](billing.md).'),
  access: accessSchema.prefault({}).describe('What the state of a subscription allows.'),
});

/** Messages never show what was found. */
function complainOfKey(key: string): Complaint | undefined {
  if (/^(sk|rk)_(test|live)_[A-Za-z0-9_]{3,250}$/.test(key)) return undefined;
  if (key.startsWith('pk_')) {
    return ['It is a publishable key, which may do nothing.', 'Set the secret key (`sk_…`).'];
  }
  return [
    'It is no secret key of Stripe.',
    'They begin with sk_test_, sk_live_, rk_test_ or rk_live_.',
  ];
}

function complainOfWebhookSecret(secret: string): Complaint | undefined {
  if (/^whsec_[\x21-\x7e]{8,200}$/.test(secret)) return undefined;
  return [
    'It is no secret of a webhook endpoint.',
    'They begin with whsec_; Stripe shows it beside the endpoint.',
  ];
}

function complainOfPortal(portal: string): Complaint | undefined {
  if (/^bpc_[A-Za-z0-9_]{1,250}$/.test(portal)) return undefined;
  return [
    'It is no configuration of the billing portal.',
    'They begin with bpc_; `tollgate stripe push` says the one that it makes.',
  ];
}

export const stripeSchema = z.strictObject({
  secretKey: checked(z.string(), complainOfKey).describe(
    'A secret or restricted key. Better in `TOLLGATE_STRIPE_SECRET_KEY`.',
  ),
  webhookSecrets: z
    .array(checked(z.string(), complainOfWebhookSecret))
    .max(10)
    .default([])
    .describe(
      'Of the endpoints that send to `/integrations/stripe/events`; two while one is replaced. Better in `TOLLGATE_STRIPE_WEBHOOK_SECRETS`.',
    ),
  apiBase: origin
    .default('https://api.stripe.com')
    .describe('Another address than Stripe’s: a simulator.'),
  toleranceSeconds: count(10, 600)
    .default(300)
    .describe('How old the signature of a webhook may be.'),
  promotionCodes: z
    .boolean()
    .default(false)
    .describe('Whether Checkout asks for a promotion code.'),
  coupons: z
    .array(text)
    .max(100)
    .default([])
    .describe(
      'Coupons at Stripe that a link may name (`coupon`). Anybody can write a link, so others are refused.',
    ),
  portalConfiguration: checked(z.string(), complainOfPortal)
    .optional()
    .describe('The configuration of the billing portal (`bpc_…`). By default Stripe’s default.'),
  billingRoles: z
    .array(role)
    .max(20)
    .default([])
    .describe('Roles beside `owner` that may pay, change the plan and see invoices.'),
  changes: z
    .enum(['portal', 'page'])
    .default('portal')
    .describe('Where a change of plan is confirmed: in Stripe’s portal, or on a page of ours.'),
  disputes: z
    .enum(['ignore', 'end'])
    .default('ignore')
    .describe('What a disputed payment does: nothing, or end the subscription.'),
  reconcileHours: count(1, 168)
    .default(24)
    .describe('How often all accounts are compared with Stripe.'),
});

export const signupSchema = z.strictObject({
  success: address
    .optional()
    .describe('Where a sign-up ends, signed in. By default `signin.success`.'),
  canceled: address
    .optional()
    .describe('Where it ends when the person left Checkout. By default a page of ours.'),
  failed: address
    .optional()
    .describe('Where it ends when it failed, with `?error=`. By default a page of ours.'),
  plans: address
    .optional()
    .describe('Your page of prices, for people without a plan. By default a page of ours.'),
});
