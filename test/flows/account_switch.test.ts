/** `/account/switch/:product`: another plan, in the portal or on a page of ours, with a simulator of Stripe. */

import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { cards } from '../../dev/stripe/cards.ts';
import type { Page } from '../../dev/walk.ts';
import { startSignupWorld, tokenAt } from '../kit/signup_world.ts';
import type { SignupWorld } from '../kit/signup_world.ts';
import { colleague, portalSession, subscriber } from '../kit/subscribers.ts';
import type { Subscriber } from '../kit/subscribers.ts';

const day = 86_400_000;
const back = 'https://app.example.com/settings';
let world: SignupWorld;

const change = ({ browser }: Pick<Subscriber, 'browser'>, query: Record<string, string>) =>
  browser.get(`${world.issuer}/account/switch/api?${new URLSearchParams(query)}`);
const updates = () =>
  world.stripe.calls.filter(
    ({ method, path }) => method === 'POST' && path.startsWith('/v1/subscriptions/sub_'),
  );
const subscriptionOf = ({ subscription }: Subscriber) =>
  world.stripe.objects.subscriptions().find(({ id }) => id === subscription)!;
const itemOf = (one: Subscriber) => subscriptionOf(one).items.data[0]!;
const invoicesOf = ({ customer }: Subscriber) =>
  world.stripe.objects.invoices().filter((invoice) => invoice.customer === customer);
const claimsOf = async ({ browser }: Subscriber) => (await tokenAt(browser, world.issuer)).claims;
/** The amount on the button, in cents. */
const onButton = ({ text }: Page) => {
  const amount = /Change plan and pay €([\d,.]+)/.exec(text)?.[1];
  return amount === undefined ? undefined : Math.round(Number(amount.replaceAll(',', '')) * 100);
};

