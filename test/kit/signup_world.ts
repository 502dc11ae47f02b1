/** The world of `world.ts` with something to buy: a simulator of Stripe, products with plans, and people who sign up. */

import { startStripe } from '../../dev/stripe/simulator.ts';
import type { StripeSimulator } from '../../dev/stripe/simulator.ts';
import { createBrowser } from '../../dev/walk.ts';
import type { Browser, Page } from '../../dev/walk.ts';
import { apiVersion, createStripe } from '../../src/billing/stripe.ts';
import type { Stripe } from '../../src/billing/stripe.ts';
import type { ConfigInput } from '../../src/config.ts';
import type { ConfigChanges } from './server.ts';
import { recordingLog } from './server.ts';
import { claimsOf, startWorld } from './world.ts';
import type { SignIn, World } from './world.ts';

type Products = NonNullable<ConfigInput['products']>;

/** `team` is paid for, by seat; `solo` can be tried with a card, `easy` without one; `free` costs nothing. */
const products: Products = [
  {
    id: 'api',
    name: 'API',
    audience: 'https://api.example.com',
    access: { freePlan: 'free' },
    plans: [
      { id: 'free', name: 'Free' },
      {
        id: 'team',
        name: 'Team',
        seats: { min: 2, max: 10 },
        prices: [
          { period: 'month', lookupKey: 'team_month', amount: 1000, currency: 'eur' },
          { period: 'year', lookupKey: 'team_year', amount: 10_000, currency: 'eur' },
        ],
      },
      {
        id: 'solo',
        name: 'Solo',
        trialDays: 14,
        prices: [{ period: 'month', lookupKey: 'solo_month', amount: 500, currency: 'eur' }],
      },
      {
        id: 'easy',
        name: 'Easy',
        trialDays: 14,
        trialWithoutCard: true,
        prices: [{ period: 'month', lookupKey: 'easy_month', amount: 700, currency: 'eur' }],
      },
      {
        id: 'old',
        name: 'Old',
        offered: false,
        prices: [{ period: 'month', lookupKey: 'old_month', amount: 100, currency: 'eur' }],
      },
    ],
  },
];

const origin = 'https://app.example.com';
export const ends = {
  success: `${origin}/welcome`,
  canceled: `${origin}/prices`,
  failed: `${origin}/sorry`,
};

export const sellingConfig = (
  stripe: StripeSimulator,
  webhookSecrets: string[],
): ConfigChanges & Pick<ConfigInput, 'stripe'> & { stripe: object } => ({
  registration: 'checkout',
  products,
  stripe: {
    secretKey: stripe.secretKey,
    webhookSecrets,
    apiBase: stripe.url,
    promotionCodes: false,
  },
  signup: ends,
  returnOrigins: [origin],
});

/** A client of the simulator, for what an operator does there. */
export function operatorOf({ url, secretKey }: StripeSimulator): Stripe {
  const config = {
    secretKey,
    apiBase: url,
    webhookSecrets: [],
    toleranceSeconds: 300,
    promotionCodes: false,
    coupons: [],
    billingRoles: [],
    changes: 'portal' as const,
    disputes: 'ignore' as const,
    reconcileHours: 24,
  };
  const { fetch } = globalThis;
  return createStripe({ config, fetch, clock: Date.now, log: recordingLog() }).api;
}

/** The products' prices, as `tollgate stripe push` would make them. */
export async function stock(api: Stripe): Promise<void> {
  for (const { id, name, plans = [] } of products) {
    const product = await api.products.create({ name, metadata: { tollgate_product: id } });
    for (const price of plans.flatMap(({ prices = [] }) => prices)) {
      await api.prices.create({
        product: product.id,
        currency: price.currency ?? 'eur',
        unit_amount: price.amount ?? 0,
        recurring: { interval: price.period },
        ...(price.lookupKey && { lookup_key: price.lookupKey }),
      });
    }
  }
}

