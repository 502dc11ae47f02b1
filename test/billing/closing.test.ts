/** What becomes of an account's subscriptions when it is to be closed, is kept after all, and is closed: with a simulator of Stripe. */

import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { cards } from '../../dev/stripe/cards.ts';
import { createClosingWorker } from '../../src/directory/closing_worker.ts';
import type { LeasedWorker } from '../../src/events/leased_worker.ts';
import { sessionOf, startSignupWorld } from '../kit/signup_world.ts';
import type { SignupWorld } from '../kit/signup_world.ts';
import { problemOf } from '../directory/world.ts';
import { recordingLog } from '../kit/server.ts';

const day = 86_400_000;

let world: SignupWorld;
let worker: LeasedWorker;

beforeAll(async () => {
  world = await startSignupWorld({}, { changes: 'page' });
  const { store, server } = world;
  worker = createClosingWorker({
    store,
    clock: () => world.stripe.now(),
    log: recordingLog(),
    owner: 'test',
    closing: server.directory.closing,
    before: server.billing!.closing.refresh,
  });
});
afterEach(async () => {
  world.stripe.clearFaults();
  await world.stripe.webhooks.flush();
});
afterAll(() => world?.close());

const directory = () => world.server.directory;
const at = (subscription: string) => world.api.subscriptions.retrieve(subscription);
const accountOf = async (account: string) => (await directory().account(account))!;

interface Subscriber {
  user: string;
  account: string;
  customer: string;
  subscription: string;
}

/** Without a browser, whose sign-in would not outlive the months that pass here. */
async function subscriber(wish: Record<string, string> = {}): Promise<Subscriber> {
  const { id: user } = await directory().createUser({ name: 'Ada' });
  const { id: account } = await directory().createAccount({ name: 'Engines', owner: user });
  const session = await pageOf({ user, account, ...wish });
  await world.stripe.checkout.pay(session, { card: cards.pays });
  await world.server.billing!.signups.fulfil(session);
  const { customer = '', subscriptions } = await accountOf(account);
  return { user, account, customer, subscription: subscriptions?.api?.subscription ?? '' };
}

async function pageOf(wish: { user: string; account: string }): Promise<string> {
  const team = { product: 'api', plan: 'team', period: 'month' };
  const step = await world.server.billing!.signups.begin({ ...team, ...wish });
  if (step.at !== 'checkout') throw new Error(step.at);
  return sessionOf(step.url);
}

/** All that is on its way has arrived. */
async function settled(): Promise<void> {
  for (let round = 0; round < 3; round += 1) {
    await world.server.dispatcher.drain();
    await world.stripe.webhooks.flush();
  }
}

/** @returns when it is to end */
async function closes({ account, user }: Subscriber, more = {}): Promise<number> {
  const { subscriptions } = await accountOf(account);
  const endsAt = subscriptions!.api!.periodEnd!;
  const why = { feedback: 'too_expensive', reason: 'It costs\ntoo much.' };
  await directory().closing.ask({ account, by: user, endsAt, ...why, ...more });
  await settled();
  return endsAt;
}

const details = { feedback: 'too_expensive', comment: 'It costs\ntoo much.' };

