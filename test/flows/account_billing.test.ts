/** `/account/billing`: each state that an account can be in, over HTTP, with a simulator of Stripe. */

import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { cards } from '../../dev/stripe/cards.ts';
import type { Page } from '../../dev/walk.ts';
import type { ConfigInput } from '../../src/config.ts';
import type { SubscriptionProjection } from '../../src/storage/documents.ts';
import { follow, newcomer, sessionOf, signInAt, startSignupWorld } from '../kit/signup_world.ts';
import type { SignupWorld } from '../kit/signup_world.ts';
import { colleague, portalSession, subscriber } from '../kit/subscribers.ts';
import type { Subscriber } from '../kit/subscribers.ts';

const day = 86_400_000;
const back = 'https://app.example.com/settings?tab=plan';

const month = (lookupKey: string, amount: number) =>
  ({ period: 'month', lookupKey, amount, currency: 'eur' }) as const;
const products: NonNullable<ConfigInput['products']> = [
  {
    id: 'api',
    name: 'API',
    audience: 'https://api.example.com',
    access: { pastDueDays: 14 },
    plans: [
      {
        id: 'team',
        name: 'Team',
        seats: { min: 2, max: 10 },
        prices: [
          month('team_month', 1000),
          { period: 'year', lookupKey: 'team_year', amount: 10_000, currency: 'eur' },
        ],
      },
      {
        id: 'easy',
        name: 'Easy',
        trialDays: 14,
        trialWithoutCard: true,
        prices: [month('easy_month', 700)],
      },
      { id: 'solo', name: 'Solo', trialDays: 14, prices: [month('solo_month', 500)] },
      { id: 'gone', name: 'Gone', offered: false, prices: [month('gone_month', 100)] },
    ],
  },
  {
    id: 'archive',
    name: 'Archive',
    audience: 'https://archive.example.com',
    access: { freePlan: 'shelf' },
    plans: [
      { id: 'shelf', name: 'Shelf' },
      { id: 'vault', name: 'Vault', prices: [month('old_month', 100)] },
    ],
  },
  { id: 'unsold', name: 'Unsold', audience: 'https://unsold.example.com' },
];

let world: SignupWorld;
/** Whose document is made what a state wants. */
let ada: Subscriber;

beforeAll(async () => {
  world = await startSignupWorld({ products }, { changes: 'page' });
  ada = await subscriber(world);
  await world.stripe.webhooks.flush();
});
afterEach(async () => {
  world.stripe.clearFaults();
  await world.stripe.webhooks.flush();
});
afterAll(() => world?.close());

const billing = (
  { browser }: Pick<Subscriber, 'browser'>,
  query: Record<string, string> = { product: 'api' },
) => browser.get(`${world.issuer}/account/billing?${new URLSearchParams(query)}`);

/** What people read: of the heading and of the sentence under it. */
const plain = (html: string) =>
  html
    .replaceAll(/<[^>]*>/g, '')
    .replaceAll(/\s+/g, ' ')
    .trim();
const heading = ({ text }: Page) => plain(/<h1>([^]*?)<\/h1>/.exec(text)?.[1] ?? '');
const sentence = ({ text }: Page) => plain(/<p class="help">([^]*?)<\/p>/.exec(text)?.[1] ?? '');
const primary = ({ text }: Page) =>
  plain(/<a class="button primary"[^>]*>([^]*?)<\/a\s*>/.exec(text)?.[1] ?? '');
const labels = ({ links }: Page) => links.map(({ text }) => text.trim());
const dateOf = (at: number) =>
  new Intl.DateTimeFormat('en', { dateStyle: 'long', timeZone: 'UTC' }).format(at);

/** Makes of the account what its document would say, and no more. */
async function stands(product: string, projection: Partial<SubscriptionProjection> | undefined) {
  const { document, version } = (await world.store.get('account', ada.account))!;
  const { [product]: _before, ...others } = document.subscriptions ?? {};
  const present = { subscription: 'sub_1', status: 'active', plan: 'team', ...projection };
  const subscriptions = projection === undefined ? others : { ...others, [product]: present };
  await world.store.write(
    'account',
    ada.account,
    { ...document, subscriptions },
    { expect: version },
  );
}

