/**
 * A sign-up that is stopped: at each of its writes, and at each of its calls to Stripe, before the work was done there or
 * after it with the answer lost. Whoever tries again comes to the right end: one account, one customer, one subscription,
 * one owner; and nobody has anything who has not paid.
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
import { writesToStopAt } from '../kit/places.ts';
import {
  ends,
  follow,
  isAway,
  newcomer,
  operatorOf,
  sellingConfig,
  sessionOf,
  stock,
  tokenAt,
} from '../kit/signup_world.ts';
import type { Who } from '../kit/signup_world.ts';
import { NotYet } from './fault_stories.ts';

const longestMs = 120_000;
const longestStory = 60;
const mostAttempts = 4;

let stripe: StripeSimulator;
/** By how much Tollgate's clock is ahead. */
let ahead = 0;
let world: MortalWorld;

beforeAll(async () => {
  stripe = await startStripe({ port: 0 });
  await stock(operatorOf(stripe));
  world = await startMortalWorld(sellingConfig(stripe, []), () => stripe.now() + ahead);
});
afterAll(async () => {
  await world?.close();
  await stripe?.close();
});

interface Person {
  browser: Browser;
  who: Who & { someone: { subject: string } };
  query: Record<string, string>;
}

let count = 0;
function newPerson(query: Record<string, string>): Person {
  count += 1;
  const browser = createBrowser({ stopAt: (url) => isAway(url, stripe) });
  return { browser, who: { someone: newcomer(`f${count}`) }, query };
}

const toTeam = { product: 'api', plan: 'team', period: 'month', quantity: '2' };
const stories: Record<string, Record<string, string>> = {
  'paid at Checkout': toTeam,
  'a trial without a card': { product: 'api', plan: 'easy' },
  'a free plan': { product: 'api', plan: 'free' },
};

/** Pages of failures say that it can be tried again. */
function there(page: Page): Page {
  if (page.status >= 500) throw new NotYet(`status ${page.status}`);
  return page;
}

/** What somebody does who wants it: from the link, again and again. */
async function act({ browser, who, query }: Person): Promise<void> {
  let page = there(await follow(browser, world.issuer, query, who));
  if (page.url.startsWith(stripe.url)) {
    const outcome = await stripe.checkout.pay(sessionOf(page.url), { card: cards.pays });
    if (outcome.kind !== 'completed') throw new Error(outcome.kind);
    page = there(await browser.get(outcome.redirect));
  }
  // All was done, and its answer was lost.
  if (page.title.startsWith('You have a plan already')) {
    page = there(await browser.follow(page, 'Back to Tollgate'));
  }
  // Sent back to sign in once more: the conversation was lost with the process.
  if (page.url !== ends.success) throw new NotYet(`at ${page.url}: ${page.title}`);
  const token = await tokenAt(browser, world.issuer);
  if (token.status >= 500 || token.status === 401) throw new NotYet(`token: ${token.status}`);
  expect(token.status).toBe(200);
  if (query.plan !== 'free') expect(token.claims).toMatchObject({ plan: query.plan });
}

async function attempt(person: Person): Promise<string | undefined> {
  try {
    await act(person);
    return undefined;
  } catch (error) {
    if (error instanceof NotYet) return error.message;
    throw error;
  }
}

async function untilDone(person: Person, first: string | undefined): Promise<void> {
  let problem = first;
  for (let again = 1; problem !== undefined && again < mostAttempts; again += 1) {
    problem = await attempt(person);
  }
  expect(problem).toBe(undefined);
}

async function expectOneOfEach({ who, query }: Person): Promise<void> {
  await world.server().dispatcher.drain();
  const { store } = world;
  const users = await store.find('user', 'identity', '', { prefix: true, limit: 1000 });
  const ours = users.filter(({ document }) =>
    document.identities.some(({ subject }) => subject === who.someone.subject),
  );
  expect(ours).toHaveLength(1);
  const accounts = await world.server().directory.usableAccounts(ours[0]!.id);
  expect(accounts.map(({ roles }) => roles)).toEqual([['owner']]);
  const [{ id, document } = { id: '', document: undefined }] = accounts;
  const made = [...world.events.values()].filter(({ data }) => data.account === id);
  expect(made.filter(({ type }) => type === 'account.created')).toHaveLength(1);
  if (query.plan === 'free') return expect(document?.customer).toBe(undefined);
  const customers = stripe.objects
    .customers()
    .filter(({ metadata }) => metadata.tollgate_account === id);
  expect(customers.map((customer) => customer.id)).toEqual([document?.customer]);
  const live = stripe.objects
    .subscriptions()
    .filter(({ customer, status }) => customer === document?.customer && status !== 'canceled');
  expect(live.map((subscription) => subscription.id)).toEqual([
    document?.subscriptions?.api?.subscription,
  ]);
  const signups = await store.find('signup', 'user', ours[0]!.id);
  expect(signups.map((signup) => signup.document.state)).toEqual(['done']);
}