/** Before months pass: events come at once. */
describe('what an event of Stripe tells', () => {
  test('a closing is done again where somebody lets the subscription go on at Stripe', async () => {
    const one = await subscriber();
    await closes(one);
    await world.api.subscriptions.update(one.subscription, { cancel_at_period_end: false });
    await expect
      .poll(async () => (await at(one.subscription)).cancel_at_period_end, { timeout: 10_000 })
      .toBe(true);
  });

  test('a closing ends a trial with the trial, and follows it where that is longer', async () => {
    const one = await subscriber({ plan: 'solo' });
    const { trialEnd } = (await accountOf(one.account)).subscriptions!.api!;
    await closes(one, { endsAt: trialEnd });
    expect((await at(one.subscription)).cancel_at_period_end).toBe(true);
    const longer = Math.floor((trialEnd! + 10 * day) / 1000);
    const goesOn = { trial_end: longer, cancel_at_period_end: false };
    await world.api.subscriptions.update(one.subscription, goesOn);
    await settled();
    await expect
      .poll(async () => (await accountOf(one.account)).closing?.endsAt, { timeout: 10_000 })
      .toBe(longer * 1000);
    expect(await at(one.subscription)).toMatchObject({
      status: 'trialing',
      cancel_at_period_end: true,
    });
  });

  test('what is sold at Stripe to a closed account ends by its event', async () => {
    const one = await subscriber();
    await directory().closing.ask({ account: one.account });
    await settled();
    // An operator sells it something at Stripe.
    const { items, default_payment_method: card } = await at(one.subscription);
    const late = await world.api.subscriptions.create({
      customer: one.customer,
      items: [{ price: items.data[0]!.price.id, quantity: 2 }],
      default_payment_method: String(card),
    });
    await expect.poll(async () => (await at(late.id)).status, { timeout: 10_000 }).toBe('canceled');
  });

  test('a reason that was given in Stripe’s own portal is kept', async () => {
    const one = await subscriber();
    await world.api.subscriptions.update(one.subscription, {
      cancel_at_period_end: true,
      cancellation_details: { feedback: 'unused', comment: 'From the portal.' },
    });
    await settled();
    await expect
      .poll(async () => (await accountOf(one.account)).subscriptions?.api?.cancellation, {
        timeout: 10_000,
      })
      .toMatchObject({ feedback: 'unused', comment: 'From the portal.' });
  });
});

test(
  'what Stripe does not answer for is done by the inbox, with nobody asking again',
  { timeout: 60_000 },
  async () => {
    const one = await subscriber();
    world.stripe.fail({ kind: 'status', status: 503, times: 100 });
    await directory().closing.ask({ account: one.account, by: one.user });
    await world.server.dispatcher.drain();
    const waiting = await world.store.find('inbox', 'state', 'waiting');
    expect(waiting.map(({ document }) => document.customer)).toContain(one.customer);
    world.stripe.clearFaults();
    await expect
      .poll(async () => (await at(one.subscription)).status, { timeout: 30_000 })
      .toBe('canceled');
  },
);