const now = () => world.stripe.now();
const inDays = (days: number) => Math.floor((now() + days * day) / 1000) * 1000;

describe('each state, with its day and the one thing to do', () => {
  type State = [
    name: string,
    of: () => Partial<SubscriptionProjection> | undefined,
    title: string,
    says: string | ((date: (days: number) => string) => string),
    todo: string,
  ];
  const none = 'Back to Tollgate';
  const states: State[] = [
    [
      'a trial',
      () => ({ status: 'trialing', plan: 'solo', trialEnd: inDays(9), periodEnd: inDays(9) }),
      'A trial is running',
      (date) => `It ends on ${date(9)}. After that the plan is paid for.`,
      none,
    ],
    [
      'a trial without a card',
      () => ({ status: 'trialing', plan: 'easy', trialEnd: inDays(9), periodEnd: inDays(9) }),
      'A trial is running',
      (date) => `It ends on ${date(9)}. Add a payment method by then to keep the plan.`,
      'Add a payment method',
    ],
    [
      'a trial that is going to end for good',
      () => ({ status: 'trialing', plan: 'solo', trialEnd: inDays(9), cancelAt: inDays(9) }),
      'The plan is going to end',
      (date) => `You have Solo until ${date(9)}.`,
      'Keep the plan',
    ],
    [
      'paid',
      () => ({ periodEnd: inDays(20) }),
      'All is paid',
      (date) => `The plan is renewed on ${date(20)}.`,
      none,
    ],
    ['paid, without a day', () => ({}), 'All is paid', '', none],
    [
      'renewed a moment ago',
      () => ({ periodEnd: inDays(-1) }),
      'The plan is being renewed',
      (date) => `The last period ended on ${date(-1)}.`,
      none,
    ],
    [
      'to end',
      () => ({ periodEnd: inDays(20), cancelAt: inDays(20) }),
      'The plan is going to end',
      (date) => `You have Team until ${date(20)}.`,
      'Keep the plan',
    ],
    [
      'late, within the days of grace',
      () => ({ status: 'past_due', pastDueSince: inDays(-4), periodEnd: inDays(26) }),
      'A payment is late',
      (date) => `You can use API until ${date(10)}, and on if you pay.`,
      'Pay now',
    ],
    [
      'late for longer',
      () => ({ status: 'past_due', pastDueSince: inDays(-15), periodEnd: inDays(15) }),
      'A payment is late',
      (date) => `It was due on ${date(-15)}. You can use API again as soon as it is paid.`,
      'Pay now',
    ],
    [
      'unpaid',
      () => ({ status: 'unpaid' }),
      'A payment is late',
      'You can use API again as soon as it is paid.',
      'Pay now',
    ],
    [
      'incomplete',
      () => ({ status: 'incomplete' }),
      'The first payment is missing',
      'You can use API as soon as it is paid.',
      'Pay now',
    ],
    [
      'paused',
      () => ({ status: 'paused' }),
      'The plan is paused',
      'You can use API again as soon as the plan goes on.',
      'Go on with the plan',
    ],
    [
      'not heard of for long',
      () => ({ periodEnd: inDays(-9) }),
      'We have not heard of a renewal',
      (date) => `The last period ended on ${date(-9)}.`,
      'Open billing',
    ],
    [
      'canceled',
      () => ({ status: 'canceled', endedAt: inDays(-3) }),
      'The plan has ended',
      (date) => `You had Team until ${date(-3)}. Nothing was deleted.`,
      'Choose a plan',
    ],
    [
      'past its end, of which Stripe has not told yet',
      () => ({ cancelAt: inDays(-1), periodEnd: inDays(-1) }),
      'The plan has ended',
      (date) => `You had Team until ${date(-1)}. Nothing was deleted.`,
      'Open billing',
    ],
    [
      'never begun',
      () => ({ status: 'incomplete_expired' }),
      'The plan did not begin',
      'The first payment for Team was never made, and nothing is owed.',
      'Choose a plan',
    ],
    [
      'a word that Stripe invents tomorrow',
      () => ({ status: 'frozen' }),
      'Something is to be settled',
      'You can use API again after that.',
      'Open billing',
    ],
    ['none', () => undefined, 'There is no plan', 'Choose one to use API.', 'Choose a plan'],
  ];

  test.each(states)('%s', async (_name, of, title, says, todo) => {
    await stands('api', of());
    const { stripe } = world;
    // Nothing is asked of Stripe to show it.
    stripe.fail({ kind: 'status', status: 503, times: 100 });
    const page = await billing(ada, { product: 'api', return_to: back });
    expect([page.status, heading(page), primary(page)]).toEqual([200, title, todo]);
    const date = (days: number) => dateOf(inDays(days));
    expect(sentence(page)).toBe(typeof says === 'string' ? says : says(date));
    expect(page.headers['cache-control']).toBe('no-store');
  });

  test('what is paid for can be changed, looked at and ended; what is over only looked at', async () => {
    const query = { product: 'api', return_to: back };
    await stands('api', { period: 'month', quantity: 3, periodEnd: inDays(20) });
    const paid = await billing(ada, query);
    expect(plain(paid.text)).toMatch(/Plan Team, monthly Seats 3/);
    const all = labels(paid);
    expect(all).toEqual(expect.arrayContaining(['Change the payment method', 'See the invoices']));
    expect(all).toContain('Cancel the plan');
    expect(all).toContain('Team: €100.00 a seat a year');
    expect(all).toContain('Solo: €5.00 a month');
    // The one that they have, and one that is not offered.
    expect(all.some((label) => /€10\.00|Gone/.test(label))).toBe(false);
    for (const state of [{ status: 'past_due' }, { cancelAt: inDays(20) }]) {
      await stands('api', { pastDueSince: inDays(-1), ...state });
      expect((await billing(ada, query)).text).not.toContain('Change the plan');
    }
    await stands('api', { status: 'canceled' });
    const over = labels(await billing(ada, query));
    expect(over).toContain('See the invoices');
    expect(over).not.toContain('Cancel the plan');
  });

  test('the free plan: after the end, in its place, and for who has never paid', async () => {
    const query = { product: 'archive' };
    await stands('archive', { plan: 'vault', cancelAt: inDays(5) });
    expect(sentence(await billing(ada, query))).toBe(
      `You have Vault until ${dateOf(inDays(5))}. After that you have Shelf.`,
    );
    await stands('archive', { plan: 'vault', status: 'canceled', endedAt: inDays(-5) });
    const ended = await billing(ada, query);
    expect(sentence(ended)).toContain('You have Shelf.');
    expect(primary(ended)).toBe('Choose a plan');
    await stands('archive', undefined);
    const free = await billing(ada, query);
    expect(heading(free)).toBe('There is nothing to pay');
    expect(sentence(free)).toBe('Shelf costs nothing.');
  });

  test('of all products, what is late first', async () => {
    await stands('archive', { plan: 'vault', status: 'unpaid' });
    await stands('api', { cancelAt: inDays(5) });
    const page = await billing(ada, {});
    expect(heading(page)).toBe('Plans and payments');
    const said = plain(page.text);
    expect(said).toMatch(/API The plan is going to end\..*Archive A payment is late\./);
    expect(said).not.toContain('Unsold');
    expect(primary(page)).toBe('Pay now');
    expect(labels(page)).toContain('Keep the plan');
    await stands('archive', undefined);
  });

  test('a customer who is gone at Stripe has nothing to look at there', async () => {
    await stands('api', { status: 'canceled' });
    const { document, version } = (await world.store.get('account', ada.account))!;
    const gone = { ...document, customerGoneAt: now() };
    await world.store.write('account', ada.account, gone, { expect: version });
    const page = await billing(ada);
    expect(primary(page)).toBe('Choose a plan');
    expect(page.text).not.toContain('/account/portal');
    await world.store.write('account', ada.account, document, { expect: version + 1 });
  });
});

