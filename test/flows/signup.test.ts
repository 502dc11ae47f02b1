/** From a link to a paid account, over HTTP, with every ending that there is. */

import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { cards } from '../../dev/stripe/cards.ts';
import type { Browser, Page } from '../../dev/walk.ts';
import {
  ends,
  follow,
  newcomer,
  sessionOf,
  signInAt,
  startSignupWorld,
  tokenAt,
} from '../kit/signup_world.ts';
import type { SignupWorld, Who } from '../kit/signup_world.ts';

const team = { product: 'api', plan: 'team', period: 'month', quantity: '3' };
const day = 86_400_000;
const success = (session: string) =>
  `${world.issuer}/integrations/stripe/checkout/success?session_id=${session}`;

let world: SignupWorld;

beforeAll(async () => {
  world = await startSignupWorld({}, { coupons: ['half_once', 'none'] });
});
afterEach(async () => {
  world.stripe.clearFaults();
  world.stripe.webhooks.resume();
  await world.stripe.webhooks.flush();
  await world.server.dispatcher.drain();
});
afterAll(() => world?.close());

let count = 0;
const somebody = (): Who & { someone: NonNullable<Who['someone']> } => {
  count += 1;
  return { someone: newcomer(`n${count}`) };
};

/** As far as Stripe's page. */
async function begin(who: Who, query: Record<string, string> = team, browser = world.browser()) {
  const page = await follow(browser, world.issuer, query, who);
  return { browser, page, session: sessionOf(page.url) };
}

async function pay(session: string, card: string = cards.pays): Promise<string> {
  const outcome = await world.stripe.checkout.pay(session, { card });
  if (outcome.kind !== 'completed') throw new Error(`not paid: ${outcome.kind}`);
  return outcome.redirect;
}

const over = new Set<string>(['canceled', 'incomplete_expired']);

const idOf = async (subject: string) => {
  const everybody = await world.store.find('user', 'identity', '', { prefix: true, limit: 1000 });
  return everybody.find(({ document }) =>
    document.identities.some((identity) => identity.subject === subject),
  );
};

/** Exactly one account, one customer, one live subscription and one owner. */
async function expectOneOfEach(subject: string, more: { subscriptions?: number } = {}) {
  const user = (await idOf(subject))!;
  const [account, ...others] = await world.server.directory.usableAccounts(user.id);
  expect(others).toEqual([]);
  expect(account?.roles).toEqual(['owner']);
  const customers = world.stripe.objects
    .customers()
    .filter(({ metadata }) => metadata.tollgate_account === account?.id);
  expect(customers.map(({ id }) => id)).toEqual([account?.document.customer]);
  const live = world.stripe.objects
    .subscriptions()
    .filter(({ customer, status }) => customer === customers[0]?.id && !over.has(status));
  expect(live).toHaveLength(more.subscriptions ?? 1);
  return { user: user.id, account: account! };
}

async function expectSignedIn(browser: Browser, page: Page, claims: Record<string, unknown>) {
  expect(page.url).toBe(ends.success);
  const token = await tokenAt(browser, world.issuer);
  expect(token.status).toBe(200);
  expect(token.claims).toMatchObject(claims);
  return token.claims;
}