describe('a closing at the end of the period', () => {
  test('ends the subscription with it, with its reason, and closes the account then; nothing is charged', async () => {
    const one = await subscriber();
    const endsAt = await closes(one);
    expect(await at(one.subscription)).toMatchObject({
      status: 'active',
      cancel_at_period_end: true,
      cancellation_details: details,
    });
    expect((await accountOf(one.account)).closing?.endsAt).toBe(endsAt);
    const paid = world.stripe.objects.invoices().length;
    await world.stripe.advance(endsAt - world.stripe.now() + 1000);
    await worker.look();
    await settled();
    expect(await accountOf(one.account)).toMatchObject({
      status: 'closed',
      closed: { by: one.user },
    });
    expect((await at(one.subscription)).status).toBe('canceled');
    await world.stripe.advance(60 * day);
    expect(world.stripe.objects.invoices()).toHaveLength(paid);
  });

  test('that is taken back undoes what it did, and can be decided again', async () => {
    const one = await subscriber();
    await closes(one);
    await directory().closing.withdraw(one.account, one.user);
    await settled();
    const kept = await at(one.subscription);
    expect(kept).toMatchObject({ cancel_at_period_end: false, cancel_at: null });
    expect(kept.metadata).not.toHaveProperty('tollgate_closing');
    expect(kept.metadata).toMatchObject({ tollgate_account: one.account });
    expect((await accountOf(one.account)).subscriptions?.api).not.toHaveProperty('closing');
    await closes(one);
    expect((await at(one.subscription)).cancel_at_period_end).toBe(true);
  });

  test('leaves an end alone that was there before, also when it is taken back', async () => {
    const one = await subscriber();
    await world.api.subscriptions.update(one.subscription, { cancel_at_period_end: true });
    await closes(one);
    expect((await at(one.subscription)).cancellation_details?.feedback).toBe(null);
    await directory().closing.withdraw(one.account);
    await settled();
    expect((await at(one.subscription)).cancel_at_period_end).toBe(true);
  });

  test('comes before a later end that was set, and that one comes back', async () => {
    const one = await subscriber();
    const later = Math.floor((world.stripe.now() + 200 * day) / 1000);
    await world.api.subscriptions.update(one.subscription, { cancel_at: later });
    await settled();
    await closes(one);
    expect((await at(one.subscription)).cancel_at_period_end).toBe(true);
    await directory().closing.withdraw(one.account);
    await settled();
    expect(await at(one.subscription)).toMatchObject({
      cancel_at: later,
      cancel_at_period_end: false,
    });
  });

  test('of one that Stripe has ended before still comes to its end', async () => {
    const one = await subscriber();
    const endsAt = await closes(one);
    await world.api.subscriptions.cancel(one.subscription);
    await settled();
    expect(await accountOf(one.account)).toMatchObject({ status: 'active', closing: { endsAt } });
    await world.stripe.advance(endsAt - world.stripe.now() + 1000);
    await worker.look();
    expect((await accountOf(one.account)).status).toBe('closed');
  });

  test('of a customer that was deleted at Stripe as well', async () => {
    const one = await subscriber();
    await world.api.customers.del(one.customer);
    await world.server.billing!.closing.refresh(one.account);
    const { account, user } = one;
    await directory().closing.ask({ account, by: user, endsAt: world.stripe.now() + day });
    await settled();
    await world.stripe.advance(2 * day);
    await worker.look();
    expect((await accountOf(account)).status).toBe('closed');
  });

  test('lets nobody buy anything more', async () => {
    const one = await subscriber();
    await closes(one);
    const { switching, signups } = world.server.billing!;
    const account = await accountOf(one.account);
    const wish = { product: 'api', plan: 'team', period: 'year' };
    expect(await problemOf(switching.prepare(account, wish))).toBe('account_closing');
    await world.api.subscriptions.cancel(one.subscription);
    await settled();
    const again = { ...wish, user: one.user, account: one.account };
    expect(await problemOf(signups.begin(again))).toBe('account_closing');
  });
});

test('closing now ends it at once with the reason, and nothing is paid back', async () => {
  const one = await subscriber();
  const before = world.stripe.objects.invoices().length;
  await directory().closing.ask({
    account: one.account,
    by: one.user,
    feedback: details.feedback,
    reason: details.comment,
  });
  await settled();
  expect(await at(one.subscription)).toMatchObject({
    status: 'canceled',
    cancellation_details: details,
  });
  expect(world.stripe.objects.invoices()).toHaveLength(before);
});

test('opened again it has no plan, and can have one', async () => {
  const one = await subscriber();
  await directory().closing.ask({ account: one.account });
  await settled();
  await directory().closing.reopen(one.account);
  await settled();
  expect((await at(one.subscription)).status).toBe('canceled');
  expect(await pageOf({ user: one.user, account: one.account })).toMatch(/^cs_/);
});

