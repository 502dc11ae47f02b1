import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { cards } from '../../../dev/stripe/cards.ts';
import type { Page } from '../../../dev/walk.ts';
import { app, day, openShop } from './shop.ts';
import type { Shop } from './shop.ts';

let shop: Shop;
const told: string[] = [];
beforeAll(async () => {
  shop = await openShop({
    tokens: () => Promise.resolve([{ account: 'Acme <b>', claims: { plan: 'team' } }]),
    settled: () => Promise.resolve(void told.push('settled')),
  });
});
afterAll(() => shop.close());

const press = (page: Page, button: string, fields: Record<string, string> = {}) =>
  shop.browser.submit(page, { button, fields });
const statusOf = async (id: string) => (await shop.api.subscriptions.retrieve(id)).status;

describe('Checkout', () => {
  const email = { email: 'nora@example.com' };

  async function opened(more: Parameters<Shop['checkout']>[0] = {}) {
    const session = await shop.checkout(more);
    const page = await shop.browser.get(session.url ?? '');
    return { session, page, again: () => shop.browser.get(session.url ?? page.url) };
  }

  test('says what is bought and that no money moves; a card that pays leads back', async () => {
    const { session, page, again } = await opened();
    expect(page.visible).toMatch(
      /no money moves.*Team.*€12\.00 a month, 2 ×.*€24\.00.*Due today €24\.00/,
    );
    const end = await press(page, `card=${cards.pays}`, email);
    expect([end.stopped, end.url]).toEqual([true, `${app}/success?session=${session.id}`]);
    const done = await again();
    expect([done.status, done.title]).toEqual([200, 'This is done']);
    expect(done.links.map(({ href }) => href)).toEqual([`${app}/success?session=${session.id}`]);
  });

  test('a declined card is told, and another one pays', async () => {
    const { page } = await opened();
    const declined = await press(page, `card=${cards.declined}`, email);
    expect([declined.status, declined.visible]).toEqual([402, expect.stringContaining('declined')]);
    expect(declined.visible).toContain('For nora@example.com');
    expect((await press(declined, `card=${cards.pays}`)).stopped).toBe(true);
  });

  test('the bank asks, is refused, asks again and is allowed', async () => {
    const { page } = await opened();
    let asked = await press(page, `card=${cards.authenticates}`, email);
    expect(asked.title).toBe('Your bank asks');
    const refused = await press(asked, 'answer=refuse');
    expect(refused.status).toBe(402);
    asked = await press(refused, `card=${cards.authenticates}`);
    expect((await press(asked, 'answer=allow')).url).toContain(`${app}/success`);
  });

  test.each([
    ['The money comes', 'active'],
    ['The debit fails', 'failed'],
  ])('a debit is done before it is paid: %s', async (button, outcome) => {
    const { session, page, again } = await opened();
    expect((await press(page, `card=${cards.bankDebit}`, email)).stopped).toBe(true);
    expect((await shop.api.checkout.sessions.retrieve(session.id)).payment_status).toBe('unpaid');
    const settled = await press(await again(), button);
    expect(settled.status).toBe(200);
    const { payment_status: paid } = await shop.api.checkout.sessions.retrieve(session.id);
    expect(paid).toBe(outcome === 'active' ? 'paid' : 'unpaid');
  });

  test('a trial is due later, and is begun with a card', async () => {
    const { page } = await opened({ subscription_data: { trial_period_days: 14 } });
    expect(page.visible).toMatch(
      /Free until \d+ \w+ \d{4}, then €24\.00 a month\..*Due today €0\.00/,
    );
    expect((await press(page, `card=${cards.pays}`, email)).stopped).toBe(true);
  });

  test('… or without one, where none is asked for', async () => {
    const { page } = await opened({
      payment_method_collection: 'if_required',
      subscription_data: { trial_period_days: 14 },
    });
    expect((await press(page, 'Begin without a card', email)).stopped).toBe(true);
  });

  test('quantity and promotion code change what is due; a wrong code is told', async () => {
    const coupon = await shop.api.coupons.create({ percent_off: 50, duration: 'once' });
    const promotion = { type: 'coupon' as const, coupon: coupon.id };
    await shop.api.promotionCodes.create({ promotion, code: 'HALF' });
    const { page } = await opened({
      allow_promotion_codes: true,
      line_items: [
        {
          price: shop.prices.team,
          quantity: 2,
          adjustable_quantity: { enabled: true, maximum: 9 },
        },
      ],
    });
    const three = await press(page, 'Change the quantity', { quantity: '3' });
    expect(three.visible).toContain('Due today €36.00');
    const wrong = await press(three, 'Apply', { code: 'NOTHING' });
    expect([wrong.status, wrong.visible]).toEqual([402, expect.stringContaining('invalid')]);
    const half = await press(wrong, 'Apply', { code: 'HALF' });
    expect(half.visible).toMatch(/−€18\.00.*Due today €18\.00/);
  });

  test('back leads to where one came from, and nothing is lost', async () => {
    const { page, again } = await opened();
    const back = page.links.find(({ text }) => text.startsWith('Back to'));
    expect((await shop.browser.follow(page, back?.text ?? '')).url).toBe(`${app}/canceled`);
    expect((await press(await again(), `card=${cards.pays}`, email)).stopped).toBe(true);
  });

  test('what has expired, and what there never was, says so', async () => {
    const { session, page } = await opened();
    await shop.api.checkout.sessions.expire(session.id);
    const late = await press(page, `card=${cards.pays}`, email);
    expect([late.status, late.title]).toEqual([410, 'This checkout has expired']);
    const none = await shop.browser.get(`${shop.simulator.url}/c/pay/cs_test_nothing`);
    expect([none.status, none.visible]).toEqual([404, expect.stringContaining('cs_test_nothing')]);
  });
});

