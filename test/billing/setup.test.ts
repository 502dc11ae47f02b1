/** What `tollgate stripe check` and `push` do, in an account of the simulator that is empty at first. */

import { describe, expect, test } from 'vitest';
import { apiVersion } from '../../src/billing/stripe.ts';
import { handledTypes } from '../../src/billing/event_kinds.ts';
import { emptyAccount, metered, statesOf, team, told } from './setup_world.ts';

const everything = [
  'meter reports',
  'feature export',
  'feature sso',
  'product api/team',
  'price api/team month',
  'price api/team year',
  'feature export of api/team',
  'feature sso of api/team',
  'product api/metered',
  'price api/metered month',
  'feature export of api/metered',
  'portal',
  'webhook',
];
const all = (state: string) => Object.fromEntries(everything.map((what) => [what, state]));

describe('in an empty account', () => {
  test('everything is missing, and looking makes nothing', async () => {
    const { look, changes } = await emptyAccount();
    const { findings, secret } = await look();
    expect(statesOf(findings)).toEqual(all('missing'));
    expect(told(findings)).toHaveLength(everything.length);
    expect(secret).toBeUndefined();
    expect(changes()).toBe(0);
  });

  test('push makes all of it, then all is good, and another push makes nothing', async () => {
    const { push, look, changes, afterPush } = await emptyAccount();
    const pushed = await push();
    expect(statesOf(pushed.findings)).toEqual(all('made'));
    expect(pushed.secret).toMatch(/^whsec_/);
    expect(changes()).toBe(everything.length);
    const setting = afterPush(pushed);
    expect(statesOf((await look(setting)).findings)).toEqual(all('good'));
    expect(statesOf((await push(setting)).findings)).toEqual(all('good'));
    expect(changes()).toBe(everything.length);
  });

  test('until it is told of portal and secret, it is said what to set', async () => {
    const { push, look, afterPush } = await emptyAccount();
    const setting = afterPush(await push());
    const { findings } = await look();
    expect(told(findings)).toEqual([
      expect.stringContaining(`portalConfiguration\` to ${setting.stripe?.portalConfiguration}`),
      expect.stringContaining('TOLLGATE_STRIPE_WEBHOOK_SECRETS'),
    ]);
  });

  test('what is made is what the configuration says', async () => {
    const { push, api } = await emptyAccount();
    await push();
    const { data } = await api.prices.list({
      lookup_keys: ['team_yearly', 'metered_monthly'],
      expand: ['data.product'],
    });
    const { data: meters } = await api.billing.meters.list();
    const metadata = (plan: string) => ({ tollgate_product: 'api', tollgate_plan: plan });
    expect(data.toSorted((a, b) => (a.lookup_key! < b.lookup_key! ? 1 : -1))).toMatchObject([
      {
        unit_amount: 9000,
        currency: 'eur',
        recurring: { interval: 'year', usage_type: 'licensed' },
        metadata: metadata('team'),
        product: { name: 'Example Team', unit_label: 'seat', metadata: metadata('team') },
      },
      {
        unit_amount: 2,
        recurring: { interval: 'month', usage_type: 'metered', meter: meters[0]?.id },
        product: { name: 'Example As you go' },
      },
    ]);
    const [endpoint] = (await api.webhookEndpoints.list()).data;
    expect(endpoint).toMatchObject({
      url: 'https://id.example.com/integrations/stripe/events',
      api_version: apiVersion,
    });
    expect(endpoint?.enabled_events.toSorted()).toEqual([...handledTypes].toSorted());
    const { data: portals } = await api.billingPortal.configurations.list({
      expand: ['data.features.subscription_update.products'],
    });
    const portal = portals.find(({ is_default: isDefault }) => !isDefault);
    expect(portal?.features).toMatchObject({
      subscription_cancel: { cancellation_reason: { enabled: true } },
      // A metered plan cannot be changed to in the portal.
      subscription_update: { enabled: true, products: [{ prices: { length: 2 } }] },
    });
  });

  test('thin events are asked for instead, and are enough', async () => {
    const { push, look, api, afterPush } = await emptyAccount();
    const pushed = await push({}, true);
    expect(statesOf(pushed.findings)['webhook (thin)']).toBe('made');
    expect(pushed.secret).toMatch(/^whsec_/);
    expect((await api.webhookEndpoints.list()).data).toEqual([]);
    const [destination] = (await api.v2.core.eventDestinations.list()).data;
    expect(destination).toMatchObject({ event_payload: 'thin' });
    expect(destination?.enabled_events).toContain('v1.customer.subscription.updated');
    expect(told((await look(afterPush(pushed))).findings)).toEqual([]);
  });
});

