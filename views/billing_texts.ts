/** The sentences about plans and payments. They are part of the one catalogue (`texts.ts`). */

import type { FailureText } from './failure_text.ts';

const listed = new Intl.ListFormat('en', { type: 'disjunction' });
const askWhom = (names: readonly string[]) =>
  names.length === 0 ? 'Ask an owner of the account.' : `Ask ${listed.format(names)}.`;

/** Of how an account stands. The sentence is of a date and of a name: which one, `src/links/account_state.ts` says. */
interface StateText {
  title: string;
  sentence?: (date: string, name: string) => string;
  /** Where there is no date. */
  dateless?: (name: string) => string;
}

export const billingTexts = {
  /** An account without access, by what gives it back. */
  locked: {
    title: {
      pay: (account: string) => `A payment for ${account} is late`,
      resume: (account: string) => `The plan of ${account} is paused`,
      subscribe: (account: string) => `${account} has no plan`,
    },
    sentence: {
      pay: (app: string) => `You can use ${app} again as soon as it is paid.`,
      resume: (app: string) => `You can use ${app} again as soon as the plan goes on.`,
      subscribe: (app: string) => `You can use ${app} again as soon as there is a plan.`,
    },
    kept: 'Nothing was deleted.',
    action: { pay: 'Pay now', resume: 'Open billing', subscribe: 'Choose a plan' },
    ask: {
      pay: (names: readonly string[]) => `Only an owner can pay. ${askWhom(names)}`,
      resume: (names: readonly string[]) => `Only an owner can change that. ${askWhom(names)}`,
      subscribe: (names: readonly string[]) => `Only an owner can choose one. ${askWhom(names)}`,
    },
    other: 'Use another account',
    badge: 'On hold',
  },
  /** How an account stands with a product, and what can be done about it. */
  account: {
    title: 'Plans and payments',
    of: (account: string) => `Of ${account}.`,
    states: {
      trialing: {
        title: 'A trial is running',
        sentence: (date) => `It ends on ${date}. After that the plan is paid for.`,
      },
      /** It was begun without a card. */
      trial_without_card: {
        title: 'A trial is running',
        sentence: (date) => `It ends on ${date}. Add a payment method by then to keep the plan.`,
      },
      active: {
        title: 'All is paid',
        sentence: (date) => `The plan is renewed on ${date}.`,
      },
      /** Its period has just ended, and the next one is not told of yet. */
      renewing: {
        title: 'The plan is being renewed',
        sentence: (date) => `The last period ended on ${date}.`,
      },
      ending: {
        title: 'The plan is going to end',
        sentence: (date, plan) => `You have ${plan} until ${date}.`,
      },
      past_due: {
        title: 'A payment is late',
        sentence: (date, product) => `You can use ${product} until ${date}, and on if you pay.`,
        dateless: (product) => `You can still use ${product}. Pay to keep it so.`,
      },
      grace_over: {
        title: 'A payment is late',
        sentence: (date, product) =>
          `It was due on ${date}. You can use ${product} again as soon as it is paid.`,
        dateless: (product) => `You can use ${product} again as soon as it is paid.`,
      },
      unpaid: {
        title: 'A payment is late',
        dateless: (product) => `You can use ${product} again as soon as it is paid.`,
      },
      incomplete: {
        title: 'The first payment is missing',
        dateless: (product) => `You can use ${product} as soon as it is paid.`,
      },
      paused: {
        title: 'The plan is paused',
        dateless: (product) => `You can use ${product} again as soon as the plan goes on.`,
      },
      stale: {
        title: 'We have not heard of a renewal',
        sentence: (date) => `The last period ended on ${date}.`,
      },
      ended: {
        title: 'The plan has ended',
        sentence: (date, plan) => `You had ${plan} until ${date}. Nothing was deleted.`,
        dateless: (plan) => `You had ${plan}. Nothing was deleted.`,
      },
      never_begun: {
        title: 'The plan did not begin',
        dateless: (plan) => `The first payment for ${plan} was never made, and nothing is owed.`,
      },
      /** A word of Stripe's that we do not know. */
      unknown: {
        title: 'Something is to be settled',
        dateless: (product) => `You can use ${product} again after that.`,
      },
      none: {
        title: 'There is no plan',
        dateless: (product) => `Choose one to use ${product}.`,
      },
      free: {
        title: 'There is nothing to pay',
        dateless: (plan) => `${plan} costs nothing.`,
      },
      pending: {
        title: 'A payment is on its way',
        dateless: (plan) =>
          `The way it was paid takes a few days. ${plan} begins when the money has arrived.`,
      },
    } satisfies Record<string, StateText>,
    /** The free plan, after the end or in the meantime. */
    afterwards: (plan: string) => `After that you have ${plan}.`,
    meanwhile: (plan: string) => `You have ${plan}.`,
    action: {
      pay: 'Pay now',
      keep: 'Keep the plan',
      card: 'Add a payment method',
      resume: 'Go on with the plan',
      open: 'Open billing',
      subscribe: 'Choose a plan',
    },
    more: {
      paymentMethod: 'Change the payment method',
      invoices: 'See the invoices',
    },
    change: 'Change the plan',
    cancel: 'Cancel the plan',
    facts: { account: 'Account', plan: 'Plan', seats: 'Seats' },
    ask: (names: readonly string[]) => `Only an owner can change any of it. ${askWhom(names)}`,
  },
  notPayer: {
    title: (account: string) => `You cannot change the plan of ${account}`,
    sentence: 'Only an owner can change the plan, pay, and see the invoices.',
    ask: askWhom,
  },
  which: {
    title: 'Which account is it about?',
    sentence: 'You belong to several.',
  },
  closed: {
    title: (account: string) => `${account} is closed`,
    sentence: 'There is nothing to pay for any more.',
  },
  change: {
    title: 'Change your plan',
    to: (plan: string) => `Change to ${plan}?`,
    now: 'You have now',
    next: 'You will have',
    today: 'To pay today',
    credit: 'Left over, for your next invoices',
    every: {
      day: (amount: string) => `${amount} a day`,
      week: (amount: string) => `${amount} a week`,
      month: (amount: string) => `${amount} a month`,
      year: (amount: string) => `${amount} a year`,
    },
    seats: (count: number) => (count === 1 ? '1 seat' : `${count} seats`),
    confirmFree: 'Change plan',
    confirm: (amount: string) => `Change plan and pay ${amount}`,
    stay: 'Keep the present plan',
    moved: 'The price has changed since you opened this page. Look at it again.',
    trial: 'Your trial goes on, and nothing is paid today.',
  },
  changed: {
    title: 'Your plan is changed',
    sentence: (account: string, plan: string) => `${account} has ${plan} from now on.`,
  },
  unchanged: {
    title: 'You have this plan already',
    sentence: (account: string, plan: string) => `${account} has ${plan}. Nothing has changed.`,
  },
};

