/**
 * A change of plan that is stopped: at each of its writes, and at each of its calls to Stripe, before the work was done
 * there or after it with the answer lost. Whoever tries again has the plan, paid for once, and a token that says so.
 */

import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { cards } from '../../dev/stripe/cards.ts';
import { startStripe } from '../../dev/stripe/simulator.ts';
import type { Fault } from '../../dev/stripe/contract.ts';
import type { StripeSimulator } from '../../dev/stripe/simulator.ts';
import { createBrowser } from '../../dev/walk.ts';
import type { Browser, Page } from '../../dev/walk.ts';
import { startMortalWorld } from '../kit/mortal_world.ts';
import type { MortalWorld } from '../kit/mortal_world.ts';
import {
  follow,
  isAway,
  newcomer,
  operatorOf,
  sellingConfig,
  sessionOf,
  stock,
  tokenAt,
} from '../kit/signup_world.ts';
import { portalSession } from '../kit/subscribers.ts';
import { NotYet } from './fault_stories.ts';

const longestMs = 120_000;
const longestStory = 40;
const mostAttempts = 4;
const back = 'https://app.example.com/settings';

let stripe: StripeSimulator;
let world: MortalWorld;
let browser: Browser;
let customer: string;
/** Of the two quantities the one that is not now. */
let wanted = 6;

async function start(changes: 'page' | 'portal'): Promise<void> {
  stripe = await startStripe({ port: 0 });
  await stock(operatorOf(stripe));
  const config = sellingConfig(stripe, []);
  const selling = { ...config, stripe: { ...config.stripe, changes } };
  world = await startMortalWorld(selling, () => stripe.now());
  browser = createBrowser({ stopAt: (url) => isAway(url, stripe) });
  wanted = 6;
  const team = { product: 'api', plan: 'team', period: 'month', quantity: '3' };
  const someone = newcomer(`switch-${changes}`);
  const page = await follow(browser, world.issuer, team, { someone });
  const outcome = await stripe.checkout.pay(sessionOf(page.url), { card: cards.pays });
  if (outcome.kind !== 'completed') throw new Error(outcome.kind);
  await browser.get(outcome.redirect);
  customer = String((await tokenAt(browser, world.issuer)).claims.customer);
  if (changes === 'portal') await allowChanges();
}

async function allowChanges(): Promise<void> {
  const api = operatorOf(stripe);
  const item = itemNow();
  const [first] = (await api.billingPortal.configurations.list({ is_default: true })).data;
  await api.billingPortal.configurations.update(first?.id ?? '', {
    features: {
      subscription_update: {
        enabled: true,
        default_allowed_updates: ['price', 'quantity'],
        products: [{ product: String(item.price.product), prices: [item.price.id] }],
        proration_behavior: 'always_invoice',
      },
    },
  });
}

const itemNow = () => {
  const [item] = stripe.objects.subscriptions().flatMap(({ items }) => items.data);
  if (item === undefined) throw new Error('nothing is subscribed to');
  return item;
};
const invoices = () => stripe.objects.invoices().filter((one) => one.customer === customer).length;

/** Pages of failures say that it can be tried again. */
function there(page: Page): Page {
  if (page.status >= 500 || page.status === 409) throw new NotYet(`status ${page.status}`);
  return page;
}

/** What somebody does who wants another quantity: from the link, again and again. */
async function act(): Promise<void> {
  const query = new URLSearchParams({ quantity: String(wanted), return_to: back });
  let page = there(await browser.get(`${world.issuer}/account/switch/api?${query}`));
  if (page.url.startsWith(stripe.url)) {
    const { redirect } = await stripe.portal.updatePlan(portalSession(page));
    page = there(await browser.get(redirect ?? ''));
  } else if (!page.text.includes('You have this plan already')) {
    page = there(await browser.submit(page));
  }
  const has = page.url === back || page.text.includes('You have this plan already');
  if (!has) throw new NotYet(`at ${page.url}: ${page.title}`);
}

async function attempt(): Promise<string | undefined> {
  try {
    await act();
    return undefined;
  } catch (error) {
    if (error instanceof NotYet) return error.message;
    throw error;
  }
}

/** Once more after a success too: who reloads changes nothing. */
async function untilDone(first: string | undefined, before: number): Promise<void> {
  let problem = first;
  for (let again = 1; problem !== undefined && again < mostAttempts; again += 1) {
    problem = await attempt();
  }
  expect(problem).toBe(undefined);
  expect(await attempt()).toBe(undefined);
  expect(itemNow().quantity).toBe(wanted);
  expect(invoices()).toBe(before + 1);
  const { status, claims } = await tokenAt(browser, world.issuer);
  expect([status, claims]).toMatchObject([200, { quantity: wanted }]);
  wanted = wanted === 6 ? 3 : 6;
}

/** @returns whether there was a k-th write */
async function stopAtWrite(k: number, mode: 'before' | 'after', dies: boolean): Promise<boolean> {
  const { store } = world;
  const before = invoices();
  let met = false;
  const onStop = () => {
    met = true;
    if (!dies) store.revive();
  };
  store.revive({ stopAfterWrites: k, mode, onStop });
  const problem = await attempt();
  store.revive();
  if (met && dies) await world.restart();
  await untilDone(problem, before);
  return met;
}

/** The attempt, and the one that Stripe's library makes by itself. @returns whether there was a k-th call */
async function failAtCall(k: number, fault: Fault): Promise<boolean> {
  const before = { calls: stripe.calls.length, invoices: invoices() };
  stripe.fail({ ...fault, after: k, times: 2 });
  const problem = await attempt();
  const met = stripe.calls.length > before.calls + k;
  stripe.clearFaults();
  await untilDone(problem, before.invoices);
  return met;
}

const deaths = (['before', 'after'] as const).flatMap((mode) =>
  [true, false].map((dies) => [mode, dies] as const),
);
const faults: [string, Fault][] = [
  ['an answer of 429', { kind: 'status', status: 429 }],
  ['an answer of 500', { kind: 'status', status: 500 }],
  ['a connection that is cut before', { kind: 'cut_before' }],
  ['the work done and the answer lost', { kind: 'cut_after' }],
  ['the work done and an answer of 500', { kind: 'error_after' }],
];

describe.each(['page', 'portal'] as const)('confirmed by the %s', (changes) => {
  beforeAll(() => start(changes));
  afterAll(async () => {
    await world.close();
    await stripe.close();
  });

  test.each(deaths)(
    'each write in turn is stopped (%s it), and the process dies: %s',
    { timeout: longestMs },
    async (mode, dies) => {
      // They are few: all of them, on every store.
      let k = 1;
      while (await stopAtWrite(k, mode, dies)) {
        k += 1;
        expect(k).toBeLessThan(longestStory);
      }
      expect(k).toBeGreaterThan(1);
    },
  );

  test.each(faults)(
    'each call to Stripe in turn meets %s',
    { timeout: longestMs },
    async (_name, fault) => {
      let k = 0;
      while (await failAtCall(k, fault)) {
        k += 1;
        expect(k).toBeLessThan(longestStory);
      }
      expect(k).toBeGreaterThan(3);
    },
  );
});
