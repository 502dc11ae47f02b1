/** What the page about what happened in an account says: a plain sentence for each type of event. */

export interface ActivityWords {
  /** Whom it is about. */
  who: string;
  /** Who did it. */
  by: string;
  roles: string;
  domain: string;
}

type Sentence = (words: ActivityWords) => string;

const sentences: Readonly<Record<string, Sentence>> = {
  'user.registered': ({ who }) => `${who} was here for the first time.`,
  'account.created': ({ who }) => `The account was made for ${who}.`,
  'account.renamed': ({ by }) => `${by} gave the account another name.`,
  'account.closing': ({ by }) => `${by} decided to close the account.`,
  'account.closing_withdrawn': ({ by }) => `${by} decided to keep the account.`,
  'account.closed': () => 'The account was closed.',
  'account.reopened': () => 'The account was opened again.',
  'account.domain_proven': ({ by, domain }) => `${by} showed that the domain ${domain} is yours.`,
  'account.domain_removed': ({ by, domain }) => `${by} removed the domain ${domain}.`,
  'account.revoked': () => 'Everybody was signed out of the account.',
  'member.added': ({ who, roles }) => `${who} became a member${roles === '' ? '' : ` (${roles})`}.`,
  'member.changed': ({ who, by, roles }) =>
    who === by
      ? `${who} took another role: ${roles}.`
      : `${by} gave ${who} another role: ${roles}.`,
  'member.removed': ({ who, by }) =>
    who === by ? `${who} left the account.` : `${by} removed ${who}.`,
  'owner.removed': ({ who }) => `${who} is no longer an owner.`,
  'invitation.created': ({ by, roles }) => `${by} invited somebody as ${roles}.`,
  'invitation.resent': ({ by }) => `${by} sent an invitation again.`,
  'invitation.waiting': ({ who }) => `${who} asked to be let in.`,
  'invitation.accepted': ({ who }) => `${who} accepted an invitation.`,
  'invitation.declined': ({ who }) => `${who} was not let in, or did not want to come.`,
  'invitation.withdrawn': ({ by }) => `${by} withdrew an invitation.`,
  'grant.revoked': ({ who }) => `${who} was signed out of an app.`,
  'consent.given': ({ who }) => `${who} let an app use the account.`,
  'consent.withdrawn': ({ who }) => `${who} stopped an app from using the account.`,
  'subscription.changed': () => 'The plan or its state changed.',
};

export const activityTexts = {
  title: 'Activity',
  help: (account: string) => `What happened in ${account}, newest first.`,
  none: 'Nothing happened yet.',
  newest: 'Newest',
  older: 'Older',
  operator: 'An operator',
  somebody: 'Somebody who is not here any more',
  /** Of an event that has no sentence: its name, in words. */
  other: (type: string) => {
    const name = type.replaceAll(/[._]+/g, ' ');
    return `${name.charAt(0).toLocaleUpperCase('en')}${name.slice(1)}.`;
  },
  sentence(type: string, words: ActivityWords): string {
    const known = Object.hasOwn(sentences, type) ? sentences[type] : undefined;
    return known === undefined ? activityTexts.other(type) : known(words);
  },
};