describe('what is done about it', () => {
  test('late, from a browser that is not signed in: paid, and back at the page', async () => {
    const { stripe } = world;
    const one = await subscriber(world);
    const card = await one.browser.get(`${world.issuer}/account/portal?flow=payment_method`);
    await stripe.portal.setCard(portalSession(card), cards.failsLater);
    const { items } = await world.api.subscriptions.retrieve(one.subscription);
    await world.api.subscriptions.update(one.subscription, {
      items: [{ id: items.data[0]!.id, quantity: 9 }],
      proration_behavior: 'always_invoice',
    });
    await world.server.billing!.sync.customer(one.customer);
    const browser = world.browser();
    const first = await billing({ browser }, { account: one.account, product: 'api' });
    const page = await signInAt(browser, first, one);
    expect([heading(page), primary(page)]).toEqual(['A payment is late', 'Pay now']);
    const there = await browser.follow(page, 'Pay now');
    await stripe.portal.setCard(portalSession(there), cards.pays);
    await stripe.portal.payInvoice(portalSession(there));
    const { redirect } = await stripe.portal.leave(portalSession(there));
    expect(heading(await browser.get(redirect ?? ''))).toBe('All is paid');
  });

  test('canceled, and kept; from an app the way back leads there', async () => {
    const { stripe } = world;
    const one = await subscriber(world);
    const query = { product: 'api', return_to: back };
    const leaving = await one.browser.follow(await billing(one, query), 'Cancel the plan');
    await stripe.portal.cancel(portalSession(leaving));
    const { redirect } = await stripe.portal.leave(portalSession(leaving));
    expect((await one.browser.get(redirect ?? '')).url).toBe(back);
    const ending = await billing(one, query);
    expect(heading(ending)).toBe('The plan is going to end');
    const keeping = await one.browser.follow(ending, 'Keep the plan');
    await stripe.portal.resume(portalSession(keeping), { subscription: one.subscription });
    const kept = await stripe.portal.leave(portalSession(keeping));
    await one.browser.get(kept.redirect ?? '');
    const page = await billing(one, query);
    expect(heading(page)).toBe('All is paid');
    const leads = page.links.find(({ text }) => text.trim() === 'Back to Tollgate');
    expect(leads?.href).toBe(back);
  });

  test('to another plan: nothing changes by following the link', async () => {
    const one = await subscriber(world);
    const page = await one.browser.follow(await billing(one), 'Solo: €5.00 a month');
    expect(heading(page)).toBe('Change to Solo?');
    const { items } = await world.api.subscriptions.retrieve(one.subscription);
    expect(items.data[0]?.quantity).toBe(3);
  });

  test('ended: whoever has nothing any more pays anew, and the invoices are still there', async () => {
    const one = await subscriber(world);
    await world.api.subscriptions.cancel(one.subscription);
    await world.server.billing!.sync.customer(one.customer);
    const page = await billing(one, { product: 'api', return_to: back });
    expect(heading(page)).toBe('The plan has ended');
    expect(portalSession(await one.browser.follow(page, 'See the invoices'))).toBeTruthy();
    const portal = (query: Record<string, string>) =>
      one.browser.get(`${world.issuer}/account/portal?${new URLSearchParams(query)}`);
    expect(portalSession(await portal({ flow: 'payment_method' }))).toBeTruthy();
    // Where nobody could subscribe again they are not sent.
    const own = `${world.issuer}/account/billing`;
    const queries: Record<string, string>[] = [
      {},
      { product: 'api' },
      { product: 'archive' },
      { return_to: own },
    ];
    for (const query of queries) {
      const plans = await portal(query);
      expect([plans.status, new URL(plans.url).pathname]).toEqual([200, '/signup']);
    }
    const plans = await one.browser.follow(page, 'Choose a plan');
    expect(heading(plans)).toBe('Choose a plan');
    const wish = { account: one.account, product: 'api', plan: 'team', period: 'month' };
    expect(sessionOf((await follow(one.browser, world.issuer, wish)).url)).toBeTruthy();
  });

  test('a plan that is over is not in the way of another one that is not', async () => {
    const one = await subscriber(world);
    const { document, version } = (await world.store.get('account', one.account))!;
    const archive = { subscription: 'sub_over', status: 'canceled', plan: 'vault' };
    const subscriptions = { archive, ...document.subscriptions };
    await world.store.write(
      'account',
      one.account,
      { ...document, subscriptions },
      { expect: version },
    );
    const go = (query: Record<string, string>) =>
      one.browser.get(`${world.issuer}/account/portal?${new URLSearchParams(query)}`);
    expect(portalSession(await go({}))).toBeTruthy();
    const flow = world.stripe.portal.view(portalSession(await go({ flow: 'cancel' }))).session.flow;
    expect(flow?.subscription_cancel?.subscription).toBe(one.subscription);
    expect(new URL((await go({ product: 'archive' })).url).pathname).toBe('/signup');
  });

  test('a payment that takes days says so, to all of the account and to who has none yet', async () => {
    const { stripe } = world;
    const one = await subscriber(world);
    await world.api.subscriptions.cancel(one.subscription);
    await world.server.billing!.sync.customer(one.customer);
    const wish = { account: one.account, product: 'api', plan: 'team', period: 'month' };
    const session = sessionOf((await follow(one.browser, world.issuer, wish)).url);
    const paid = await stripe.checkout.pay(session, { card: cards.bankDebit });
    await one.browser.get('redirect' in paid ? paid.redirect : '');
    const page = await billing(one);
    expect(heading(page)).toBe('A payment is on its way');
    expect(sentence(page)).toContain('Team begins when the money has arrived.');
    expect(primary(page)).toBe('Back to Tollgate');
    const member = await colleague(world, one.account, 'member');
    expect(heading(await billing({ browser: member }))).toBe('A payment is on its way');

    const browser = world.browser();
    const { account: _none, ...anew } = wish;
    const someone = newcomer('pending');
    const other = sessionOf((await follow(browser, world.issuer, anew, { someone })).url);
    const later = await stripe.checkout.pay(other, { card: cards.bankDebit });
    await browser.get('redirect' in later ? later.redirect : '');
    expect(heading(await billing({ browser }))).toBe('Your payment is on its way');
  });
});

