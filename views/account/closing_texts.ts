/** What the pages for closing an account say. */

import type { Feedback } from '../../src/directory/closing_reason.ts';

/** In the order in which they are asked. The words are Stripe's. */
const feedback: Record<Feedback, string> = {
  too_expensive: 'It is too expensive',
  missing_features: 'Something is missing',
  switched_service: 'We use something else now',
  unused: 'We do not use it enough',
  customer_service: 'Help was not good enough',
  too_complex: 'It is too hard to use',
  low_quality: 'It does not work well enough',
  other: 'Another reason',
};

const people = (count: number, isMore: boolean) =>
  isMore ? `more than ${count} people` : count === 1 ? 'one more person' : `${count} more people`;

export const closingTexts = {
  title: (account: string) => `Close ${account}?`,
  heads: { what: 'What happens', how: 'How you want it' },
  plan: (date: string, plan: string, product: string) =>
    `${plan} of ${product} ends on ${date}, or today if you close the account now.`,
  planWithout: (plan: string, product: string) => `${plan} of ${product} ends.`,
  money: 'Nothing is charged any more, and nothing is paid back.',
  access: (others: number, isMore: boolean) =>
    others === 0
      ? 'You lose access.'
      : `You and ${people(others, isMore)} lose access. Other accounts of yours and theirs stay.`,
  apps: 'Apps can no longer be used for this account, on any device.',
  invitations: 'Invitations that nobody has accepted are of no use any more.',
  data: 'What you have in the apps stays there for now, and nobody can open it. Save what you need before.',
  back: (date: string) => `Until ${date} you can change your mind.`,
  noWayBack: 'Closing it now cannot be taken back.',
  when: {
    label: 'When',
    end: (date: string) => `On ${date}`,
    endHelp: 'With the end of what is paid for. Until then all stays as it is.',
    now: 'Now',
    nowHelp: 'What is paid for is lost.',
    problem: 'Choose when the account is to be closed.',
  },
  why: { label: 'Why do you leave? (optional)', words: feedback, problem: 'Choose one of these.' },
  reason: {
    label: 'What could have been better? (optional)',
    problem: 'Write at most 1000 characters.',
  },
  name: {
    label: 'The name of the account',
    help: (account: string) => `To close it now, type ${account}.`,
    problem: (account: string) => `To close the account now, type its name: ${account}.`,
  },
  close: 'Close the account',
  closeNow: 'Close it now',
  cancel: 'Keep the account',
  pending: {
    title: (account: string) => `${account} will be closed`,
    sentence: (date: string) => `It will be closed on ${date}. Until then all stays as it is.`,
    by: (name: string) => `${name} decided it.`,
    keep: 'Keep the account',
    keepHelp: 'Plans go on, and are charged again, as before.',
    now: 'Close it now instead',
  },
  done: {
    closing: 'The account will be closed.',
  } as Record<string, string>,
  closed: {
    title: (account: string) => `${account} is closed`,
    sentence: 'Nobody can use it any more, and nothing is charged for it any more.',
    goOn: 'Go to your accounts',
  },
  notice: {
    title: 'This account will be closed',
    sentence: (date: string) => `It will be closed on ${date}.`,
    keep: 'Keep the account',
  },
};
