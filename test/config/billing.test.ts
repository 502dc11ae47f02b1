/** What is sold: what a good configuration of it looks like, and what each mistake is told to be. */

import { describe, expect, test } from 'vitest';
import { loadConfig } from '../../src/config.ts';
import type { Config, ConfigInput } from '../../src/config.ts';
import { billingWarnings } from '../../src/config/billing_rules.ts';
import { changesBetween } from '../../src/config/changes.ts';
import { complaints, goodInput, load } from './world.ts';

const secretKey = 'sk_test_51Nq8Yx2eZvKYlo2C';
const webhookSecret = 'whsec_Zm9yIGEgdGVzdCBvbmx5';

const monthly = { period: 'month', lookupKey: 'team_monthly', amount: 900, currency: 'eur' };
const yearly = { period: 'year', price: 'price_1Nq8Yx2eZvKYlo2C' };
const team = { id: 'team', name: 'Team', prices: [monthly, yearly], trialDays: 14 };
const free = { id: 'free', name: 'Free' };
const product = {
  id: 'api',
  name: 'API',
  audience: 'https://api.example.com',
  plans: [free, team],
  access: { freePlan: 'free' },
};

function selling(change: object = {}, stripe: object | null = {}): object {
  return {
    ...goodInput(),
    registration: 'checkout',
    products: [product],
    ...(stripe && { stripe: { secretKey, webhookSecrets: [webhookSecret], ...stripe } }),
    ...change,
  };
}

const withProduct = (change: object) => selling({ products: [{ ...product, ...change }] });
const withPlan = (change: object) => withProduct({ plans: [free, { ...team, ...change }] });
const withPrice = (change: object) => withPlan({ prices: [{ ...monthly, ...change }] });

test('products with plans are sold through Stripe', async () => {
  expect(await complaints(selling())).toEqual([]);
  const signup = {
    success: 'https://app.example.com/welcome',
    canceled: 'https://www.example.com/prices',
    failed: 'https://www.example.com/oops',
    plans: 'https://www.example.com/prices',
  };
  expect(await complaints(selling({ signup }))).toEqual([]);
});

test('the portal is named by the id of its configuration', async () => {
  const portal = (id: string) => complaints(selling({}, { portalConfiguration: id }));
  expect(await portal('bpc_1Pgc70B7WZ01zgkW')).toEqual([]);
  for (const wrong of ['Tollgate', 'bpc_', 'https://billing.stripe.com/p/login/x']) {
    expect(await portal(wrong)).toEqual([
      expect.stringMatching(/stripe\.portalConfiguration: It is no .* They begin with bpc_/s),
    ]);
  }
});