/** Where events go, once it is known where that is: its secret is needed before. */
export async function hookOf(
  api: Stripe,
): Promise<{ secret: string; pointTo(issuer: string): Promise<void> }> {
  const hook = await api.webhookEndpoints.create({
    url: 'http://127.0.0.1:1/',
    enabled_events: ['*'],
    api_version: apiVersion,
  });
  return {
    secret: hook.secret ?? '',
    async pointTo(issuer) {
      const url = `${issuer}/integrations/stripe/events`;
      await api.webhookEndpoints.update(hook.id, { url });
    },
  };
}

export interface SignupWorld extends World {
  stripe: StripeSimulator;
  /** What an operator does at Stripe. */
  api: Stripe;
}

/** @param changes of the configuration, and of its part about Stripe */
export async function startSignupWorld(
  changes: ConfigChanges = {},
  ofStripe: Partial<NonNullable<ConfigInput['stripe']>> = {},
): Promise<SignupWorld> {
  const stripe = await startStripe({ port: 0 });
  const api = operatorOf(stripe);
  await stock(api);
  const { secret, pointTo } = await hookOf(api);
  const selling = sellingConfig(stripe, [secret]);
  const world = await startWorld({
    clock: () => stripe.now(),
    config: { ...selling, stripe: { ...selling.stripe, ...ofStripe }, ...changes },
  });
  await pointTo(world.issuer);
  return {
    ...world,
    stripe,
    api,
    browser: (options) => createBrowser({ stopAt: (to) => isAway(to, stripe), ...options }),
    async close() {
      await world.close();
      await stripe.close();
    },
  };
}

/** Apps and Stripe's pages are not visited: what people do there a test says. */
export function isAway(url: URL, { url: stripe }: StripeSimulator): boolean {
  return url.hostname.endsWith('.example.com') || url.origin === stripe;
}

/** Somebody whom nobody has seen before. */
export const newcomer = (name: string): NonNullable<SignIn['someone']> => ({
  subject: `newcomer-${name}`,
  name: `New ${name}`,
  email: `${name}@example.net`,
});

/** The id of the Checkout Session that the browser was sent to. */
export function sessionOf(url: string | URL): string {
  const id = /\/c\/pay\/(cs_\w+)/.exec(String(url))?.[1];
  if (id === undefined) throw new Error(`this is no payment page: ${String(url)}`);
  return id;
}

export type Who = Pick<SignIn, 'person' | 'someone' | 'account'>;

/** Follows a link for signing up as far as it goes: to Stripe's page, to the app, or to a page of ours. */
export async function follow(
  browser: Browser,
  issuer: string,
  query: Record<string, string>,
  who: Who = {},
): Promise<Page> {
  const first = await browser.get(`${issuer}/signup?${new URLSearchParams(query)}`);
  return signInAt(browser, first, who);
}

/** Where the browser is asked who it is, it says so; all else is the caller's. */
export async function signInAt(browser: Browser, first: Page, who: Who): Promise<Page> {
  const asks = first.forms.some(({ buttons }) =>
    buttons.some(({ name }) => name === 'person' || name === 'provider'),
  );
  if (first.stopped || !asks) return first;
  const fields = who.someone;
  const button = first.forms.some(({ buttons }) => buttons.some(({ name }) => name === 'provider'))
    ? 'provider=upstream'
    : `person=${fields === undefined ? (who.person ?? 'ada') : 'someone'}`;
  const typed = button === 'person=someone' && fields !== undefined ? { fields } : {};
  return signInAt(browser, await browser.submit(first, { button, ...typed }), who);
}

/** What the app does on its page: a token for whoever came in. */
export async function tokenAt(
  browser: Browser,
  issuer: string,
): Promise<{ status: number; claims: Record<string, unknown> }> {
  const answer = await browser.fetch(`${issuer}/refresh`, {
    method: 'POST',
    origin: issuer,
  });
  const body = JSON.parse(answer.text) as { access_token?: string };
  const claims = body.access_token === undefined ? {} : claimsOf(body.access_token);
  return { status: answer.status, claims };
}