describe('the portal', () => {
  test('its first page has subscriptions, payment method, invoices, and the way back', async () => {
    const { customer } = await shop.subscriber();
    const home = await shop.browser.get(await shop.portal(customer));
    expect(home.visible).toMatch(/Team.*active.*Renews.*visa •••• 4242.*paid €24\.00/);
    const back = home.links.find(({ text }) => text.startsWith('Return to'));
    expect((await shop.browser.follow(home, back?.text ?? '')).url).toBe(`${app}/back`);
  });

  test('an invoice that failed is paid with another card', async () => {
    const { customer, subscription } = await shop.subscriber();
    const url = await shop.portal(customer);
    let page = await shop.browser.follow(await shop.browser.get(url), 'Change the payment method');
    page = await press(page, `card=${cards.failsLater}`);
    expect(page.visible).toContain('Your payment method is changed.');
    await shop.simulator.advance(32 * day);
    expect(await statusOf(subscription)).toBe('past_due');
    const late = await shop.browser.get(url);
    expect([late.status, late.visible]).toEqual([400, expect.stringContaining('has expired')]);
    page = await shop.browser.get(await shop.portal(customer));
    page = await shop.browser.submit(page, { form: '/pay' });
    expect([page.status, page.visible]).toEqual([402, expect.stringContaining('declined')]);
    page = await press(
      await shop.browser.follow(page, 'Change the payment method'),
      `card=${cards.pays}`,
    );
    page = await shop.browser.submit(await shop.browser.follow(page, 'All subscriptions'), {
      form: '/pay',
    });
    expect(page.visible).toContain('The invoice is paid.');
    expect(await statusOf(subscription)).toBe('active');
  });

  async function unpaid(card: string) {
    const { customer, subscription } = await shop.subscriber();
    const session = (await shop.portal(customer)).split('/').at(-1) ?? '';
    await shop.simulator.portal.setCard(session, card);
    await shop.simulator.advance(32 * day);
    const { latest_invoice: invoice } = await shop.api.subscriptions.retrieve(subscription);
    return { customer, subscription, invoice: typeof invoice === 'string' ? invoice : '' };
  }

  test('where the bank has to be asked about an invoice, it is', async () => {
    const { customer, subscription } = await unpaid(cards.alwaysAuthenticates);
    const pay = async () => {
      const home = await shop.browser.get(await shop.portal(customer));
      return shop.browser.submit(home, { form: '/pay' });
    };
    const refused = await press(await pay(), 'Refuse');
    expect([refused.status, await statusOf(subscription)]).toEqual([402, 'past_due']);
    const asked = await pay();
    expect(asked.title).toBe('Your bank asks');
    expect((await press(asked, 'Allow')).visible).toContain('The invoice is paid.');
    expect(await statusOf(subscription)).toBe('active');
  });

  test('an invoice has a page of its own, which whoever has its link can pay', async () => {
    const { subscription, invoice } = await unpaid(cards.failsLater);
    const { hosted_invoice_url: url } = await shop.api.invoices.retrieve(invoice);
    let page = await shop.browser.get(url ?? '');
    expect(page.visible).toMatch(/open.*In all €24\.00.*Pay €24\.00 with/);
    page = await press(page, `card=${cards.declined}`);
    expect([page.status, page.visible]).toEqual([402, expect.stringContaining('declined')]);
    page = await press(page, `card=${cards.pays}`);
    expect([page.visible, page.forms]).toEqual([expect.stringContaining('paid'), []]);
    expect(await statusOf(subscription)).toBe('active');
  });

  test('the plan is changed once it was said what it costs', async () => {
    const { customer, subscription } = await shop.subscriber();
    let page = await shop.browser.get(await shop.portal(customer));
    page = await shop.browser.follow(page, 'Change the plan');
    page = await press(page, 'Continue', { price: shop.prices.business, quantity: '3' });
    expect(page.visible).toMatch(/From Team.*To Business.*€90\.00 a month.*In all €/);
    const before = await shop.api.subscriptions.retrieve(subscription);
    expect(before.items.data[0]?.price.id).toBe(shop.prices.team);
    page = await press(page, 'Confirm');
    expect(page.visible).toContain('Your plan is changed.');
    const after = await shop.api.subscriptions.retrieve(subscription);
    expect(after.items.data[0]).toMatchObject({ quantity: 3, price: { id: shop.prices.business } });
  });

  test('it is cancelled with reason and comment, and that is taken back', async () => {
    const { customer, subscription } = await shop.subscriber();
    const url = await shop.portal(customer);
    let page = await shop.browser.follow(await shop.browser.get(url), 'Cancel');
    const fields = { reason: 'too_expensive', comment: 'Too many <i>seats</i>' };
    page = await press(page, 'Cancel the subscription', fields);
    expect(page.visible).toContain('Your subscription is canceled.');
    const canceled = await shop.api.subscriptions.retrieve(subscription);
    expect(canceled.cancellation_details).toMatchObject({
      feedback: 'too_expensive',
      comment: 'Too many <i>seats</i>',
    });
    expect(canceled.cancel_at).not.toBeNull();
    page = await shop.browser.get(url);
    expect(page.visible).toMatch(/Ends \d+ \w+ \d{4}/);
    await press(page, 'Don’t cancel');
    expect((await shop.api.subscriptions.retrieve(subscription)).cancel_at).toBeNull();
  });

  test('it is paused, and gone on with', async () => {
    const { customer, subscription } = await shop.subscriber();
    const url = await shop.portal(customer);
    const page = await shop.browser.follow(await shop.browser.get(url), 'Pause');
    await press(page, 'Pause the subscription');
    expect(await statusOf(subscription)).toBe('paused');
    await press(await shop.browser.get(url), 'Go on with it');
    expect(await statusOf(subscription)).toBe('active');
  });

  test('name and address are changed', async () => {
    const { customer } = await shop.subscriber();
    let page = await shop.browser.get(await shop.portal(customer));
    page = await shop.browser.follow(page, 'Change name and address');
    await press(page, 'Save', { name: 'Globex', email: 'g@example.com' });
    expect(await shop.api.customers.retrieve(customer)).toMatchObject({
      name: 'Globex',
      email: 'g@example.com',
    });
  });

  test('each flow begins at its page, and ends where it says', async () => {
    const { customer, subscription } = await shop.subscriber();
    const [item] = (await shop.api.subscriptions.retrieve(subscription)).items.data;
    const after = { type: 'redirect' as const, redirect: { return_url: `${app}/after` } };
    const own = { after_completion: after };
    const change = [{ id: item?.id ?? '', price: shop.prices.business, quantity: 2 }];
    const flows: [Parameters<Shop['portal']>[1], title: string, button: string][] = [
      [{ ...own, type: 'payment_method_update' }, 'Change the payment method', cards.pays],
      [
        {
          ...own,
          type: 'subscription_update_confirm',
          subscription_update_confirm: { subscription, items: change },
        },
        'Confirm the change',
        'Confirm',
      ],
      [
        { ...own, type: 'subscription_cancel', subscription_cancel: { subscription } },
        'Cancel the subscription?',
        'Cancel the subscription',
      ],
    ];
    for (const [flow, title, button] of flows) {
      const page = await shop.browser.get(await shop.portal(customer, flow));
      expect(page.title).toBe(title);
      expect((await press(page, button)).url).toBe(`${app}/after`);
    }
    const update = { type: 'subscription_update' as const, subscription_update: { subscription } };
    await shop.api.subscriptions.update(subscription, { cancel_at: '' });
    const chooser = await shop.browser.get(await shop.portal(customer, update));
    expect(chooser.title).toBe('Change the plan');
    const message = { custom_message: 'See you <soon>' };
    const said = { type: 'hosted_confirmation' as const, hosted_confirmation: message };
    const cancel = { type: 'subscription_cancel' as const, subscription_cancel: { subscription } };
    const page = await shop.browser.get(
      await shop.portal(customer, { ...cancel, after_completion: said }),
    );
    const done = await press(page, 'Cancel the subscription');
    expect(done.visible).toContain('See you <soon>');
  });

  test('a page that there is not is 404', async () => {
    const { customer } = await shop.subscriber();
    const url = await shop.portal(customer);
    for (const path of ['/nothing', '/cancel?subscription=sub_other', '/a/b']) {
      expect((await shop.browser.get(url + path)).status).toBe(404);
    }
    expect((await shop.browser.get(`${shop.simulator.url}/p/session/bps_no`)).status).toBe(404);
  });
});