describe('secrets', () => {
  test('come from the environment, and make the group', async () => {
    const config = await load(selling({ registration: 'open' }, null), {
      TOLLGATE_STRIPE_SECRET_KEY: ` ${secretKey}\n`,
      TOLLGATE_STRIPE_WEBHOOK_SECRETS: `${webhookSecret}, whsec_0123456789abcdef`,
    });
    expect(config.stripe).toMatchObject({
      secretKey,
      webhookSecrets: [webhookSecret, 'whsec_0123456789abcdef'],
      apiBase: 'https://api.stripe.com',
    });
  });

  test('win over the file, which keeps the rest', async () => {
    const config = await load(selling({}, { promotionCodes: true }), {
      TOLLGATE_STRIPE_SECRET_KEY: 'rk_test_another',
    });
    expect(config.stripe).toMatchObject({
      secretKey: 'rk_test_another',
      webhookSecrets: [webhookSecret],
      promotionCodes: true,
    });
  });

  test('come from files, too', async () => {
    const files: Record<string, string> = {
      'tollgate.config.json': JSON.stringify(selling({}, null)),
      '/run/key': `${secretKey}\n`,
      '/run/secrets/TOLLGATE_STRIPE_WEBHOOK_SECRETS': `${webhookSecret}\n`,
    };
    const absent = () => Promise.reject(Object.assign(new Error('no'), { code: 'ENOENT' }));
    const config = await loadConfig({
      file: 'tollgate.config.json',
      readFile: (path) => Promise.resolve(files[path] ?? absent()),
      env: {
        TOLLGATE_STRIPE_SECRET_KEY_FILE: '/run/key',
        TOLLGATE_SECRET_FOLDER: '/run/secrets',
      },
    });
    expect(config.stripe).toMatchObject({ secretKey, webhookSecrets: [webhookSecret] });
  });

  test('are not looked for under a misspelled name', async () => {
    const misspelled = await complaints(selling(), { TOLLGATE_STRIPE_WEBHOOK_SECRET: 'whsec_1' });
    expect(misspelled).toEqual([expect.stringContaining('TOLLGATE_STRIPE_WEBHOOK_SECRETS?')]);
  });

  test.each([
    ['none', { secretKey: undefined }, 'stripe.secretKey: It is missing. Set TOLLGATE_STRIPE'],
    ['a publishable one', { secretKey: 'pk_test_51Nq8' }, 'publishable'],
    ['another word', { secretKey: 'hidden-key-51Nq8' }, 'sk_test_'],
    ['a number', { secretKey: 51 }, 'stripe.secretKey'],
    ['another kind', { webhookSecrets: ['hidden-51Nq8'] }, 'stripe.webhookSecrets[0]: It is no'],
    ['the same twice', { webhookSecrets: [webhookSecret, webhookSecret] }, 'the same secret as'],
    ['eleven', { webhookSecrets: Array.from({ length: 11 }, () => webhookSecret) }, 'at most 10'],
  ])('that are wrong are told, and not shown: %s', async (_name, stripe, told) => {
    const found = (await complaints(selling({}, stripe))).join('\n');
    expect(found).toContain(told);
    expect(found).not.toMatch(/51Nq8|Zm9yIG/);
  });
});

test.each<[string, object, RegExp]>([
  [
    'checkout without Stripe',
    selling({ products: [{ ...product, plans: [free] }] }, null),
    /^registration: .* TOLLGATE_S/,
  ],
  ['checkout without plans', withProduct({ plans: [], access: {} }), /^registration: .* plan/],
  [
    'checkout with none that is offered',
    withProduct({ plans: [{ ...team, offered: false }], access: {} }),
    /^registration: .* offered/,
  ],
  [
    'prices without Stripe',
    selling({ registration: 'open' }, null),
    /^products\[0\]\.plans\[1\]\.prices: A price needs `stripe`/,
  ],
  [
    'two plans of a name',
    withProduct({ plans: [free, { ...team, id: 'FREE' }] }),
    /^products\[0\]\.plans\[1\]\.id: products\[0\]\.plans\[0\] has the same id/,
  ],
  ['neither price nor key', withPrice({ lookupKey: undefined }), /prices\[0\]: .* `lookupKey`/],
  ['price and key', withPrice({ price: 'price_1' }), /prices\[0\]: It has both/],
  ['an id that is none', withPrice({ price: 'price 1', lookupKey: undefined }), /\.price: /],
  [
    'two prices for a period',
    withPlan({ prices: [monthly, { ...yearly, period: 'month' }] }),
    /prices\[1\]\.period: .*prices\[0\] has the same period/,
  ],
  [
    'one price for two plans',
    withProduct({
      plans: [free, team, { id: 'more', name: 'More', prices: [{ ...monthly, amount: 1 }] }],
    }),
    /plans\[2\]\.prices\[0\]\.lookupKey: It is that of products\[0\]\.plans\[1\]\.prices\[0\]/,
  ],
  ['an amount of what', withPrice({ currency: undefined }), /currency: It is missing/],
  ['a free plan that is none', withProduct({ access: { freePlan: 'gratis' } }), /no plan "gratis"/],
  ['a free plan that costs', withProduct({ access: { freePlan: 'team' } }), /freePlan: .* prices/],
  [
    'a trial of a free plan',
    withProduct({ plans: [{ ...free, trialDays: 3 }, team] }),
    /plans\[0\]\.trialDays: .* free for ever/,
  ],
  [
    'a trial without a card that is none',
    withPlan({ trialDays: undefined, trialWithoutCard: true }),
    /trialWithoutCard: There is no trial\. Set `trialDays`/,
  ],
  ['fewer seats at most', withPlan({ seats: { min: 5, max: 3 } }), /seats\.min: It is more than/],
  ['seats that are counted', withPlan({ seats: {}, meter: 'requests' }), /meter: Stripe takes no/],
  [
    'a meter of nothing',
    withProduct({ plans: [{ ...free, meter: 'requests' }, team] }),
    /plans\[0\]\.meter/,
  ],
  [
    'free seats that are raised',
    withProduct({ plans: [{ ...free, seats: { whenFull: 'raise' } }, team] }),
    /seats\.whenFull: /,
  ],
  [
    'a simulator where requests may not go',
    selling({}, { apiBase: 'http://127.0.0.1:4242' }),
    /^outgoing\.allowPrivate: `stripe\.apiBase` is on this machine/,
  ],
  [
    'plain http elsewhere',
    selling({}, { apiBase: 'http://stripe.example.com' }),
    /^stripe\.apiBase: .* not secure/,
  ],
  [
    'a live key for a simulator',
    selling({}, { apiBase: 'https://stripe.example.com', secretKey: 'sk_live_1234' }),
    /^stripe\.apiBase: A live key would be sent/,
  ],
  [
    'a page of plans that sends to itself',
    selling({ signup: { plans: 'https://id.example.com/signup?product=api' } }),
    /^signup\.plans: /,
  ],
  [
    'an address that is not secure',
    selling({ signup: { canceled: 'http://www.example.com/' } }),
    /^signup\.canceled: .* not secure/,
  ],
])('%s: refused with what to do', async (_name, input, told) => {
  const found = await complaints(input);
  expect(found).toEqual([expect.stringMatching(told)]);
  // A sentence that says what is wrong, and one that says what to do.
  expect(found[0]).toMatch(/^\S+: .+\. .+\.$/);
});

