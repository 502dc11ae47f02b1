/**
 * `docs/billing.md` from its beginning: an empty Stripe account, `stripe push`, the two things that it says to set, a
 * sign-up by a link, and then Stripe's own portal. What was made has to be enough for all of it, with both kinds of events.
 */

import { expect, onTestFinished, test, vi } from 'vitest';
import { cards } from '../../dev/stripe/cards.ts';
import { startStripe } from '../../dev/stripe/simulator.ts';
import { createBrowser } from '../../dev/walk.ts';
import { setUpStripe } from '../../src/billing/setup/setup.ts';
import { createStripe } from '../../src/billing/stripe.ts';
import type { ConfigInput } from '../../src/config.ts';
import { recordingLog, testConfig } from '../kit/server.ts';
import {
  ends,
  follow,
  isAway,
  newcomer,
  operatorOf,
  sessionOf,
  tokenAt,
} from '../kit/signup_world.ts';
import { startWorld } from '../kit/world.ts';

const products: NonNullable<ConfigInput['products']> = [
  {
    id: 'api',
    name: 'Example',
    audience: 'https://api.example.com',
    plans: [
      {
        id: 'team',
        name: 'Team',
        seats: { min: 1, max: 10 },
        features: ['export'],
        prices: [{ period: 'month', lookupKey: 'team_month', amount: 900, currency: 'eur' }],
      },
      {
        id: 'business',
        name: 'Business',
        seats: { min: 1, max: 100 },
        features: ['export', 'audit'],
        prices: [{ period: 'month', lookupKey: 'business_month', amount: 1900, currency: 'eur' }],
      },
    ],
  },
];

async function openForBusiness(thin: boolean) {
  const stripe = await startStripe({ port: 0 });
  onTestFinished(() => stripe.close());
  const selling = { secretKey: stripe.secretKey, apiBase: stripe.url };
  const changes = {
    registration: 'checkout' as const,
    products,
    signup: ends,
    returnOrigins: [new URL(ends.success).origin],
  };
  // Where the world will listen is not known yet.
  const config = testConfig('http://127.0.0.1:1', { ...changes, stripe: selling });
  if (config.stripe === undefined) throw new Error('nothing is sold');
  const shared = { fetch: globalThis.fetch, clock: Date.now, log: recordingLog() };
  const { findings, secret = '' } = await setUpStripe({
    stripe: createStripe({ ...shared, config: config.stripe }),
    config: { ...config, stripe: config.stripe },
    clock: Date.now,
    makes: true,
    thin,
  });
  expect(findings.filter(({ state }) => state !== 'made')).toEqual([]);
  const made = (what: string) => findings.find((one) => one.what === what)?.id ?? '';
  const portalConfiguration = made('portal');
  const world = await startWorld({
    clock: () => stripe.now(),
    config: { ...changes, stripe: { ...selling, webhookSecrets: [secret], portalConfiguration } },
  });
  onTestFinished(() => world.close());
  const api = operatorOf(stripe);
  const url = `${world.issuer}/integrations/stripe/events`;
  if (thin) {
    await api.v2.core.eventDestinations.update(made('webhook (thin)'), {
      webhook_endpoint: { url },
    });
  } else await api.webhookEndpoints.update(made('webhook'), { url });
  const browser = createBrowser({ stopAt: (to) => isAway(to, stripe) });
  return { ...world, stripe, api, browser };
}

test.each([
  ['snapshots', false],
  ['thin events', true],
])('sign up, change the plan, cancel: what push has made is enough, with %s', async (_, thin) => {
  const { issuer, stripe, api, browser } = await openForBusiness(thin);
  const query = { product: 'api', plan: 'team', period: 'month', quantity: '3' };
  const page = await follow(browser, issuer, query, { someone: newcomer('setup') });
  const outcome = await stripe.checkout.pay(sessionOf(page.url), { card: cards.pays });
  if (outcome.kind !== 'completed') throw new Error(outcome.kind);
  expect((await browser.get(outcome.redirect)).url).toBe(ends.success);
  const { claims } = await tokenAt(browser, issuer);
  expect(claims).toMatchObject({
    access: 'full',
    plan: 'team',
    quantity: 3,
    entitlements: ['export'],
  });

  /** What the next token says, once Stripe's events have come. */
  const becomes = async (expected: object) => {
    await stripe.webhooks.flush();
    await vi.waitFor(async () => {
      expect((await tokenAt(browser, issuer)).claims).toMatchObject(expected);
    }, 10_000);
  };
  const portal = async (flow = '') => {
    const { url } = await browser.get(`${issuer}/account/portal${flow}`);
    return /\/p\/session\/(\w+)/.exec(url)?.[1] ?? '';
  };
  const { data } = await api.prices.list({ lookup_keys: ['business_month'] });
  await stripe.portal.updatePlan(await portal(), { price: data[0]?.id ?? '', quantity: 4 });
  await becomes({ plan: 'business', quantity: 4, entitlements: ['audit', 'export'] });
  await stripe.portal.cancel(await portal('?flow=cancel'), { reason: 'too_expensive' });
  await becomes({ plan: 'business', cancel_at: expect.any(Number) as number });
});