describe('sign-up', () => {
  test('somebody new pays, and is signed in with a token that is true at once', async () => {
    world.stripe.webhooks.pause();
    const who = somebody();
    const { browser, session } = await begin(who);
    const user = (await idOf(who.someone.subject))!;
    expect(await world.server.directory.usableAccounts(user.id)).toEqual([]);
    const page = await browser.get(await pay(session));
    const claims = await expectSignedIn(browser, page, {
      plan: 'team',
      period: 'month',
      quantity: 3,
      subscription_status: 'active',
      roles: ['owner'],
    });
    const { account } = await expectOneOfEach(who.someone.subject);
    expect(claims).toMatchObject({ account: account.id, customer: account.document.customer });
    const [customer] = world.stripe.objects
      .customers()
      .filter(({ id }) => id === account.document.customer);
    expect(customer).toMatchObject({ email: who.someone.email, name: who.someone.name });
  });

  test('the link says where it ends', async () => {
    const returnTo = 'https://app.example.com/projects/7';
    const { browser, session } = await begin(somebody(), { ...team, return_to: returnTo });
    expect((await browser.get(await pay(session))).url).toBe(returnTo);
  });

  test('S6 the success page before the event, after it, at once with it, and never', async () => {
    const before = somebody();
    world.stripe.webhooks.pause();
    const first = await begin(before);
    await first.browser.get(await pay(first.session));
    world.stripe.webhooks.resume();
    await world.stripe.webhooks.flush();
    await expectOneOfEach(before.someone.subject);

    const after = somebody();
    const second = await begin(after);
    const back = await pay(second.session);
    await world.stripe.webhooks.flush();
    await until(async () => (await stateOf(second.session)) === 'done');
    await expectOneOfEach(after.someone.subject);
    await expectSignedIn(second.browser, await second.browser.get(back), { plan: 'team' });

    const both = somebody();
    const third = await begin(both);
    const address = await pay(third.session);
    await Promise.all([
      world.stripe.webhooks.flush(),
      third.browser.get(address),
      third.browser.get(address),
    ]);
    await expectOneOfEach(both.someone.subject);

    // They close the window after paying.
    const never = somebody();
    const fourth = await begin(never);
    await pay(fourth.session);
    await world.stripe.webhooks.flush();
    await until(async () => (await stateOf(fourth.session)) === 'done');
    await expectOneOfEach(never.someone.subject);
    const events = (await auditOf(never.someone.subject)).map(({ type }) => type);
    expect(events.filter((type) => type === 'account.created')).toHaveLength(1);
    expect(events.filter((type) => type === 'subscription.changed')).toHaveLength(1);
  });

  test('S6 a session of somebody else is refused, a guessed one is not found', async () => {
    const { session, page } = await begin(somebody());
    expect(page.stopped).toBe(true);
    await pay(session);
    const stranger = world.browser();
    const refused = await signInAt(stranger, await stranger.get(success(session)), somebody());
    // Nobody comes in by a payment alone: who is new is told so.
    expect(refused.status).toBe(403);
    const known = world.browser();
    const foreign = await signInAt(known, await known.get(success(session)), { person: 'grace' });
    expect([foreign.status, foreign.title]).toEqual([
      403,
      'This payment was made by somebody else – Tollgate',
    ]);
    for (const guess of ['cs_test_guessed', 'x', '', `${session}x`]) {
      expect((await known.get(success(guess))).status).toBe(404);
    }
  });

  test('another browser, days later: through sign-in, and to the account', async () => {
    const who = somebody();
    const { session } = await begin(who);
    await pay(session);
    const later = world.browser();
    const page = await signInAt(later, await later.get(success(session)), who);
    await expectSignedIn(later, page, { plan: 'team' });
  });

  test('S8 two tabs are one sign-up: one customer, and one page to pay', async () => {
    const who = somebody();
    const { browser, session } = await begin(who);
    const tabs = await Promise.all(
      Array.from({ length: 4 }, () => follow(browser, world.issuer, team, who)),
    );
    expect(new Set(tabs.map(({ url }) => sessionOf(url)))).toEqual(new Set([session]));
    await browser.get(await pay(session));
    await expectOneOfEach(who.someone.subject);
  });

  test('S8 first clicks at the same moment come to one session that can be paid', async () => {
    const who = somebody();
    const browser = world.browser();
    // Known, and signed in, without a sign-up.
    await follow(browser, world.issuer, { product: 'api', plan: 'solo' }, who);
    const user = (await idOf(who.someone.subject))!;
    const [before] = await world.store.find('signup', 'user', user.id);
    await world.store.write('signup', before!.id, null, { expect: 'any' });
    await Promise.all(
      Array.from({ length: 5 }, () => follow(browser, world.issuer, team, who).catch(() => null)),
    );
    const page = await follow(browser, world.issuer, team, who);
    const open = (await world.api.checkout.sessions.list({ limit: 100 })).data.filter(
      ({ metadata, status }) => metadata?.tollgate_signup === before!.id && status === 'open',
    );
    expect(open.map(({ id }) => id)).toContain(sessionOf(page.url));
    expect(open.filter(({ line_items: _none, metadata }) => metadata).length).toBeLessThanOrEqual(
      2,
    );
    const [signup] = await world.store.find('signup', 'user', user.id);
    const customers = world.stripe.objects
      .customers()
      .filter(({ metadata }) => metadata.tollgate_account === signup!.document.account);
    expect(customers).toHaveLength(1);
  });

  test('nobody pays twice: another plan closes the page of the first', async () => {
    const who = somebody();
    const { browser, session } = await begin(who);
    const other = await follow(browser, world.issuer, { ...team, period: 'year' }, who);
    await expect(world.stripe.checkout.pay(session, { card: cards.pays })).rejects.toThrow();
    const page = await browser.get(await pay(sessionOf(other.url)));
    await expectSignedIn(browser, page, { period: 'year' });
    await expectOneOfEach(who.someone.subject);
  });

  test('paid in one tab, another plan in the other: what was paid counts', async () => {
    world.stripe.webhooks.pause();
    const who = somebody();
    const { browser, session } = await begin(who);
    await pay(session);
    const page = await follow(browser, world.issuer, { ...team, period: 'year' }, who);
    await expectSignedIn(browser, page, { period: 'month' });
    await expectOneOfEach(who.someone.subject);
  });

  test('who has a plan gets no second payment page', async () => {
    const who = somebody();
    const { browser, session } = await begin(who);
    await browser.get(await pay(session));
    const again = await follow(browser, world.issuer, team, who);
    expect([again.status, again.title]).toEqual([200, 'You have a plan already – Tollgate']);
    const other = await browser.get(
      `${world.issuer}/signup?${new URLSearchParams({ ...team, plan: 'solo', quantity: '' })}`,
    );
    expect(other.url).toMatch(/\/account\/switch\/api\?plan=solo&period=month&account=acc_/);
    // Also when we do not know of it yet.
    const { account } = await expectOneOfEach(who.someone.subject);
    const { subscriptions: _forgotten, ...rest } = account.document;
    await world.store.write('account', account.id, rest, { expect: 'any' });
    expect((await follow(browser, world.issuer, team, who)).title).toMatch(/^You have a plan/);
    await expectOneOfEach(who.someone.subject);
  });

  test('an account that is there: its owner pays for it, others do not', async () => {
    const { browser, session, page } = await begin({ person: 'grace' });
    expect(page.stopped).toBe(true);
    await expectSignedIn(browser, await browser.get(await pay(session)), {
      account: 'acc_initech',
      plan: 'team',
    });
    const refused = await follow(
      world.browser(),
      world.issuer,
      { ...team, account: 'acc_initech' },
      { person: 'ada' },
    );
    expect(refused.status).toBe(403);
    const unknown = await follow(
      world.browser(),
      world.issuer,
      { ...team, account: 'acc_hooli' },
      { person: 'ada' },
    );
    expect(unknown.status).toBe(404);
  });

  test('who owns several accounts is asked for which', async () => {
    const browser = world.browser();
    const page = await follow(browser, world.issuer, team, { person: 'ada' });
    expect(page.title).toBe('Which account is it for? – Tollgate');
    const chosen = await browser.submit(page, { button: 'account=acc_globex' });
    await browser.get(await pay(sessionOf(chosen.url)));
    const { document } = (await world.store.get('account', 'acc_globex'))!;
    expect(document.subscriptions?.api).toMatchObject({ plan: 'team', status: 'active' });
    expect((await tokenAt(browser, world.issuer)).claims).toMatchObject({ account: 'acc_globex' });
  });

  test('they leave the payment page: nothing is lost, and it goes on', async () => {
    const who = somebody();
    const { browser, session } = await begin(who);
    const { redirect } = await world.stripe.checkout.leave(session);
    expect((await browser.get(redirect!)).url).toBe(ends.canceled);
    const again = await follow(browser, world.issuer, team, who);
    expect(sessionOf(again.url)).toBe(session);
  });

  test('nothing is paid yet: the page looks again for a while, then says what can be done', async () => {
    const who = somebody();
    const { browser, session } = await begin(who);
    const page = await browser.get(success(session));
    expect(page.title).toBe('Your payment has not arrived – Tollgate');
    expect(page.history.filter(({ status }) => status === 200)).toHaveLength(11);
    const again = await browser.follow(page, 'Go back to the payment');
    expect(sessionOf(again.url)).toBe(session);
  });

  test('a first payment that never came is not in the way, and cannot be made up for', async () => {
    const who = somebody();
    const browser = world.browser();
    await free(browser, who);
    const user = (await idOf(who.someone.subject))!;
    const [account] = await world.server.directory.usableAccounts(user.id);
    const customer = await world.server.billing!.customers.customerOf(account!.id);
    const [price] = (await world.api.prices.list({ lookup_keys: ['team_month'] })).data;
    const unpaid = await world.api.subscriptions.create({
      customer,
      items: [{ price: price!.id, quantity: 2 }],
      payment_behavior: 'default_incomplete',
    });
    expect(unpaid.status).toBe('incomplete');
    const { session } = await begin(who, team, browser);
    const { status } = await world.api.subscriptions.retrieve(unpaid.id);
    expect(status).not.toBe('incomplete');
    await browser.get(await pay(session));
    await expectOneOfEach(who.someone.subject);
  });

  test('S7 paid by a method that takes days: nothing until it is there', async () => {
    const who = somebody();
    const { browser, session } = await begin(who);
    const page = await browser.get(await pay(session, cards.bankDebit));
    expect(page.title).toBe('Your payment is on its way – Tollgate');
    await world.stripe.webhooks.flush();
    await until(async () => (await stateOf(session)) === 'pending');
    const user = (await idOf(who.someone.subject))!;
    expect(await world.server.directory.usableAccounts(user.id)).toEqual([]);
    // A new try changes nothing of that.
    const again = await follow(browser, world.issuer, team, who);
    expect(again.title).toBe('Your payment is on its way – Tollgate');
    await world.stripe.checkout.settle(session, 'succeeded');
    await world.stripe.webhooks.flush();
    await until(async () => (await stateOf(session)) === 'done');
    await expectOneOfEach(who.someone.subject);
    await expectSignedIn(browser, await browser.get(success(session)), { plan: 'team' });
  });

  test('S7 an account that is there has nothing either until then', async () => {
    const who = somebody();
    const browser = world.browser();
    await expectSignedIn(browser, await free(browser, who), { roles: ['owner'] });
    const { session } = await begin(who, team, browser);
    await browser.get(await pay(session, cards.bankDebit));
    await world.stripe.webhooks.flush();
    const { account } = await expectOneOfEach(who.someone.subject);
    await world.server.dispatcher.drain();
    expect(account.document.subscriptions).toBeUndefined();
    await world.stripe.checkout.settle(session, 'succeeded');
    await browser.get(success(session));
    const now = (await world.store.get('account', account.id))!.document;
    expect(now.subscriptions?.api).toMatchObject({ plan: 'team' });
  });

  test('S7 the money does not come: nothing is owed, and they can try again', async () => {
    const who = somebody();
    const { browser, session } = await begin(who);
    await browser.get(await pay(session, cards.bankDebit));
    await world.stripe.checkout.settle(session, 'failed');
    await world.stripe.webhooks.flush();
    await until(async () => (await stateOf(session)) === 'failed');
    const page = await browser.get(success(session));
    expect(page.url).toBe(`${ends.failed}?error=payment_failed`);
    const user = (await idOf(who.someone.subject))!;
    expect(await world.server.directory.usableAccounts(user.id)).toEqual([]);
    const again = await follow(browser, world.issuer, team, who);
    expect(sessionOf(again.url)).not.toBe(session);
    await browser.get(await pay(sessionOf(again.url)));
    await expectOneOfEach(who.someone.subject);
  });

  test('a free plan needs no payment page, and no customer', async () => {
    const who = somebody();
    const browser = world.browser();
    await expectSignedIn(browser, await free(browser, who), { roles: ['owner'] });
    const user = (await idOf(who.someone.subject))!;
    const accounts = await world.server.directory.usableAccounts(user.id);
    expect(accounts.map(({ document }) => document.customer)).toEqual([undefined]);
  });

  test('a trial without a card begins at once, and only once', async () => {
    const who = somebody();
    const browser = world.browser();
    const easy = { product: 'api', plan: 'easy' };
    const page = await follow(browser, world.issuer, easy, who);
    await expectSignedIn(browser, page, { plan: 'easy', subscription_status: 'trialing' });
    const { account } = await expectOneOfEach(who.someone.subject);
    const { subscription } = account.document.subscriptions!.api!;
    await world.api.subscriptions.cancel(subscription);
    const again = await follow(browser, world.issuer, easy, who);
    const { data } = await world.api.checkout.sessions.listLineItems(sessionOf(again.url));
    expect(data[0]?.amount_total).toBe(700);
  });

  test('a page elsewhere begins nothing for who is signed in: they are asked', async () => {
    const who = somebody();
    const browser = world.browser();
    await follow(browser, world.issuer, team, who);
    const from = { url: 'https://evil.example/', headers: {} } as Page;
    const page = await browser.get(`${world.issuer}/signup?product=api&plan=easy`, { from });
    expect(page.title).toBe('Start Easy? – Tollgate');
    const user = (await idOf(who.someone.subject))!;
    expect(await world.server.directory.usableAccounts(user.id)).toEqual([]);
    const begun = await browser.submit(page, { button: 'Start now' });
    await expectSignedIn(browser, begun, { plan: 'easy' });
  });

  test('a promotion code takes something off, an unknown one is refused', async () => {
    const coupon = await world.api.coupons.create({
      id: 'half_once',
      percent_off: 50,
      duration: 'once',
    });
    await world.api.promotionCodes.create({
      code: 'HALF',
      promotion: { type: 'coupon', coupon: coupon.id },
    });
    const { session } = await begin(somebody(), { ...team, promotion_code: 'HALF' });
    expect((await world.api.checkout.sessions.retrieve(session)).amount_total).toBe(1500);
    const other = await begin(somebody(), { ...team, coupon: coupon.id });
    expect((await world.api.checkout.sessions.retrieve(other.session)).amount_total).toBe(1500);
    const wrong: Record<string, string>[] = [{ promotion_code: 'NONE' }, { coupon: 'none' }];
    for (const code of wrong) {
      const who = somebody();
      const browser = world.browser();
      const page = await follow(browser, world.issuer, { ...team, ...code }, who);
      expect([page.status, page.title]).toEqual([400, 'This code cannot be used – Tollgate']);
      sessionOf((await follow(browser, world.issuer, team, who)).url);
    }
  });

  test('mistakes of a link are told before anybody signs in', async () => {
    const wrong: [Record<string, string>, string][] = [
      [{ ...team, product: 'nothing' }, 'product_unknown'],
      [{ ...team, plan: 'nothing' }, 'plan_unknown'],
      [{ ...team, plan: 'old', quantity: '' }, 'plan_not_offered'],
      [{ ...team, period: 'week' }, 'period_unknown'],
      [{ ...team, quantity: '11' }, 'quantity_invalid'],
      [{ ...team, quantity: '0' }, 'parameter_invalid'],
      [{ ...team, trial: 'perhaps' }, 'parameter_invalid'],
      [{ ...team, locale: '../x' }, 'parameter_invalid'],
      [{ ...team, return_to: 'https://evil.example/' }, 'return_to_not_allowed'],
    ];
    for (const [query, code] of wrong) {
      const page = await world
        .browser()
        .get(`${world.issuer}/signup?${new URLSearchParams(query)}`);
      expect(page.status).toBe(400);
      const refusals = world.log.lines.filter(({ message }) => message === 'request refused');
      expect(refusals.at(-1)?.fields).toMatchObject({ path: '/signup', error_code: code });
    }
  });

  test('without a plan there is a page to choose one, which leads on', async () => {
    const browser = world.browser();
    const page = await browser.get(`${world.issuer}/signup?locale=de`);
    expect(page.title).toBe('Choose a plan – Tollgate');
    expect(page.visible).toContain('€10 a seat a month');
    expect(page.visible).not.toContain('Old');
    const form = page.forms.findIndex(({ fields }) =>
      fields.some(({ name, value }) => name === 'plan' && value === 'team'),
    );
    const fields = { quantity: '4' };
    const next = await browser.submit(page, { form, fields, button: 'period=year' });
    const at = await signInAt(browser, next, somebody());
    const session = await world.api.checkout.sessions.retrieve(sessionOf(at.url));
    expect(session).toMatchObject({ amount_total: 40_000, locale: 'de' });
  });

  test('who has the free plan is not offered it once more', async () => {
    const browser = world.browser();
    const plansAt = async (query: string) => {
      const { forms } = await browser.get(`${world.issuer}/signup?product=api${query}`);
      return forms.flatMap(({ fields }) =>
        fields.filter(({ name }) => name === 'plan').map(({ value }) => value),
      );
    };
    const all = ['free', 'team', 'solo', 'easy'];
    expect(await plansAt('')).toEqual(all);
    const page = await follow(browser, world.issuer, { product: 'api', plan: 'free' }, somebody());
    await expectSignedIn(browser, page, { plan: 'free' });
    const { account } = (await tokenAt(browser, world.issuer)).claims;
    const paid = all.slice(1);
    expect(await plansAt('')).toEqual(paid);
    expect(await plansAt(`&account=${String(account)}`)).toEqual(paid);
    // For another account it is.
    expect(await plansAt('&account=new')).toEqual(all);
  });

  test('who is new at a plain sign-in is shown the way to a plan', async () => {
    const browser = world.browser();
    const page = await signInAt(browser, await browser.get(`${world.issuer}/signin`), somebody());
    expect([page.status, page.title]).toEqual([403, 'You need a plan first – Tollgate']);
    expect((await browser.follow(page, 'Choose a plan')).title).toBe('Choose a plan – Tollgate');
    // Somebody who began and did not finish can go on.
    const who = somebody();
    const { session } = await begin(who);
    const other = world.browser();
    const none = await signInAt(other, await other.get(`${world.issuer}/signin`), who);
    expect(none.title).toBe('You have no account yet – Tollgate');
    const on = await other.follow(none, 'Go on with API');
    expect(sessionOf(on.url)).not.toBe(session);
  });
});

