/** Every page in every state that it has, with the names and numbers that real life brings. */

import type { Html } from '../../src/web/html.ts';
import type { AccountDocument, SubscriptionProjection } from '../../src/storage/documents.ts';
import {
  changedPage,
  changePage,
  closedPage,
  lockedPage,
  notPayerPage,
  whichAccountPage,
} from '../../views/billing.ts';
import { accountBillingPage } from '../../views/account_billing.ts';
import type { ProductBillingView, StateName } from '../../views/account_billing.ts';
import { billingTexts } from '../../views/billing_texts.ts';
import { consentPage } from '../../views/consent.ts';
import { continuePage } from '../../views/continue.ts';
import type { Brand } from '../../views/layout.ts';
import { loginPage, type LoginProvider } from '../../views/login.ts';
import { failurePage, messagePage, notRegisteredPage } from '../../views/message.ts';
import { noAccountPage, selectAccountPage, type AccountRow } from '../../views/select_account.ts';
import { personSamples } from './account_person_samples.ts';
import { dataSamples } from './account_data_samples.ts';
import { chooseAccountPage, choosePlanPage, confirmPage } from '../../views/plans.ts';
import {
  canceledPage,
  failedPage,
  momentPage,
  subscribedPage,
  unpaidPage,
  waitingPage,
} from '../../views/signup.ts';
import { closingSamples } from './account_closing_samples.ts';
import { ssoSamples } from './account_sso_samples.ts';
import { signedOutPage, signOutPage, signOutQuestion, stayedPage } from '../../views/signout.ts';
import { invitationSamples } from './invitation_samples.ts';
import { memberSamples } from './account_members_samples.ts';

export const brand: Brand = {
  name: 'Northwind',
  accent: '#4f46e5',
  terms: 'https://northwind.example/terms',
  privacy: 'https://northwind.example/privacy',
  support: 'help@northwind.example',
};

export const now = Date.UTC(2026, 8, 1);
const day = 86_400_000;

export const form = (step: string) => ({ action: '/interaction/abc', step, csrf: 'v1.mac' });

export const providers: LoginProvider[] = [
  { id: 'google', name: 'Google', icon: 'google' },
  { id: 'github', name: 'GitHub', icon: 'github' },
  { id: 'acme', name: 'Acme single sign-on', icon: 'oidc' },
];

const manyProviders: LoginProvider[] = [
  ...providers,
  ...['Contoso', 'Fabrikam', 'Donaudampfschifffahrtsgesellschaft Wien', 'Initech'].map(
    (name): LoginProvider => ({ id: name.slice(0, 4), name, icon: 'oidc' }),
  ),
];

export function account(
  id: string,
  name: string,
  roles: string[],
  subscription?: Partial<SubscriptionProjection>,
): AccountRow {
  const document: AccountDocument = {
    name,
    status: 'active',
    owners: ['usr_ada'],
    createdAt: now - 100 * day,
    ...(subscription && {
      subscriptions: {
        analytics: { subscription: 'sub_1', status: 'active', plan: 'team', ...subscription },
      },
    }),
  };
  return { id, name, roles, document };
}

const accounts = [
  account('acc_1', 'Acme', ['owner'], { period: 'year' }),
  account('acc_2', 'Globex', ['member'], { plan: 'starter', status: 'past_due' }),
  account('acc_3', 'Initech', ['admin'], { status: 'trialing', trialEnd: now + 3.5 * day }),
  account('acc_4', 'Ada Lovelace', ['owner']),
];

const manyAccounts = [
  ...accounts,
  account('acc_5', 'Donaudampfschifffahrtsgesellschaft & Söhne', ['billing_manager'], {
    plan: 'enterprise',
    period: 'month',
    status: 'trialing',
    trialEnd: now + 10 * day,
  }),
  ...['Málaga Films', 'Umbrella', 'Soylent', 'Hooli'].map((name) =>
    account(`acc_${name}`, name, ['member'], { period: 'month' }),
  ),
];

const chooser = {
  form: form('select_account'),
  app: 'Northwind Analytics',
  who: 'ada@example.com',
  now,
};

const requestId = 'req_6Jx2hPq0ZtVb9sYwKd3n4A';

