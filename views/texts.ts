/**
 * Every sentence that people read on our pages. Plain, second person, no blame, no jargon: what
 * happened, what it means, what to do. The same noun for the same thing everywhere.
 */

import { billingFailures, billingTexts } from './billing_texts.ts';
import type { FailureText } from './failure_text.ts';

const listed = new Intl.ListFormat('en');
const capital = (text: string) => text.charAt(0).toLocaleUpperCase('en') + text.slice(1);
const plural = (count: number, one: string, many: string) => (count === 1 ? one : many);

const perPeriod: Record<string, string> = {
  day: 'a day',
  week: 'a week',
  month: 'a month',
  year: 'a year',
};
const periodically: Record<string, string> = {
  day: 'daily',
  week: 'weekly',
  month: 'monthly',
  year: 'yearly',
};

const failures: Record<string, FailureText> = {
  ...billingFailures,
  interaction_expired: {
    title: 'This sign-in is over',
    sentence:
      'It was finished, went on in another tab, or took so long that we stopped it to keep you safe.',
    advice: 'Go back to the app. If you see this page again at once, allow cookies for this site.',
  },
  signin_expired: {
    title: 'This sign-in took too long',
    sentence: 'We stopped it to keep you safe. Nothing was lost.',
  },
  signin_already_used: {
    title: 'This sign-in was already used',
    sentence:
      'It works only once, and it did. If you came here with the back button, you may be signed in already.',
    advice: 'Go back to the app, or start again.',
  },
  signin_other_browser: {
    title: 'This sign-in began in another browser',
    sentence: 'To keep you safe, it has to end where it began.',
    advice:
      'Go back to the browser in which you started, or start again from the app in this one. If this is the right browser, it may be blocking cookies.',
  },
  signin_cancelled: {
    title: 'You did not finish signing in',
  },
  domain_not_allowed: {
    title: 'Use your work account',
    action: 'Use another sign-in',
  },
  linking_over: {
    title: 'Nothing was added',
    sentence:
      'Since you went to sign in there, you signed out here, or somebody else signed in at this browser.',
    advice: 'Sign in here as yourself, and add it again.',
  },
  identity_taken: {
    title: 'Nothing was added',
    sentence: 'Somebody here signs in that way already, perhaps you yourself, as somebody else.',
    advice:
      'To use it here, sign in that way first and remove it there. Nothing that belongs to it is moved.',
  },
  too_many_identities: {
    title: 'Nothing was added',
    advice: 'Remove one that you do not use.',
  },
  last_identity: {
    title: 'This one stays',
    sentence: 'It is the only way in which you can sign in.',
    advice: 'Add another one first.',
  },
  user_disabled: {
    title: 'You cannot sign in any more',
    sentence: 'Your sign-in here was switched off.',
    advice: 'If you think that this is a mistake, ask whoever looks after your account.',
    action: 'Use another sign-in',
  },
  identity_invalid: {
    title: 'We could not tell who you are',
    action: 'Use another sign-in',
  },
  provider_unknown: {
    title: 'This way to sign in is not offered any more',
    sentence: 'It may have been switched off while you were signing in.',
    action: 'Choose another way',
  },
  provider_unavailable: {
    title: 'We cannot reach that sign-in right now',
    action: 'Choose another way',
  },
  upstream_unavailable: {
    title: 'We cannot reach that sign-in right now',
    action: 'Try again',
  },
  upstream_error: {
    title: 'Your sign-in was not confirmed',
  },
  form_foreign: {
    title: 'This page is out of date',
    sentence: 'We did not take what you sent, to keep you safe. Nothing has changed.',
    advice: 'Open the page again. If this keeps happening, allow cookies for this site.',
    action: 'Open the page again',
  },
  rate_limited: {
    title: 'Too many tries',
    sentence: 'There were many requests from your network in a short time.',
  },
  not_found: {
    title: 'There is nothing here',
    sentence: 'This page does not exist, or it has moved.',
    advice: 'Check the address, or go back to where you came from.',
  },
  method_not_allowed: {
    title: 'There is nothing to see here',
    sentence: 'This address is for programs.',
    advice: 'Go back to where you came from.',
  },
  signed_out: {
    title: 'You are signed out',
    sentence: 'You were signed out while this page was open.',
    advice: 'Go back to the app and sign in again.',
  },
  headers_too_large: {
    title: 'Your browser sent too much',
    sentence: 'It has kept more cookies for this site than we can read.',
    advice: 'Delete the cookies of this site, then try again.',
  },
  payment_unavailable: {
    title: 'The payment service does not answer',
    sentence: 'Nothing was paid, and nothing was lost.',
    advice: 'Try again in a minute.',
    action: 'Try again',
  },
  payment_unconfirmed: {
    title: 'We cannot see your payment yet',
    sentence:
      'The payment service does not answer right now. If you have paid, you need not do so again.',
    advice: 'Look again in a minute. You can also close this page: your account comes by itself.',
    action: 'Look again',
  },
  price_unavailable: {
    title: 'This plan cannot be bought right now',
    sentence: 'Nothing was paid. We have written down what happened.',
    advice: 'Try again later, or choose another plan.',
    action: 'Try again',
  },
  payment_failed: {
    title: 'Your payment did not succeed',
    sentence: 'Your bank refused it. You owe nothing.',
    action: 'Choose a plan',
  },
  checkout_expired: {
    title: 'The payment page was open for too long',
    sentence: 'Nothing was paid.',
    action: 'Choose a plan',
  },
  app_unknown: {
    title: 'There is no such app',
    sentence: 'The address may be cut off or mistyped, or the app is no longer offered.',
    advice: 'Go back, or look at the list of apps.',
  },
  checkout_unknown: {
    title: 'We do not know this payment',
    sentence: 'The address may be cut off or mistyped.',
    advice: 'Open the link again that you came by, or go back to the app.',
  },
  checkout_foreign: {
    title: 'This payment was made by somebody else',
    sentence: 'You are signed in as another person than the one who paid.',
    advice: 'Sign in with the sign-in that you paid with.',
  },
  account_unknown: {
    title: 'You do not have this account',
    sentence: 'The link names an account that you do not belong to.',
    advice: 'Open the link again from the app, with the account that you want.',
  },
  not_owner: {
    title: 'Only an owner can do this',
    sentence: 'A plan is chosen and paid by an owner of the account.',
    advice: 'Ask one of them to open this link.',
  },
  promotion_code_unknown: {
    title: 'This code cannot be used',
    sentence: 'It may have run out, or it is not for you.',
    advice: 'Open the link again without it, or ask whoever gave it to you.',
  },
  coupon_unknown: {
    title: 'This code cannot be used',
    sentence: 'It may have run out, or it is not for you.',
    advice: 'Open the link again without it, or ask whoever gave it to you.',
  },
  /** Also what is said of everything else that is busy or away. */
  store_unavailable: {
    title: 'We cannot reach your data right now',
    sentence: 'Nothing was lost, and nothing has changed.',
    advice: 'Try again in a minute.',
  },
  internal_error: {
    title: 'Something broke on our side',
    sentence: 'This is not your fault, and we have written down what happened.',
    advice: 'Try again in a minute.',
  },
};

