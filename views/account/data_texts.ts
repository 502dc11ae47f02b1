/** What the pages about a person's own data say. */

import { texts } from '../texts.ts';

const days = (count: number) =>
  new Intl.NumberFormat(texts.language, {
    style: 'unit',
    unit: 'day',
    unitDisplay: 'long',
  }).format(count);

export const dataTexts = {
  title: 'Your data',
  file: {
    heading: 'Download your data',
    sentence:
      'A file with all that is kept about you here: your profile, ways to sign in, accounts, devices, apps, invitations, and what happened.',
    action: 'Download your data',
  },
  remove: {
    heading: 'Delete yourself',
    sentence: 'You can have everything about you deleted here. The next page says what that means.',
    action: 'Go on to deletion',
  },
  pending: {
    title: (date: string) => `You will be deleted on ${date}`,
    sentence:
      'Until then everything works as before, and you can change your mind. Afterwards it cannot be undone.',
    action: 'Keep me',
  },
  done: {
    asked: 'It is noted: you will be deleted. You can change your mind until then.',
    kept: 'You stay. Nothing was deleted.',
  },
  question: {
    title: 'Delete yourself?',
    when: (count: number) =>
      count === 0
        ? 'This happens at once, and cannot be undone.'
        : `You will be deleted in ${days(count)}. Until then you can change your mind here; afterwards it cannot be undone.`,
    goesHeading: 'What goes',
    goes: [
      'Your profile, your ways to sign in, your devices, and what apps got for you.',
      'Your place in every account. Their other members stay, and so does the work in them.',
    ],
    closing: 'These accounts are only yours. They are closed, and their plans end:',
    staysHeading: 'What stays for a while',
    stays: [
      'What is left of you here is removed a day later. Messages to apps that could not be delivered are kept for up to 30 days.',
      'The record of what happened in an account stays, without a name or anything that leads back to you.',
      'Invoices stay where the law asks for them. Apps keep data of their own: ask them for it.',
    ],
    action: (count: number) => (count === 0 ? 'Delete me now' : 'Delete me'),
    cancel: 'Keep me',
  },
  handOver: {
    title: 'Hand over first',
    sentence:
      'You are the only owner of accounts that other people use. Make somebody else an owner, or close the account; then come back here.',
    more: (count: number) => `And ${count} more.`,
    back: 'Back to your data',
  },
  gone: {
    title: 'You are deleted',
    sentence:
      'You are signed out everywhere, and what is left of you here is removed within a day.',
  },
};