describe('the dashboard', () => {
  const open = () => shop.browser.get(`${shop.simulator.url}/dashboard`);

  test('moves the clock on by a button, or to a day, and waits until that was heard', async () => {
    const now = shop.simulator.now();
    told.length = 0;
    let page = await press(await open(), '13 days on');
    expect(page.url).toBe(`${shop.simulator.url}/dashboard`);
    expect(shop.simulator.now() - now).toBeGreaterThanOrEqual(13 * day);
    const to = new Date(shop.simulator.now() + 3 * day).toISOString().slice(0, 10);
    page = await press(page, 'Go', { to });
    expect(new Date(shop.simulator.now()).toISOString().slice(0, 10)).toBe(to);
    expect(told).toEqual(['settled', 'settled']);
    const back = await press(page, 'Go', { to: '2020-01-01' });
    expect([back.status, back.visible]).toEqual([400, expect.stringContaining('never back')]);
  });

  test('shows subscriptions, tokens and events, and says the same to programs', async () => {
    await shop.subscriber();
    const page = await open();
    expect(page.visible).toMatch(/team × 2 active/);
    expect(page.visible).toContain('Acme <b> {"plan":"team"}');
    expect(page.visible).toContain('customer.subscription.created');
    const state = await shop.browser.get(`${shop.simulator.url}/dashboard/state`);
    expect(JSON.parse(state.text)).toMatchObject({
      subscriptions: expect.arrayContaining([
        { customer: 'Acme', plan: 'team × 2', status: 'active', dates: expect.any(String) },
      ]),
      tokens: [{ account: 'Acme <b>', claims: { plan: 'team' } }],
    });
  });

  test('lets requests fail, and no more', async () => {
    const path = '/v1/customers';
    let page = await press(await open(), 'Let it happen', { kind: '503', path, times: '1000' });
    const once = { maxNetworkRetries: 0 };
    await expect(shop.api.customers.list({}, once)).rejects.toMatchObject({ statusCode: 503 });
    page = await press(page, 'Nothing goes wrong any more');
    expect((await shop.api.customers.list({}, once)).object).toBe('list');
  });

  test('disturbs webhooks', async () => {
    const { webhooks } = shop.simulator;
    const fields = { duplicates: '2', delay: '3', shuffle: 'yes' };
    let page = await press(await open(), 'Set', fields);
    expect(webhooks.options).toEqual({ duplicates: 2, delayMs: 3000, shuffle: true });
    page = await shop.browser.submit(page, {
      button: 'Set',
      fields: { duplicates: '0', delay: '0', shuffle: false },
    });
    expect(webhooks.options).toEqual({ duplicates: 0, delayMs: 0, shuffle: false });
    // Nobody listens there: what waits is held back, and lost on demand.
    const url = 'http://127.0.0.1:9/';
    await shop.api.webhookEndpoints.create({ url, enabled_events: ['*'] });
    page = await press(page, 'Hold back');
    await shop.api.customers.create({ name: 'Waits' });
    expect((await open()).visible).toContain('customer.created http://127.0.0.1:9/');
    page = await press(page, 'Lose what waits');
    expect([page.visible, webhooks.pending]).toEqual([expect.stringContaining('Waiting: 0'), []]);
    await press(page, 'Go on');
  });

  test('a disputed charge and a refund are two buttons', async () => {
    await shop.subscriber();
    for (const [button, type] of [
      ['Refund', 'charge.refunded'],
      ['Dispute', 'charge.dispute.created'],
    ] as const) {
      const page = await press(await open(), button);
      expect(page.status).toBe(200);
      expect(shop.simulator.objects.events().map((event) => event.type)).toContain(type);
    }
  });
});