const deaths = (['before', 'after'] as const).flatMap((mode) =>
  [true, false].map((dies) => ({ mode, dies })),
);

describe.each(Object.entries(stories))('%s', (_name, query) => {
  for (const { mode, dies } of deaths) {
    const how = mode === 'before' ? 'does not happen' : 'happens and its answer is lost';
    test(
      `each write in turn ${how}, and the process ${dies ? 'dies' : 'lives on'}`,
      { timeout: longestMs },
      async () => {
        const { first, step } = writesToStopAt();
        let k = first;
        while (await stopAtWrite(newPerson(query), k, mode, dies)) {
          k += step;
          expect(k).toBeLessThan(longestStory);
        }
        expect(k).toBeGreaterThan(first);
      },
    );
  }
});

/** @returns whether there was a k-th write */
async function stopAtWrite(
  person: Person,
  k: number,
  mode: 'before' | 'after',
  dies: boolean,
): Promise<boolean> {
  const { store } = world;
  let met = false;
  const onStop = () => {
    met = true;
    if (!dies) store.revive();
  };
  store.revive({ stopAfterWrites: k, mode, onStop });
  const problem = await attempt(person);
  store.revive();
  if (met && dies) await world.restart();
  await untilDone(person, problem);
  await expectOneOfEach(person);
  return met;
}

const faults: [string, Fault][] = [
  ['an answer of 429', { kind: 'status', status: 429 }],
  ['an answer of 500', { kind: 'status', status: 500 }],
  ['a connection that is cut before', { kind: 'cut_before' }],
  ['the work done and the answer lost', { kind: 'cut_after' }],
  ['the work done and an answer of 500', { kind: 'error_after' }],
];

describe.each(faults)('each call to Stripe in turn meets %s', (_name, fault) => {
  test.each(['paid at Checkout', 'a trial without a card'])(
    '%s',
    { timeout: longestMs },
    async (story) => {
      let k = 0;
      while (await failAtCall(newPerson(stories[story]!), k, fault)) {
        k += 1;
        expect(k).toBeLessThan(longestStory);
      }
      expect(k).toBeGreaterThan(3);
    },
  );
});

/** The attempt, and the one that Stripe's library makes by itself. @returns whether there was a k-th call */
async function failAtCall(person: Person, k: number, fault: Fault): Promise<boolean> {
  const before = stripe.calls.length;
  stripe.fail({ ...fault, after: k, times: 2 });
  const problem = await attempt(person);
  const met = stripe.calls.length > before + k;
  stripe.clearFaults();
  if (problem !== undefined) await comeBackSoon(person);
  await untilDone(person, problem);
  await expectOneOfEach(person);
  return met;
}

/** A customer that Stripe failed to make under its key is asked for anew when its search would know of it. */
async function comeBackSoon({ who, query }: Person): Promise<void> {
  const users = await world.store.find('user', 'identity', '', { prefix: true, limit: 1000 });
  const user = users.find(({ document }) =>
    document.identities.some(({ subject }) => subject === who.someone.subject),
  );
  if (user === undefined) return;
  const { product = '', plan, period } = query;
  ahead = 3 * 60_000;
  for (let again = 0; again < 2; again += 1) {
    const wish = { user: user.id, product, plan, period, quantity: quantityOf(query) };
    await world
      .server()
      .billing?.signups.begin(wish)
      .catch(() => undefined);
  }
  ahead = 0;
}

const quantityOf = ({ quantity }: Record<string, string>) =>
  quantity === undefined ? undefined : Number(quantity);

describe('paid, and gone', () => {
  test.each(['before', 'after'] as const)(
    'what the worker does is stopped at each write (%s)',
    { timeout: longestMs },
    async (mode) => {
      const { first, step } = writesToStopAt();
      let k = first;
      let met = true;
      while (met) {
        const person = newPerson(toTeam);
        const page = await follow(person.browser, world.issuer, toTeam, person.who);
        const session = sessionOf(page.url);
        await stripe.checkout.pay(session, { card: cards.pays });
        met = false;
        const onStop = () => {
          met = true;
        };
        world.store.revive({ stopAfterWrites: k, mode, onStop });
        await world
          .server()
          .billing?.signups.fulfil(session)
          .catch(() => undefined);
        world.store.revive();
        if (met) await world.restart();
        await world.server().dispatcher.drain();
        await world.server().billing?.signups.fulfil(session);
        await expectOneOfEach(person);
        k += step;
      }
      expect(k).toBeGreaterThan(first + step);
    },
  );
});