describe('on a page of ours', () => {
  beforeAll(async () => {
    world = await startSignupWorld({}, { changes: 'page' });
  });
  afterEach(async () => {
    world.stripe.clearFaults();
    await world.stripe.webhooks.flush();
  });
  afterAll(() => world?.close());

  test('the link changes nothing, the button changes it once, for the price that it says', async () => {
    const one = await subscriber(world);
    const before = invoicesOf(one).length;
    const page = await change(one, { quantity: '6', return_to: back });
    expect(page.text).toContain('Change to Team?');
    expect(page.text).toContain('3 seats');
    expect(page.text).toContain('6 seats');
    expect(updates()).toEqual([]);
    expect(itemOf(one).quantity).toBe(3);
    const due = onButton(page);
    expect(due).toBeGreaterThan(0);
    // A double click.
    const ends = await Promise.all([one.browser.submit(page), one.browser.submit(page)]);
    expect(ends.map(({ url }) => url)).toEqual([back, back]);
    expect(itemOf(one).quantity).toBe(6);
    expect(invoicesOf(one)).toHaveLength(before + 1);
    expect(invoicesOf(one).map(({ amount_paid: paid }) => paid)).toContain(due);
    expect(await claimsOf(one)).toMatchObject({ quantity: 6, plan: 'team' });
    // Once more, from the browser's memory.
    expect((await one.browser.submit(page)).url).toBe(back);
    expect(invoicesOf(one)).toHaveLength(before + 1);
  });

  test('two tabs at once: one change', async () => {
    const one = await subscriber(world);
    const before = invoicesOf(one).length;
    const pages = await Promise.all([1, 2].map(() => change(one, { quantity: '5' })));
    await Promise.all(pages.map((page) => one.browser.submit(page)));
    expect(await claimsOf(one)).toMatchObject({ quantity: 5 });
    expect(invoicesOf(one)).toHaveLength(before + 1);
  });

  test('to another period, and to another plan', async () => {
    const one = await subscriber(world);
    const yearly = await change(one, { period: 'year' });
    const due = onButton(yearly);
    const done = await one.browser.submit(yearly);
    expect(done.text).toContain('Your plan is changed');
    expect(invoicesOf(one).map(({ amount_paid: paid }) => paid)).toContain(due);
    expect(await claimsOf(one)).toMatchObject({ period: 'year', quantity: 3 });
    const solo = await change(one, { plan: 'solo' });
    // Less than before: what is left over is kept.
    expect(onButton(solo)).toBeUndefined();
    expect(solo.text).toContain('Left over, for your next invoices');
    await one.browser.submit(solo);
    expect(await claimsOf(one)).toMatchObject({ plan: 'solo', period: 'month', quantity: 1 });
  });

  test('what is so already, changes nothing', async () => {
    const one = await subscriber(world);
    const wishes: Record<string, string>[] = [{}, { plan: 'team', period: 'month', quantity: '3' }];
    for (const query of wishes) {
      const page = await change(one, query);
      expect(page.text).toContain('You have this plan already');
    }
  });

  test('a card that is declined: nothing has changed, and another card does', async () => {
    const { stripe } = world;
    const one = await subscriber(world);
    const portal = await one.browser.get(`${world.issuer}/account/portal?flow=payment_method`);
    await stripe.portal.setCard(portalSession(portal), cards.failsLater);
    const page = await change(one, { quantity: '9' });
    const failed = await one.browser.submit(page);
    expect([failed.status, failed.text]).toEqual([
      402,
      expect.stringContaining('Your card was not accepted'),
    ]);
    expect(itemOf(one).quantity).toBe(3);
    expect(await claimsOf(one)).toMatchObject({ quantity: 3, subscription_status: 'active' });
    await stripe.portal.setCard(portalSession(portal), cards.pays);
    await one.browser.submit(await change(one, { quantity: '9' }));
    expect(await claimsOf(one)).toMatchObject({ quantity: 9 });
  });

  test('who sends the form of somebody else, or one that is altered, changes nothing', async () => {
    const [one, other] = [await subscriber(world), await subscriber(world)];
    const page = await change(one, { quantity: '6' });
    const mine = await change(other, { quantity: '7' });
    const fieldsOf = ({ text }: Page) =>
      Object.fromEntries(
        [...text.matchAll(/type="hidden" name="(\w+)" value="([^"]*)"/g)].map(([, name, value]) => [
          name,
          value,
        ]),
      ) as Record<string, string>;
    const post = (fields: Record<string, string>) =>
      other.browser.post(`${world.issuer}/account/switch/api`, fields, { from: mine });
    const csrf = fieldsOf(mine).csrf ?? '';
    expect((await post({ ...fieldsOf(page), csrf })).status).toBe(403);
    expect((await post({ csrf, agreed: 'a.b.c' })).status).toBe(400);
    expect((await post({ agreed: fieldsOf(mine).agreed ?? '' })).status).toBe(403);
    expect([itemOf(one).quantity, itemOf(other).quantity]).toEqual([3, 3]);
  });

  test('a member is told whom to ask', async () => {
    const { account } = await subscriber(world);
    const page = await change({ browser: await colleague(world, account, 'member') }, {});
    expect([page.status, page.text]).toEqual([403, expect.stringContaining('Only an owner can')]);
  });

  test.each([
    [{ plan: 'none' }, 400, 'We do not know that plan'],
    [{ plan: 'old' }, 400, 'This plan is not offered any more'],
    [{ period: 'week' }, 400, 'This plan is not paid for like that'],
    [{ quantity: '11' }, 400, 'That number of seats is not possible'],
    [{ quantity: '0' }, 400, ''],
    [{ quantity: '2.5' }, 400, ''],
    [{ plan: '\u0000' }, 400, ''],
    [{ return_to: 'https://evil.example/' }, 400, ''],
  ])('%j is refused with a page', async (query, status, sentence) => {
    const one = await subscriber(world);
    const page = await change(one, query);
    expect(page.status).toBe(status);
    expect(page.text).toContain(sentence);
    expect(updates().every(({ path }) => !path.includes(one.subscription))).toBe(true);
  });

  test('fewer seats than members have', async () => {
    const one = await subscriber(world);
    await world.server.dispatcher.drain();
    for (const role of ['member', 'admin']) await colleague(world, one.account, role);
    const page = await change(one, { quantity: '2' });
    expect([page.status, page.text]).toEqual([
      409,
      expect.stringContaining('More seats are taken than that'),
    ]);
  });

  test('a subscription of several prices, or with a schedule, is not changed here', async () => {
    const one = await subscriber(world);
    const price = world.stripe.objects
      .subscriptions()
      .flatMap(({ items }) => items.data)
      .find((item) => item.price.id !== itemOf(one).price.id)?.price.id;
    if (price === undefined) throw new Error('no other price');
    await world.api.subscriptions.update(one.subscription, { items: [{ price }] });
    const page = await change(one, { quantity: '6' });
    expect([page.status, page.text]).toEqual([
      409,
      expect.stringContaining('This plan cannot be changed here'),
    ]);
  });

  test('to the free plan: the paid one is ended in the portal', async () => {
    const one = await subscriber(world);
    const page = await change(one, { plan: 'free' });
    const { flow } = world.stripe.portal.view(portalSession(page)).session;
    expect(flow?.subscription_cancel?.subscription).toBe(one.subscription);
  });

  test('after the end: to a sign-up', async () => {
    const one = await subscriber(world);
    await world.api.subscriptions.cancel(one.subscription);
    const page = await change(one, { plan: 'team', period: 'year', quantity: '4' });
    expect(page.history.map(({ url }) => new URL(url).pathname)).toContain('/signup');
  });

  test('in a trial nothing is paid, and the trial goes on', async () => {
    const one = await subscriber(world, { plan: 'solo', quantity: '' });
    const end = subscriptionOf(one).trial_end;
    const page = await change(one, { plan: 'team', quantity: '4', period: 'month' });
    expect(page.text).toContain('Your trial goes on');
    await one.browser.submit(page);
    expect(await claimsOf(one)).toMatchObject({ plan: 'team', subscription_status: 'trialing' });
    expect(subscriptionOf(one).trial_end).toBe(end);
  });
});

