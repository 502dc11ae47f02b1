/** `/account/portal` and its way back, over HTTP, with a simulator of Stripe. */

import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { Page } from '../../dev/walk.ts';
import {
  ends,
  follow,
  newcomer,
  signInAt,
  startSignupWorld,
  tokenAt,
} from '../kit/signup_world.ts';
import type { SignupWorld } from '../kit/signup_world.ts';
import { colleague, portalSession, subscriber } from '../kit/subscribers.ts';
import type { Subscriber } from '../kit/subscribers.ts';

let world: SignupWorld;
const back = 'https://app.example.com/settings?tab=plan';

beforeAll(async () => {
  world = await startSignupWorld({}, { billingRoles: ['accountant'] });
});
afterEach(async () => {
  world.stripe.clearFaults();
  world.stripe.webhooks.resume();
  await world.stripe.webhooks.flush();
});
afterAll(() => world?.close());

const portal = ({ browser }: Pick<Subscriber, 'browser'>, query: Record<string, string> = {}) =>
  browser.get(`${world.issuer}/account/portal?${new URLSearchParams(query)}`);

const view = (page: Page) => world.stripe.portal.view(portalSession(page));
describe('the way to the portal', () => {
  test('and back: the account is what Stripe says before the browser goes on', async () => {
    const { stripe, store, log } = world;
    const customer = await subscriber(world);
    stripe.webhooks.pause();
    const page = await portal(customer, { return_to: back });
    expect(page.stopped).toBe(true);
    expect(view(page).customer.id).toBe(customer.customer);
    const how = { reason: 'too_expensive', comment: 'We are three people.' };
    await stripe.portal.cancel(portalSession(page), how);
    const { redirect } = await stripe.portal.leave(portalSession(page));
    const end = await customer.browser.get(redirect ?? '');
    expect(end.url).toBe(back);
    const tabs = await Promise.all([1, 2, 3].map(() => tokenAt(customer.browser, world.issuer)));
    for (const { status, claims } of tabs) {
      expect(status).toBe(200);
      expect(claims.cancel_at).toEqual(expect.any(Number));
    }
    const { document } = (await store.get('account', customer.account))!;
    expect(document.subscriptions?.api?.cancellation).toMatchObject({
      feedback: 'too_expensive',
      comment: 'We are three people.',
    });
    expect(JSON.stringify(log.lines)).not.toContain('/p/session/');
    stripe.webhooks.drop();
  });

  test('at the page that is wanted, or at its front page where Stripe refuses that one', async () => {
    const customer = await subscriber(world);
    const flowOf = async (flow: string) => view(await portal(customer, { flow })).session.flow;
    expect((await flowOf('payment_method'))?.type).toBe('payment_method_update');
    expect((await flowOf('cancel'))?.subscription_cancel?.subscription).toBe(customer.subscription);
    expect(await flowOf('invoices')).toBeNull();
    await world.stripe.portal.cancel(portalSession(await portal(customer)));
    // It is to end already.
    expect(await flowOf('cancel')).toBeNull();
    const wrong = await portal(customer, { flow: 'everything' });
    expect(wrong.status).toBe(400);
  });

  test('many clicks at once: one customer, a session for each', async () => {
    const customer = await subscriber(world);
    const before = world.stripe.objects.customers().length;
    const pages = await Promise.all(Array.from({ length: 8 }, () => portal(customer)));
    expect(new Set(pages.map(portalSession)).size).toBe(8);
    expect(new Set(pages.map((page) => view(page).customer.id)).size).toBe(1);
    expect(world.stripe.objects.customers()).toHaveLength(before);
  });

  test('who is not signed in does so first, and comes back here', async () => {
    const { account, someone } = await subscriber(world);
    const browser = world.browser();
    const first = await portal({ browser }, { account, return_to: back });
    const end = await signInAt(browser, first, { someone });
    expect(portalSession(end)).toBeTruthy();
  });

  test('a member is told whom to ask, and a role that the configuration names may go', async () => {
    const { account } = await subscriber(world);
    const member = await portal(
      { browser: await colleague(world, account, 'member') },
      { account },
    );
    expect(member.status).toBe(403);
    expect(member.text).toContain('Only an owner can change the plan');
    expect(member.text).toMatch(/Ask New subscriber\d+\./);
    const calls = world.stripe.calls.length;
    const accountant = await portal({ browser: await colleague(world, account, 'accountant') });
    expect(portalSession(accountant)).toBeTruthy();
    expect(world.stripe.calls.length).toBe(calls + 1);
  });

  test("somebody else's account, one that there is not, and one that is closed", async () => {
    const [one, other] = [await subscriber(world), await subscriber(world)];
    const sessions = () =>
      world.stripe.calls.filter(({ path }) => path === '/v1/billing_portal/sessions').length;
    const before = sessions();
    const answers = [other.account, 'acc_nobody'].map((account) => portal(one, { account }));
    for (const page of await Promise.all(answers)) {
      expect(page.status).toBe(403);
      expect(page.text).toContain('You do not belong to that account');
    }
    await world.server.directory.closeAccount(one.account, 'over');
    const closed = await portal(one, { account: one.account });
    expect([closed.status, closed.text]).toEqual([403, expect.stringContaining('is closed')]);
    expect(sessions()).toBe(before);
  });

  test('who belongs to several accounts, and is signed in elsewhere, is asked which one it is', async () => {
    const { account, user, someone } = await subscriber(world);
    const other = await world.server.directory.createAccount({ name: 'Another', owner: user });
    const browser = world.browser();
    // Signed in at the issuer, and not by the links.
    const signin = `${world.issuer}/signin?${new URLSearchParams({ account })}`;
    await signInAt(browser, await browser.get(signin), { someone });
    const all = browser.cookies.all().filter(({ name }) => name !== 'tollgate');
    browser.cookies.clear();
    const lines = all.map(({ name, value }) => `${name}=${value}; Path=/; HttpOnly`);
    browser.cookies.take(new URL(world.issuer), lines);
    const page = await portal({ browser });
    expect(page.text).toContain('Which account is it about?');
    expect(page.links.map(({ text }) => text)).toContain('Another');
    const href = page.links.find((link) => link.href.includes(account))?.href ?? '';
    expect(portalSession(await browser.follow(page, href))).toBeTruthy();
    expect(other.id).not.toBe(account);
  });

  test('where nothing was bought: to where one can', async () => {
    const browser = world.browser();
    const query = { product: 'api', plan: 'free' };
    await follow(browser, world.issuer, query, { someone: newcomer('nothing') });
    const page = await portal({ browser }, { product: 'api' });
    expect(page.history.map(({ url }) => new URL(url).pathname)).toContain('/signup');
  });

  test('a sign-in that waits for a payment may be gone back to, and no other page of ours', async () => {
    const { issuer, stripe } = world;
    const customer = await subscriber(world);
    const waiting = `${issuer}/interaction/a-sign-in-that-waits`;
    const page = await portal(customer, { return_to: waiting });
    const { redirect } = await stripe.portal.leave(portalSession(page));
    expect((await customer.browser.get(redirect ?? '')).url).toBe(waiting);
    for (const path of ['/signout', '/oauth2/logout', '/interaction/a/b', '/accounts']) {
      expect((await portal(customer, { return_to: `${issuer}${path}` })).status).toBe(400);
    }
  });

  test('not to a page of strangers, and not without an own click', async () => {
    const customer = await subscriber(world);
    const strange = await portal(customer, { return_to: 'https://evil.example/' });
    expect(strange.status).toBe(400);
    const script = await customer.browser.fetch(`${world.issuer}/account/portal`, {
      origin: world.issuer,
    });
    expect(script.status).toBe(400);
  });

  test('Stripe is down: a page that says so; on the way back the browser goes on', async () => {
    const { stripe, issuer } = world;
    const customer = await subscriber(world);
    const page = await portal(customer, { return_to: back });
    const { redirect } = await stripe.portal.leave(portalSession(page));
    stripe.fail({ kind: 'status', status: 503, times: 100 });
    const failed = await portal(customer);
    expect([failed.status, failed.text]).toEqual([
      503,
      expect.stringContaining('We cannot reach the payment service right now'),
    ]);
    expect((await customer.browser.get(redirect ?? '')).url).toBe(back);
    // What nobody sealed leads nowhere but home.
    const forged = await customer.browser.get(
      `${issuer}/integrations/stripe/portal/return?state=a.b.c`,
    );
    expect(forged.url).toBe('https://app.example.com/');
    expect(ends.success).not.toBe(forged.url);
  });
});