const failureCodes: [code: string, status: number, retryAfterSeconds?: number][] = [
  ['interaction_expired', 410],
  ['signin_expired', 410],
  ['signin_already_used', 409],
  ['signin_other_browser', 403],
  ['signin_cancelled', 400],
  ['linking_over', 403],
  ['identity_taken', 409],
  ['too_many_identities', 409],
  ['last_identity', 409],
  ['domain_not_allowed', 403],
  ['user_disabled', 403],
  ['provider_unknown', 404],
  ['provider_unavailable', 503, 30],
  ['upstream_unavailable', 502],
  ['upstream_error', 502],
  ['form_foreign', 403],
  ['rate_limited', 429, 240],
  ['not_found', 404],
  ['store_unavailable', 503],
  ['internal_error', 500],
  ['invalid_request', 400],
  ['account_foreign', 403],
  ['account_missing', 403],
  ['billing_unavailable', 404],
  ['account_closing', 409],
  ['card_declined', 402],
  ['change_not_possible', 409],
  ['change_refused', 502],
  ['payment_late', 409],
  ['plan_unknown', 400],
  ['plan_not_offered', 400],
  ['period_unknown', 400],
  ['price_unavailable', 503],
  ['quantity_invalid', 400],
  ['seats_taken', 409],
  ['stripe_unavailable', 503, 5],
  ['stripe_refused', 502],
  ['payment_unavailable', 503, 5],
  ['payment_unconfirmed', 503, 5],
  ['price_unavailable', 503],
  ['payment_failed', 402],
  ['checkout_expired', 402],
  ['app_unknown', 404],
  ['checkout_unknown', 404],
  ['checkout_foreign', 403],
  ['account_unknown', 404],
  ['not_owner', 403],
  ['promotion_code_unknown', 400],
  ['coupon_unknown', 400],
  ['plan_unknown', 400],
];

function failures(): [string, () => Html][] {
  return failureCodes.map(([code, status, retryAfterSeconds]) => [
    `failure ${code}`,
    () =>
      failurePage(
        {
          status,
          code,
          message: 'Google does not answer at the moment. Try again in a minute.',
          requestId,
          retryAfterSeconds,
          action: /^(signin|upstream|provider|domain|user|form|payment|price)/.test(code)
            ? { href: '/interaction/abc?stay=1' }
            : undefined,
        },
        brand,
      ),
  ]);
}

const logoutForm =
  '<form id="op.logoutForm" method="post" action="/oauth2/logout/confirm">' +
  '<input type="hidden" name="xsrf" value="secret"/></form>';

const consenting = {
  form: form('consent'),
  app: 'Chartwell',
  scopes: ['openid', 'profile', 'email', 'offline_access'],
  resources: [{ name: 'Northwind Analytics', scopes: ['reports:read', 'reports:write'] }],
  account: 'Acme',
  who: 'ada@example.com',
  goesTo: 'chartwell.example',
};

const back = 'https://app.northwind.example/';
const onHold = { form: form('locked'), account: 'Acme', app: 'Northwind Analytics' };
const owners = ['Ada Lovelace', 'grace@example.com'];

const changing = {
  action: '/account/switch/analytics',
  csrf: 'v1.mac',
  fields: { agreed: 'sealed' },
  now: { plan: 'Team', period: 'month' as const, seats: 5, amount: '€60.00' },
  next: { plan: 'Business', period: 'year' as const, seats: 12, amount: '€1,200.00' },
  today: '€1,161.29',
  trialing: false,
  back,
};

function billing(): [string, () => Html][] {
  const remedies = ['pay', 'resume', 'subscribe'] as const;
  const pay = '/account/portal?account=acc_1';
  return [
    ...remedies.flatMap((remedy): [string, () => Html][] => [
      [`on hold (${remedy})`, () => lockedPage({ ...onHold, remedy, pay, ask: owners }, brand)],
      [`on hold (${remedy}), to ask`, () => lockedPage({ ...onHold, remedy, ask: owners }, brand)],
    ]),
    ['on hold, nobody to ask', () => lockedPage({ ...onHold, remedy: 'pay', ask: [] }, brand)],
    ...standings(),
    ['no right to pay', () => notPayerPage({ account: 'Acme', ask: owners, back }, brand)],
    ['closed, nothing to pay', () => closedPage({ account: 'Acme', back }, brand)],
    [
      'which account to pay for',
      () =>
        whichAccountPage(
          [
            { name: 'Acme', href: '/a' },
            { name: 'Globex', href: '/b' },
          ],
          brand,
        ),
    ],
    ['change of plan', () => changePage(changing, brand)],
    [
      'change of plan, downwards, moved',
      () =>
        changePage(
          {
            ...changing,
            today: undefined,
            credit: '€31.20',
            message: 'The price has changed since you opened this page. Look at it again.',
          },
          brand,
        ),
    ],
    [
      'change of plan in a trial',
      () =>
        changePage(
          {
            ...changing,
            today: undefined,
            trialing: true,
            next: { plan: 'Donaudampfschifffahrtsgesellschaft' },
          },
          brand,
        ),
    ],
    [
      'plan is changed',
      () => changedPage({ account: 'Acme', plan: 'Business', changed: true, back }, brand),
    ],
    [
      'plan is as it was',
      () => changedPage({ account: 'Acme', plan: 'Business', changed: false, back }, brand),
    ],
  ];
}