describe('a payment page', () => {
  async function paying() {
    const one = await subscriber();
    await world.api.subscriptions.cancel(one.subscription);
    await world.server.billing!.sync.customer(one.customer);
    const { user, account } = one;
    return { ...one, open: () => pageOf({ user, account }) };
  }

  test('that is open can be paid no more', async () => {
    const { account, user, open } = await paying();
    const session = await open();
    await directory().closing.ask({ account, by: user, endsAt: world.stripe.now() + day });
    await settled();
    await expect(world.stripe.checkout.pay(session, { card: cards.pays })).rejects.toThrow();
  });

  test('that was paid in that very moment gives what is not renewed', async () => {
    const { account, customer, open } = await paying();
    const session = await open();
    await world.stripe.checkout.pay(session, { card: cards.pays });
    await directory().closing.ask({ account, endsAt: world.stripe.now() + day });
    await settled();
    const { data } = await world.api.subscriptions.list({ customer, status: 'active' });
    await expect
      .poll(async () => (await at(data[0]!.id)).cancel_at_period_end, { timeout: 10_000 })
      .toBe(true);
    // It was paid for, so it is had until then.
    const { current_period_end: end } = data[0]!.items.data[0]!;
    await expect
      .poll(async () => (await accountOf(account)).closing?.endsAt, { timeout: 10_000 })
      .toBe(end * 1000);
  });
});

describe('what Stripe will not have set', () => {
  test('does not put the end off: the account is closed when it was said, and the subscription then', async () => {
    const one = await subscriber();
    // A schedule of Stripe's has it.
    world.stripe.fail({
      kind: 'status',
      status: 400,
      method: 'POST',
      path: '/v1/subscriptions/*',
      times: 100,
    });
    const endsAt = await closes(one);
    await world.stripe.advance(endsAt - world.stripe.now() + 1000);
    await settled();
    await worker.look();
    await settled();
    expect((await accountOf(one.account)).status).toBe('closed');
    expect((await at(one.subscription)).status).toBe('canceled');
    const charged = () =>
      world.stripe.objects.invoices().filter(({ customer }) => customer === one.customer).length;
    const before = charged();
    await world.stripe.advance(60 * day);
    expect(charged()).toBe(before);
  });

  test('of one subscription of a closed account ends the others all the same', async () => {
    const one = await subscriber();
    const { items, default_payment_method: card } = await at(one.subscription);
    const price = items.data[0]!.price.id;
    const other = await world.api.subscriptions.create({
      customer: one.customer,
      items: [{ price, quantity: 2 }],
      default_payment_method: String(card),
    });
    // The one that Stripe lists first: the later one.
    const path = `/v1/subscriptions/${other.id}`;
    world.stripe.fail({ kind: 'status', status: 400, method: 'DELETE', path, times: 100 });
    await directory().closing.ask({ account: one.account });
    await world.server.dispatcher.drain();
    expect((await at(one.subscription)).status).toBe('canceled');
    world.stripe.clearFaults();
    await world.server.billing!.reconcile({ account: one.account });
    expect((await at(other.id)).status).toBe('canceled');
  });
});

describe('of somebody who was deleted', () => {
  test('a payment page for an account of their own can be paid no more', async () => {
    const { id: user } = await directory().createUser({ name: 'Kim' });
    const session = await pageOf({ user, account: 'new' });
    await directory().deleteUser(user);
    await settled();
    await expect(world.stripe.checkout.pay(session, { card: cards.pays })).rejects.toThrow();
  });

  test('a sign-up that stopped half way makes no account for them', async () => {
    const { id: user } = await directory().createUser({ name: 'Kim' });
    const { store } = world;
    const { signups } = world.server.billing!;
    const easy = { product: 'api', plan: 'easy', period: 'month', user, account: 'new' };
    const path = '/v1/subscriptions';
    world.stripe.fail({ kind: 'status', status: 503, method: 'POST', path, times: 100 });
    expect(await problemOf(signups.begin(easy))).toBe('stripe_unavailable');
    world.stripe.clearFaults();
    const [begun] = await store.find('signup', 'user', user);
    expect(begun?.document).toMatchObject({ state: 'open', direct: true });
    await directory().deleteUser(user);
    const due = { ...begun!.document, dueAt: 1 };
    await store.write('signup', begun!.id, due, { expect: begun!.version });
    await signups.sweep(() => true);
    expect(await directory().account(begun!.document.account)).toBeUndefined();
    const { state } = (await store.get('signup', begun!.id))!.document;
    expect(state).toBe('expired');
  });
});
