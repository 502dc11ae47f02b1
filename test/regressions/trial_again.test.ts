/** A trial is once: not again for every account that somebody makes. */

import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import type { Browser } from '../../dev/walk.ts';
import { follow, newcomer, sessionOf, startSignupWorld } from '../kit/signup_world.ts';
import type { SignupWorld, Who } from '../kit/signup_world.ts';

const trial = { product: 'api', plan: 'easy' };
let world: SignupWorld;
let browser: Browser;
let who: Who;
let email: string;
let count = 0;

beforeAll(async () => {
  world = await startSignupWorld();
});
beforeEach(async () => {
  browser = world.browser();
  count += 1;
  const someone = newcomer(`tries${count}`);
  who = { someone };
  email = someone.email;
  await follow(browser, world.issuer, trial, who);
});
afterAll(() => world?.close());

function trials() {
  const customers = world.stripe.objects.customers().filter((one) => one.email === email);
  const ids = new Set(customers.map(({ id }) => id));
  return world.stripe.objects
    .subscriptions()
    .filter(({ customer, trial_end: end }) => ids.has(String(customer)) && end !== null);
}

/** Longer ago than what counts as a second click. */
async function whileLater(): Promise<void> {
  const user = await world.store.find('user', 'identity', '', { prefix: true, limit: 1000 });
  const { id } = user.find(({ document }) => document.email === email)!;
  for (const { id: signup, document } of await world.store.find('signup', 'user', id)) {
    const attemptAt = document.attemptAt - 3_600_000;
    await world.store.write('signup', signup, { ...document, attemptAt }, { expect: 'any' });
  }
}

test('nor after a payment that was begun and left', async () => {
  await whileLater();
  const paid = { product: 'api', plan: 'team', period: 'month', account: 'new' };
  sessionOf((await follow(browser, world.issuer, paid, who)).url);
  const page = await follow(browser, world.issuer, { ...trial, account: 'new' }, who);
  sessionOf(page.url);
  expect(trials()).toHaveLength(1);
});

test('nor for an account that they made with the free plan', async () => {
  await whileLater();
  await follow(browser, world.issuer, { product: 'api', plan: 'free', account: 'new' }, who);
  const accounts = await world.store.find('user', 'identity', '', { prefix: true, limit: 1000 });
  const person = accounts.find(({ document }) => document.email === email)!;
  const ids = (person.document.memberships ?? []).map(({ account }) => account);
  expect(ids).toHaveLength(2);
  const account = ids[1]!;
  const page = await follow(browser, world.issuer, { ...trial, account }, who);
  sessionOf(page.url);
  expect(trials()).toHaveLength(1);
});
