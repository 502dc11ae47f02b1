/** The part of the story in which somebody signs up and pays, and what a token says after each step. */

import { setTimeout as delay } from 'node:timers/promises';
import { decodeJwt } from 'jose';
import { callService, expect, press } from './story_app.ts';
import type { Steps } from './story_app.ts';
import { cards } from './stripe/cards.ts';
import { createBrowser } from './walk.ts';
import type { Browser, Page } from './walk.ts';
import type { World } from './world.ts';

/** From what Stripe does to what a token says: nothing takes so long, on any machine. */
const longestWaitMs = 15_000;
const betweenLooksMs = 50;
const day = 86_400_000;

type Claims = Record<string, unknown>;

interface Token {
  text: string;
  claims: Claims;
}

/** What has to do with the subscription. */
const shown = [
  'account',
  'plan',
  'period',
  'quantity',
  'subscription_status',
  'access',
  'entitlements',
  'trial_end',
  'period_end',
  'cancel_at',
];

const shownOf = ({ claims }: Token): Claims =>
  Object.fromEntries(Object.entries(claims).filter(([name]) => shown.includes(name)));

export async function somebodyPays(world: World, steps: Steps): Promise<void> {
  const browser = createBrowser();
  const customer: Customer = { world, browser };
  await signsUp(customer, steps);
  await failsAndRecovers(customer, steps);
  await changesAndEnds(customer, steps);
}

interface Customer {
  world: World;
  browser: Browser;
}

async function signsUp(customer: Customer, { step }: Steps): Promise<void> {
  const { world, browser } = customer;
  const { issuer, linksApp, stripe } = world;
  const back = `${linksApp}/`;

  await step('Nora is nobody here: she is told to choose a plan first', async () => {
    const stranger = createBrowser();
    const page = await press(stranger, await stranger.get(`${issuer}/signin`), ['person=nora']);
    expect(page.status === 403 && page.visible.includes('plan'), `${page.status} ${page.title}`);
    return { value: undefined, shows: { status: page.status, title: page.title } };
  });

  const checkout = await step(
    'Nora follows a link to sign up: she is asked who she is, and for a card',
    async () => {
      const link = signUpLink(world, { plan: 'team', period: 'month', quantity: '3' });
      const page = await press(browser, await browser.get(link), ['person=nora']);
      expect(page.url.startsWith(`${stripe.url}/c/pay/`), `she is at Checkout (${page.url})`);
      return { value: page, shows: { at: page.title, says: page.visible.slice(0, 240) } };
    },
  );

  const first = await step(
    'She gives one, and the first token says that she tries it',
    async () => {
      const page = await browser.submit(checkout, {
        button: `card=${cards.pays}`,
        form: checkout.url.slice(stripe.url.length),
      });
      expect(page.url === back, `she is back at the app (${page.url})`);
      const token = await tokenOf(customer);
      const { plan, quantity, subscription_status: status } = token.claims;
      expect(
        plan === 'team' && status === 'trialing' && quantity === 3,
        `${String(plan)} ${String(status)}`,
      );
      return { value: token, shows: shownOf(token) };
    },
  );

  await step('The service takes it', async () => {
    const { status, body } = await callService(world, first.text);
    expect(status === 200, `${status}`);
    return { value: undefined, shows: { status, plan: body.plan } };
  });

  await step('The link once more: she has it already, and pays no second time', async () => {
    const page = await browser.get(
      `${issuer}/signup?product=${world.product}&plan=team&period=month`,
    );
    expect(!page.url.startsWith(stripe.url), `there is no second Checkout (${page.url})`);
    return { value: undefined, shows: { at: page.url.split('?')[0], says: page.title } };
  });
}

async function failsAndRecovers(customer: Customer, { step }: Steps): Promise<void> {
  const { world, browser } = customer;
  const { stripe } = world;

  await step('13 days on; she gives a card in the portal that will fail', async () => {
    await stripe.advance(13 * day);
    const page = await portal(customer, 'payment_method');
    await back(customer, await browser.submit(page, { button: `card=${cards.failsLater}` }));
    const token = await tokenOf(customer);
    expect(token.claims.subscription_status === 'trialing', 'the trial goes on');
    return { value: undefined, shows: shownOf(token) };
  });

  const before = await tokenOf(customer);
  await step('The trial ends, the payment fails: services refuse the token of before', async () => {
    await stripe.advance(2 * day);
    const token = await tokenWhich(
      customer,
      ({ subscription_status: status }) => status === 'past_due',
    );
    const refused = {
      webhooks: await refusedBy(world, before, 'webhooks'),
      stream: await refusedBy(world, before, 'stream'),
      logout: 'is not told of plans',
    };
    return { value: undefined, shows: { ...shownOf(token), ...refused } };
  });

  await step(
    'She pays in the portal, with another card; the token says so when she is back',
    async () => {
      let page = await portal(customer, 'payment_method');
      await back(customer, await browser.submit(page, { button: `card=${cards.pays}` }));
      page = await portal(customer, 'invoices');
      page = await browser.submit(page, { form: '/pay' });
      await back(customer, page);
      const token = await tokenWhich(
        customer,
        ({ subscription_status: status }) => status === 'active',
      );
      return { value: undefined, shows: shownOf(token) };
    },
  );
}