const business = { plan: 'Business', period: 'month', per: 'seat', href: '/b' } as const;
const analytics: ProductBillingView = {
  product: 'Northwind Analytics',
  state: { is: 'active', at: now + 20 * day, name: 'Team' },
  plan: { name: 'Team', period: 'year', seats: 5 },
  changes: [
    { ...business, amount: '€25.00' },
    { ...business, period: 'year' },
  ],
  cancel: '/account/portal?flow=cancel',
};
const standing = {
  account: 'Acme',
  more: [
    { is: 'paymentMethod', href: '/p' },
    { is: 'invoices', href: '/i' },
  ],
  back,
} as const;

/** How an account stands: each state with all that a page of it may have, and several products. */
function standings(): [string, () => Html][] {
  const names = Object.keys(billingTexts.account.states) as StateName[];
  const late: ProductBillingView = {
    ...analytics,
    state: { is: 'past_due', at: now + 5 * day, name: 'Northwind Analytics' },
    action: { is: 'pay', href: '/p' },
    changes: [],
  };
  const free: ProductBillingView = {
    product: 'Donaudampfschifffahrtsgesellschaftsarchiv',
    state: {
      is: 'ended',
      at: now - 5 * day,
      name: 'Everything',
      free: { plan: 'Free', when: 'meanwhile' },
    },
    plan: { name: 'Free' },
    action: { is: 'subscribe', href: '/s' },
    changes: [],
  };
  return [
    ...names.map((is): [string, () => Html] => [
      `standing ${is}`,
      () => {
        const state = { is, at: now + 3 * day, name: 'Northwind Analytics' };
        const products = [{ ...analytics, state, action: { is: 'open' as const, href: '/p' } }];
        return accountBillingPage({ ...standing, products }, brand);
      },
    ]),
    [
      'standing with nothing to do',
      () => accountBillingPage({ ...standing, products: [analytics] }, brand),
    ],
    [
      'standing of an account that will be closed',
      () => {
        const closing = { at: now + 9 * day, keep: '/account/close' };
        return accountBillingPage({ ...standing, products: [analytics], closing }, brand);
      },
    ],
    [
      'standing, to ask',
      () => {
        const { plan, product, state } = late;
        const products = [{ plan, product, state, changes: [] }];
        return accountBillingPage({ ...standing, products, more: [], ask: owners }, brand);
      },
    ],
    [
      'standing of two products',
      () => accountBillingPage({ ...standing, products: [free, late] }, brand),
    ],
  ];
}

const planDefaults = { features: [], offered: true, trialWithoutCard: false };
const price = (period: 'month' | 'year', amount?: number, currency = 'eur') => ({
  period,
  ...(amount === undefined ? {} : { amount, currency }),
});
const sold = [
  {
    id: 'analytics',
    name: 'Northwind Analytics',
    plans: [
      { ...planDefaults, id: 'free', name: 'Free', description: 'To look around.', prices: [] },
      {
        ...planDefaults,
        id: 'team',
        name: 'Team',
        description: 'For everybody who works with numbers.',
        trialDays: 14,
        seats: { min: 3, max: 500, whenFull: 'refuse' as const },
        prices: [price('month', 1250), price('year', 12_000)],
      },
    ],
  },
  {
    id: 'archive',
    name: 'Northwind Archive',
    plans: [
      {
        ...planDefaults,
        id: 'all',
        name: 'Everything',
        prices: [price('month', 980, 'jpy'), price('year')],
      },
    ],
  },
];

const starting = {
  action: '/signup',
  csrf: 'v1.mac',
  fields: { product: 'analytics', plan: 'team' },
};