describe('a push that fails', () => {
  test.each([
    ['lost', { kind: 'cut_after' as const }],
    ['an error, though the work was done', { kind: 'error_after' as const }],
    ['an error, and nothing was done', { kind: 'status' as const, status: 500 as const }],
  ])('at any of its requests is gone on with: the answer is %s', async (_name, fault) => {
    const whole = await emptyAccount();
    await whole.push();
    let failures = 0;
    for (let k = 1; k <= whole.simulator.calls.length; k += 1) {
      const { simulator, push, look, api, afterPush, aMinuteLater } = await emptyAccount();
      // Stripe's library asks once more by itself where a connection is cut.
      simulator.fail({ ...fault, after: k - 1, times: 2 });
      const first = await push().catch(() => {
        failures += 1;
        return undefined;
      });
      simulator.clearFaults();
      aMinuteLater();
      const second = await push();
      const secret = first?.secret ?? second.secret;
      const made = [...(first?.findings ?? []), ...second.findings];
      const setting = afterPush({
        findings: made.filter(({ id }) => id !== undefined),
        secret: secret ?? 'whsec_of_the_dashboard',
      });
      expect(told((await look(setting)).findings)).toEqual([]);
      expect((await api.products.list()).data).toHaveLength(2);
      expect((await api.prices.list()).data).toHaveLength(3);
      expect((await api.webhookEndpoints.list()).data).toHaveLength(1);
      const portals = (await api.billingPortal.configurations.list()).data;
      expect(portals.filter(({ is_default: isDefault }) => !isDefault)).toHaveLength(1);
      await simulator.close();
    }
    expect(failures).toBeGreaterThan(10);
  });

  test('two at once make one of each', async () => {
    const { push, api } = await emptyAccount();
    await Promise.allSettled([push(), push(), push()]);
    await push();
    expect((await api.products.list()).data).toHaveLength(2);
    expect((await api.prices.list()).data).toHaveLength(3);
    expect((await api.webhookEndpoints.list()).data).toHaveLength(1);
  });
});