// Time that was moved stays so: a world of its own.
describe('on a page of ours, days later', () => {
  beforeAll(async () => {
    world = await startSignupWorld({}, { changes: 'page' });
  });
  afterAll(() => world?.close());

  test('a page that stood too long is shown anew, with the price of now', async () => {
    const one = await subscriber(world);
    const page = await change(one, { quantity: '6', return_to: back });
    await world.stripe.advance(5 * day);
    const again = await one.browser.submit(page);
    expect(again.status).toBe(409);
    expect(again.text).toContain('The price has changed since you opened this page');
    expect(onButton(again)).toBeLessThan(onButton(page)!);
    expect(itemOf(one).quantity).toBe(3);
    expect((await one.browser.submit(again)).url).toBe(back);
    expect(itemOf(one).quantity).toBe(6);
  });
});

describe('in the portal', () => {
  beforeAll(async () => {
    world = await startSignupWorld();
  });
  afterAll(() => world?.close());

  const allow = async (one: Subscriber) => {
    const { api } = world;
    const { data } = await api.prices.list({ limit: 100 });
    const product = String(itemOf(one).price.product);
    const prices = data.filter((price) => price.product === product).map(({ id }) => id);
    const [configuration] = (await api.billingPortal.configurations.list({ is_default: true }))
      .data;
    await api.billingPortal.configurations.update(configuration?.id ?? '', {
      features: {
        subscription_update: {
          enabled: true,
          default_allowed_updates: ['price', 'quantity'],
          products: [{ product, prices }],
          proration_behavior: 'always_invoice',
        },
      },
    });
  };

  test('it is confirmed there, and true when the browser is back', async () => {
    const one = await subscriber(world);
    const refused = await change(one, { quantity: '6' });
    expect([refused.status, refused.text]).toEqual([
      409,
      expect.stringContaining('This plan cannot be changed here'),
    ]);
    await allow(one);
    const page = await change(one, { quantity: '6', period: 'year', return_to: back });
    const session = portalSession(page);
    const { flow } = world.stripe.portal.view(session).session;
    expect(flow?.type).toBe('subscription_update_confirm');
    expect(itemOf(one).quantity).toBe(3);
    world.stripe.webhooks.pause();
    const { redirect } = await world.stripe.portal.updatePlan(session);
    expect((await one.browser.get(redirect ?? '')).url).toBe(back);
    expect(await claimsOf(one)).toMatchObject({ quantity: 6, period: 'year' });
    world.stripe.webhooks.drop();
  });
});