test('pages take only forms of their own, and bounded ones', async () => {
  const url = `${shop.simulator.url}/dashboard/clock`;
  const body = new URLSearchParams({ by: '1d' });
  const now = shop.simulator.now();
  const headers = { 'sec-fetch-site': 'cross-site' };
  const foreign = await fetch(url, { method: 'POST', body, headers });
  expect([foreign.status, await foreign.text()]).toEqual([403, expect.stringContaining('Refused')]);
  expect(shop.simulator.now() - now).toBeLessThan(day);
  const large = await fetch(url, { method: 'POST', body: `by=${'1'.repeat(70_000)}` });
  await large.body?.cancel();
  expect(large.status).toBe(413);
});

test('pages have titles, one heading, a language, and nothing from elsewhere', async () => {
  const { customer } = await shop.subscriber();
  const home = await shop.portal(customer);
  const session = await shop.checkout();
  const urls = [home, `${home}/payment`, `${home}/cancel`, `${home}/plan`, session.url ?? ''];
  for (const url of [...urls, `${shop.simulator.url}/dashboard`]) {
    const page = await shop.browser.get(url);
    expect(page.title).not.toBe('');
    expect(page.text.match(/<h1>/g)).toHaveLength(1);
    expect(page.text).toContain('<html lang="en">');
    expect(page.headers['content-security-policy']).toContain("default-src 'none'");
    expect(page.text).not.toMatch(/<script|src="http/);
  }
});