describe('what differs is told, with what to do, and is left as it is', () => {
  async function pushed() {
    const account = await emptyAccount();
    const setting = account.afterPush(await account.push());
    const price = async (key: string) => {
      const { data } = await account.api.prices.list({ lookup_keys: [key] });
      return data[0]!;
    };
    return { ...account, setting, price };
  }

  test('an archived price', async () => {
    const { api, price, look, push, changes, setting } = await pushed();
    await api.prices.update((await price('team_yearly')).id, { active: false });
    const before = changes();
    const expected = [expect.stringMatching(/^price api\/team year: It is archived.* Bring it/)];
    expect(told((await look(setting)).findings)).toEqual(expected);
    expect(told((await push(setting)).findings)).toEqual(expected);
    expect(changes()).toBe(before);
  });

  test('another amount, period, trial or meter than the configuration says', async () => {
    const { look, setting, price } = await pushed();
    const yearly = await price('team_yearly');
    const plans = [
      {
        ...team,
        prices: [
          { period: 'month' as const, lookupKey: 'team_monthly', amount: 1000, currency: 'usd' },
          { period: 'week' as const, price: yearly.id },
        ],
      },
      { ...metered, meter: undefined },
    ];
    expect(told((await look({ ...setting, plans })).findings)).toEqual([
      expect.stringContaining('price api/team month: It costs 900 eur, not 1000 usd.'),
      expect.stringContaining('price api/team week: It is for every year, not for every week.'),
      expect.stringContaining('price api/metered month: It is metered. Set `meter`'),
      expect.stringContaining('portal: People cannot change to'),
    ]);
  });

  test('a price that is not there, and cannot be made', async () => {
    const { look, push, setting } = await pushed();
    const plans = [
      {
        ...team,
        features: [],
        prices: [
          { period: 'month' as const, price: 'price_of_another_account' },
          { period: 'year' as const, lookupKey: 'team_of_2027' },
        ],
      },
    ];
    const expected = [
      expect.stringMatching(/month: Stripe does not have it\. .*price_of_another_account/),
      expect.stringMatching(/year: Stripe does not have it\. Set `amount` and `currency`/),
      expect.stringMatching(/^portal: People cannot change to `team month`, `team year` in it/),
    ];
    expect(told((await look({ ...setting, plans })).findings)).toEqual(expected);
    expect(told((await push({ ...setting, plans })).findings)).toEqual(expected);
  });

  test('an archived product, and features that were taken off or put on', async () => {
    const { api, look, setting, price } = await pushed();
    const product = String((await price('team_monthly')).product);
    const [feature] = (await api.products.listFeatures(product)).data.filter(
      (one) => one.entitlement_feature.lookup_key === 'sso',
    );
    await api.products.deleteFeature(product, feature!.id);
    const extra = await api.entitlements.features.create({ lookup_key: 'audit', name: 'Audit' });
    await api.products.createFeature(product, { entitlement_feature: extra.id });
    await api.products.update(product, { active: false });
    expect(told((await look(setting)).findings)).toEqual([
      expect.stringMatching(/^product api\/team: It is archived/),
      expect.stringMatching(/^feature sso of api\/team: Stripe does not have it/),
      expect.stringMatching(/^feature audit of api\/team: .*Add it to `features`/),
    ]);
  });

  test('a meter that counts nothing any more', async () => {
    const { api, look, setting } = await pushed();
    const [meter] = (await api.billing.meters.list()).data;
    await api.billing.meters.deactivate(meter!.id);
    expect(told((await look(setting)).findings)).toEqual([
      expect.stringMatching(/^meter reports: It is not active.*Reactivate/),
    ]);
  });

  test('a portal that does not ask why, and does not know a plan', async () => {
    const { api, look, setting, price } = await pushed();
    const other = await price('metered_monthly');
    const id = setting.stripe?.portalConfiguration ?? '';
    await api.billingPortal.configurations.update(id, {
      features: {
        invoice_history: { enabled: false },
        subscription_cancel: {
          enabled: true,
          cancellation_reason: { enabled: false, options: '' },
        },
        subscription_update: {
          enabled: true,
          default_allowed_updates: ['price'],
          products: [{ product: String(other.product), prices: [other.id] }],
        },
      },
    });
    expect(told((await look(setting)).findings)).toEqual([
      expect.stringContaining('People do not see their invoices in it.'),
      expect.stringContaining('It does not ask people why they cancel.'),
      expect.stringContaining('It does not let people change the quantity.'),
      expect.stringContaining('People cannot change to'),
    ]);
    // On a page of ours the portal need not know.
    const page = { ...setting, stripe: { ...setting.stripe, changes: 'page' as const } };
    expect(told((await look(page)).findings)).toHaveLength(2);
  });

  test('a portal of another account', async () => {
    const { look, setting } = await pushed();
    const stripe = { ...setting.stripe, portalConfiguration: 'bpc_of_another_account' };
    expect(told((await look({ ...setting, stripe })).findings)).toEqual([
      expect.stringMatching(/^portal: Stripe does not have it\. Set `stripe.portalConfiguration`/),
    ]);
  });

  test('an endpoint that is switched off, hears too little, or another version', async () => {
    const { api, look, setting } = await pushed();
    const [endpoint] = (await api.webhookEndpoints.list()).data;
    const enabled_events = ['customer.deleted', 'charge.dispute.created'] as const;
    await api.webhookEndpoints.update(endpoint!.id, {
      disabled: true,
      enabled_events: [...enabled_events],
    });
    expect(told((await look(setting)).findings)).toEqual([
      expect.stringMatching(/^webhook: It is switched off/),
      expect.stringMatching(/^webhook: It does not send .*`customer.subscription.updated`/),
    ]);
    await api.webhookEndpoints.del(endpoint!.id);
    await api.webhookEndpoints.create({
      url: 'https://id.example.com/integrations/stripe/events',
      enabled_events: ['*'],
    });
    expect(told((await look(setting)).findings)).toEqual([
      expect.stringMatching(/^webhook: It sends the version of the account of the API/),
    ]);
  });

  test('disputes are missed only where they matter', async () => {
    const { api, look, setting } = await pushed();
    const [endpoint] = (await api.webhookEndpoints.list()).data;
    await api.webhookEndpoints.update(endpoint!.id, {
      enabled_events: handledTypes.filter((type) => type !== 'charge.dispute.created'),
    });
    expect(told((await look(setting)).findings)).toEqual([]);
    const stripe = { ...setting.stripe, disputes: 'end' as const };
    expect(told((await look({ ...setting, stripe })).findings)).toEqual([
      expect.stringContaining('`charge.dispute.created`'),
    ]);
  });

  test('of another installation nothing is taken for ours', async () => {
    const { push, setting } = await pushed();
    const stripe = { webhookSecrets: setting.stripe?.webhookSecrets ?? [] };
    const { findings } = await push({ stripe, issuer: 'https://login.example.com' });
    expect(statesOf(findings)).toMatchObject({
      'product api/team': 'good',
      portal: 'made',
      webhook: 'made',
    });
  });
});