export const billingFailures: Record<string, FailureText> = {
  account_foreign: {
    title: 'You do not belong to that account',
    sentence: 'It may have another name for you, or you were removed from it.',
    advice: 'Go back to the app, and choose one of your accounts.',
  },
  account_missing: {
    title: 'You have no account yet',
    sentence: 'You are signed in, but you are not a member of an account.',
    advice: 'Ask somebody at your company to invite you, then open the link again.',
  },
  account_closing: {
    title: 'This account will be closed',
    sentence: 'Nothing new can be bought for it.',
    advice: 'An owner can keep the account, and then try again.',
  },
  card_declined: {
    title: 'Your card was not accepted',
    advice: 'Nothing has changed. Use another card, or ask your bank.',
  },
  change_not_possible: { title: 'This plan cannot be changed here' },
  change_refused: {
    title: 'The change did not go through',
    sentence: 'The payment service did not accept it, and nothing has changed.',
    advice: 'Go back to the app, and try again in a minute.',
  },
  payment_late: { title: 'Something has to be paid first' },
  period_unknown: {
    title: 'This plan is not paid for like that',
    sentence: 'The link names no period that this plan has.',
    advice: 'Go back to the app, and choose again.',
    technical: true,
  },
  plan_not_offered: {
    title: 'This plan is not offered any more',
    sentence: 'Who has it keeps it, but nobody can change to it.',
    advice: 'Go back to the app, and choose another one.',
  },
  plan_unknown: {
    title: 'We do not know that plan',
    sentence: 'The link names no plan that there is.',
    advice: 'Go back to the app, and choose again.',
    technical: true,
  },
  price_unavailable: {
    title: 'This plan cannot be bought right now',
    sentence: 'Nothing has changed, and nothing was paid.',
    advice: 'Try again later, or choose another one.',
  },
  product_unknown: {
    title: 'We do not know that product',
    sentence: 'The link names no product that there is.',
    advice: 'Go back to the app, and try again from there.',
    technical: true,
  },
  quantity_invalid: {
    title: 'That number of seats is not possible',
    advice: 'Go back to the app, and choose again.',
  },
  seats_full: {
    title: 'All seats are taken',
    sentence: 'The plan has no seat for one more member.',
    advice: 'Remove a member, or buy more seats.',
  },
  seats_taken: {
    title: 'More seats are taken than that',
    advice: 'Remove members first, or keep more seats.',
  },
  stripe_unavailable: {
    title: 'We cannot reach the payment service right now',
    sentence: 'Nothing has changed, and nothing was paid.',
    advice: 'Try again in a minute.',
  },
  stripe_refused: {
    title: 'The payment service did not accept that',
    sentence: 'This is not your fault, and nothing has changed.',
    advice: 'If it happens again, tell the people who run this site.',
  },
};
