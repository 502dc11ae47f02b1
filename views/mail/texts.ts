/** Every sentence of our e-mails. Both forms of one, text and HTML, are made of these. */

import { texts } from '../texts.ts';

const quoted = (name: string) => `“${name}”`;
const anybody = 'Somebody';

export const mailTexts = {
  language: texts.language,
  /** Above the address itself, for whoever cannot use the button. */
  address: 'If the button does not work, open this address:',
  why: (brand: string) => `You get this e-mail because of something that was done at ${brand}.`,
  support: (address: string) => `Questions? ${address}`,
  facts: {
    account: 'Account',
    role: 'Role',
    by: 'Invited by',
    until: 'Good until',
    who: 'Who',
    address: 'E-mail',
    on: 'On',
  },

  invitation: {
    subject: (by: string | undefined, account: string) =>
      by === undefined
        ? `You are invited to ${quoted(account)}`
        : `${by} invites you to ${quoted(account)}`,
    preheader: (brand: string, until: string) => `Join the account at ${brand} until ${until}.`,
    heading: (account: string) => `You are invited to ${quoted(account)}`,
    sentence: (by: string | undefined, account: string, brand: string) =>
      `${by ?? anybody} asks you to join the account ${quoted(account)} at ${brand}.`,
    how: (email: string) => `Sign in with ${email}, and you are in.`,
    button: 'Look at the invitation',
    unexpected: 'If you did not expect this, ignore it: nothing happens, and you need not answer.',
  },

  waiting: {
    subject: (who: string, account: string) => `${who} wants to join ${quoted(account)}`,
    preheader: 'Let them in, or do not: you decide.',
    heading: (account: string) => `Somebody wants to join ${quoted(account)}`,
    sentence: (who: string, account: string) =>
      `${who} followed a way into the account ${quoted(account)}, and waits for you to let them in.`,
    advice: 'Only let in people whom you know. Until you decide, they see nothing of the account.',
    button: 'Decide',
    somebody: anybody,
  },

  letIn: {
    subject: (account: string) => `You are a member of ${quoted(account)} now`,
    preheader: 'You were let in.',
    heading: (account: string) => `Welcome to ${quoted(account)}`,
    sentence: (account: string, brand: string) =>
      `You asked to join the account ${quoted(account)} at ${brand}, and you were let in.`,
    button: 'Go to the account',
  },

  closing: {
    subject: (account: string, on: string) => `${quoted(account)} will be closed on ${on}`,
    preheader: 'You can take it back until then.',
    heading: (account: string) => `${quoted(account)} will be closed`,
    sentence: (by: string | undefined, account: string, on: string) =>
      by === undefined
        ? `The account ${quoted(account)} will be closed on ${on}.`
        : `${by} decided to close the account ${quoted(account)}. It will be closed on ${on}.`,
    advice: 'Until then all goes on as it was, and an owner can take it back.',
    button: 'Look at the account',
  },

  closed: {
    subject: (account: string) => `${quoted(account)} is closed`,
    preheader: 'Nobody can use it any more.',
    heading: (account: string) => `${quoted(account)} is closed`,
    sentence: (account: string, on: string) =>
      `The account ${quoted(account)} was closed on ${on}. Nobody can use it any more.`,
    advice: 'If that was a mistake, tell us soon.',
  },

  deletion: {
    subject: (brand: string, on: string) => `You will be deleted at ${brand} on ${on}`,
    preheader: 'You can take it back until then.',
    heading: 'You asked to be deleted',
    sentence: (brand: string, on: string) =>
      `On ${on} we delete what we know of you at ${brand}. After that nobody can bring it back.`,
    advice: 'If you changed your mind, or it was not you: sign in before then, and take it back.',
    button: 'Take it back',
  },
};
