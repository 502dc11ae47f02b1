/**
 * Closing an account, at the end of the period and at once, and taking it back, stopped at each write and at each call to
 * Stripe. Whoever tries again, another process and the comparison of all accounts come to the same: a closed account, and
 * one that will be, has nothing that is renewed; one that is kept has it as before.
 */

import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { cards } from '../../dev/stripe/cards.ts';
import type { Fault } from '../../dev/stripe/contract.ts';
import { startStripe } from '../../dev/stripe/simulator.ts';
import type { StripeSimulator } from '../../dev/stripe/simulator.ts';
import { startMortalWorld } from '../kit/mortal_world.ts';
import type { MortalWorld } from '../kit/mortal_world.ts';
import { writesToStopAt } from '../kit/places.ts';
import { operatorOf, sellingConfig, sessionOf, stock } from '../kit/signup_world.ts';

const longestMs = 120_000;
const longestStory = 30;
const day = 86_400_000;

let stripe: StripeSimulator;
let world: MortalWorld;

beforeAll(async () => {
  stripe = await startStripe({ port: 0 });
  await stock(operatorOf(stripe));
  world = await startMortalWorld(sellingConfig(stripe, []), () => stripe.now());
});
afterAll(async () => {
  await world?.close();
  await stripe?.close();
});

interface Subscribed {
  user: string;
  account: string;
  subscription: string;
}

async function subscribed(): Promise<Subscribed> {
  const { directory, billing } = world.server();
  const { id: user } = await directory.createUser({ name: 'Ada' });
  const { id: account } = await directory.createAccount({ name: 'Engines', owner: user });
  const team = { product: 'api', plan: 'team', period: 'month' };
  const step = await billing!.signups.begin({ ...team, user, account });
  if (step.at !== 'checkout') throw new Error(step.at);
  await stripe.checkout.pay(sessionOf(step.url), { card: cards.pays });
  await billing!.signups.fulfil(sessionOf(step.url));
  await world.server().dispatcher.drain();
  const { subscriptions } = (await directory.account(account))!;
  return { user, account, subscription: subscriptions!.api!.subscription };
}

const subscriptionOf = ({ subscription }: Subscribed) =>
  stripe.objects.subscriptions().find(({ id }) => id === subscription)!;
const closing = () => world.server().directory.closing;

interface Story {
  begin(one: Subscribed): Promise<unknown>;
  act(one: Subscribed): Promise<unknown>;
  has(one: Subscribed): Promise<void>;
}

const later = () => stripe.now() + 10 * day;
const why = { feedback: 'unused', reason: 'No time.' };

const stories: Record<string, Story> = {
  'at the end of the period': {
    begin: () => Promise.resolve(),
    act: ({ account, user }) => closing().ask({ account, by: user, endsAt: later(), ...why }),
    async has(one) {
      const subscription = subscriptionOf(one);
      expect(subscription.cancel_at_period_end).toBe(true);
      expect(subscription.cancellation_details).toMatchObject({ feedback: 'unused' });
      const { status, closing: decided } = (await world.server().directory.account(one.account))!;
      const { current_period_end: end } = subscription.items.data[0]!;
      expect([status, decided?.endsAt]).toEqual(['active', end * 1000]);
    },
  },
  'at once': {
    begin: () => Promise.resolve(),
    act: ({ account, user }) => closing().ask({ account, by: user, ...why }),
    async has(one) {
      expect(subscriptionOf(one)).toMatchObject({
        status: 'canceled',
        cancellation_details: { feedback: 'unused', comment: 'No time.' },
      });
      const { status, subscriptions } = (await world.server().directory.account(one.account))!;
      expect([status, subscriptions?.api?.status]).toEqual(['closed', 'canceled']);
    },
  },
  'taken back': {
    async begin({ account, user }) {
      await closing().ask({ account, by: user, endsAt: later(), ...why });
      await world.server().dispatcher.drain();
    },
    act: ({ account, user }) => closing().withdraw(account, user),
    async has(one) {
      expect(subscriptionOf(one)).toMatchObject({
        status: 'active',
        cancel_at: null,
        cancel_at_period_end: false,
      });
      const account = (await world.server().directory.account(one.account))!;
      expect([account.status, account.closing]).toEqual(['active', undefined]);
      expect(account.subscriptions?.api).not.toHaveProperty('cancelAt');
    },
  },
};

/** The decision, and what follows at once. */
async function attempt(story: Story, one: Subscribed): Promise<void> {
  await story.act(one).catch(() => undefined);
  await world.server().dispatcher.drain();
}

/** @returns whether there was a k-th write */
async function stopAtWrite(story: Story, k: number, mode: 'before' | 'after'): Promise<boolean> {
  const one = await subscribed();
  await story.begin(one);
  const { store } = world;
  let met = false;
  const onStop = () => void (met = true);
  store.revive({ stopAfterWrites: k, mode, onStop });
  await attempt(story, one).catch(() => undefined);
  store.revive();
  if (met) await world.restart();
  await attempt(story, one);
  await story.has(one);
  return met;
}

/** The attempt, and the one that Stripe's library makes by itself. @returns whether there was a k-th call */
async function failAtCall(story: Story, k: number, fault: Fault): Promise<boolean> {
  const one = await subscribed();
  await story.begin(one);
  const before = stripe.calls.length;
  stripe.fail({ ...fault, after: k, times: 2 });
  await attempt(story, one);
  const met = stripe.calls.length > before + k;
  stripe.clearFaults();
  await world.server().billing!.reconcile({ account: one.account });
  await world.server().dispatcher.drain();
  await story.has(one);
  return met;
}

const faults: [string, Fault][] = [
  ['an answer of 500', { kind: 'status', status: 500 }],
  ['the work done and the answer lost', { kind: 'cut_after' }],
];

describe.each(Object.entries(stories))('%s', (_name, story) => {
  test.each(['before', 'after'] as const)(
    'each write in turn is stopped (%s it), and the process dies',
    { timeout: longestMs },
    async (mode) => {
      const { first, step } = writesToStopAt();
      let k = first;
      while (await stopAtWrite(story, k, mode)) {
        k += step;
        expect(k).toBeLessThan(longestStory);
      }
      expect(k).toBeGreaterThan(1);
    },
  );

  test.each(faults)(
    'each call to Stripe in turn meets %s',
    { timeout: longestMs },
    async (_fault, fault) => {
      const { first, step } = writesToStopAt();
      let k = first - 1;
      while (await failAtCall(story, k, fault)) {
        k += step;
        expect(k).toBeLessThan(longestStory);
      }
      expect(k).toBeGreaterThan(2);
    },
  );
});