describe('who may look', () => {
  test('a member sees how it stands and whom to ask, and nothing to do', async () => {
    await stands('api', { status: 'unpaid' });
    const browser = await colleague(world, ada.account, 'member');
    const page = await billing({ browser });
    expect([page.status, heading(page)]).toEqual([200, 'A payment is late']);
    expect(page.text).toMatch(/Only an owner can change any of it\. Ask New subscriber\d+\./);
    expect(page.text).not.toMatch(/\/account\/portal|\/account\/switch|\/signup|Pay now/);
    expect(primary(page)).toBe('Back to Tollgate');
  });

  test("somebody else's account, one that there is not, and one that is closed", async () => {
    const one = await subscriber(world);
    for (const account of [ada.account, 'acc_nobody']) {
      const page = await billing(one, { account });
      expect([page.status, heading(page)]).toEqual([403, 'You do not belong to that account']);
    }
    await world.server.directory.closeAccount(one.account, 'over');
    const closed = await billing(one, { account: one.account });
    expect([closed.status, closed.text]).toEqual([403, expect.stringContaining('is closed')]);
  });

  test('who belongs to several accounts is asked, and who belongs to none is told so', async () => {
    const { user, someone, account } = await subscriber(world);
    await world.server.directory.createAccount({ name: 'Another', owner: user });
    const browser = world.browser();
    const signin = `${world.issuer}/signin?${new URLSearchParams({ account })}`;
    await signInAt(browser, await browser.get(signin), { someone });
    // Signed in at the issuer, and not by the links.
    const kept = browser.cookies.all().filter(({ name }) => name !== 'tollgate');
    browser.cookies.clear();
    const lines = kept.map(({ name, value }) => `${name}=${value}; Path=/; HttpOnly`);
    browser.cookies.take(new URL(world.issuer), lines);
    const which = await billing({ browser });
    expect(heading(which)).toBe('Which account is it about?');
    expect(heading(await browser.follow(which, 'Another'))).toBe('There is no plan');

    const alone = world.browser();
    const wish = { product: 'api', plan: 'team', period: 'month' };
    await follow(alone, world.issuer, wish, { someone: newcomer('without') });
    const page = await billing({ browser: alone });
    expect([page.status, heading(page)]).toEqual([403, 'You have no account yet']);
  });

  test('links that are wrong, scripts, and what is not sold', async () => {
    const wrong: Record<string, string>[] = [
      { return_to: 'https://evil.example/' },
      { product: 'nothing' },
      { account: 'x'.repeat(300) },
    ];
    for (const query of wrong) expect((await billing(ada, query)).status).toBe(400);
    expect((await billing(ada, { product: 'unsold' })).status).toBe(404);
    const script = await ada.browser.fetch(`${world.issuer}/account/billing`, {
      origin: world.issuer,
    });
    expect(script.status).toBe(400);
  });
});