describe('sign-up while Stripe is away', () => {
  test('says so, and trying again is harmless', async () => {
    world.stripe.webhooks.pause();
    const who = somebody();
    const browser = world.browser();
    world.stripe.fail({ kind: 'status', status: 503, path: '/v1/checkout/sessions', times: 2 });
    const page = await follow(browser, world.issuer, team, who);
    expect([page.status, page.title, page.headers['retry-after']]).toEqual([
      503,
      'The payment service does not answer – Tollgate',
      '5',
    ]);
    expect(page.text).not.toMatch(/cs_|sk_test/);
    const { url } = await browser.follow(page, 'Try again');
    await pay(sessionOf(url));
    world.stripe.fail({ kind: 'cut_before', path: '/v1/checkout/sessions/*', times: 2 });
    const back = await browser.get(success(sessionOf(url)));
    expect([back.status, back.title]).toEqual([503, 'We cannot see your payment yet – Tollgate']);
    await expectSignedIn(browser, await browser.follow(back, 'Look again'), { plan: 'team' });
    await expectOneOfEach(who.someone.subject);
  });

  test('an answer that takes its time is waited for', async () => {
    const who = somebody();
    world.stripe.fail({ kind: 'slow', ms: 300, times: 4 });
    const { browser, session } = await begin(who);
    world.stripe.fail({ kind: 'slow', ms: 300, times: 4 });
    await expectSignedIn(browser, await browser.get(await pay(session)), { plan: 'team' });
    await expectOneOfEach(who.someone.subject);
  });

  test('who has a plan by what we know is not sent to pay meanwhile', async () => {
    const who = somebody();
    const { browser, session } = await begin(who);
    await browser.get(await pay(session));
    world.stripe.fail({ kind: 'status', status: 503, times: 100 });
    const page = await follow(browser, world.issuer, team, who);
    expect(page.title).toBe('You have a plan already – Tollgate');
  });

  test('the address of a payment page is in no log', () => {
    const told = JSON.stringify(world.log.lines);
    expect(world.log.lines.length).toBeGreaterThan(100);
    expect(told).not.toContain('/c/pay/');
    expect(told).not.toContain(world.stripe.secretKey);
  });
});