/** By name: a page, ready to be drawn. */
export const samples: ReadonlyMap<string, () => Html> = new Map<string, () => Html>([
  ...invitationSamples(brand),
  ['login', () => login({ lastUsed: 'github' })],
  ['login with a message', () => login({ message: 'Google does not answer at the moment.' })],
  ['login again', () => login({ again: true })],
  ['login with one provider', () => login({ providers: providers.slice(0, 1) })],
  ['login with many providers', () => login({ providers: manyProviders, lastUsed: 'Init' })],
  ['login without providers', () => login({ providers: [] })],
  ['select_account', () => selectAccountPage({ ...chooser, accounts, current: 'acc_1' }, brand)],
  [
    'select_account of many',
    () => selectAccountPage({ ...chooser, accounts: manyAccounts, current: 'acc_5' }, brand),
  ],
  [
    'select_account of hundreds',
    () =>
      selectAccountPage(
        {
          ...chooser,
          accounts: Array.from({ length: 250 }, (_, index) =>
            account(`acc_${index}`, `Company ${index}`, ['member']),
          ),
          page: 2,
          filter: 'company',
        },
        brand,
      ),
  ],
  [
    'select_account without a match',
    () => selectAccountPage({ ...chooser, accounts: manyAccounts, filter: 'zz' }, brand),
  ],
  [
    'select_account with a message',
    () =>
      selectAccountPage(
        { ...chooser, accounts, message: 'You cannot use that account any more.' },
        brand,
      ),
  ],
  ['no account', () => noAccountPage({ ...chooser, closed: [] }, brand)],
  [
    'no account, but plans',
    () => noAccountPage({ ...chooser, closed: [], plans: '/signup' }, brand),
  ],
  [
    'no account, and a sign-up',
    () =>
      noAccountPage(
        {
          ...chooser,
          closed: [],
          plans: '/signup',
          unfinished: [{ product: 'Northwind Analytics', href: '/signup?product=analytics' }],
        },
        brand,
      ),
  ],
  ['only closed accounts', () => noAccountPage({ ...chooser, closed: ['Acme', 'Globex'] }, brand)],
  ['consent', () => consentPage(consenting, brand)],
  ['consent of our own app', () => consentPage({ ...consenting, own: true }, brand)],
  [
    'not registered',
    () =>
      notRegisteredPage(
        { form: form('login'), app: 'Northwind Analytics', who: 'ada.lovelace@mail.example' },
        brand,
      ),
  ],
  [
    'not registered, and plans',
    () =>
      notRegisteredPage(
        { form: form('login'), app: 'Northwind Analytics', way: 'checkout', plans: '/signup' },
        brand,
      ),
  ],
  ['plans', () => choosePlanPage({ action: '/signup', fields: {}, products: sold }, brand)],
  [
    'plans of one product',
    () =>
      choosePlanPage(
        {
          action: '/signup/google',
          fields: { quantity: '12', locale: 'de', return_to: 'https://app.northwind.example/' },
          products: sold.slice(0, 1),
          period: 'year',
        },
        brand,
      ),
  ],
  ['no plans', () => choosePlanPage({ action: '/signup', fields: {}, products: [] }, brand)],
  [
    'plan for an account',
    () =>
      chooseAccountPage(
        { action: '/signup', fields: { product: 'analytics', plan: 'team' }, accounts },
        brand,
      ),
  ],
  [
    'start of a trial',
    () =>
      confirmPage(
        { product: { name: 'Analytics' }, plan: { name: 'Team', trialDays: 14 }, form: starting },
        brand,
      ),
  ],
  [
    'start of a free plan',
    () =>
      confirmPage(
        { product: { name: 'Analytics' }, plan: { name: 'Free' }, form: starting },
        brand,
      ),
  ],
  ['payment awaited', () => momentPage({ address: '/signup', afterSeconds: 3 }, brand)],
  ['payment not there', () => unpaidPage({ look: '/signup', pay: '/signup' }, brand)],
  ['payment pending', () => waitingPage({ goOn: 'https://app.northwind.example/' }, brand)],
  ['payment left', () => canceledPage({ goOn: '/signup', plans: '/signup' }, brand)],
  ['payment failed', () => failedPage({ expired: false, again: '/signup' }, brand)],
  ['payment page expired', () => failedPage({ expired: true, again: '/signup' }, brand)],
  [
    'subscribed already',
    () =>
      subscribedPage(
        {
          account: 'Acme',
          product: 'Analytics',
          goOn: 'https://x.example',
          manage: '/account/portal',
        },
        brand,
      ),
  ],
  ['sign out', () => signOutPage({ form: logoutForm, stay: '/stay' }, brand)],
  [
    'sign out of one app, or of all',
    () => signOutPage({ form: logoutForm, app: 'Northwind Analytics', stay: '/stay' }, brand),
  ],
  ...(['app', 'all', 'everywhere'] as const).map((scope): [string, () => Html] => [
    `sign out of links (${scope})`,
    () =>
      signOutQuestion(
        { scope, action: '/signout', csrf: 'v1.mac', stay: 'https://x.example' },
        brand,
      ),
  ]),
  [
    'sign out of links',
    () => signOutQuestion({ action: '/signout', csrf: 'v1.mac', stay: 'https://x.example' }, brand),
  ],
  ['stayed signed in', () => stayedPage(brand)],
  ['signed out of one app', () => stayedPage(brand, 'Northwind Analytics')],
  ['signed out', () => signedOutPage(brand, 'https://app.northwind.example/')],
  ['continue', () => continuePage('https://app.northwind.example/callback', brand)],
  ['message', () => messagePage('We cannot ask you that here', 'The app asked for more.', brand)],
  ...ssoSamples(brand),
  ...billing(),
  ...closingSamples(brand),
  ...personSamples(brand),
  ...dataSamples(brand),
  ...failures(),
  ...memberSamples({ brand, now, rows: accounts }),
]);

function login(view: Partial<Parameters<typeof loginPage>[0]>): Html {
  return loginPage({ form: form('login'), providers, app: 'Northwind Analytics', ...view }, brand);
}