async function changesAndEnds(customer: Customer, { step }: Steps): Promise<void> {
  const { world, browser } = customer;
  const { issuer, linksApp, product, stripe } = world;

  await step('A link changes the plan, once she has confirmed what it costs', async () => {
    const wish = new URLSearchParams({
      plan: 'business',
      period: 'month',
      return_to: `${linksApp}/`,
    });
    const page = await browser.get(`${issuer}/account/switch/${product}?${wish}`);
    expect(page.title === 'Confirm the change', `she is asked (${page.url}: ${page.title})`);
    const unchanged = await tokenOf(customer);
    expect(unchanged.claims.plan === 'team', 'a link alone changes nothing');
    await back(customer, await browser.submit(page, { button: 'Confirm' }));
    const token = await tokenWhich(customer, ({ plan }) => plan === 'business');
    return { value: undefined, shows: { asked: page.title, ...shownOf(token) } };
  });

  await step('She cancels, and says why: it stays until the end of what is paid', async () => {
    const page = await portal(customer, 'cancel');
    const fields = { reason: 'too_expensive', comment: 'We are three people.' };
    await back(customer, await browser.submit(page, { button: 'Cancel the subscription', fields }));
    const token = await tokenWhich(customer, ({ cancel_at: at }) => at !== undefined);
    expect(token.claims.plan === 'business', 'she has what she paid for');
    return { value: undefined, shows: shownOf(token) };
  });

  await step('A month on it has ended, and she is on the free plan', async () => {
    await stripe.advance(32 * day);
    const token = await tokenWhich(customer, ({ plan }) => plan === 'free');
    return { value: undefined, shows: shownOf(token) };
  });
}

function signUpLink({ issuer, linksApp, product }: World, wish: Record<string, string>): string {
  return `${issuer}/signup?${new URLSearchParams({ product, ...wish, return_to: `${linksApp}/` })}`;
}

/** Through the link of ours to the page of Stripe's. */
async function portal({ world, browser }: Customer, flow: string): Promise<Page> {
  const query = new URLSearchParams({ flow, return_to: `${world.linksApp}/` });
  const page = await browser.get(`${world.issuer}/account/portal?${query}`);
  expect(
    page.url.startsWith(`${world.stripe.url}/p/session/`),
    `she is at the portal (${page.url})`,
  );
  return page;
}

/** Back at the app: by itself, or by the portal's link. */
async function back({ world, browser }: Customer, page: Page): Promise<void> {
  const app = `${world.linksApp}/`;
  if (page.url === app) return;
  const way = page.links.find(({ text }) => text.startsWith('Return to'));
  const arrived = way === undefined ? page : await browser.follow(page, way.text);
  expect(
    arrived.url === app,
    `she is back at the app (${arrived.url}: ${arrived.visible.slice(0, 200)})`,
  );
}

/** What the app gets by `/refresh`. */
async function tokenOf({ world, browser }: Customer): Promise<Token> {
  const { issuer, linksApp: origin } = world;
  const answer = await browser.fetch(`${issuer}/refresh`, { origin, method: 'POST' });
  expect(answer.status === 200, `there is a token (${answer.status} ${answer.text.slice(0, 200)})`);
  const { access_token: text } = JSON.parse(answer.text) as { access_token: string };
  return { text, claims: decodeJwt(text) };
}

async function tokenWhich(customer: Customer, holds: (claims: Claims) => boolean): Promise<Token> {
  const giveUpAt = performance.now() + longestWaitMs;
  for (;;) {
    const token = await tokenOf(customer);
    if (holds(token.claims)) return token;
    expect(performance.now() < giveUpAt, `the token says so: ${JSON.stringify(shownOf(token))}`);
    await delay(betweenLooksMs);
  }
}

async function refusedBy(world: World, token: Token, kind: 'webhooks' | 'stream'): Promise<string> {
  const giveUpAt = performance.now() + longestWaitMs;
  for (;;) {
    const { status, body } = await callService(world, token.text, kind);
    if (status !== 200) {
      const { code } = body.error as { code: string };
      expect(code === 'token_stale', `the service says token_stale, not ${code}`);
      return code;
    }
    expect(performance.now() < giveUpAt, `the service with ${kind} refuses the token`);
    await delay(betweenLooksMs);
  }
}