describe('sign-up where people come in otherwise', () => {
  test('by invitation: somebody new is told so, and becomes nobody', async () => {
    const closed = await startSignupWorld({ registration: 'invitation' });
    try {
      const browser = closed.browser();
      const page = await follow(browser, closed.issuer, team, somebody());
      expect([page.status, page.title]).toEqual([403, 'You need an invitation – Tollgate']);
      expect(closed.stripe.calls.filter(({ path }) => path === '/v1/customers')).toEqual([]);
      sessionOf((await follow(closed.browser(), closed.issuer, team, { person: 'grace' })).url);
    } finally {
      await closed.close();
    }
  });

  test('open: their personal account is the one that is paid for', async () => {
    const open = await startSignupWorld({ registration: 'open', signup: {} });
    try {
      const browser = open.browser();
      const page = await follow(browser, open.issuer, team, somebody());
      const outcome = await open.stripe.checkout.pay(sessionOf(page.url), { card: cards.pays });
      if (outcome.kind !== 'completed') throw new Error(outcome.kind);
      const end = await browser.get(outcome.redirect);
      expect(end.url).toBe('https://app.example.com/');
      const { claims } = await tokenAt(browser, open.issuer);
      expect(claims).toMatchObject({ plan: 'team', roles: ['owner'] });
      const accounts = await open.store.find('account', 'customer', '', { prefix: true });
      expect(accounts.map(({ id }) => id)).toEqual([claims.account]);
      // Without an address of the app's there is a page of ours.
      const other = await follow(open.browser(), open.issuer, team, somebody());
      const { redirect } = await open.stripe.checkout.leave(sessionOf(other.url));
      const known = open.browser();
      expect((await known.get(redirect!)).title).toBe('You left the payment – Tollgate');
    } finally {
      await open.close();
    }
  });
});