test('of a mistake in the group nothing else is concluded', async () => {
  const found = await complaints(selling({}, { secretKey: 'no' }));
  expect(found).toEqual([expect.stringMatching(/^stripe\.secretKey/)]);
});

test('a simulator is fine where requests may go to it', async () => {
  const outgoing = { allowPrivate: ['127.0.0.0/8'] };
  const stripe = { apiBase: 'http://127.0.0.1:4242' };
  expect(await complaints(selling({ outgoing }, stripe))).toEqual([]);
});

describe('a warning is given', () => {
  const warned = async (change: object, stripe: object) =>
    billingWarnings(await load(selling(change, stripe)));

  test('when nothing will be heard of Stripe, with what to do', async () => {
    expect(await warned({ issuer: 'http://localhost:4400' }, { webhookSecrets: [] })).toEqual([
      expect.stringMatching(/tollgate stripe push.*TOLLGATE_STRIPE_WEBHOOK_SECRETS/),
    ]);
  });

  test('when a public issuer has a key for tests', async () => {
    expect(await warned({}, {})).toEqual([expect.stringContaining('live key')]);
    expect(await warned({ issuer: 'https://localhost' }, {})).toEqual([]);
    expect(await warned({}, { secretKey: 'rk_live_51Nq8' })).toEqual([]);
  });

  test('and none where nothing is sold', async () => {
    expect(billingWarnings(await load(goodInput()))).toEqual([]);
  });
});

describe('while a process runs', () => {
  const loaded = (input: object) => load(input);

  test('plans and the ends of sign-up are taken up', async () => {
    const present = await loaded(selling());
    const next = await loaded(
      selling({
        products: [{ ...product, plans: [free, { ...team, trialDays: 30 }] }],
        signup: { success: 'https://app.example.com/welcome' },
      }),
    );
    expect(changesBetween(present, next)).toMatchObject({
      taken: ['products', 'signup'],
      left: [],
      config: next,
    });
  });

  test('but not apart from how they are sold', async () => {
    const present = await loaded(goodInput());
    const next: Config = { ...(await loaded(selling())), brand: { ...present.brand, name: 'Ex' } };
    const { config, taken, left } = changesBetween(present, next);
    expect(taken).toEqual(['brand']);
    expect(left.toSorted()).toEqual(['products', 'registration', 'stripe']);
    const input: ConfigInput = { ...config };
    expect(await complaints(input)).toEqual([]);
  });
});