/** What an app caused and a person sees. */
const appFailure: FailureText = {
  title: 'This app sent us something we cannot use',
  sentence: 'The app that you came from has to be repaired. You have done nothing wrong.',
  advice: 'Go back to the app and try again. If it happens again, tell its makers.',
  technical: true,
};

const appCodes = [
  'invalid_request',
  'invalid_client',
  'invalid_client_metadata',
  'invalid_redirect_uri',
  'invalid_request_object',
  'invalid_request_uri',
  'invalid_scope',
  'invalid_target',
  'parameter_invalid',
  'parameter_repeated',
  'period_unknown',
  'plan_not_offered',
  'plan_unknown',
  'product_unknown',
  'quantity_invalid',
  'return_to_not_allowed',
  'secret_in_address',
  'unauthorized_client',
  'unsupported_response_mode',
  'unsupported_response_type',
  'request_not_supported',
  'request_uri_not_supported',
];

const byStatus: Record<number, FailureText> = {
  403: { title: 'You cannot do that' },
  404: { title: 'There is nothing here' },
  409: { title: 'That was already done' },
  410: { title: 'This is over' },
  413: { title: 'That was too much' },
  429: failures.rate_limited as FailureText,
  503: failures.store_unavailable as FailureText,
};

export const texts = {
  language: 'en',
  title: (page: string, company: string) => `${page} – ${company}`,
  footer: { label: 'About this site', terms: 'Terms', privacy: 'Privacy', support: 'Support' },
  useAnother: 'Use another sign-in',
  backTo: (app: string) => `Back to ${app}`,
  signedInAs: (who: string) => `You are signed in as ${who}.`,
  problem: 'Something to know',

  login: {
    title: 'Sign in',
    heading: (company: string) => `Sign in to ${company}`,
    help: (app: string) => `You will go on to ${app}.`,
    again: (app: string) => `${app} asks you to sign in again.`,
    continueWith: (provider: string) => `Continue with ${provider}`,
    lastUsed: 'last used',
    more: 'More ways',
    none: 'There is no way to sign in yet. The people who run this site have to set one up.',
    choose: 'Choose how you want to sign in.',
    notOffered: 'That way to sign in is not offered. Choose another one.',
    unavailable: (provider: string) =>
      `${provider} does not answer at the moment. Try again in a minute, or choose another way.`,
  },

  selectAccount: {
    title: 'Choose an account',
    help: (app: string) => `Which one do you want to use with ${app}?`,
    remember: (app: string) => `Always use the account I choose with ${app}`,
    filter: 'Find an account',
    find: 'Find',
    nothingFound: (filter: string) => `None of your accounts is called “${filter}”.`,
    showAll: 'Show all accounts',
    part: (rows: string, count: number) => `${rows} of ${count}`,
    pages: 'More accounts',
    previous: 'Previous',
    next: 'Next',
    found: (count: number) => `${count} ${plural(count, 'account', 'accounts')}`,
    current: 'Current',
    late: 'Payment is late',
    trial: (days: number) =>
      days <= 0 ? 'Trial ends today' : `Trial ends in ${days} ${plural(days, 'day', 'days')}`,
    choose: 'Choose one of your accounts.',
    foreign: 'You cannot use that account any more. Choose another one.',
    period: { day: 'daily', week: 'weekly', month: 'monthly', year: 'yearly' },
    /** Roles are words of the operator's. */
    role: (role: string) => capital(role.replace(/[_-]+/g, ' ')),
    plan: (plan: string) => capital(plan.replace(/[_-]+/g, ' ')),
  },

  noAccount: {
    own: 'Your profile and your data',
    title: 'You have no account yet',
    sentence: 'You are signed in, but you are not a member of an account.',
    advice: 'Ask somebody at your company to invite you, then sign in again.',
    offered: 'This is where you can go from here.',
  },
  /** Who comes in by a plan. */
  noPlan: {
    advice: 'Choose a plan, and you have one.',
    unfinished: 'You chose a plan before, and did not finish.',
    goOn: (product: string) => `Go on with ${product}`,
  },
  onlyClosed: {
    title: (count: number) => plural(count, 'Your account is closed', 'Your accounts are closed'),
    sentence: (names: readonly string[]) =>
      `${listed.format(names)} ${plural(names.length, 'was', 'were')} closed.`,
    advice: 'An owner can ask us to open it again.',
  },

  plans: {
    title: 'Choose a plan',
    help: (company: string) => `For your account with ${company}.`,
    none: 'There is nothing to choose from at the moment.',
    trial: (days: number) => `Free for ${days} ${plural(days, 'day', 'days')}`,
    seats: 'Seats',
    free: 'Start for free',
    /** The label of a button; without an amount the payment page says it. */
    price: (amount: string | undefined, period: string, of: 'seat' | 'unit' | undefined) => {
      const each = `${of === undefined ? '' : ` a ${of}`} ${perPeriod[period] ?? ''}`;
      return amount === undefined ? capital(`pay ${periodically[period]}`) : `${amount}${each}`;
    },
  },
  planAccount: {
    title: 'Which account is it for?',
    help: 'The plan is for one account.',
    another: 'A new account',
  },
  confirmPlan: {
    title: (plan: string) => `Start ${plan}?`,
    free: (plan: string, product: string) => `${plan} of ${product} is free.`,
    trial: (plan: string, trial: string) => `${plan}: ${trial}. It ends by itself.`,
    begin: 'Start now',
  },
  payment: {
    lookAgain: 'Look again',
    payAgain: 'Go back to the payment',
    goOn: 'Go on with the payment',
    otherPlan: 'Choose another plan',
    tryAgain: 'Try again',
    manage: 'Plan and payments',
    nothingOwed: 'You owe nothing.',
    moment: { title: 'One moment', sentence: 'We are waiting to hear of your payment.' },
    unpaid: {
      title: 'Your payment has not arrived',
      sentence: 'If you have paid, it can take a minute: your account comes by itself.',
      advice: 'If you have not, you can go back to the payment. Nobody pays twice.',
    },
    waiting: {
      title: 'Your payment is on its way',
      sentence: 'The way you paid takes a few days. Your plan begins when the money has arrived.',
      advice: 'You can close this page. There is nothing more to do.',
    },
    canceled: {
      title: 'You left the payment',
      sentence: 'Nothing was paid, and your choice is kept.',
    },
    failed: {
      title: 'Your payment did not succeed',
      sentence: 'Your bank refused it.',
    },
    expired: {
      title: 'The payment page was open for too long',
      sentence: 'Nothing was paid.',
    },
    subscribed: {
      title: 'You have a plan already',
      sentence: (account: string, product: string) => `${account} has a plan for ${product}.`,
    },
  },

  notRegistered: {
    sentence: (who: string | undefined) =>
      who === undefined
        ? 'You have signed in, but we do not know you here yet.'
        : `You have signed in as ${who}, but we do not know you here yet.`,
    invitation: {
      title: 'You need an invitation',
      advice: 'Ask somebody at your company to invite you, and open the link in their message.',
    },
    checkout: {
      title: 'You need a plan first',
      advice: 'Choose a plan, then you can sign in.',
    },
    choose: 'Choose a plan',
    known: 'If you have been here before, use the same sign-in as then.',
  },

  consent: {
    title: (app: string) => `Connect ${app}?`,
    help: (app: string, company: string) => `${app} is not made by ${company}. It wants to:`,
    helpOwn: (app: string) => `${app} wants to:`,
    openid: 'Know that it is you',
    profile: 'See your name and picture',
    email: 'See your e-mail address',
    offlineAccess: 'Stay connected when you are away',
    account: (account: string) => `See that you belong to ${account}, and your role there`,
    resource: (product: string) => `Use ${product} for you`,
    resourceScopes: (product: string, scopes: string) => `Use ${product} for you: ${scopes}`,
    other: (scope: string) => `Use “${scope}”`,
    goesTo: (host: string) => `You will go on to ${host}.`,
    allow: 'Allow',
    deny: 'Don’t allow',
  },

  signOut: {
    title: 'Sign out?',
    /** What comes of it, by how far it goes. */
    of: {
      app: (company: string) =>
        `You will be signed out of this app. You stay signed in to ${company}, and to your other apps.`,
      all: (company: string) =>
        `You will be signed out of ${company} and of the apps that you use with it, in this browser.`,
      everywhere: (company: string) =>
        `You will be signed out of ${company} and of the apps that you use with it, on all of your devices.`,
    },
    stays: 'Other browsers and devices stay signed in.',
    choice:
      'You can sign out of all apps in this browser, or of this one alone. Other browsers and devices stay signed in.',
    yes: 'Sign out',
    all: 'Sign out of all apps',
    only: (app: string | undefined) => `Sign out of ${app ?? 'this app'} only`,
    no: 'Stay signed in',
    done: 'You are signed out',
    doneSentence: (company: string) => `You are no longer signed in to ${company} in this browser.`,
    doneAdvice: 'If others use this computer, sign out of the site you signed in with, too.',
    again: 'Sign in again',
    left: (app: string) => `You are signed out of ${app}`,
    stayed: 'You are still signed in',
    stayedSentence: (company: string) => `You are signed in to ${company} in this browser.`,
    stayedAdvice: 'You can go back to the app, or close this page.',
  },

  continue: {
    title: 'One moment',
    sentence: 'You are being taken on.',
    link: 'Continue',
  },

  failure: {
    toIdentities: 'Back to your ways to sign in',
    title: 'That did not work',
    startAgain: 'Start again',
    technical: 'For the makers of the app:',
    known: (choices: string) => `Known: ${choices}.`,
    number: { before: 'If it happens again,', tell: 'tell us', after: 'this number:' },
    retry: (seconds: number) =>
      seconds < 90
        ? `Try again in ${seconds} ${plural(seconds, 'second', 'seconds')}.`
        : `Try again in ${Math.ceil(seconds / 60)} minutes.`,
    of: (code: string, status: number): FailureText =>
      (Object.hasOwn(failures, code) ? failures[code] : undefined) ??
      (appCodes.includes(code) ? appFailure : undefined) ??
      byStatus[status] ??
      (status >= 500 ? (failures.internal_error as FailureText) : { title: 'That did not work' }),
  },

  billing: billingTexts,

  /** For the app, not for people: `error_description` of the answer. */
  denied: {
    notRegistered: 'The person is not registered.',
    noAccount: 'The person has no account to use.',
    locked: 'The account has no access.',
    consent: 'The person did not allow it.',
  },

  prompts: {
    unknownTitle: 'We cannot ask you that here',
    unknownSentence: 'The app asked for something that this site does not offer.',
  },
};