describe('sign-up and time', () => {
  test('a price that was archived: a page, and nothing is left in the way', async () => {
    const [price] = (await world.api.prices.list({ lookup_keys: ['solo_month'] })).data;
    await world.api.prices.update(price!.id, { active: false });
    await world.stripe.advance(2 * 60_000);
    const who = somebody();
    const browser = world.browser();
    const solo = { product: 'api', plan: 'solo' };
    const page = await follow(browser, world.issuer, solo, who);
    expect([page.status, page.title]).toEqual([
      503,
      'This plan cannot be bought right now – Tollgate',
    ]);
    expect(world.log.lines.findLast(({ level }) => level === 'error')?.fields).toMatchObject({
      error_code: 'price_unavailable',
      remedy: expect.stringContaining('tollgate stripe check') as string,
    });
    await world.api.prices.update(price!.id, { active: true });
    sessionOf((await follow(browser, world.issuer, solo, who)).url);
  });

  test('back after a week: the same sign-up and customer, another page to pay', async () => {
    const who = somebody();
    const { session } = await begin(who);
    await world.stripe.advance(7 * day);
    const { session: next } = await begin(who);
    expect(next).not.toBe(session);
    await pay(next);
    // Signed by the time that is, and not by the one that it was moved to: events are of no use here.
    await world.stripe.advance(15 * 60_000);
    await world.server.billing!.signups.sweep();
    await expectOneOfEach(who.someone.subject);
  });

  test('every word of Stripe is lost: the payment is found all the same', async () => {
    world.stripe.webhooks.pause();
    const who = somebody();
    const { session } = await begin(who);
    await pay(session);
    world.stripe.webhooks.drop();
    await world.stripe.advance(15 * 60_000);
    await world.server.billing!.signups.sweep();
    expect(await stateOf(session)).toBe('done');
    await expectOneOfEach(who.someone.subject);
  });

  test('what nobody paid runs out, and is forgotten in the end', async () => {
    const who = somebody();
    const { session } = await begin(who);
    await world.stripe.advance(2 * day);
    await world.server.billing!.signups.sweep();
    expect(await stateOf(session)).toBe('expired');
    await world.stripe.advance(100 * day);
    await world.server.billing!.signups.sweep();
    expect(await stateOf(session)).toBe(undefined);
  });
});

const free = (browser: Browser, who: Who) =>
  follow(browser, world.issuer, { product: 'api', plan: 'free' }, who);

async function stateOf(session: string): Promise<string | undefined> {
  const [found] = await world.store.find('signup', 'session', session);
  return found?.document.state;
}

async function auditOf(subject: string) {
  await world.server.dispatcher.drain();
  const user = (await idOf(subject))!;
  const [account] = await world.server.directory.usableAccounts(user.id);
  const records = await world.store.find('audit', 'account', account!.id, { limit: 100 });
  return records.map(({ document }) => document);
}

/** What the inbox's worker does, it does in its own time. */
async function until(holds: () => Promise<boolean>): Promise<void> {
  for (let tries = 0; tries < 500; tries += 1) {
    if (await holds()) return;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  expect(await holds()).toBe(true);
}
